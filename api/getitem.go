package api

import (
	"github.com/meridiandb/meridian/expr"
)

type getItemInput struct {
	tableName  text
	key        attributes
	consistent flag
	consumed   capacity
	projection text
	substitutions
	attributesToGet
}

func (in *getItemInput) member(d *decoder, name string) bool {
	switch name {
	case "TableName":
		in.tableName = d.text()
	case "Key":
		in.key = d.attributes()
	case "ConsistentRead":
		in.consistent = d.flag()
	case "ReturnConsumedCapacity":
		in.consumed.mode = d.text()
	case "ProjectionExpression":
		in.projection = d.text()
	default:
		return in.substitutions.member(d, name) || in.attributesToGet.member(d, name)
	}
	return true
}

func (in *getItemInput) constraints(v *violations) {
	v.oneOf("returnConsumedCapacity", in.consumed.mode, enumConsumed...)
	v.tableName("tableName", in.tableName)
	v.required("key", in.key.set)
	in.attributesToGet.constraints(v, "attributesToGet")
}

func getItem(c *call) error {
	var in getItemInput
	if err := c.read(&in); err != nil {
		return err
	}
	proj, err := in.prepare(c)
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
	if err := checkProjectionKeys(proj, t.Descriptor()); err != nil {
		return err
	}
	res, err := t.Get(c.ctx, key, in.consistent.v)
	if err != nil {
		return err
	}
	w := &c.out
	w.openObject()
	if it := res.Item; !it.IsZero() {
		if proj != nil {
			it = proj.Apply(it)
		}
		w.itemMember("Item", it)
	}
	in.consumed.member(w, in.tableName.s, res.Cost)
	w.closeObject()
	return nil
}

// prepare makes the checks that need no table.
func (in *getItemInput) prepare(c *call) (*expr.Projection, error) {
	if err := in.rules(usage{
		expressions: []named{{"ProjectionExpression", in.projection}}, legacy: in.attributesToGet.names(),
	}); err != nil {
		return nil, err
	}
	if in.key.err != nil {
		return nil, in.key.err
	}
	return in.anyProjection(c, in.projection, &in.substitutions)
}

// anyProjection is a read's projection, in either dialect. It uses all of the request's expressions.
func (a *attributesToGet) anyProjection(c *call, t text, s *substitutions) (*expr.Projection, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	if !t.set && !s.namesSet {
		return a.projection()
	}
	p, err := s.params()
	if err != nil {
		return nil, err
	}
	proj, err := c.projection(t, p)
	if err != nil {
		return nil, err
	}
	if err := p.CheckUnused(); err != nil {
		return nil, err
	}
	if proj == nil {
		return a.projection()
	}
	return proj, nil
}
