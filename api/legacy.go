package api

import (
	"github.com/meridiandb/meridian/expr"
)

// legacyCondition is Expected and ConditionalOperator.
type legacyCondition struct{}

func (l *legacyCondition) member(d *decoder, name string) bool {
	switch name {
	case "Expected", "ConditionalOperator":
		return d.refuse(name)
	}
	return false
}
func (l *legacyCondition) constraints(*violations)             {}
func (l *legacyCondition) legacyNames() []string               { return nil }
func (l *legacyCondition) check() error                        { return nil }
func (l *legacyCondition) condition() (*expr.Condition, error) { return nil, nil }

// legacyUpdate is AttributeUpdates.
type legacyUpdate struct{}

func (l *legacyUpdate) member(d *decoder, name string) bool {
	return name == "AttributeUpdates" && d.refuse(name)
}
func (l *legacyUpdate) constraints(*violations)       {}
func (l *legacyUpdate) names() []string               { return nil }
func (l *legacyUpdate) check() error                  { return nil }
func (l *legacyUpdate) update() (*expr.Update, error) { return nil, nil }

// attributesToGet is AttributesToGet.
type attributesToGet struct {
	list []string
	set  bool
}

func (l *attributesToGet) member(d *decoder, name string) bool {
	return name == "AttributesToGet" && d.refuse(name)
}
func (l *attributesToGet) constraints(*violations, string)       {}
func (l *attributesToGet) names() []string                       { return nil }
func (l *attributesToGet) check() error                          { return nil }
func (l *attributesToGet) projection() (*expr.Projection, error) { return nil, nil }

// legacyQuery is KeyConditions, QueryFilter and ConditionalOperator.
type legacyQuery struct{}

func (l *legacyQuery) member(d *decoder, name string) bool {
	switch name {
	case "KeyConditions", "QueryFilter", "ConditionalOperator":
		return d.refuse(name)
	}
	return false
}
func (l *legacyQuery) constraints(*violations)                   {}
func (l *legacyQuery) names(*readInput, bool) []string           { return nil }
func (l *legacyQuery) check() error                              { return nil }
func (l *legacyQuery) keyCondition() (*expr.KeyCondition, error) { return nil, nil }
func (l *legacyQuery) filter() (*expr.Condition, error)          { return nil, nil }

// legacyScan is ScanFilter and ConditionalOperator.
type legacyScan struct{}

func (l *legacyScan) member(d *decoder, name string) bool {
	switch name {
	case "ScanFilter", "ConditionalOperator":
		return d.refuse(name)
	}
	return false
}
func (l *legacyScan) constraints(*violations)          {}
func (l *legacyScan) names(*readInput) []string        { return nil }
func (l *legacyScan) check() error                     { return nil }
func (l *legacyScan) filter() (*expr.Condition, error) { return nil, nil }
