package partiql

import (
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/item"
)

// Columns is the projection that a SELECT needs: the attributes that its columns begin with. An empty text is everything.
func (b *Bound) Columns() Expression {
	w := newWriter(nil)
	seen := map[string]bool{}
	for _, c := range b.columns {
		if seen[c[0].name] {
			continue
		}
		if len(seen) > 0 {
			w.WriteString(", ")
		}
		seen[c[0].name] = true
		w.path(c[:1])
	}
	e, _ := w.finish() // paths cannot fail
	return e
}

// Row is what a SELECT shows of an item: a column has the last name of its path, with the indexes that follow it (a.b[0] is
// shown as b[0]). Columns without a value are left out; of two of one name the later counts.
func (b *Bound) Row(it item.Item) item.Item {
	if b.columns == nil || it.IsZero() {
		return it
	}
	fields := make([]item.Field, len(b.columns))
	for i, c := range b.columns {
		fields[i] = item.Field{Name: c.column(), Value: c.in(it)}
	}
	return item.NewItem(fields)
}

// column is the name under which a path's value is shown.
func (p path) column() string {
	last := len(p) - 1
	for p[last].list {
		last--
	}
	var name strings.Builder
	name.WriteString(p[last].name)
	for _, s := range p[last+1:] {
		name.WriteString("[" + strconv.Itoa(s.index) + "]")
	}
	return name.String()
}

// in is a path's value in an item, the zero Value if there is none.
func (p path) in(it item.Item) item.Value {
	v := it.Get(p[0].name)
	for _, s := range p[1:] {
		if s.list {
			v = v.Index(s.index)
		} else {
			v = v.Field(s.name)
		}
	}
	return v
}
