package api

import (
	"errors"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/table"
)

// writeInput is what PutItem, UpdateItem and DeleteItem have in common.
type writeInput struct {
	tableName    text
	condition    text
	returnValues text
	onFailure    text // ReturnValuesOnConditionCheckFailure
	consumed     capacity
	collection   text // ReturnItemCollectionMetrics
	substitutions
	legacyCondition
}

func (in *writeInput) member(d *decoder, name string) bool {
	switch name {
	case "TableName":
		in.tableName = d.text()
	case "ConditionExpression":
		in.condition = d.text()
	case "ReturnValues":
		in.returnValues = d.text()
	case "ReturnValuesOnConditionCheckFailure":
		in.onFailure = d.text()
	case "ReturnConsumedCapacity":
		in.consumed.mode = d.text()
	case "ReturnItemCollectionMetrics":
		in.collection = d.text()
	default:
		return in.substitutions.member(d, name) || in.legacyCondition.member(d, name)
	}
	return true
}

// constraints checks the common members; own checks the operation's, at their place in the service's order.
func (in *writeInput) constraints(v *violations, own func()) {
	v.oneOf("returnConsumedCapacity", in.consumed.mode, enumConsumed...)
	v.tableName("tableName", in.tableName)
	v.oneOf("returnValues", in.returnValues, enumReturnValues...)
	v.oneOf("returnItemCollectionMetrics", in.collection, enumMetrics...)
	in.legacyCondition.constraints(v)
	v.oneOf("returnValuesOnConditionCheckFailure", in.onFailure, enumOnCheckFailure...)
	own()
}

// oldOrNone checks the ReturnValues of Put and Delete.
func (in *writeInput) oldOrNone() error {
	if t := in.returnValues; t.set && t.s != "ALL_OLD" && t.s != "NONE" {
		return errValidation("ReturnValues can only be ALL_OLD or NONE")
	}
	return nil
}

// failed adds the stored item to a failed condition if the request asked for it.
func (in *writeInput) failed(err error) error {
	var cf *table.ConditionFailed
	if !errors.As(err, &cf) {
		return err
	}
	e := clientError("ConditionalCheckFailedException", cf.Error())
	if in.onFailure.s == "ALL_OLD" && !cf.Item.IsZero() {
		e.extra = func(w *writer) { w.itemMember("Item", cf.Item) }
	}
	return e
}

// answer writes what Put, Update and Delete have in common.
func (in *writeInput) answer(c *call, t Table, key item.Key, attributes item.Item, res table.WriteResult) {
	w := &c.out
	w.openObject()
	if !attributes.IsZero() {
		w.itemMember("Attributes", attributes)
	}
	in.consumed.member(w, in.tableName.s, res.Cost)
	if in.collection.s == "SIZE" && hasLocalIndex(t.Descriptor()) {
		w.key("ItemCollectionMetrics")
		collectionMetrics(w, t, key.Hash[0])
	}
	w.closeObject()
}

// sizeLimit is the check of an item's size that comes before any of its table.
func sizeLimit(it item.Item) error {
	if it.Size() > item.MaxItemSize {
		return errValidation("Item size has exceeded the maximum allowed size")
	}
	return nil
}
