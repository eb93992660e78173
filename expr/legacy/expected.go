package legacy

import (
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
)

// Expectation is one entry of Expected. It has two forms: Value and Exists, or Operator and Values (a Value may stand for a
// list of one).
type Expectation struct {
	Name      string
	Value     item.Value // zero: absent
	Exists    bool
	ExistsSet bool
	Operator  string // ComparisonOperator; "": absent
	Values    []item.Value
	ValuesSet bool // AttributeValueList
}

// Expected makes a condition. conditionalOperator is "" if it is absent. The result is nil, which always holds, if there are
// no entries.
func Expected(entries []Expectation, conditionalOperator string) (*expr.Condition, error) {
	tests := make([]expr.Test, len(entries))
	for i, e := range entries {
		var err error
		if tests[i], err = e.test(); err != nil {
			return nil, err
		}
	}
	return join(tests, conditionalOperator)
}

func (e Expectation) test() (expr.Test, error) {
	refuse := func(text string) (expr.Test, error) {
		return expr.Test{}, errorf(invalid+text+" for Attribute: %s", e.Name)
	}
	value := !e.Value.IsZero()
	switch {
	case value && e.ValuesSet:
		return refuse("Value and AttributeValueList cannot be used together")
	case e.Operator == "" && e.ValuesSet:
		return refuse("AttributeValueList can only be used with a ComparisonOperator")
	case e.Operator != "":
		return e.compare(refuse)
	case !e.ExistsSet && !value:
		return refuse("Value must be provided when Exists is null")
	case e.ExistsSet && e.Exists && !value:
		return refuse("Value must be provided when Exists is true")
	case e.ExistsSet && !e.Exists && value:
		return refuse("Value cannot be used when Exists is false")
	case value:
		return expr.Test{Name: e.Name, Op: expr.TestEQ, Values: []item.Value{e.Value}}, nil
	}
	return expr.Test{Name: e.Name, Op: expr.TestNotExists}, nil
}

// compare reads the form with an operator.
func (e Expectation) compare(refuse func(string) (expr.Test, error)) (expr.Test, error) {
	c := Condition{e.Name, e.Operator, e.Values}
	switch value := !e.Value.IsZero(); {
	case e.ExistsSet:
		return refuse("Exists and ComparisonOperator cannot be used together")
	case value:
		c.Values = []item.Value{e.Value}
	case !e.ValuesSet && operators[e.Operator].max > 0:
		return refuse("Value or AttributeValueList must be used with ComparisonOperator: " + e.Operator)
	}
	return c.test()
}
