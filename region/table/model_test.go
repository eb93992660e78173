package table

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
)

// model is what a region's tables should do, written to be read: one list of items for each table, gone through from end
// to end for everything. Expressions are package expr's here as there.
type model struct{ tables map[string]*modelTable }

type modelTable struct {
	d     *catalog.Descriptor
	items []item.Item // in no order
}

func newModel(ds ...*catalog.Descriptor) *model {
	m := &model{tables: map[string]*modelTable{}}
	for _, d := range ds {
		m.tables[d.Name] = &modelTable{d: d}
	}
	return m
}

// find returns an item's place in the list, -1 if it is not there.
func (t *modelTable) find(k item.Key) int {
	return slices.IndexFunc(t.items, func(it item.Item) bool {
		for _, f := range t.d.Schema.Fields(k) {
			if !it.Get(f.Name).Equal(f.Value) {
				return false
			}
		}
		return true
	})
}

func (t *modelTable) get(k item.Key) item.Item {
	if i := t.find(k); i >= 0 {
		return t.items[i]
	}
	return item.Item{}
}

func (t *modelTable) set(k item.Key, it item.Item) {
	if i := t.find(k); i >= 0 {
		t.items = slices.Delete(t.items, i, i+1)
	}
	if !it.IsZero() {
		t.items = append(t.items, it)
	}
}

// step works out what a write does, without doing it.
func (t *modelTable) step(w Write) (k item.Key, res WriteResult, err error) {
	k = w.Key
	if w.Op == Put {
		if k, err = t.d.Schema.FromItem(w.Item); err != nil {
			return k, res, err
		}
		if err := t.refuse(item.Item{}, w.Item, nil); err != nil {
			return k, res, err
		}
	}
	res.Old = t.get(k)
	if w.Condition != nil {
		if ok, _ := w.Condition.Eval(res.Old); !ok {
			units := math.Max(units1024(res.Old.Size()), units1024(w.Item.Size()))
			return k, res, &ConditionFailed{Item: res.Old, Cost: Cost{Table: units}}
		}
	}
	switch w.Op {
	case Put:
		res.New = w.Item
	case Check:
		res.New = res.Old
	case Update:
		done, err := w.Update.Apply(res.Old, t.d.Schema.Fields(k))
		if err == nil {
			err = t.refuse(res.Old, done.Item, w.Update)
		}
		if err != nil {
			return k, res, err
		}
		res.New, res.UpdatedOld, res.UpdatedNew = done.Item, done.UpdatedOld, done.UpdatedNew
	}
	res.Cost.Table = math.Max(units1024(res.Old.Size()), units1024(res.New.Size()))
	for i := range t.d.Indexes {
		ix := &t.d.Indexes[i]
		if units := indexWrite(t.d, ix, res.Old, res.New); units > 0 {
			res.Cost.Indexes = append(res.Cost.Indexes, IndexCost{Name: ix.Name, Global: ix.Global, Units: units})
		}
	}
	return k, res, nil
}

func units1024(n int) float64 { return math.Max(1, math.Ceil(float64(n)/1024)) }

func units4096(n int, consistent bool) float64 {
	u := math.Max(1, math.Ceil(float64(n)/4096))
	if !consistent {
		u /= 2
	}
	return u
}

// refuse is DYNAMODB.md 3.2 and 4.8 on index keys, and 3.4 on sizes.
func (t *modelTable) refuse(old, it item.Item, u *expr.Update) error {
	if it.IsZero() {
		return nil
	}
	total := it.Size()
	for i := range t.d.Indexes {
		ix := &t.d.Indexes[i]
		for _, a := range append(slices.Clone(ix.Schema.Hash), ix.Schema.Range...) {
			v := it.Get(a.Name)
			if v.IsZero() || v.Equal(old.Get(a.Name)) {
				continue
			}
			if v.Kind() != a.Kind {
				if u != nil {
					if _, literal := u.Literal(a.Name); !literal {
						return invalid("The update expression attempted to update the secondary index key to unsupported type")
					}
				}
				return invalid("One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s", a.Name, a.Kind, v.Kind(), ix.Name)
			}
			if v.Kind() == item.String && v.Len() == 0 {
				if u != nil {
					return invalid("One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value.")
				}
				return invalid("One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: %s, IndexKey: %s", ix.Name, a.Name)
			}
		}
		if p, ok := projected(t.d, ix, it); ok && !ix.Global {
			total += p.Size()
		}
	}
	if total > 400*1024 {
		if u != nil {
			return invalid("Item size to update has exceeded the maximum allowed size")
		}
		return invalid("Item size has exceeded the maximum allowed size")
	}
	return nil
}

