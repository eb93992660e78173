package api

import (
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/table"
)

type deleteItemInput struct {
	writeInput
	key attributes
}

func (in *deleteItemInput) member(d *decoder, name string) bool {
	if name == "Key" {
		in.key = d.attributes()
		return true
	}
	return in.writeInput.member(d, name)
}

func (in *deleteItemInput) constraints(v *violations) {
	in.writeInput.constraints(v, func() { v.required("key", in.key.set) })
}

func deleteItem(c *call) error {
	var in deleteItemInput
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
	key, err := t.Schema().FromKeyArg(in.key.item)
	if err != nil {
		return err
	}
	if err := checkConditionKeys(cond, t.Descriptor()); err != nil {
		return err
	}
	res, err := t.Write(c.ctx, table.Write{Op: table.Delete, Key: key, Condition: cond})
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
func (in *deleteItemInput) prepare(c *call) (*expr.Condition, error) {
	if err := in.rules(usage{
		expressions: []named{{"ConditionExpression", in.condition}}, legacy: in.legacyNames(),
	}); err != nil {
		return nil, err
	}
	if in.key.err != nil {
		return nil, in.key.err
	}
	if err := in.oldOrNone(); err != nil {
		return nil, err
	}
	return in.anyCondition(c)
}
