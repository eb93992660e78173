package expr

import "github.com/meridiandb/meridian/item"

// What the legacy parameters say, made of the same parts as expressions (package legacy). Attributes are named in full and
// never looked into: a dot in a name is a dot.

// TestOp is what a Test says of its attribute.
type TestOp uint8

// The tests, and how many values each takes.
const (
	TestEQ          TestOp = iota // 1
	TestNE                        // 1; true of a missing attribute
	TestLT                        // 1
	TestLE                        // 1
	TestGT                        // 1
	TestGE                        // 1
	TestBetween                   // 2
	TestIn                        // 1 or more
	TestBeginsWith                // 1
	TestContains                  // 1
	TestNotContains               // 1; true of a missing attribute
	TestExists                    // 0
	TestNotExists                 // 0
)

// Test is a condition on one attribute. Its values must be as many as the op takes and of types that it can compare.
type Test struct {
	Name   string
	Op     TestOp
	Values []item.Value
}

var testOps = map[TestOp]bound{
	TestEQ: {op: opEQ}, TestNE: {op: opNE}, TestLT: {op: opLT}, TestLE: {op: opLE}, TestGT: {op: opGT}, TestGE: {op: opGE},
	TestBetween: {op: opBetween}, TestIn: {op: opIn},
	TestBeginsWith: {op: opFunc, fn: fnBeginsWith}, TestContains: {op: opFunc, fn: fnContains}, TestNotContains: {op: opFunc, fn: fnContains},
	TestExists: {op: opFunc, fn: fnExists}, TestNotExists: {op: opFunc, fn: fnNotExists},
}

// NewCondition holds if all tests do, or any of them. There must be one at least.
func NewCondition(anyOf bool, tests []Test) *Condition {
	join := opAnd
	if anyOf {
		join = opOr
	}
	return &Condition{joined(join, tests)}
}

// joined halves the tests, so that the tree is no deeper than it must be.
func joined(join op, tests []Test) bound {
	if n := len(tests); n > 1 {
		return bound{op: join, kids: []bound{joined(join, tests[:n/2]), joined(join, tests[n/2:])}}
	}
	t := tests[0]
	b := testOps[t.Op]
	b.kids = make([]bound, 1, 1+len(t.Values))
	b.kids[0] = bound{op: opPath, path: path{{name: t.Name}}}
	for _, v := range t.Values {
		b.kids = append(b.kids, bound{op: opValue, val: v})
	}
	if t.Op == TestNotContains {
		return bound{op: opNot, kids: []bound{b}}
	}
	return b
}

// NewProjection projects whole attributes. Names must differ.
func NewProjection(names []string) *Projection {
	paths := make([]path, len(names))
	for i, n := range names {
		paths[i] = path{{name: n}}
	}
	return &Projection{disjoint(paths)}
}

// ChangeOp is what a Change does to its attribute.
type ChangeOp uint8

// The changes.
const (
	ChangePut    ChangeOp = iota // sets the attribute to the value
	ChangeRemove                 // removes it; no value
	ChangeAdd                    // adds a number, the members of a set, or the elements of a list
	ChangeDelete                 // takes the members of a set out
)

var changeVerbs = [...]verb{ChangePut: verbSet, ChangeRemove: verbRemove, ChangeAdd: verbAdd, ChangeDelete: verbDelete}

// Change is an action on one attribute. Its value must be of a type that the op takes.
type Change struct {
	Name  string
	Op    ChangeOp
	Value item.Value
}

// NewUpdate makes all changes. Names must differ.
func NewUpdate(changes []Change) *Update {
	u := &Update{changes: make([]change, len(changes)), mismatch: "Type mismatch for attribute to update"}
	paths := make([]path, len(changes))
	for i, c := range changes {
		paths[i] = path{{name: c.Name}}
		u.changes[i] = change{verb: changeVerbs[c.Op], path: paths[i]}
		if !c.Value.IsZero() {
			u.changes[i].value = bound{op: opValue, val: c.Value}
		}
	}
	u.tree = disjoint(paths)
	return u
}

// disjoint is newTree of what its caller knows to be disjoint.
func disjoint(paths []path) *tree {
	t, err := newTree("", paths)
	if err != nil {
		panic(err)
	}
	return t
}
