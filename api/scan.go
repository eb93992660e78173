package api

import (
	"strconv"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/region/table"
)

type scanInput struct {
	readInput
	segment, total number
	legacyScan
}

func (in *scanInput) member(d *decoder, name string) bool {
	switch name {
	case "Segment":
		in.segment = d.number("Integer")
	case "TotalSegments":
		in.total = d.number("Integer")
	default:
		return in.readInput.member(d, name) || in.legacyScan.member(d, name)
	}
	return true
}

func (in *scanInput) constraints(v *violations) {
	in.readInput.constraints(v)
	v.between("limit", in.limit, 1, 1<<31-1)
	in.legacyScan.constraints(v)
	v.between("totalSegments", in.total, 1, 1000000)
	v.between("segment", in.segment, 0, 999999)
}

func scan(c *call) error {
	var in scanInput
	if err := c.read(&in); err != nil {
		return err
	}
	filter, proj, err := in.prepare(c)
	if err != nil {
		return err
	}
	t, ix, err := in.source(c, proj)
	if err != nil {
		return err
	}
	if err := checkConditionKeys(filter, t.Descriptor()); err != nil {
		return err
	}
	if err := checkProjectionKeys(proj, t.Descriptor()); err != nil {
		return err
	}
	if err := in.checkStart(t, ix); err != nil {
		return err
	}
	return in.answer(c, filter, proj, func(r table.Reading) (table.Page, error) {
		return t.Scan(c.ctx, table.Scan{Reading: r, Segment: int(in.segment.n), Total: int(in.total.n)})
	})
}

// segments checks the two parameters of a parallel scan against each other.
func (in *scanInput) segments() error {
	switch {
	case in.segment.set && !in.total.set:
		return errValidation("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case in.total.set && !in.segment.set:
		return errValidation("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case in.segment.n >= in.total.n && in.total.set:
		return errValidation("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: " +
			strconv.FormatInt(in.segment.n, 10) + " is not less than TotalSegments: " + strconv.FormatInt(in.total.n, 10))
	}
	return nil
}

// prepare makes the checks that need no table.
func (in *scanInput) prepare(c *call) (filter *expr.Condition, proj *expr.Projection, err error) {
	if err := in.rules(usage{
		expressions: []named{{"ProjectionExpression", in.projection}, {"FilterExpression", in.readInput.filter}},
		legacy:      in.legacyScan.names(&in.readInput),
		plain:       "ProjectionExpression",
	}); err != nil {
		return nil, nil, err
	}
	if err := in.legacyScan.check(); err != nil {
		return nil, nil, err
	}
	if err := in.startValues(); err != nil {
		return nil, nil, err
	}
	if err := in.attributesToGet.check(); err != nil {
		return nil, nil, err
	}
	if err := in.segments(); err != nil {
		return nil, nil, err
	}
	p, err := in.params()
	if err != nil {
		return nil, nil, err
	}
	if filter, err = c.condition(expr.FilterExpression, in.readInput.filter, p); err != nil {
		return nil, nil, err
	}
	if proj, err = c.projection(in.projection, p); err != nil {
		return nil, nil, err
	}
	if err := p.CheckUnused(); err != nil {
		return nil, nil, err
	}
	if filter == nil {
		if filter, err = in.legacyScan.filter(); err != nil {
			return nil, nil, err
		}
	}
	if proj == nil {
		if proj, err = in.attributesToGet.projection(); err != nil {
			return nil, nil, err
		}
	}
	return filter, proj, in.selection("")
}
