package api

import (
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/table"
)

type putItemInput struct {
	writeInput
	item attributes
}

func (in *putItemInput) member(d *decoder, name string) bool {
	if name == "Item" {
		in.item = d.attributes()
		return true
	}
	return in.writeInput.member(d, name)
}

func (in *putItemInput) constraints(v *violations) {
	in.writeInput.constraints(v, func() { v.required("item", in.item.set) })
}

func putItem(c *call) error {
	var in putItemInput
	if err := c.read(&in); err != nil {
		return err
	}
	cond, err := in.prepare(c)
	if err != nil {
		return err
	}
	t, err := c.table(in.tableName)
	if err != nil {
		return err
	}
	key, err := t.Schema().FromItem(in.item.item)
	if err != nil {
		return err
	}
	if err := checkConditionKeys(cond, t.Descriptor()); err != nil {
		return err
	}
	res, err := t.Write(c.ctx, table.Write{Op: table.Put, Key: key, Item: in.item.item, Condition: cond})
	if err != nil {
		return in.failed(err)
	}
	var old item.Item
	if in.returnValues.s == "ALL_OLD" {
		old = res.Old
	}
	in.answer(c, t, key, old, res)
	return nil
}

// prepare makes the checks that need no table.
func (in *putItemInput) prepare(c *call) (*expr.Condition, error) {
	if err := in.rules(usage{
		expressions: []named{{"ConditionExpression", in.condition}}, legacy: in.legacyNames(),
	}); err != nil {
		return nil, err
	}
	if in.item.err != nil {
		return nil, in.item.err
	}
	if err := in.oldOrNone(); err != nil {
		return nil, err
	}
	if err := sizeLimit(in.item.item); err != nil {
		return nil, err
	}
	return in.anyCondition(c)
}

// anyCondition is the write's condition, in either dialect.
func (in *writeInput) anyCondition(c *call) (*expr.Condition, error) {
	if err := in.legacyCondition.check(); err != nil {
		return nil, err
	}
	if !in.condition.set {
		return in.legacyCondition.condition() // and no substitutions either: see rules
	}
	p, err := in.params()
	if err != nil {
		return nil, err
	}
	cond, err := c.condition(expr.ConditionExpression, in.condition, p)
	if err != nil {
		return nil, err
	}
	return cond, p.CheckUnused()
}
