package partiql

import (
	"slices"
	"strconv"
	"strings"
)

// Parse reads one statement.
func Parse(text string) (*Statement, error) {
	l, err := newLexer(text)
	if err != nil {
		return nil, err
	}
	p := parser{lexer: l}
	s, err := p.statement()
	if err != nil {
		return nil, err
	}
	p.takeSymbol(";")
	if p.err != nil || p.tok.kind != tokEOF {
		return nil, p.unexpected("the end of the statement")
	}
	s.Params = p.params
	return s, nil
}

// parser reads by recursive descent.
type parser struct {
	*lexer
	params int
	depth  int // of nesting now
}

// maxDepth bounds nesting: of values it is DynamoDB's own limit, of conditions what no one writes by hand.
const maxDepth = 64

// nested guards a recursive rule.
func (p *parser) nested(read func() error) error {
	if p.depth++; p.depth > maxDepth {
		return malformed("it is nested more than %d levels deep", maxDepth)
	}
	defer func() { p.depth-- }()
	return read()
}

func (p *parser) statement() (*Statement, error) {
	switch {
	case p.takeWord("SELECT"):
		return p.selectStatement()
	case p.takeWord("INSERT"):
		return p.insertStatement()
	case p.takeWord("UPDATE"):
		return p.updateStatement()
	case p.takeWord("DELETE"):
		return p.deleteStatement()
	case p.takeWord("EXISTS"):
		return p.existsStatement()
	}
	if p.err != nil {
		return nil, p.err
	}
	return nil, malformed("Expected data manipulation") // the service's words
}

func (p *parser) selectStatement() (*Statement, error) {
	s := &Statement{Kind: Select}
	if !p.takeSymbol("*") {
		for {
			c, err := p.path()
			if err != nil {
				return nil, err
			}
			s.columns = append(s.columns, c)
			if !p.takeSymbol(",") {
				break
			}
		}
	}
	if err := p.expectWord("FROM"); err != nil {
		return nil, err
	}
	if err := p.table(s, true); err != nil {
		return nil, err
	}
	if err := p.whereClause(s); err != nil {
		return nil, err
	}
	return s, p.orderClause(s)
}

// table reads a table's name, and an index's where one may stand.
func (p *parser) table(s *Statement, index bool) (err error) {
	if s.Table, err = p.identifier("a table name"); err != nil {
		return err
	}
	if index && p.takeSymbol(".") {
		s.Index, err = p.identifier("an index name")
	}
	return err
}

func (p *parser) identifier(what string) (string, error) {
	t := p.tok
	switch {
	case t.kind == tokQuoted && t.text != "":
	case t.kind == tokWord:
		if reserved(t.text) {
			return "", malformed("%s is a reserved word: write it in double quotes", t.text)
		}
	default:
		return "", p.unexpected(what)
	}
	p.advance()
	return t.text, nil
}

func (p *parser) whereClause(s *Statement) (err error) {
	if !p.takeWord("WHERE") {
		return nil
	}
	if s.where, err = p.condition(); err != nil {
		return err
	}
	return s.where.checkCondition()
}

func (p *parser) orderClause(s *Statement) error {
	if !p.takeWord("ORDER") {
		return nil
	}
	if err := p.expectWord("BY"); err != nil {
		return err
	}
	for {
		name, err := p.identifier("a key attribute")
		if err != nil {
			return err
		}
		o := Order{Attribute: name}
		if !p.takeWord("ASC") {
			o.Descending = p.takeWord("DESC")
		}
		s.Order = append(s.Order, o)
		if !p.takeSymbol(",") {
			return nil
		}
	}
}

func (p *parser) insertStatement() (*Statement, error) {
	s := &Statement{Kind: Insert}
	if err := p.expectWord("INTO"); err != nil {
		return nil, err
	}
	if err := p.table(s, false); err != nil {
		return nil, err
	}
	if err := p.expectWord("VALUE"); err != nil {
		return nil, err
	}
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	if v.kind != litTuple && v.kind != litParam {
		return nil, malformed("VALUE must be followed by a tuple like {'pk': 1}")
	}
	s.item = v
	return s, nil
}

