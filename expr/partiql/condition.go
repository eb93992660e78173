package partiql

import "slices"

// condition reads OR, the weakest.
func (p *parser) condition() (n *node, err error) {
	err = p.nested(func() error {
		n, err = p.chain("OR", opOr, func() (*node, error) { return p.chain("AND", opAnd, p.negation) })
		return err
	})
	return n, err
}

func (p *parser) chain(word string, o op, read func() (*node, error)) (*node, error) {
	left, err := read()
	for err == nil && p.takeWord(word) {
		var right *node
		if right, err = read(); err == nil {
			left = &node{op: o, kids: []*node{left, right}}
		}
	}
	return left, err
}

func (p *parser) negation() (n *node, err error) {
	if !p.takeWord("NOT") {
		return p.comparison()
	}
	err = p.nested(func() error {
		n, err = p.negation()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &node{op: opNot, kids: []*node{n}}, nil
}

var comparators = map[string]op{"=": opEQ, "<>": opNE, "!=": opNE, "<": opLT, "<=": opLE, ">": opGT, ">=": opGE}

// mirrored is the comparator that says the same with its sides changed: a key condition has the attribute first.
func mirrored(o op) op {
	switch o {
	case opLT:
		return opGT
	case opLE:
		return opGE
	case opGT:
		return opLT
	case opGE:
		return opLE
	}
	return o
}

// comparison reads an operand and what is said of it, or a condition in parentheses.
func (p *parser) comparison() (*node, error) {
	if p.takeSymbol("(") {
		n, err := p.condition()
		if err != nil {
			return nil, err
		}
		if err := p.expectSymbol(")"); err != nil {
			return nil, err
		}
		if !n.operand() {
			return n, nil
		}
		return p.said(n)
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	return p.said(left)
}

// operand reports whether a node is a value rather than a condition.
func (n *node) operand() bool {
	return n.op == opPath || n.op == opValue || n.op == opPlus || n.op == opMinus || n.op == opFunc && n.fn == "size"
}

// checkCondition refuses a value where something that is true or false must stand.
func (n *node) checkCondition() error {
	switch n.op {
	case opAnd, opOr, opNot:
		for _, k := range n.kids {
			if err := k.checkCondition(); err != nil {
				return err
			}
		}
		return nil
	case opFunc:
		if n.fn == "begins_with" || n.fn == "contains" || n.fn == "attribute_type" {
			return nil
		}
	}
	if n.operand() || n.op == opFunc {
		return malformed("a value stands where a condition was expected")
	}
	return nil
}

func (p *parser) said(left *node) (*node, error) {
	if o, ok := comparators[p.tok.text]; ok && p.tok.kind == tokSymbol {
		p.advance()
		right, err := p.comparand()
		if err == nil && left.op == opValue && right.op == opPath {
			left, right, o = right, left, mirrored(o)
		}
		return &node{op: o, kids: []*node{left, right}}, err
	}
	not := p.word("NOT") && left.operand()
	if not {
		p.advance()
	}
	var n *node
	var err error
	switch {
	case p.takeWord("BETWEEN"):
		n, err = p.between(left)
	case p.takeWord("IN"):
		n, err = p.in(left)
	case not:
		return nil, p.unexpected("BETWEEN or IN")
	case p.takeWord("IS"):
		return p.is(left)
	default:
		return left, nil
	}
	if err == nil && not {
		n = &node{op: opNot, kids: []*node{n}}
	}
	return n, err
}

// comparand is an operand, in parentheses or not.
func (p *parser) comparand() (n *node, err error) {
	if !p.takeSymbol("(") {
		return p.operand()
	}
	err = p.nested(func() error {
		n, err = p.comparand()
		return err
	})
	if err != nil {
		return nil, err
	}
	return n, p.expectSymbol(")")
}

func (p *parser) between(left *node) (*node, error) {
	lo, err := p.comparand()
	if err != nil {
		return nil, err
	}
	if err := p.expectWord("AND"); err != nil {
		return nil, err
	}
	hi, err := p.comparand()
	return &node{op: opBetween, kids: []*node{left, lo, hi}}, err
}

func (p *parser) in(left *node) (*node, error) {
	end := ")"
	switch {
	case p.takeSymbol("("):
	case p.takeSymbol("["):
		end = "]"
	default:
		return nil, p.unexpected("( or [")
	}
	n := &node{op: opIn, kids: []*node{left}}
	err := p.list(func() error {
		v, err := p.operand()
		n.kids = append(n.kids, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return n, p.expectSymbol(end)
}

func (p *parser) is(left *node) (*node, error) {
	not := p.takeWord("NOT")
	n := &node{kids: []*node{left}}
	switch {
	case left.op != opPath:
		return nil, malformed("IS can only be said of an attribute")
	case p.takeWord("NULL"):
		n.op = opNull
	case p.takeWord("MISSING"):
		n.op = opMissing
	default:
		return nil, p.unexpected("NULL or MISSING")
	}
	if not {
		n = &node{op: opNot, kids: []*node{n}}
	}
	return n, nil
}

// sum reads what an attribute is set to: an operand, or two with + or - between them. What stands after it is for the
// caller to refuse.
func (p *parser) sum() (*node, error) {
	left, err := p.operand()
	o := opPlus
	switch {
	case err != nil:
		return nil, err
	case p.takeSymbol("+"):
	case p.takeSymbol("-"):
		o = opMinus
	default:
		return left, nil
	}
	right, err := p.operand()
	return &node{op: o, kids: []*node{left, right}}, err
}

// functions and how many arguments they take. The last two stand only where an attribute is set.
var functions = map[string]int{
	"begins_with": 2, "contains": 2, "attribute_type": 2, "size": 1, "list_append": 2, "if_not_exists": 2, "set_add": 2, "set_delete": 2,
}

// operand reads a path, a literal or a function.
func (p *parser) operand() (*node, error) {
	if name, ok := p.functionName(); ok {
		return p.call(name)
	}
	if p.tok.kind == tokQuoted || p.tok.kind == tokWord && !slices.ContainsFunc(literalWords, p.word) {
		at, err := p.path()
		return &node{op: opPath, path: at}, err
	}
	v, err := p.value()
	return &node{op: opValue, val: v}, err
}

func (p *parser) call(name string) (*node, error) {
	arity, ok := functions[name]
	if !ok {
		return nil, malformed("there is no function %s", name)
	}
	p.advance()
	p.advance()
	n := &node{op: opFunc, fn: name}
	err := p.nested(func() error {
		return p.list(func() error {
			arg, err := p.operand()
			n.kids = append(n.kids, arg)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	if len(n.kids) != arity {
		return nil, malformed("%s takes %d arguments, not %d", name, arity, len(n.kids))
	}
	return n, p.expectSymbol(")")
}
