package api

import (
	"strconv"

	"github.com/meridiandb/meridian/region/table"
)

// Limits of transactions (DYNAMODB.md 7.3).
const (
	maxTransact      = 100
	maxTransactBytes = 4 << 20
	maxRequestToken  = 36
)

type transactWriteInput struct {
	actions    []transactAction
	set        bool
	token      text
	consumed   capacity
	collection text
}

func (in *transactWriteInput) member(d *decoder, name string) bool {
	switch name {
	case "TransactItems":
		in.actions = nil
		in.set = d.list(func() { in.actions = append(in.actions, d.transactAction()) })
	case "ClientRequestToken":
		in.token = d.text()
	case "ReturnConsumedCapacity":
		in.consumed.mode = d.text()
	case "ReturnItemCollectionMetrics":
		in.collection = d.text()
	default:
		return false
	}
	return true
}

func (in *transactWriteInput) constraints(v *violations) {
	v.oneOf("returnConsumedCapacity", in.consumed.mode, enumConsumed...)
	v.oneOf("returnItemCollectionMetrics", in.collection, enumMetrics...)
	v.length("clientRequestToken", in.token, 1, maxRequestToken)
	if !transactCount(v, in.set, len(in.actions)) {
		return
	}
	for i := range in.actions {
		in.actions[i].constraints(v, i)
	}
}

// transactCount checks how many actions there are.
func transactCount(v *violations, set bool, n int) bool {
	if !v.required("transactItems", set) {
		return false
	}
	shown := "'[]'"
	if n > 0 {
		shown = "'[" + strconv.Itoa(n) + " actions]'"
	}
	v.count("transactItems", shown, n, 1, maxTransact)
	return n >= 1 && n <= maxTransact
}

func transactWriteItems(c *call) error {
	var in transactWriteInput
	if err := c.read(&in); err != nil {
		return err
	}
	if err := in.resolve(c); err != nil {
		return err
	}
	writes := make([]Write, len(in.actions))
	for i := range in.actions {
		writes[i] = in.actions[i].write()
	}
	var token *table.Token
	if in.token.set {
		token = &table.Token{ID: in.token.s, Digest: in.digest()}
		if !c.server.tokens.begin(in.token.s) {
			return errInProgress()
		}
		defer c.server.tokens.end(in.token.s)
	}
	done, err := c.backend.Transact(c.ctx, token, writes)
	if err != nil {
		return canceled(err, func(i int) bool { return in.actions[i].onFailure.s == "ALL_OLD" })
	}
	in.answer(c, done)
	return nil
}

// resolve makes all checks that need no stored item, those of the whole request first.
func (in *transactWriteInput) resolve(c *call) error {
	size := 0
	for i := range in.actions {
		if err := in.actions[i].prepare(c); err != nil {
			return err
		}
		size += in.actions[i].size()
	}
	if size > maxTransactBytes {
		return errValidation("Transaction request size cannot exceed " + strconv.Itoa(maxTransactBytes) + " bytes")
	}
	for i := range in.actions {
		if err := in.actions[i].resolve(c); err != nil {
			return err
		}
	}
	seen := distinct{}
	for i := range in.actions {
		if a := &in.actions[i]; a.invalid == nil && !seen.add(a.table, a.key) {
			return errSameItem()
		}
	}
	for i := range in.actions {
		if err := in.actions[i].invalid; err != nil {
			return invalidAction(len(in.actions), i, err)
		}
	}
	return nil
}

func (in *transactWriteInput) answer(c *call, done table.Transacted) {
	w := &c.out
	w.openObject()
	side := writeSide
	if done.Replayed { // what was done before is only looked at
		side = readSide
	}
	var sum bill
	for i := range in.actions {
		cost := done.Results[i].Cost
		cost.Table *= 2 // the table's share only (DYNAMODB.md section 6)
		sum.add(in.actions[i].tableName.s, cost)
	}
	sum.member(w, in.consumed, side)
	if in.collection.s == "SIZE" {
		in.collections(w)
	}
	w.closeObject()
}

func (in *transactWriteInput) collections(w *writer) {
	var order []string
	parts := map[string]*metricsOf{}
	tables := map[string]Table{}
	for i := range in.actions {
		a := &in.actions[i]
		if a.op == table.Check || !hasLocalIndex(a.table.Descriptor()) {
			continue
		}
		name := a.tableName.s
		if parts[name] == nil {
			parts[name], tables[name] = &metricsOf{}, a.table
			order = append(order, name)
		}
		parts[name].add(a.key)
	}
	w.openObjectMember("ItemCollectionMetrics")
	for _, name := range order {
		parts[name].member(w, name, tables[name])
	}
	w.closeObject()
}
