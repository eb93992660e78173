package expr

// CondAST is a condition's, filter's or key condition's text, parsed. It is immutable.
type CondAST struct {
	kind  Kind
	root  *node
	below int // nodes below the root
}

// ParseCondition parses a condition or filter.
func ParseCondition(kind Kind, text string) (*CondAST, error) {
	if err := checkSize(kind, text); err != nil {
		return nil, err
	}
	return LongCondition(kind, text)
}

// LongCondition is ParseCondition of a text of any length: package partiql's, which is bounded otherwise.
func LongCondition(kind Kind, text string) (*CondAST, error) {
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
	if err := a.check(l.redundant); err != nil {
		return nil, err
	}
	a.root = strip(a.root)
	a.below = a.root.below()
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
	if !left.operand() && inner(left).op != opFunc {
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
func (p *parser) operand() (*node, error) { return p.operandOr(p.operand) }

// operandOrGroup reads the same, or a condition in parentheses.
func (p *parser) operandOrGroup() (*node, error) { return p.operandOr(p.or) }

func (p *parser) operandOr(group func() (*node, error)) (*node, error) {
	switch {
	case p.bad:
		return nil, p.unexpected()
	case p.symbol("("):
		return p.group(group)
	case p.tok.kind == tokValue:
		return p.placeholder(), nil
	case p.anyKeyword():
		return nil, p.unexpected()
	case p.callsFunction():
		return p.function(p.operand)
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

// group reads parentheses. Two pairs around one thing are noted and made one, so that no tree is deeper than its sense.
func (l *lexer) group(read func() (*node, error)) (*node, error) {
	l.advance()
	n, err := read()
	if err != nil {
		return nil, err
	}
	if err := l.expect(")"); err != nil {
		return nil, err
	}
	if n.op == opParen {
		l.redundant = true
		return n, nil
	}
	return &node{op: opParen, kids: []*node{n}}, nil
}

// callsFunction reports whether a function's name and its parenthesis are next.
func (l *lexer) callsFunction() bool {
	if l.tok.kind != tokIdent {
		return false
	}
	next, bad := l.scan(l.tok.end)
	return !bad && next.kind == tokSymbol && next.text == "("
}

// function reads a function and its operands, of which there must be one at least.
func (l *lexer) function(operand func() (*node, error)) (*node, error) {
	n := &node{op: opFunc, text: l.tok.text}
	l.advance()
	l.advance()
	for {
		arg, err := operand()
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, arg)
		if l.symbol(")") {
			l.advance()
			return n, nil
		}
		if err := l.expect(","); err != nil {
			return nil, err
		}
	}
}

// placeholder reads a :value.
func (l *lexer) placeholder() *node {
	n := &node{op: opValue, text: l.tok.text}
	l.advance()
	return n
}
