package expr

import "github.com/meridiandb/meridian/item"

// ProjectionAST is a projection's text, parsed. It is immutable.
type ProjectionAST struct{ paths []path }

// ParseProjection parses a ProjectionExpression.
func ParseProjection(text string) (*ProjectionAST, error) {
	if err := checkSize(ProjectionExpression, text); err != nil {
		return nil, err
	}
	return LongProjection(text)
}

// LongProjection is ParseProjection of a text of any length: package partiql's, which is bounded otherwise.
func LongProjection(text string) (*ProjectionAST, error) {
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
		if err := p.check(ProjectionExpression); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Projection is a bound projection. It is immutable.
type Projection struct{ tree *tree }

// Bind puts in a request's substitutions; paths must not overlap.
func (a *ProjectionAST) Bind(p *Params) (*Projection, error) {
	paths := make([]path, len(a.paths))
	for i, q := range a.paths {
		var err error
		if paths[i], err = q.bind(ProjectionExpression, p); err != nil {
			return nil, err
		}
	}
	t, err := newTree(ProjectionExpression, paths)
	if err != nil {
		return nil, err
	}
	return &Projection{t}, nil
}

// TopLevelNames lists the attributes that the projection looks at.
func (p *Projection) TopLevelNames() []string { return p.tree.names() }

// Inside lists the attributes into whose documents the projection looks.
func (p *Projection) Inside() []string {
	var names []string
	for i := range p.tree.kids {
		if k := &p.tree.kids[i]; !k.leaf() {
			names = append(names, k.name)
		}
	}
	return names
}

// Apply keeps what the paths lead to, in its place: maps keep their names, lists are compacted in index order. An item of
// which nothing is left is an item without attributes; no item stays no item.
func (p *Projection) Apply(it item.Item) item.Item { return p.tree.project(it) }

// project keeps of an item what the paths lead to.
func (t *tree) project(it item.Item) item.Item {
	if it.IsZero() {
		return it
	}
	return item.NewItem(t.fields(it))
}

func (t *tree) fields(it item.Item) []item.Field {
	fields := make([]item.Field, 0, len(t.kids))
	for i := range t.kids {
		k := &t.kids[i]
		if v := k.of(it.Get(k.name)); !v.IsZero() {
			fields = append(fields, item.Field{Name: k.name, Value: v})
		}
	}
	return fields
}

// of keeps a node's part of a value; the zero Value if nothing is left.
func (t *tree) of(v item.Value) item.Value {
	switch {
	case v.IsZero() || t.leaf():
		return v
	case t.kids[0].list:
		return t.elems(v)
	case v.Kind() != item.Map:
		return item.Value{}
	}
	if fields := t.fields(v.Item()); len(fields) > 0 {
		return item.NewMap(fields)
	}
	return item.Value{}
}

func (t *tree) elems(v item.Value) item.Value {
	if v.Kind() != item.List {
		return item.Value{}
	}
	var elems []item.Value
	i, kids := 0, t.kids
	for e := range v.Elems() {
		if len(kids) == 0 {
			break
		}
		if kids[0].index == i {
			if e = kids[0].of(e); !e.IsZero() {
				elems = append(elems, e)
			}
			kids = kids[1:]
		}
		i++
	}
	if elems == nil {
		return item.Value{}
	}
	return item.NewList(elems)
}
