package expr

import (
	"slices"

	"github.com/meridiandb/meridian/item"
)

// Condition is a bound condition or filter. It is immutable.
type Condition struct {
	root  *bound
	names []string
}

// bound is a part of a condition or update with its substitutions.
type bound struct {
	op   op
	fn   fn
	kids []*bound
	path path
	val  item.Value // opValue
}

// Bind puts in a request's substitutions and refuses what cannot be with them.
func (a *CondAST) Bind(p *Params) (*Condition, error) {
	root, err := bindNode(a.kind, a.root, p, checkBound)
	if err != nil {
		return nil, err
	}
	c := &Condition{root: root}
	root.eachPath(func(p path) {
		if !slices.Contains(c.names, p[0].name) {
			c.names = append(c.names, p[0].name)
		}
	})
	return c, nil
}

// TopLevelNames lists the attributes that the condition looks at.
func (c *Condition) TopLevelNames() []string { return c.names }

// Inside lists the attributes into whose documents the condition looks.
func (c *Condition) Inside() []string {
	var names []string
	c.root.eachPath(func(p path) {
		if len(p) > 1 && !slices.Contains(names, p[0].name) {
			names = append(names, p[0].name)
		}
	})
	return names
}

func (b *bound) eachPath(visit func(path)) {
	if b.op == opPath {
		visit(b.path)
	}
	for _, k := range b.kids {
		k.eachPath(visit)
	}
}

// bindNode binds a tree from the leaves up, left to right; check applies the rules of one operator or function.
func bindNode(kind Kind, n *node, p *Params, check func(Kind, *node, *bound) error) (*bound, error) {
	b := &bound{op: n.op}
	switch n.op {
	case opPath:
		var err error
		b.path, err = n.path.bind(kind, p)
		return b, err
	case opValue:
		v, ok := p.value(n.text)
		if !ok {
			return nil, kind.errorf("An expression attribute value used in expression is not defined; attribute value: %s", n.text)
		}
		b.val = v
		return b, nil
	case opFunc:
		b.fn = n.fn()
	}
	b.kids = make([]*bound, len(n.kids))
	for i, k := range n.kids {
		var err error
		if b.kids[i], err = bindNode(kind, k, p, check); err != nil {
			return nil, err
		}
	}
	return b, check(kind, n, b)
}

// checkBound applies the rules of one operator or function of conditions: number of operands, distinctness, types.
func checkBound(kind Kind, n *node, b *bound) error {
	switch n.op {
	case opAnd, opOr, opNot:
		return nil
	case opFunc:
		if len(b.kids) != b.fn.arity() {
			return countError(kind, n.text, len(b.kids))
		}
	case opIn:
		if len(b.kids)-1 > maxInOperands {
			return countError(kind, "IN", len(b.kids))
		}
	}
	if err := checkDistinct(kind, n, b); err != nil {
		return err
	}
	switch n.op {
	case opFunc:
		return checkFunctionTypes(kind, n.text, b)
	case opLT, opLE, opGT, opGE:
		return checkLiterals(kind, n.name(), b.kids, scalar)
	case opBetween:
		return checkBetween(kind, b)
	}
	return nil
}

func countError(k Kind, name string, n int) error {
	return k.errorf("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", name, n)
}

func pathError(k Kind, name string) error {
	return k.errorf("Operator or function requires a document path; operator or function: %s", name)
}

func checkDistinct(kind Kind, n *node, b *bound) error {
	first := b.kids[0]
	if first.op != opPath {
		return nil
	}
	for _, k := range b.kids[1:] {
		if k.op == opPath && k.path.equal(first.path) {
			return kind.errorf("The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s", n.name(), first.path)
		}
	}
	return nil
}

func typeError(k Kind, name, operand string) error {
	return k.errorf("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", name, operand)
}

// checkLiterals refuses operands that stand in the request and have a type that can never do.
func checkLiterals(k Kind, name string, operands []*bound, takes func(item.Kind) bool) error {
	for _, b := range operands {
		if kind := b.val.Kind(); b.op == opValue && !takes(kind) {
			return typeError(k, name, kind.String())
		}
	}
	return nil
}

// scalar reports whether a kind has an order.
func scalar(k item.Kind) bool { return k == item.String || k == item.Number || k == item.Binary }

func checkBetween(kind Kind, b *bound) error {
	if err := checkLiterals(kind, "BETWEEN", b.kids, scalar); err != nil {
		return err
	}
	lo, hi := b.kids[1], b.kids[2]
	if lo.op != opValue || hi.op != opValue {
		return nil
	}
	c, same := item.Compare(lo.val, hi.val)
	if !same {
		return kind.errorf("The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s", show(lo.val), show(hi.val))
	}
	if c > 0 {
		return kind.errorf("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s", show(lo.val), show(hi.val))
	}
	return nil
}

// show is how messages print a scalar: {S:a}.
func show(v item.Value) string {
	s := "{" + v.Kind().String() + ":"
	if v.Kind() == item.Number {
		return s + v.Num().String() + "}"
	}
	return s + string(v.Bytes()) + "}"
}

var typeNames = []string{"B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M"}

func checkFunctionTypes(kind Kind, name string, b *bound) error {
	first := b.kids[0]
	switch b.fn {
	case fnExists, fnNotExists, fnType:
		if first.op != opPath {
			return pathError(kind, name)
		}
	case fnSize:
		return checkLiterals(kind, name, b.kids, func(k item.Kind) bool {
			return k != item.Number && k != item.Bool && k != item.Null
		})
	case fnBeginsWith:
		return checkLiterals(kind, name, b.kids, func(k item.Kind) bool { return k == item.String || k == item.Binary })
	}
	if b.fn != fnType {
		return nil
	}
	want := b.kids[1]
	if want.op != opValue {
		return typeError(kind, name, "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
	}
	if want.val.Kind() != item.String {
		return typeError(kind, name, want.val.Kind().String())
	}
	if !slices.Contains(typeNames, want.val.Text()) {
		return kind.errorf("Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", want.val.Text())
	}
	return nil
}
