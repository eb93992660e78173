package api

import (
	"cmp"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/expr/legacy"
	"github.com/meridiandb/meridian/item"
)

// expectedEntry is one entry of Expected.
type expectedEntry struct {
	name     string
	value    item.Value
	err      error // what is wrong with value
	exists   flag
	operator text
	values   valueList
}

// legacyCondition is Expected and ConditionalOperator.
type legacyCondition struct {
	expected    entries[expectedEntry]
	expectedSet bool
	operator    text
	made        *expr.Condition
}

func (l *legacyCondition) member(d *decoder, name string) bool {
	switch name {
	case "Expected":
		l.expected = entries[expectedEntry]{}
		l.expectedSet = d.mapping(expectedClass, func(key string) {
			if e := (expectedEntry{name: key}); d.structure("ExpectedAttributeValue", func(name string) bool { return e.member(d, name) }) {
				l.expected.put(key, e)
			}
		})
	case "ConditionalOperator":
		l.operator = d.text()
	default:
		return false
	}
	return true
}

func (e *expectedEntry) member(d *decoder, name string) bool {
	switch name {
	case "Value":
		e.value, e.err = d.value()
	case "Exists":
		e.exists = d.flag()
	case "ComparisonOperator":
		e.operator = d.text()
	case "AttributeValueList":
		e.values = d.valueList()
	default:
		return false
	}
	return true
}

func (l *legacyCondition) constraints(v *violations) {
	for _, e := range l.expected.list {
		v.oneOf("expected."+e.name+".member.comparisonOperator", e.operator, enumComparison...)
	}
	v.oneOf("conditionalOperator", l.operator, enumOperator...)
}

func (l *legacyCondition) legacyNames() []string {
	return presentNames(namedSet{"Expected", l.expectedSet}, namedSet{"ConditionalOperator", l.operator.set})
}

func (l *legacyCondition) check() (err error) {
	if !l.expectedSet && !l.operator.set {
		return nil
	}
	list := make([]legacy.Expectation, len(l.expected.list))
	for i, e := range l.expected.list {
		if err := cmp.Or(item.CheckName(e.name), e.err); err != nil {
			return err
		}
		if e.values.err != nil {
			return e.values.err
		}
		list[i] = legacy.Expectation{
			Name: e.name, Value: e.value, Exists: e.exists.v, ExistsSet: e.exists.set,
			Operator: e.operator.s, Values: e.values.list, ValuesSet: e.values.set,
		}
	}
	l.made, err = legacy.Expected(list, l.operator.s)
	return err
}

func (l *legacyCondition) condition() (*expr.Condition, error) { return l.made, nil }

// updateEntry is one entry of AttributeUpdates.
type updateEntry struct {
	name   string
	action text
	value  item.Value
	err    error // what is wrong with value
}

// legacyUpdate is AttributeUpdates.
type legacyUpdate struct {
	updates    entries[updateEntry]
	updatesSet bool
	made       *expr.Update
}

func (l *legacyUpdate) member(d *decoder, name string) bool {
	if name != "AttributeUpdates" {
		return false
	}
	l.updates = entries[updateEntry]{}
	l.updatesSet = d.mapping(attrUpdateClass, func(key string) {
		e := updateEntry{name: key}
		if d.structure("AttributeValueUpdate", func(name string) bool {
			switch name {
			case "Action":
				e.action = d.text()
			case "Value":
				e.value, e.err = d.value()
			default:
				return false
			}
			return true
		}) {
			l.updates.put(key, e)
		}
	})
	return true
}

func (l *legacyUpdate) constraints(v *violations) {
	for _, e := range l.updates.list {
		v.oneOf("attributeUpdates."+e.name+".member.action", e.action, enumAction...)
	}
}

func (l *legacyUpdate) names() []string {
	return presentNames(namedSet{"AttributeUpdates", l.updatesSet})
}

func (l *legacyUpdate) check() (err error) {
	if !l.updatesSet {
		return nil
	}
	list := make([]legacy.AttributeUpdate, len(l.updates.list))
	for i, e := range l.updates.list {
		if err := cmp.Or(item.CheckName(e.name), e.err); err != nil {
			return err
		}
		list[i] = legacy.AttributeUpdate{Name: e.name, Action: e.action.s, Value: e.value}
	}
	l.made, err = legacy.AttributeUpdates(list)
	return err
}

func (l *legacyUpdate) update() (*expr.Update, error) { return l.made, nil }
