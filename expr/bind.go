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

// bound is a condition's part with its substitutions.
type bound struct {
	op   op
	fn   string
	kids []*bound
	path path
	val  item.Value // opValue
}

// Bind puts in a request's substitutions and refuses what cannot be with them.
func (a *CondAST) Bind(p *Params) (*Condition, error) {
	root, err := a.bind(a.root, p)
	if err != nil {
		return nil, err
	}
	c := &Condition{root: root}
	var paths []path
	root.eachPath(func(p path) { paths = append(paths, p) })
	c.names = topLevel(paths)
	return c, nil
}

// TopLevelNames lists the attributes that the condition looks at.
func (c *Condition) TopLevelNames() []string { return c.names }

func (b *bound) eachPath(visit func(path)) {
	if b.op == opPath {
		visit(b.path)
	}
	for _, k := range b.kids {
		k.eachPath(visit)
	}
}

func (a *CondAST) bind(n *node, p *Params) (*bound, error) {
	b := &bound{op: n.op, fn: n.text}
	switch n.op {
	case opPath:
		var err error
		b.path, err = n.path.bind(a.kind, p)
		return b, err
	case opValue:
		v, ok := p.value(n.text)
		if !ok {
			return nil, a.kind.errorf("An expression attribute value used in expression is not defined; attribute value: %s", n.text)
		}
		b.val = v
		return b, nil
	}
	for _, k := range n.kids {
		kid, err := a.bind(k, p)
		if err != nil {
			return nil, err
		}
		b.kids = append(b.kids, kid)
	}
	return b, a.checkBound(n, b)
}

// checkBound applies the rules of one operator or function: number of operands, distinctness, types.
func (a *CondAST) checkBound(n *node, b *bound) error {
	switch n.op {
	case opAnd, opOr, opNot:
		return nil
	case opFunc:
		if len(b.kids) != functions[n.text].arity {
			return a.countError(n.text, len(b.kids))
		}
	case opIn:
		if len(b.kids)-1 > maxInOperands {
			return a.countError("IN", len(b.kids))
		}
	}
	if err := a.checkDistinct(n, b); err != nil {
		return err
	}
	switch n.op {
	case opFunc:
		return a.checkFunctionTypes(n.text, b)
	case opLT, opLE, opGT, opGE:
		return a.checkOrdered(n.name(), b.kids)
	case opBetween:
		return a.checkBetween(b)
	}
	return nil
}

func (a *CondAST) countError(name string, n int) error {
	return a.kind.errorf("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", name, n)
}

func (a *CondAST) checkDistinct(n *node, b *bound) error {
	first := b.kids[0]
	if first.op != opPath {
		return nil
	}
	for _, k := range b.kids[1:] {
		if k.op == opPath && k.path.equal(first.path) {
			return a.kind.errorf("The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s", n.name(), first.path)
		}
	}
	return nil
}

func (a *CondAST) typeError(name string, v item.Value) error {
	return a.kind.errorf("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", name, v.Kind())
}

// scalar reports whether a kind has an order.
func scalar(k item.Kind) bool { return k == item.String || k == item.Number || k == item.Binary }

func (a *CondAST) checkOrdered(name string, kids []*bound) error {
	for _, k := range kids {
		if k.op == opValue && !scalar(k.val.Kind()) {
			return a.typeError(name, k.val)
		}
	}
	return nil
}

func (a *CondAST) checkBetween(b *bound) error {
	if err := a.checkOrdered("BETWEEN", b.kids); err != nil {
		return err
	}
	lo, hi := b.kids[1], b.kids[2]
	if lo.op != opValue || hi.op != opValue {
		return nil
	}
	c, same := item.Compare(lo.val, hi.val)
	if !same {
		return a.kind.errorf("The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s", show(lo.val), show(hi.val))
	}
	if c > 0 {
		return a.kind.errorf("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s", show(lo.val), show(hi.val))
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

func (a *CondAST) checkFunctionTypes(name string, b *bound) error {
	first := b.kids[0]
	switch name {
	case "attribute_exists", "attribute_not_exists", "attribute_type":
		if first.op != opPath {
			return a.kind.errorf("Operator or function requires a document path; operator or function: %s", name)
		}
	case "size":
		if k := first.val.Kind(); first.op == opValue && (k == item.Number || k == item.Bool || k == item.Null) {
			return a.typeError(name, first.val)
		}
	case "begins_with":
		for _, k := range b.kids {
			if kind := k.val.Kind(); k.op == opValue && kind != item.String && kind != item.Binary {
				return a.typeError(name, k.val)
			}
		}
	}
	if name != "attribute_type" {
		return nil
	}
	want := b.kids[1]
	if want.op != opValue {
		return a.kind.errorf("Incorrect operand type for operator or function; operator or function: attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
	}
	if want.val.Kind() != item.String {
		return a.typeError(name, want.val)
	}
	if !slices.Contains(typeNames, want.val.Text()) {
		return a.kind.errorf("Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", want.val.Text())
	}
	return nil
}