func (p *parser) updateStatement() (*Statement, error) {
	s := &Statement{Kind: Update}
	if err := p.table(s, false); err != nil {
		return nil, err
	}
	for {
		switch {
		case p.takeWord("SET"):
			if err := p.list(func() error { return p.setAction(s) }); err != nil {
				return nil, err
			}
		case p.takeWord("REMOVE"):
			if err := p.list(func() error { return p.removeAction(s) }); err != nil {
				return nil, err
			}
		default:
			if len(s.actions) == 0 {
				return nil, p.unexpected("SET or REMOVE")
			}
			if err := p.whereClause(s); err != nil {
				return nil, err
			}
			return s, p.returning(s, AllOld, ModifiedOld, AllNew, ModifiedNew)
		}
	}
}

// list reads one or more of something, with commas between.
func (p *parser) list(read func() error) error {
	for {
		if err := read(); err != nil {
			return err
		}
		if !p.takeSymbol(",") {
			return nil
		}
	}
}

func (p *parser) setAction(s *Statement) error {
	at, err := p.path()
	if err != nil {
		return err
	}
	if err := p.expectSymbol("="); err != nil {
		return err
	}
	v, err := p.sum()
	if err != nil {
		return err
	}
	s.actions = append(s.actions, action{path: at, value: v})
	return nil
}

func (p *parser) removeAction(s *Statement) error {
	at, err := p.path()
	s.actions = append(s.actions, action{remove: true, path: at})
	return err
}

func (p *parser) deleteStatement() (*Statement, error) {
	s := &Statement{Kind: Delete}
	if err := p.expectWord("FROM"); err != nil {
		return nil, err
	}
	if err := p.table(s, false); err != nil {
		return nil, err
	}
	if err := p.whereClause(s); err != nil {
		return nil, err
	}
	return s, p.returning(s, AllOld)
}

// returning reads RETURNING in one of the forms that the statement allows.
func (p *parser) returning(s *Statement, allowed ...Returning) error {
	if !p.takeWord("RETURNING") {
		return nil
	}
	var r Returning
	modified := p.takeWord("MODIFIED")
	if !modified && !p.takeWord("ALL") {
		return p.unexpected("ALL or MODIFIED")
	}
	old := p.takeWord("OLD")
	if !old && !p.takeWord("NEW") {
		return p.unexpected("OLD or NEW")
	}
	switch {
	case modified && old:
		r = ModifiedOld
	case modified:
		r = ModifiedNew
	case old:
		r = AllOld
	default:
		r = AllNew
	}
	if !slices.Contains(allowed, r) {
		return malformed("this form of RETURNING is not supported for this statement")
	}
	s.Returning = r
	return p.expectSymbol("*")
}

func (p *parser) existsStatement() (*Statement, error) {
	if err := p.expectSymbol("("); err != nil {
		return nil, err
	}
	if err := p.expectWord("SELECT"); err != nil {
		return nil, err
	}
	s, err := p.selectStatement()
	if err != nil {
		return nil, err
	}
	if s.columns != nil || s.Index != "" || s.Order != nil {
		return nil, malformed("EXISTS takes SELECT * FROM a table WHERE a condition")
	}
	s.Kind = Exists
	return s, p.expectSymbol(")")
}

// path reads name{.name|[index]|['name']}.
func (p *parser) path() (path, error) {
	name, err := p.identifier("an attribute")
	if err != nil {
		return nil, err
	}
	at := path{{name: name}}
	for len(at) <= maxDepth {
		switch {
		case p.takeSymbol("."):
			if name, err = p.identifier("an attribute"); err != nil {
				return nil, err
			}
			at = append(at, step{name: name})
		case p.takeSymbol("["):
			s, err := p.index()
			if err != nil {
				return nil, err
			}
			at = append(at, s)
		default:
			return at, nil
		}
	}
	return nil, malformed("a path is too long")
}

func (p *parser) index() (step, error) {
	t := p.tok
	var s step
	switch t.kind {
	case tokString:
		s.name = t.text
	case tokNumber:
		i, err := strconv.ParseUint(t.text, 10, 31)
		if err != nil {
			return s, malformed("%s is no list index", t.text)
		}
		s.index, s.list = int(i), true
	default:
		return s, p.unexpected("a list index")
	}
	p.advance()
	return s, p.expectSymbol("]")
}

// functionName reports whether a call of a function begins here, and its name in lower case.
func (p *parser) functionName() (string, bool) {
	if p.tok.kind != tokWord {
		return "", false
	}
	rest := strings.TrimLeft(p.text[p.pos:], " \t\r\n")
	if !strings.HasPrefix(rest, "(") {
		return "", false
	}
	name := strings.ToLower(p.tok.text)
	return name, name != "in" && name != "and" && name != "or" && name != "not" && name != "between"
}
