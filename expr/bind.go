package expr

import (
	"encoding/base64"
	"slices"

	"github.com/meridiandb/meridian/item"
)

// Condition is a bound condition or filter. It is immutable.
type Condition struct{ root bound }

// bound is a part of a condition or update with its substitutions.
type bound struct {
	op   op
	fn   fn
	kids []bound
	path path
	val  item.Value // opValue
}

// Bind puts in a request's substitutions and refuses what cannot be with them.
func (a *CondAST) Bind(p *Params) (*Condition, error) {
	c := new(Condition)
	b := binder{kind: a.kind, params: p, check: checkBound, room: make([]bound, a.below)}
	if err := b.bind(a.root, &c.root); err != nil {
		return nil, err
	}
	return c, nil
}

// TopLevelNames lists the attributes that the condition looks at, in the order of the text.
func (c *Condition) TopLevelNames() []string { return topLevel(c.root.eachPath, 1) }

// Inside lists the attributes into whose documents the condition looks.
func (c *Condition) Inside() []string { return topLevel(c.root.eachPath, 2) }

// topLevel lists the attributes that paths of at least some length begin with.
func topLevel(each func(func(path)), least int) []string {
	var names []string
	var seen refs
	each(func(p path) {
		if name := p[0].name; len(p) >= least && !seen.has(name) {
			seen.add(name)
			names = append(names, name)
		}
	})
	return names
}

func (b *bound) eachPath(visit func(path)) {
	if b.op == opPath {
		visit(b.path)
	}
	for i := range b.kids {
		b.kids[i].eachPath(visit)
	}
}

// binder binds trees from the leaves up, left to right; check applies the rules of one operator or function.
type binder struct {
	kind   Kind
	params *Params
	check  func(Kind, *node, *bound) error
	room   []bound // for as many as there are below all roots, so that they cost one allocation
}

func (r *binder) bind(n *node, b *bound) (err error) {
	b.op = n.op
	switch n.op {
	case opPath:
		b.path, err = n.path.bind(r.kind, r.params)
		return err
	case opValue:
		v, ok := r.params.value(n.text)
		if !ok {
			return r.kind.errorf("An expression attribute value used in expression is not defined; attribute value: %s", n.text)
		}
		b.val = v
		return nil
	case opFunc:
		b.fn = n.fn()
	}
	b.kids, r.room = r.room[:len(n.kids):len(n.kids)], r.room[len(n.kids):]
	for i, k := range n.kids {
		if err := r.bind(k, &b.kids[i]); err != nil {
			return err
		}
	}
	return r.check(r.kind, n, b)
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
		if list := len(b.kids) - 1; list > maxInOperands {
			return kind.errorf("The IN operator is provided with too many operands; number of operands: %d", list)
		}
	}
	if err := checkDistinct(kind, n, b); err != nil {
		return err
	}
	switch n.op {
	case opFunc:
		return checkFunctionTypes(kind, n.text, b)
	case opLT, opLE, opGT, opGE:
		return checkTypes(kind, n.name(), b.kids, scalar)
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

func typeError(k Kind, name, operand string) error {
	return k.errorf("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", name, operand)
}

func checkDistinct(kind Kind, n *node, b *bound) error {
	first := &b.kids[0]
	if first.op != opPath {
		return nil
	}
	for _, k := range b.kids[1:] {
		if k.op == opPath && slices.Equal(k.path, first.path) {
			return kind.errorf("The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s", n.name(), first.path)
		}
	}
	return nil
}

// kind is the operand's type if it is known without an item.
func (b *bound) kind() item.Kind {
	switch b.fn {
	case fnSize:
		return item.Number
	case fnListAppend:
		return item.List
	}
	return b.val.Kind()
}

// checkTypes refuses operands whose type is known and can never do.
func checkTypes(k Kind, name string, operands []bound, takes func(item.Kind) bool) error {
	for i := range operands {
		if kind := operands[i].kind(); kind != item.None && !takes(kind) {
			return typeError(k, name, kind.String())
		}
	}
	return nil
}

// The types that have an order, that have a size and that have a beginning.
func scalar(k item.Kind) bool { return k == item.String || k == item.Number || k == item.Binary }
func sized(k item.Kind) bool  { return k != item.Number && k != item.Bool && k != item.Null }
func begins(k item.Kind) bool { return k == item.String || k == item.Binary }

func checkBetween(kind Kind, b *bound) error {
	if err := checkTypes(kind, "BETWEEN", b.kids, scalar); err != nil {
		return err
	}
	lo, hi := &b.kids[1], &b.kids[2]
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
	text := string(v.Bytes())
	switch v.Kind() {
	case item.Number:
		text = v.Num().String()
	case item.Binary:
		text = base64.StdEncoding.EncodeToString(v.Bytes())
	}
	return "{" + v.Kind().String() + ":" + text + "}"
}

func checkFunctionTypes(kind Kind, name string, b *bound) error {
	switch b.fn {
	case fnExists, fnNotExists, fnType:
		if b.kids[0].op != opPath {
			return pathError(kind, name)
		}
		if b.fn == fnType {
			return checkTypeName(kind, name, &b.kids[1])
		}
	case fnSize:
		return checkTypes(kind, name, b.kids, sized)
	case fnBeginsWith:
		return checkTypes(kind, name, b.kids, begins)
	}
	return nil
}

// checkTypeName checks the second operand of attribute_type, the name of a type.
func checkTypeName(kind Kind, name string, want *bound) error {
	if want.op != opValue {
		return typeError(kind, name, "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
	}
	if want.val.Kind() != item.String {
		return typeError(kind, name, want.val.Kind().String())
	}
	if _, ok := item.ParseKind(want.val.Text()); !ok {
		return kind.errorf("Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", want.val.Text())
	}
	return nil
}