// projected is an item's entry in an index; ok is false if it has none.
func projected(d *catalog.Descriptor, ix *catalog.Index, it item.Item) (entry item.Item, ok bool) {
	if it.IsZero() {
		return it, false
	}
	for _, a := range append(slices.Clone(ix.Schema.Hash), ix.Schema.Range...) {
		v := it.Get(a.Name)
		if v.Kind() != a.Kind || (a.Kind != item.Number && v.Len() == 0) {
			return it, false
		}
	}
	if ix.Projection == "ALL" {
		return it, true
	}
	var fields []item.Field
	for name, v := range it.Attrs() {
		if d.Schema.Has(name) || ix.Schema.Has(name) || slices.Contains(ix.NonKey, name) {
			fields = append(fields, item.Field{Name: name, Value: v})
		}
	}
	return item.NewItem(fields), true
}

// indexWrite is DYNAMODB.md section 6 on index writes.
func indexWrite(d *catalog.Descriptor, ix *catalog.Index, old, new item.Item) float64 {
	before, had := projected(d, ix, old)
	after, has := projected(d, ix, new)
	sameKey := had && has
	for _, n := range ix.Schema.Names() {
		sameKey = sameKey && before.Get(n).Equal(after.Get(n))
	}
	switch {
	case !had && !has, had && has && before.Equal(after):
		return 0
	case sameKey:
		return math.Max(units1024(before.Size()), units1024(after.Size()))
	case had && has:
		return units1024(before.Size()) + units1024(after.Size())
	case had:
		return units1024(before.Size())
	}
	return units1024(after.Size())
}

func (m *model) write(t string, w Write) (WriteResult, error) {
	tab := m.tables[t]
	k, res, err := tab.step(w)
	if err != nil {
		return WriteResult{}, err
	}
	tab.set(k, res.New)
	return res, nil
}

// transact looks at all writes before it does any.
func (m *model) transact(tables []string, ws []Write) ([]WriteResult, []error) {
	results, reasons, failed := make([]WriteResult, len(ws)), make([]error, len(ws)), false
	keys := make([]item.Key, len(ws))
	for i, w := range ws {
		keys[i], results[i], reasons[i] = m.tables[tables[i]].step(w)
		failed = failed || reasons[i] != nil
	}
	if failed {
		return nil, reasons
	}
	for i := range ws {
		m.tables[tables[i]].set(keys[i], results[i].New)
	}
	return results, nil
}

// Answers as text, to be compared and read.

func costText(c Cost) string { return fmt.Sprintf("cost %v %v", c.Table, c.Indexes) }

func writeText(r WriteResult, err error) string {
	var cf *ConditionFailed
	if errors.As(err, &cf) {
		return "false: " + short(cf.Item) + " " + costText(cf.Cost)
	}
	if err != nil {
		return "error: " + err.Error()
	}
	return fmt.Sprintf("old %s new %s, updated %s to %s, %s", short(r.Old), short(r.New), short(r.UpdatedOld), short(r.UpdatedNew), costText(r.Cost))
}

func writesText(rs []WriteResult, errs []error) string {
	var b strings.Builder
	for i := range max(len(rs), len(errs)) {
		var r WriteResult
		var err error
		if i < len(rs) {
			r = rs[i]
		}
		if i < len(errs) {
			err = errs[i]
		}
		if len(rs) == 0 && err == nil {
			b.WriteString("fine\n")
			continue
		}
		b.WriteString(writeText(r, err) + "\n")
	}
	return b.String()
}

func pageText(p Page, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d, last %s, %s\n", p.Count, p.Scanned, short(p.Last), costText(p.Cost))
	for _, it := range p.Items {
		b.WriteString(short(it) + "\n")
	}
	return b.String()
}

// short shows an item; of a large one, how large it is and its head.
func short(it item.Item) string {
	s := show(it)
	if len(s) > 2000 {
		return fmt.Sprintf("%s… (%d bytes)", s[:200], len(s))
	}
	return s
}
