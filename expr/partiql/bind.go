package partiql

import (
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/item"
)

// Bound is a statement with its parameters. It is for one goroutine.
type Bound struct {
	*Statement
	// Item is what an INSERT writes.
	Item item.Item

	params []item.Value
}

// Bind puts in a request's parameters, whose number must be the statement's.
func (s *Statement) Bind(params []item.Value) (*Bound, error) {
	if len(params) != s.Params {
		return nil, errorf("Number of parameters in request and statement don't match.")
	}
	b := &Bound{Statement: s, params: params}
	if s.Kind != Insert {
		return b, nil
	}
	v, err := s.item.bind(params)
	if err != nil {
		return nil, err
	}
	if v.Kind() != item.Map {
		return nil, malformed("VALUE must be a tuple")
	}
	b.Item = v.Item()
	return b, nil
}

// Expression is a text in the language of package expr with its substitutions.
type Expression struct {
	Text   string
	Names  map[string]string
	Values map[string]item.Value
}

// writer writes expressions. Every name and every value gets a placeholder: no word of theirs is reserved.
type writer struct {
	strings.Builder
	params []item.Value
	names  map[string]string // by name: its placeholder
	out    Expression
	err    error
}

func newWriter(params []item.Value) *writer {
	return &writer{params: params, names: map[string]string{}, out: Expression{Names: map[string]string{}, Values: map[string]item.Value{}}}
}

func (w *writer) finish() (Expression, error) {
	w.out.Text = w.String()
	return w.out, w.err
}

func (w *writer) path(p path) {
	for i, s := range p {
		if s.list {
			w.WriteString("[" + strconv.Itoa(s.index) + "]")
			continue
		}
		if i > 0 {
			w.WriteByte('.')
		}
		w.WriteString(w.name(s.name))
	}
}

func (w *writer) name(n string) string {
	ph, ok := w.names[n]
	if !ok {
		ph = "#n" + strconv.Itoa(len(w.names))
		w.names[n], w.out.Names[ph] = ph, n
	}
	return ph
}

func (w *writer) value(v item.Value) {
	ph := ":v" + strconv.Itoa(len(w.out.Values))
	w.out.Values[ph] = v
	w.WriteString(ph)
}

// literal writes a literal's value.
func (w *writer) literal(v *value) {
	x, err := v.comparable(w.params)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.value(x)
}

// node writes a condition. Parentheses go around what needs them only: expr refuses redundant ones.
func (w *writer) node(n *node) {
	switch n.op {
	case opPath:
		w.path(n.path)
	case opValue:
		w.literal(n.val)
	case opFunc:
		w.call(n.fn, n.kids...)
	case opNot:
		w.WriteString("NOT ")
		w.inParens(n.kids[0], n.kids[0].op == opAnd || n.kids[0].op == opOr)
	case opAnd, opOr:
		w.inParens(n.kids[0], n.op == opAnd && n.kids[0].op == opOr)
		w.WriteString(opText[n.op])
		w.inParens(n.kids[1], n.kids[1].op == opAnd || n.kids[1].op == opOr)
	case opBetween:
		w.node(n.kids[0])
		w.WriteString(" BETWEEN ")
		w.node(n.kids[1])
		w.WriteString(" AND ")
		w.node(n.kids[2])
	case opIn:
		w.node(n.kids[0])
		w.WriteString(" IN (")
		w.commas(n.kids[1:])
		w.WriteByte(')')
	case opNull:
		w.WriteString("attribute_type(")
		w.path(n.kids[0].path)
		w.WriteString(", ")
		w.value(item.Str("NULL"))
		w.WriteByte(')')
	case opMissing:
		w.call("attribute_not_exists", n.kids[0])
	default:
		w.node(n.kids[0])
		w.WriteString(opText[n.op])
		w.node(n.kids[1])
	}
}

func (w *writer) inParens(n *node, parens bool) {
	if parens {
		w.WriteByte('(')
		defer w.WriteByte(')')
	}
	w.node(n)
}

func (w *writer) call(name string, args ...*node) {
	w.WriteString(name + "(")
	w.commas(args)
	w.WriteByte(')')
}

func (w *writer) commas(ns []*node) {
	for i, n := range ns {
		if i > 0 {
			w.WriteString(", ")
		}
		w.node(n)
	}
}

// Updates is what an UPDATE does, as an update expression.
func (b *Bound) Updates() (Expression, error) {
	w := newWriter(b.params)
	var verbs [4][]action // SET, REMOVE, ADD, DELETE
	for _, a := range b.actions {
		at, err := a.verb()
		if err != nil {
			return Expression{}, err
		}
		verbs[at] = append(verbs[at], a)
	}
	for i, verb := range []string{"SET ", "REMOVE ", "ADD ", "DELETE "} {
		for j, a := range verbs[i] {
			switch {
			case j > 0:
				w.WriteString(", ")
			case w.Len() > 0:
				w.WriteString(" " + verb)
			default:
				w.WriteString(verb)
			}
			w.action(i, a)
		}
	}
	return w.finish()
}

// verb is the place of the clause that does the action.
func (a action) verb() (int, error) {
	if a.remove {
		return 1, nil
	}
	v := a.value
	if v.op != opFunc || v.fn != "set_add" && v.fn != "set_delete" {
		return 0, nil
	}
	if v.kids[0].op != opPath || !samePath(v.kids[0].path, a.path) || v.kids[1].op != opValue {
		return 0, malformed("%s takes the attribute that it sets and a set", v.fn)
	}
	if v.fn == "set_add" {
		return 2, nil
	}
	return 3, nil
}

func samePath(a, b path) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (w *writer) action(verb int, a action) {
	w.path(a.path)
	switch verb {
	case 0:
		w.WriteString(" = ")
		w.node(a.value)
	case 2, 3:
		w.WriteByte(' ')
		w.node(a.value.kids[1])
	}
}
