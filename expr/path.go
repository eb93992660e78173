package expr

import (
	"math"
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/item"
)

// pathElem is one step into a document: a name or a list index.
type pathElem struct {
	name  string // of an attribute; as written, with its # if it is a reference, until bound
	index int    // of a list element, when name is empty
	list  bool
}

// path is a document path. It has at least one element, and the first is a name.
type path []pathElem

// maxPathDepth is how deep a path may go, as deep as items are nested.
const maxPathDepth = item.MaxDepth

// parsePath reads name{.name|[index]}.
func (l *lexer) parsePath() (path, error) {
	var p path
	for {
		if l.bad || (l.tok.kind != tokIdent && l.tok.kind != tokName) {
			return nil, l.unexpected()
		}
		p = append(p, pathElem{name: l.tok.text})
		l.advance()
		for l.symbol("[") {
			l.advance()
			if l.tok.kind != tokNumber {
				return nil, l.unexpected()
			}
			i, err := strconv.Atoi(l.tok.text)
			if err != nil || i > math.MaxInt32 {
				return nil, l.kind.errorf("List index is not within the allowable range; index: [%s]", l.tok.text)
			}
			p = append(p, pathElem{index: i, list: true})
			l.advance()
			if err := l.expect("]"); err != nil {
				return nil, err
			}
		}
		if !l.symbol(".") {
			return p, nil
		}
		l.advance()
	}
}

// String is how messages show a path: [a, b, [1]].
func (p path) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for i, e := range p {
		if i > 0 {
			b.WriteString(", ")
		}
		if e.list {
			b.WriteString("[" + strconv.Itoa(e.index) + "]")
		} else {
			b.WriteString(e.name)
		}
	}
	return b.String() + "]"
}

// checkReserved refuses bare names that are reserved words.
func (p path) checkReserved(k Kind) error {
	for _, e := range p {
		if !e.list && e.name[0] != '#' && isReserved(e.name) {
			return k.errorf("Attribute name is a reserved keyword; reserved keyword: %s", e.name)
		}
	}
	return nil
}

// bind puts in the names behind #references.
func (p path) bind(k Kind, params *Params) (path, error) {
	if len(p) > maxPathDepth+1 {
		return nil, k.errorf("The document path has too many nesting elements; nesting levels: %d", len(p))
	}
	bound := make(path, len(p))
	for i, e := range p {
		if !e.list && e.name[0] == '#' {
			name, ok := params.name(e.name)
			if !ok {
				return nil, k.errorf("An expression attribute name used in the document path is not defined; attribute name: %s", e.name)
			}
			e.name = name
		}
		bound[i] = e
	}
	return bound, nil
}

// get follows the path into an item; the zero Value if there is nothing.
func (p path) get(it item.Item) item.Value {
	v := it.Get(p[0].name)
	for _, e := range p[1:] {
		if e.list {
			v = v.Index(e.index)
		} else {
			v = v.Field(e.name)
		}
	}
	return v
}

func (p path) equal(q path) bool {
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if p[i] != q[i] {
			return false
		}
	}
	return true
}
