package api

import (
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/table"
)

type updateItemInput struct {
	writeInput
	key    attributes
	update text
	legacyUpdate
}

func (in *updateItemInput) member(d *decoder, name string) bool {
	switch name {
	case "Key":
		in.key = d.attributes()
	case "UpdateExpression":
		in.update = d.text()
	default:
		return in.writeInput.member(d, name) || in.legacyUpdate.member(d, name)
	}
	return true
}

func (in *updateItemInput) constraints(v *violations) {
	in.writeInput.constraints(v, func() {
		v.required("key", in.key.set)
		in.legacyUpdate.constraints(v)
	})
}

func updateItem(c *call) error {
	var in updateItemInput
	if err := c.read(&in); err != nil {
		return err
	}
	update, cond, err := in.prepare(c)
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
	if err := checkUpdateKeys(update, t.Descriptor()); err != nil {
		return err
	}
	if err := checkConditionKeys(cond, t.Descriptor()); err != nil {
		return err
	}
	res, err := t.Write(c.ctx, table.Write{Op: table.Update, Key: key, Update: update, Condition: cond})
	if err != nil {
		return in.failed(err)
	}
	in.answer(c, t, key, in.attributes(res), res)
	return nil
}

// attributes picks what ReturnValues asks for. The parts that an update touched are left out when there are none.
func (in *updateItemInput) attributes(res table.WriteResult) item.Item {
	switch in.returnValues.s {
	case "ALL_OLD":
		return res.Old
	case "ALL_NEW":
		return res.New
	case "UPDATED_OLD":
		return unlessEmpty(res.UpdatedOld)
	case "UPDATED_NEW":
		return unlessEmpty(res.UpdatedNew)
	}
	return item.Item{}
}

func unlessEmpty(it item.Item) item.Item {
	if it.IsZero() || it.Len() == 0 {
		return item.Item{}
	}
	return it
}

// prepare makes the checks that need no table.
func (in *updateItemInput) prepare(c *call) (*expr.Update, *expr.Condition, error) {
	if err := in.rules(usage{
		expressions: []named{{"UpdateExpression", in.update}, {"ConditionExpression", in.condition}},
		legacy:      append(in.legacyUpdate.names(), in.legacyNames()...),
	}); err != nil {
		return nil, nil, err
	}
	if in.key.err != nil {
		return nil, nil, in.key.err
	}
	if err := in.legacyUpdate.check(); err != nil {
		return nil, nil, err
	}
	if err := in.legacyCondition.check(); err != nil {
		return nil, nil, err
	}
	p, err := in.params()
	if err != nil {
		return nil, nil, err
	}
	update, err := c.update(in.update, p)
	if err != nil {
		return nil, nil, err
	}
	cond, err := c.condition(expr.ConditionExpression, in.condition, p)
	if err != nil {
		return nil, nil, err
	}
	if err := p.CheckUnused(); err != nil {
		return nil, nil, err
	}
	if update == nil {
		update, err = in.legacyUpdate.update()
	}
	if err == nil && cond == nil {
		cond, err = in.legacyCondition.condition()
	}
	return update, cond, err
}
