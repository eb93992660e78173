package expr

import (
	"github.com/meridiandb/meridian/item"
)

// ProjectionAST is a projection's text, parsed. It is immutable.
type ProjectionAST struct{ paths []path }

// ParseProjection parses a ProjectionExpression.
func ParseProjection(text string) (*ProjectionAST, error) {
	l, err := newLexer(ProjectionExpression, text)
	if err != nil {
		return nil, err
	}
	a := new(ProjectionAST)
	for {
		p, err := l.parsePath()
		if err != nil {
			return nil, err
		}
		a.paths = append(a.paths, p)
		if l.tok.kind == tokEOF {
			break
		}
		if err := l.expect(","); err != nil {
			return nil, err
		}
	}
	for _, p := range a.paths {
		if word, ok := p.reserved(); ok {
			return nil, l.kind.errorf("Attribute name is a reserved keyword; reserved keyword: %s", word)
		}
	}
	return a, nil
}

// Projection is a bound projection. It is immutable.
type Projection struct {
	paths []path
	names []string
	tree  *part
}

// Bind puts in a request's substitutions; paths must not overlap.
func (a *ProjectionAST) Bind(p *Params) (*Projection, error) {
	paths := make([]path, len(a.paths))
	for i, q := range a.paths {
		var err error
		if paths[i], err = q.bind(ProjectionExpression, p); err != nil {
			return nil, err
		}
	}
	if err := checkDisjoint(ProjectionExpression, paths); err != nil {
		return nil, err
	}
	return newProjection(paths), nil
}

func newProjection(paths []path) *Projection {
	return &Projection{paths: paths, names: topLevel(paths), tree: partOf(paths)}
}

// NewProjection projects whole top-level attributes, for AttributesToGet.
func NewProjection(names []string) *Projection {
	paths := make([]path, len(names))
	for i, n := range names {
		paths[i] = path{{name: n}}
	}
	return newProjection(paths)
}

// TopLevelNames lists the attributes that the projection looks at.
func (p *Projection) TopLevelNames() []string { return p.names }

// Paths shows the projected paths, like [a, b, [1]].
func (p *Projection) Paths() []string {
	out := make([]string, len(p.paths))
	for i, q := range p.paths {
		out[i] = q.String()
	}
	return out
}

// Apply keeps what the paths lead to, in its place: maps keep their names, lists are compacted in index order. An item of
// which nothing is left is an item without attributes; no item stays no item.
func (p *Projection) Apply(it item.Item) item.Item {
	if it.IsZero() {
		return it
	}
	fields := make([]item.Field, 0, len(p.names))
	for name, sub := range p.tree.names {
		if v := sub.of(it.Get(name)); !v.IsZero() {
			fields = append(fields, item.Field{Name: name, Value: v})
		}
	}
	return item.NewItem(fields)
}

// part is what to keep of a value: all of it, or some of its members or elements.
type part struct {
	all   bool
	names map[string]*part
	elems map[int]*part
}

func partOf(paths []path) *part {
	root := &part{names: map[string]*part{}}
	for _, p := range paths {
		at := root
		for _, e := range p {
			at = at.step(e)
		}
		at.all = true
	}
	return root
}

func (t *part) step(e pathElem) *part {
	next := new(part)
	if e.list {
		if t.elems == nil {
			t.elems = map[int]*part{}
		}
		if have := t.elems[e.index]; have != nil {
			return have
		}
		t.elems[e.index] = next
		return next
	}
	if t.names == nil {
		t.names = map[string]*part{}
	}
	if have := t.names[e.name]; have != nil {
		return have
	}
	t.names[e.name] = next
	return next
}

// of applies the part to a value; the zero Value if nothing is left.
func (t *part) of(v item.Value) item.Value {
	switch {
	case v.IsZero() || t.all:
		return v
	case v.Kind() == item.Map && t.names != nil:
		var fields []item.Field
		for name, sub := range t.names {
			if e := sub.of(v.Field(name)); !e.IsZero() {
				fields = append(fields, item.Field{Name: name, Value: e})
			}
		}
		if fields != nil {
			return item.NewMap(fields)
		}
	case v.Kind() == item.List && t.elems != nil:
		var elems []item.Value
		i := 0
		for e := range v.Elems() {
			if sub := t.elems[i]; sub != nil {
				if e = sub.of(e); !e.IsZero() {
					elems = append(elems, e)
				}
			}
			i++
		}
		if elems != nil {
			return item.NewList(elems)
		}
	}
	return item.Value{}
}
