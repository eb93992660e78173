package api

import (
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/expr/legacy"
)

// legacyFilter is QueryFilter or ScanFilter with ConditionalOperator.
type legacyFilter struct {
	entries  conditionMap
	operator text
	made     *expr.Condition
}

func (l *legacyFilter) check() error {
	if !l.entries.set && !l.operator.set {
		return nil
	}
	list, err := l.entries.conditions()
	if err == nil {
		l.made, err = legacy.Filter(list, l.operator.s)
	}
	return err
}

func (l *legacyFilter) filter() (*expr.Condition, error) { return l.made, nil }

// legacyQuery is KeyConditions, QueryFilter and ConditionalOperator.
type legacyQuery struct {
	legacyFilter
	keys conditionMap
	key  *expr.KeyCondition
}

func (l *legacyQuery) member(d *decoder, name string) bool {
	switch name {
	case "KeyConditions":
		l.keys = d.conditionMap()
	case "QueryFilter":
		l.entries = d.conditionMap()
	case "ConditionalOperator":
		l.operator = d.text()
	default:
		return false
	}
	return true
}

func (l *legacyQuery) constraints(v *violations) {
	l.entries.constraints(v, "queryFilter")
	l.keys.constraints(v, "keyConditions")
	v.oneOf("conditionalOperator", l.operator, enumOperator...)
}

// names lists what may not stand with an expression. KeyConditions may, unless there is an expression for it.
func (l *legacyQuery) names(in *readInput, keyExpression bool) []string {
	return presentNames(namedSet{"AttributesToGet", in.attributesToGet.set}, namedSet{"QueryFilter", l.entries.set},
		namedSet{"ConditionalOperator", l.operator.set}, namedSet{"KeyConditions", l.keys.set && keyExpression})
}

func (l *legacyQuery) check() error {
	if l.keys.set {
		list, err := l.keys.conditions()
		if err == nil {
			l.key, err = legacy.KeyConditions(list)
		}
		if err != nil {
			return err
		}
	}
	return l.legacyFilter.check()
}

func (l *legacyQuery) keyCondition() (*expr.KeyCondition, error) { return l.key, nil }

// legacyScan is ScanFilter and ConditionalOperator.
type legacyScan struct{ legacyFilter }

func (l *legacyScan) member(d *decoder, name string) bool {
	switch name {
	case "ScanFilter":
		l.entries = d.conditionMap()
	case "ConditionalOperator":
		l.operator = d.text()
	default:
		return false
	}
	return true
}

func (l *legacyScan) constraints(v *violations) {
	l.entries.constraints(v, "scanFilter")
	v.oneOf("conditionalOperator", l.operator, enumOperator...)
}

func (l *legacyScan) names(in *readInput) []string {
	return presentNames(namedSet{"AttributesToGet", in.attributesToGet.set}, namedSet{"ScanFilter", l.entries.set},
		namedSet{"ConditionalOperator", l.operator.set})
}
