package api

import (
	"errors"
	"strings"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/region/table"
)

// distinct finds two actions on one item.
type distinct map[string]bool

func (d distinct) add(t Table, k item.Key) bool {
	id := t.Descriptor().ID
	at := string(k.Append(id[:]))
	if d[at] {
		return false
	}
	d[at] = true
	return true
}

func errSameItem() error {
	return errValidation("Transaction request cannot include multiple operations on one item")
}

// reason is one CancellationReason; Code "None" for an action that was fine.
type reason struct {
	code, message string
	item          item.Item
}

// errCanceled is the error of a cancelled transaction: one reason for each action, in order.
func errCanceled(reasons []reason) error {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.code
	}
	e := clientError("TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons ["+strings.Join(codes, ", ")+"]")
	e.extra = func(w *writer) {
		w.openListMember("CancellationReasons")
		for _, r := range reasons {
			w.openObject()
			w.stringMember("Code", r.code)
			if r.message != "" {
				w.stringMember("Message", r.message)
			}
			if !r.item.IsZero() {
				w.itemMember("Item", r.item)
			}
			w.closeObject()
		}
		w.closeList()
	}
	return e
}

// invalidAction cancels a transaction of n actions because action i can never succeed.
func invalidAction(n, i int, err error) error {
	reasons := make([]reason, n)
	for j := range reasons {
		reasons[j].code = "None"
	}
	reasons[i] = reason{code: "ValidationError", message: translate(err).message}
	return errCanceled(reasons)
}

// canceled turns the region's reasons into DynamoDB's. wantsItem says of which actions a failed condition shows the item.
// Only the first action that can never succeed is told, and then alone.
func canceled(err error, wantsItem func(i int) bool) error {
	var c *region.Canceled
	if !errors.As(err, &c) {
		return err
	}
	reasons := make([]reason, len(c.Reasons))
	for i, r := range c.Reasons {
		reasons[i] = reasonFor(r)
		if reasons[i].code == "ValidationError" {
			return invalidAction(len(c.Reasons), i, r)
		}
		var cf *table.ConditionFailed
		if errors.As(r, &cf) && wantsItem != nil && wantsItem(i) {
			reasons[i].item = cf.Item
		}
		if reasons[i].code == "" {
			return r // our own fault, not the transaction's
		}
	}
	return errCanceled(reasons)
}

func reasonFor(err error) reason {
	if err == nil {
		return reason{code: "None"}
	}
	e := translate(err)
	if e.throttled != nil && e.throttled.First().OnDemand {
		return reason{code: "ThrottlingError", message: e.message}
	}
	code := ""
	switch e.name {
	case "ConditionalCheckFailedException":
		code = "ConditionalCheckFailed"
	case "ValidationException":
		code = "ValidationError"
	case "DuplicateItemException":
		code = "DuplicateItem"
	case "TransactionConflictException":
		code = "TransactionConflict"
	case "ProvisionedThroughputExceededException":
		code = "ProvisionedThroughputExceeded"
	case "ThrottlingException":
		code = "ThrottlingError"
	case "ItemCollectionSizeLimitExceededException":
		code = "ItemCollectionSizeLimitExceeded"
	}
	return reason{code: code, message: e.message}
}
