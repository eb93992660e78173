package legacy

import (
	"fmt"
	"slices"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
)

// Condition is one entry of KeyConditions, QueryFilter or ScanFilter.
type Condition struct {
	Name     string
	Operator string       // ComparisonOperator
	Values   []item.Value // AttributeValueList
}

// operator is what a ComparisonOperator takes and means.
type operator struct {
	test     expr.TestOp
	rng      expr.RangeOp // as a key condition; RangeAll if it is none
	min, max int          // values
	takes    func(item.Kind) bool
}

const maxIn = 1 << 30 // IN takes any number of values

var operators = map[string]operator{
	"EQ":           {expr.TestEQ, expr.RangeEQ, 1, 1, anyKind},
	"NE":           {expr.TestNE, 0, 1, 1, anyKind},
	"LT":           {expr.TestLT, expr.RangeLT, 1, 1, scalar},
	"LE":           {expr.TestLE, expr.RangeLE, 1, 1, scalar},
	"GT":           {expr.TestGT, expr.RangeGT, 1, 1, scalar},
	"GE":           {expr.TestGE, expr.RangeGE, 1, 1, scalar},
	"BETWEEN":      {expr.TestBetween, expr.RangeBetween, 2, 2, scalar},
	"IN":           {expr.TestIn, 0, 1, maxIn, scalar},
	"BEGINS_WITH":  {expr.TestBeginsWith, expr.RangeBeginsWith, 1, 1, text},
	"CONTAINS":     {expr.TestContains, 0, 1, 1, scalar},
	"NOT_CONTAINS": {expr.TestNotContains, 0, 1, 1, scalar},
	"NULL":         {expr.TestNotExists, 0, 0, 0, anyKind},
	"NOT_NULL":     {expr.TestExists, 0, 0, 0, anyKind},
}

func anyKind(item.Kind) bool  { return true }
func scalar(k item.Kind) bool { return k == item.String || k == item.Number || k == item.Binary }
func text(k item.Kind) bool   { return k == item.String || k == item.Binary }

// invalid begins nearly all messages.
const invalid = "One or more parameter values were invalid: "

func errorf(format string, args ...any) error {
	return &expr.Error{Message: fmt.Sprintf(format, args...)}
}

// check applies the rules of one operator: number of values, one type, a type it takes, order.
func (c Condition) check() (operator, error) {
	o, ok := operators[c.Operator]
	if !ok {
		return o, errorf(invalid+"%q is no ComparisonOperator", c.Operator) // the caller's fault: it is an enum's rule
	}
	if len(c.Values) < o.min || len(c.Values) > o.max {
		return o, errorf(invalid+"Invalid number of argument(s) for the %s ComparisonOperator", c.Operator)
	}
	for _, v := range c.Values {
		if v.Kind() != c.Values[0].Kind() {
			return o, errorf(invalid + "AttributeValues inside AttributeValueList must be of same type")
		}
	}
	if len(c.Values) > 0 && !o.takes(c.Values[0].Kind()) {
		return o, errorf(invalid+"ComparisonOperator %s is not valid for %s AttributeValue type", c.Operator, c.Values[0].Kind())
	}
	if o.test == expr.TestBetween {
		if order, _ := item.Compare(c.Values[0], c.Values[1]); order > 0 {
			return o, errorf("The BETWEEN condition was provided a range where the lower bound is greater than the upper bound")
		}
	}
	return o, nil
}

func (c Condition) test() (expr.Test, error) {
	o, err := c.check()
	return expr.Test{Name: c.Name, Op: o.test, Values: c.Values}, err
}

// Filter makes a QueryFilter or ScanFilter. conditionalOperator is "" if it is absent. The result is nil, which holds of
// every item, if there are no entries.
func Filter(entries []Condition, conditionalOperator string) (*expr.Condition, error) {
	tests := make([]expr.Test, len(entries))
	for i, c := range entries {
		var err error
		if tests[i], err = c.test(); err != nil {
			return nil, err
		}
	}
	return join(tests, conditionalOperator)
}

// join applies the ConditionalOperator, which needs something to join.
func join(tests []expr.Test, conditionalOperator string) (*expr.Condition, error) {
	switch {
	case conditionalOperator != "" && len(tests) == 0:
		return nil, errorf("ConditionalOperator cannot be used without Filter or Expected")
	case conditionalOperator != "" && len(tests) == 1:
		return nil, errorf("ConditionalOperator can only be used when Filter or Expected has two or more elements")
	case len(tests) == 0:
		return nil, nil
	}
	return expr.NewCondition(conditionalOperator == "OR", tests), nil
}

// KeyConditions makes a key condition; which attributes are keys is for its Resolve.
func KeyConditions(entries []Condition) (*expr.KeyCondition, error) {
	if len(entries) == 0 {
		return nil, errorf("Conditions can be of length 1 or 2 only")
	}
	terms := make([]expr.KeyTerm, len(entries))
	for i, c := range entries {
		o, err := c.check()
		if err != nil {
			return nil, err
		}
		if o.rng == expr.RangeAll {
			return nil, errorf("Attempted conditional constraint is not an indexable operation")
		}
		terms[i] = expr.KeyTerm{Name: c.Name, Op: o.rng, Lo: c.Values[0]}
		if o.rng == expr.RangeBetween {
			terms[i].Hi = c.Values[1]
		}
	}
	return expr.NewKeyCondition(terms...), nil
}

// AttributesToGet makes a projection of whole attributes.
func AttributesToGet(names []string) (*expr.Projection, error) {
	sorted := slices.Sorted(slices.Values(names))
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return nil, errorf(invalid+"Duplicate value in attribute name: %s", sorted[i])
		}
	}
	return expr.NewProjection(names), nil
}
