package api

import (
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/expr/legacy"
	"github.com/meridiandb/meridian/item"
)

// The parameters that expressions replaced (DYNAMODB.md 4.9). Each has a member that reads it, constraints, and a check that
// makes of it what an expression would make; what check found is handed out by a method named after it. Entries of a map
// stay in the order in which they were sent, because the first fault is told.

// Enumerations of the legacy parameters, in the service's order.
var (
	enumComparison = []string{
		"IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT", "NOT_NULL", "NE", "LE", "BEGINS_WITH", "GE", "CONTAINS",
	}
	enumAction = []string{"ADD", "PUT", "DELETE"}
)

// valueList is an AttributeValueList; err is the first value that breaks the data model.
type valueList struct {
	list []item.Value
	set  bool
	err  error
}

func (d *decoder) valueList() (l valueList) {
	l.set = d.list(func() {
		v, err := d.value()
		if err != nil && l.err == nil {
			l.err = err
		}
		l.list = append(l.list, v)
	})
	return l
}

// entries are those of a map, in the order in which they were sent.
type entries[E any] struct {
	list []E
	at   map[string]int // name → place in list
}

// put adds an entry; of two of one name the later counts, at the first one's place.
func (l *entries[E]) put(name string, e E) {
	if i, ok := l.at[name]; ok {
		l.list[i] = e
		return
	}
	if l.at == nil {
		l.at = map[string]int{}
	}
	l.at[name] = len(l.list)
	l.list = append(l.list, e)
}

// conditionEntry is one entry of KeyConditions, QueryFilter or ScanFilter.
type conditionEntry struct {
	name     string
	operator text
	values   valueList
}

// conditionMap is KeyConditions, QueryFilter or ScanFilter.
type conditionMap struct {
	entries[conditionEntry]
	set bool
}

func (d *decoder) conditionMap() (m conditionMap) {
	m.set = d.mapping(conditionClass, func(key string) {
		e := conditionEntry{name: key}
		if !d.structure("Condition", func(name string) bool {
			switch name {
			case "ComparisonOperator":
				e.operator = d.text()
			case "AttributeValueList":
				e.values = d.valueList()
			default:
				return false
			}
			return true
		}) {
			return
		}
		m.put(key, e)
	})
	return m
}

func (m *conditionMap) constraints(v *violations, path string) {
	for _, e := range m.list {
		at := path + "." + e.name + ".member.comparisonOperator"
		if v.required(at, e.operator.set) {
			v.oneOf(at, e.operator, enumComparison...)
		}
	}
}

// conditions hands the entries on, unless a name or a value breaks the data model.
func (m *conditionMap) conditions() ([]legacy.Condition, error) {
	list := make([]legacy.Condition, len(m.list))
	for i, e := range m.list {
		if err := item.CheckName(e.name); err != nil {
			return nil, err
		}
		if e.values.err != nil {
			return nil, e.values.err
		}
		list[i] = legacy.Condition{Name: e.name, Operator: e.operator.s, Values: e.values.list}
	}
	return list, nil
}

// attributesToGet is AttributesToGet.
type attributesToGet struct {
	list []string
	set  bool
	made *expr.Projection
}

func (l *attributesToGet) member(d *decoder, name string) bool {
	if name == "AttributesToGet" {
		l.list, l.set = d.texts()
		return true
	}
	return false
}

func (l *attributesToGet) constraints(v *violations, path string) {
	if l.set {
		v.count(path, quoted(javaList(l.list)), len(l.list), 1, -1)
	}
}

func (l *attributesToGet) names() []string {
	return presentNames(namedSet{"AttributesToGet", l.set})
}

func (l *attributesToGet) check() (err error) {
	for _, name := range l.list {
		if err := item.CheckName(name); err != nil {
			return err
		}
	}
	if l.set {
		l.made, err = legacy.AttributesToGet(l.list)
	}
	return err
}

func (l *attributesToGet) projection() (*expr.Projection, error) { return l.made, nil }
