package expr

import (
	"math"
	"slices"
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

// maxPathDepth is how many elements a path may have: a value at its end is as deep as values may be.
const maxPathDepth = item.MaxDepth

// maxIndex is the largest list index that may be written, as measured on the service.
const maxIndex = math.MaxUint32 - 1

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
			i, err := strconv.ParseUint(l.tok.text, 10, 64)
			if err != nil || i > maxIndex {
				return nil, l.kind.errorf("List index is not within the allowable range; index: [%s]", l.tok.text)
			}
			p = append(p, pathElem{index: int(i), list: true})
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

// check refuses bare names that are reserved words, and paths that no item is deep enough for.
func (p path) check(k Kind) error {
	for _, e := range p {
		if !e.list && e.name[0] != '#' && isReserved(e.name) {
			return k.errorf("Attribute name is a reserved keyword; reserved keyword: %s", e.name)
		}
	}
	if len(p) > maxPathDepth {
		return k.errorf("The document path has too many nesting elements; nesting levels: %d", len(p))
	}
	return nil
}

// bind puts in the names behind #references.
func (p path) bind(k Kind, params *Params) (path, error) {
	bound := p
	for i, e := range p {
		if e.list || e.name[0] != '#' {
			continue
		}
		name, ok := params.name(e.name)
		if !ok {
			return nil, k.errorf("An expression attribute name used in the document path is not defined; attribute name: %s", e.name)
		}
		if &bound[0] == &p[0] { // the tree is shared
			bound = slices.Clone(p)
		}
		bound[i].name = name
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
