package expr

// CondAST is a condition's, filter's or key condition's text, parsed. It is immutable.
type CondAST struct {
	kind Kind
	root *node
}

// ParseCondition parses a condition or filter.
func ParseCondition(kind Kind, text string) (*CondAST, error) {
	l, err := newLexer(kind, text)
	if err != nil {
		return nil, err
	}
	p := parser{lexer: l}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if l.tok.kind != tokEOF || l.bad || root.operand() {
		return nil, l.unexpected()
	}
	a := &CondAST{kind: kind, root: root}
	if err := a.check(); err != nil {
		return nil, err
	}
	a.root = strip(a.root)
	return a, nil
}

// parser reads conditions by recursive descent, one method for each level of precedence.
type parser struct{ *lexer }

// condition refuses a bare operand where a condition must stand.
func (p *parser) condition(read func() (*node, error)) (*node, error) {
	n, err := read()
	if err == nil && n.operand() {
		err = p.unexpected()
	}
	return n, err
}

func (p *parser) or() (*node, error) { return p.binary("OR", opOr, p.and) }

func (p *parser) and() (*node, error) { return p.binary("AND", opAnd, p.not) }

func (p *parser) binary(keyword string, o op, read func() (*node, error)) (*node, error) {
	left, err := read()
	for err == nil && p.keyword(keyword) {
		if left.operand() {
			return nil, p.unexpected()
		}
		p.advance()
		var right *node
		if right, err = p.condition(read); err == nil {
			left = &node{op: o, kids: []*node{left, right}}
		}
	}
	return left, err
}

func (p *parser) not() (*node, error) {
	if !p.keyword("NOT") {
		return p.primary()
	}
	p.advance()
	n, err := p.condition(p.not)
	if err != nil {
		return nil, err
	}
	return &node{op: opNot, kids: []*node{n}}, nil
}

// primary reads an operand with what is said of it, a function, or parentheses. An operand alone is returned as such: only
// the caller knows whether it may stand there.
func (p *parser) primary() (*node, error) {
	left, err := p.operandOrGroup()
	if err != nil {
		return nil, err
	}
	if !left.operand() && left.op != opFunc {
		return left, nil
	}
	if o, ok := comparators[p.tok.text]; ok && p.tok.kind == tokSymbol {
		p.advance()
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		return &node{op: o, kids: []*node{left, right}}, nil
	}
	switch {
	case p.keyword("BETWEEN"):
		return p.between(left)
	case p.keyword("IN"):
		return p.in(left)
	}
	return left, nil
}

func (p *parser) between(left *node) (*node, error) {
	p.advance()
	lo, err := p.operand()
	if err != nil {
		return nil, err
	}
	if !p.keyword("AND") {
		return nil, p.unexpected()
	}
	p.advance()
	hi, err := p.operand()
	if err != nil {
		return nil, err
	}
	return &node{op: opBetween, kids: []*node{left, lo, hi}}, nil
}

func (p *parser) in(left *node) (*node, error) {
	p.advance()
	if err := p.expect("("); err != nil {
		return nil, err
	}
	n := &node{op: opIn, kids: []*node{left}}
	for {
		v, err := p.operand()
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, v)
		if p.symbol(")") {
			p.advance()
			return n, nil
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
}

// operand reads a value: a path, a placeholder, a function, or one of them in parentheses.
func (p *parser) operand() (*node, error) {
	n, err := p.operandOrGroup()
	if err == nil && n.op == opParen && !n.kids[0].operand() && n.kids[0].op != opFunc && n.kids[0].op != opParen {
		err = p.unexpected()
	}
	return n, err
}

func (p *parser) operandOrGroup() (*node, error) {
	switch {
	case p.bad:
		return nil, p.unexpected()
	case p.symbol("("):
		return p.group()
	case p.tok.kind == tokValue:
		n := &node{op: opValue, text: p.tok.text}
		p.advance()
		return n, nil
	case p.tok.kind == tokIdent:
		if next, bad := p.scan(p.tok.end); !bad && next.kind == tokSymbol && next.text == "(" && !p.anyKeyword() {
			return p.function()
		}
		if p.anyKeyword() {
			return nil, p.unexpected()
		}
	}
	path, err := p.parsePath()
	if err != nil {
		return nil, err
	}
	return &node{op: opPath, path: path}, nil
}

func (p *parser) anyKeyword() bool {
	return p.keyword("AND") || p.keyword("OR") || p.keyword("NOT") || p.keyword("BETWEEN") || p.keyword("IN")
}

func (p *parser) group() (*node, error) {
	p.advance()
	inner, err := p.or()
	if err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	return &node{op: opParen, kids: []*node{inner}}, nil
}

func (p *parser) function() (*node, error) {
	n := &node{op: opFunc, text: p.tok.text}
	p.advance()
	p.advance()
	for !p.symbol(")") {
		if len(n.kids) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		arg, err := p.operand()
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, arg)
	}
	p.advance()
	if len(n.kids) == 0 {
		return nil, p.unexpected()
	}
	return n, nil
}

// strip removes the parentheses, which have done their work.
func strip(n *node) *node {
	for n.op == opParen {
		n = n.kids[0]
	}
	for i := range n.kids {
		n.kids[i] = strip(n.kids[i])
	}
	return n
}
