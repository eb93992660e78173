package expr

// verb is what an action of an update does; its name is the keyword of its section.
type verb uint8

const (
	verbSet verb = iota
	verbRemove
	verbAdd
	verbDelete
	noVerb
)

var verbNames = [...]string{"SET", "REMOVE", "ADD", "DELETE"}

// action is one action of an update as it was written.
type action struct {
	verb  verb
	path  path
	value *node // SET: an expression; ADD and DELETE: a placeholder
}

// UpdateAST is an update's text, parsed. It is immutable.
type UpdateAST struct {
	actions []action
	double  verb // the first section that stands twice
	below   int  // nodes below the actions' values
}

// ParseUpdate parses an UpdateExpression.
func ParseUpdate(text string) (*UpdateAST, error) {
	if err := checkSize(UpdateExpression, text); err != nil {
		return nil, err
	}
	return LongUpdate(text)
}

// LongUpdate is ParseUpdate of a text of any length: package partiql's, which is bounded otherwise.
func LongUpdate(text string) (*UpdateAST, error) {
	l, err := newLexer(UpdateExpression, text)
	if err != nil {
		return nil, err
	}
	p := updateParser{lexer: l, ast: &UpdateAST{double: noVerb}}
	for l.tok.kind != tokEOF {
		if err := p.section(); err != nil {
			return nil, err
		}
	}
	if err := p.ast.check(l.redundant); err != nil {
		return nil, err
	}
	for i := range p.ast.actions {
		if n := p.ast.actions[i].value; n != nil {
			n = strip(n)
			p.ast.actions[i].value = n
			p.ast.below += n.below()
		}
	}
	return p.ast, nil
}

// updateParser reads updates: sections of actions separated by commas.
type updateParser struct {
	*lexer
	ast  *UpdateAST
	seen [len(verbNames)]bool
}

func (p *updateParser) verb() verb {
	for v, name := range verbNames {
		if p.keyword(name) {
			return verb(v)
		}
	}
	return noVerb
}

func (p *updateParser) section() error {
	v := p.verb()
	if v == noVerb {
		return p.unexpected()
	}
	if p.seen[v] && p.ast.double == noVerb {
		p.ast.double = v
	}
	p.seen[v] = true
	p.advance()
	for {
		a, err := p.action(v)
		if err != nil {
			return err
		}
		p.ast.actions = append(p.ast.actions, a)
		if !p.symbol(",") {
			return nil
		}
		p.advance()
	}
}

func (p *updateParser) action(v verb) (a action, err error) {
	a.verb = v
	if a.path, err = p.path(); err != nil {
		return a, err
	}
	switch v {
	case verbSet:
		if err = p.expect("="); err == nil {
			a.value, err = p.sum()
		}
	case verbAdd, verbDelete:
		if p.tok.kind != tokValue || p.bad {
			return a, p.unexpected()
		}
		a.value = p.placeholder()
	}
	return a, err
}

// path refuses a section's keyword where a path must begin.
func (p *updateParser) path() (path, error) {
	if p.verb() != noVerb {
		return nil, p.unexpected()
	}
	return p.parsePath()
}

// sum reads what SET assigns: a term, or two with + or - between them; parentheses may stand around either or all of it.
func (p *updateParser) sum() (*node, error) {
	left, err := p.operand(p.sum)
	if err != nil {
		return nil, err
	}
	o := opPlus
	switch {
	case p.symbol("+"):
	case p.symbol("-"):
		o = opMinus
	default:
		return left, nil
	}
	if in := inner(left); in.op == opPlus || in.op == opMinus {
		return nil, p.unexpected()
	}
	p.advance()
	right, err := p.term()
	if err != nil {
		return nil, err
	}
	return &node{op: o, kids: []*node{left, right}}, nil
}

// term reads a value without arithmetic.
func (p *updateParser) term() (*node, error) { return p.operand(p.term) }

// operand reads a path, a placeholder, a function or parentheses with what group reads.
func (p *updateParser) operand(group func() (*node, error)) (*node, error) {
	switch {
	case p.symbol("("):
		return p.group(group)
	case p.tok.kind == tokValue && !p.bad:
		return p.placeholder(), nil
	case p.callsFunction():
		return p.function(p.term)
	}
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	return &node{op: opPath, path: path}, nil
}
