package table

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
)

// row is what a Query or Scan meets: an item or index entry, with what it is ordered by.
type row struct {
	entry, base item.Item
	order       []any // uint32 and item.Value, compared one after the other
}

func order(keys ...item.Key) (o []any) {
	for _, k := range keys {
		o = append(o, k.Hash32())
		for _, v := range append(slices.Clone(k.Hash), k.Range...) {
			o = append(o, v)
		}
	}
	return o
}

func compareOrder(a, b []any) int {
	for i := range a {
		switch x := a[i].(type) {
		case uint32:
			if c := cmp.Compare(x, b[i].(uint32)); c != 0 {
				return c
			}
		case item.Value:
			if c, ok := item.Compare(x, b[i].(item.Value)); !ok || c != 0 {
				return c
			}
		}
	}
	return 0
}

// rows lists all of a table or index in order.
func (t *modelTable) rows(ix *catalog.Index) []row {
	var rows []row
	for _, it := range t.items {
		base := must(t.d.Schema.FromItem(it))
		if ix == nil {
			rows = append(rows, row{it, it, order(base)})
		} else if entry, ok := projected(t.d, ix, it); ok {
			rows = append(rows, row{entry, it, order(must(ix.Schema.FromItem(entry)), base)})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return compareOrder(a.order, b.order) })
	return rows
}

func inRange(s item.KeySchema, it item.Item, r expr.KeyRange) bool {
	for i, a := range s.Hash {
		if !it.Get(a.Name).Equal(r.Hash[i]) {
			return false
		}
	}
	for i, v := range r.Prefix {
		if !it.Get(s.Range[i].Name).Equal(v) {
			return false
		}
	}
	if r.Op == expr.RangeAll {
		return true
	}
	v := it.Get(s.Range[len(r.Prefix)].Name)
	lo, _ := item.Compare(v, r.Lo)
	switch r.Op {
	case expr.RangeLT:
		return lo < 0
	case expr.RangeLE:
		return lo <= 0
	case expr.RangeGT:
		return lo > 0
	case expr.RangeGE:
		return lo >= 0
	case expr.RangeBetween:
		hi, _ := item.Compare(v, r.Hi)
		return lo >= 0 && hi <= 0
	case expr.RangeBeginsWith:
		return bytes.HasPrefix(v.Bytes(), r.Lo.Bytes())
	}
	panic("unknown operator")
}

func (m *model) query(t string, q Query) (Page, error) {
	tab := m.tables[t]
	ix, schema := tab.index(q.Index)
	rows := slices.DeleteFunc(tab.rows(ix), func(r row) bool { return !inRange(schema, r.entry, q.Range) })
	if q.Reverse {
		slices.Reverse(rows)
	}
	p := tab.page(rows, ix, q.Reading, q.Reverse)
	if ix == nil && len(q.Range.Prefix) == len(schema.Range) {
		p.Last = item.Item{} // at most one row: cannot be restarted
	}
	return p, nil
}

func (m *model) scan(t string, s Scan) (Page, error) {
	tab := m.tables[t]
	ix, _ := tab.index(s.Index)
	rows := tab.rows(ix)
	if s.Total > 1 {
		lo, hi := uint64(s.Segment)<<32/uint64(s.Total), uint64(s.Segment+1)<<32/uint64(s.Total)
		rows = slices.DeleteFunc(rows, func(r row) bool {
			h := uint64(r.order[0].(uint32))
			return h < lo || h >= hi
		})
	}
	return tab.page(rows, ix, s.Reading, false), nil
}

func (t *modelTable) index(name string) (*catalog.Index, item.KeySchema) {
	if name == "" {
		return nil, t.d.Schema
	}
	ix := t.d.Index(name)
	return ix, ix.Schema
}

// page is DYNAMODB.md section 5.
func (t *modelTable) page(rows []row, ix *catalog.Index, r Reading, reverse bool) Page {
	var p Page
	if !r.Start.IsZero() {
		start := order(must(t.d.Schema.FromItem(r.Start)))
		if ix != nil {
			start = order(must(ix.Schema.FromItem(r.Start)), must(t.d.Schema.FromItem(r.Start)))
		}
		rows = slices.DeleteFunc(rows, func(x row) bool {
			c := compareOrder(x.order, start)
			return c == 0 || (c < 0) != reverse
		})
	}
	read, fetched, fetchUnits := 0, 0, 0.0
	for _, x := range rows {
		p.Scanned++
		read += x.entry.Size()
		it := x.entry
		if t.fetches(ix, r) {
			it = x.base
			fetched += it.Size()
			fetchUnits += units4096(it.Size(), r.Consistent)
		}
		keep := true
		if r.Filter != nil {
			keep, _ = r.Filter.Eval(it)
		}
		if keep {
			p.Count++
			if r.Projection != nil {
				it = r.Projection.Apply(it)
			}
			if !r.CountOnly {
				p.Items = append(p.Items, it)
			}
		}
		if p.Scanned == r.Limit || read+fetched > 1<<20 {
			var fields []item.Field
			for name, v := range x.entry.Attrs() {
				if t.d.Schema.Has(name) || ix != nil && ix.Schema.Has(name) {
					fields = append(fields, item.Field{Name: name, Value: v})
				}
			}
			p.Last = item.NewItem(fields)
			break
		}
	}
	if ix == nil {
		p.Cost.Table = units4096(read, r.Consistent)
	} else {
		p.Cost.Table = fetchUnits
		p.Cost.Indexes = []IndexCost{{Name: ix.Name, Global: ix.Global, Units: units4096(read, r.Consistent)}}
	}
	return p
}

// fetches reports whether a local index's entries do not suffice.
func (t *modelTable) fetches(ix *catalog.Index, r Reading) bool {
	if ix == nil || ix.Global || r.CountOnly || ix.Projection == "ALL" {
		return false
	}
	if r.Projection == nil {
		return r.All
	}
	for _, n := range r.Projection.TopLevelNames() {
		if !t.d.Schema.Has(n) && !ix.Schema.Has(n) && !slices.Contains(ix.NonKey, n) {
			return true
		}
	}
	return false
}
