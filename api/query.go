package api

import (
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
)

type queryInput struct {
	readInput
	keyCondition text
	forward      flag
	legacyQuery
}

func (in *queryInput) member(d *decoder, name string) bool {
	switch name {
	case "KeyConditionExpression":
		in.keyCondition = d.text()
	case "ScanIndexForward":
		in.forward = d.flag()
	default:
		return in.readInput.member(d, name) || in.legacyQuery.member(d, name)
	}
	return true
}

func (in *queryInput) constraints(v *violations) {
	in.readInput.constraints(v)
	if in.limit.set && in.limit.n < 1 {
		v.add("", "Limit", "Member must have value greater than or equal to 1")
	}
	in.legacyQuery.constraints(v)
}

// queryPlan is a Query's expressions, parsed and bound.
type queryPlan struct {
	key        *expr.KeyCondition
	filter     *expr.Condition
	projection *expr.Projection
}

func query(c *call) error {
	var in queryInput
	if err := c.read(&in); err != nil {
		return err
	}
	plan, err := in.prepare(c)
	if err != nil {
		return err
	}
	t, ix, err := in.source(c, plan.projection)
	if err != nil {
		return err
	}
	schema := keySchemaOf(t, ix)
	rng, err := plan.key.Resolve(schema)
	if err != nil {
		return err
	}
	if err := in.checkFilter(plan.filter, schema, t.Descriptor()); err != nil {
		return err
	}
	if err := checkProjectionKeys(plan.projection, t.Descriptor()); err != nil {
		return err
	}
	if err := in.checkStart(t, ix, rng); err != nil {
		return err
	}
	return in.answer(c, plan.filter, plan.projection, func(r table.Reading) (table.Page, error) {
		return t.Query(c.ctx, table.Query{Reading: r, Range: rng, Reverse: in.forward.set && !in.forward.v})
	})
}

// checkFilter refuses a filter on the keys that the query itself is about.
func (in *queryInput) checkFilter(filter *expr.Condition, schema item.KeySchema, d *catalog.Descriptor) error {
	if filter == nil {
		return nil
	}
	for _, name := range filter.TopLevelNames() {
		if schema.Has(name) {
			what := "Filter Expression"
			if !in.readInput.filter.set {
				what = "QueryFilter"
			}
			return errValidation(what + " can only contain non-primary key attributes: Primary key attribute: " + name)
		}
	}
	return checkConditionKeys(filter, d)
}

// checkStart refuses to go on with a query that one item answers at most.
func (in *queryInput) checkStart(t Table, ix *catalog.Index, rng expr.KeyRange) error {
	if err := in.readInput.checkStart(t, ix); err != nil {
		return err
	}
	if in.start.set && ix == nil && len(rng.Prefix) == len(t.Schema().Range) {
		return errValidation("The query can return at most one row and cannot be restarted")
	}
	return nil
}

// prepare makes the checks that need no table.
func (in *queryInput) prepare(c *call) (plan queryPlan, err error) {
	if err := in.rules(usage{
		expressions: []named{
			{"ProjectionExpression", in.projection}, {"FilterExpression", in.readInput.filter}, {"KeyConditionExpression", in.keyCondition},
		},
		legacy: in.legacyQuery.names(&in.readInput, in.keyCondition.set),
		plain:  "ProjectionExpression",
	}); err != nil {
		return plan, err
	}
	if err := in.startValues(); err != nil {
		return plan, err
	}
	if err := in.attributesToGet.check(); err != nil {
		return plan, err
	}
	if err := in.legacyQuery.check(); err != nil {
		return plan, err
	}
	if err := plan.parse(c, in); err != nil {
		return plan, err
	}
	if plan.key == nil {
		return plan, errValidation("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	return plan, in.selection("1 validation error detected: ")
}

func (plan *queryPlan) parse(c *call, in *queryInput) error {
	p, err := in.params()
	if err != nil {
		return err
	}
	if plan.key, err = c.keyCondition(in.keyCondition, p); err != nil {
		return err
	}
	if plan.filter, err = c.condition(expr.FilterExpression, in.readInput.filter, p); err != nil {
		return err
	}
	if plan.projection, err = c.projection(in.projection, p); err != nil {
		return err
	}
	if err := p.CheckUnused(); err != nil {
		return err
	}
	if plan.key == nil {
		if plan.key, err = in.legacyQuery.keyCondition(); err != nil {
			return err
		}
	}
	if plan.filter == nil {
		if plan.filter, err = in.legacyQuery.filter(); err != nil {
			return err
		}
	}
	if plan.projection == nil {
		plan.projection, err = in.attributesToGet.projection()
	}
	return err
}
