package conflict

import (
	"maps"
	"slices"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// write is one write of a history as the oracle knows it: what it claimed and which writes its author had seen.
type write struct {
	v       crdt.Version
	op      Op
	seen    map[int]bool // writes, by their place in the history
	whole   bool         // claims every attribute, the absent ones too
	hides   bool
	partial bool // an update of some attributes
	values  map[string]item.Value
	claimed map[string]bool // of a partial write
	adds    []Add
}

func (w *write) claims(name string) bool { return w.whole || w.claimed[name] }

// oracle is the slow, obvious reading of DESIGN section 5: a state is the set of writes seen, merging is their union, and
// the item is computed from all of them every time.
type oracle struct{ writes []write }

// best is the write with the highest version among those that satisfy the condition; nil if none does.
func (o *oracle) best(seen map[int]bool, cond func(*write) bool) (best *write, id int) {
	for i := range seen {
		w := &o.writes[i]
		if cond(w) && (best == nil || best.v.Less(w.v)) {
			best, id = w, i
		}
	}
	return best, id
}

func (o *oracle) visible(seen map[int]bool) bool {
	alive, _ := o.best(seen, func(w *write) bool { return w.whole || w.partial })
	hides, _ := o.best(seen, func(w *write) bool { return w.hides })
	return alive != nil && (hides == nil || hides.v.Less(alive.v))
}

func (o *oracle) item(seen map[int]bool) item.Item {
	if !o.visible(seen) {
		return item.Item{}
	}
	names := map[string]bool{}
	for i := range seen {
		for name := range o.writes[i].values {
			names[name] = true
		}
		for _, a := range o.writes[i].adds {
			names[a.Name] = true
		}
	}
	fields := []item.Field{}
	for name := range names {
		fields = append(fields, item.Field{Name: name, Value: o.attribute(seen, name)})
	}
	return item.NewItem(fields)
}

func (o *oracle) attribute(seen map[int]bool, name string) item.Value {
	var v item.Value
	base, id := o.best(seen, func(w *write) bool { return w.claims(name) })
	if base != nil {
		v = base.values[name]
	}
	if v.Kind().IsSet() {
		v = o.removed(seen, name, id, v)
	}
	for _, i := range slices.Sorted(maps.Keys(seen)) {
		for _, a := range o.writes[i].adds {
			switch {
			case a.Name != name || a.Remove:
			case a.Value.Kind() == item.Number && (v.IsZero() || v.Kind() == item.Number):
				if base == nil || !base.seen[i] {
					v = applyAdd(v, a)
				}
			case a.Value.Kind().IsSet() && (v.IsZero() || v.Kind().IsSet()):
				for m := range a.Value.Elems() {
					if !o.gone(seen, name, i, m) {
						v = applyAdd(v, Add{Value: setWith(m)})
					}
				}
			}
		}
	}
	return v
}

func setWith(m item.Value) item.Value {
	v, err := item.NewSet(item.StringSet, []item.Value{m})
	if err != nil {
		panic(err)
	}
	return v
}

// removed is a base's set without what was removed by writes that had seen it.
func (o *oracle) removed(seen map[int]bool, name string, base int, v item.Value) item.Value {
	for i := range seen {
		for _, a := range o.writes[i].adds {
			if a.Name == name && a.Remove && o.writes[i].seen[base] {
				v = applyAdd(v, a)
			}
		}
	}
	return v
}

// gone reports whether the addition of m by write i was removed or overwritten by a write that had seen it.
func (o *oracle) gone(seen map[int]bool, name string, i int, m item.Value) bool {
	for k := range seen {
		w := &o.writes[k]
		if !w.seen[i] {
			continue
		}
		if w.claims(name) {
			return true
		}
		for _, a := range w.adds {
			if a.Name == name && a.Value.Has(m) {
				return true // removed, or added again
			}
		}
	}
	return false
}

// record notes a write and returns what its author has seen then.
func (o *oracle) record(p Policy, seen map[int]bool, l Local) map[int]bool {
	w := write{v: crdt.At(l.Stamp), op: l.Op, seen: maps.Clone(seen), values: map[string]item.Value{}}
	for name, v := range l.New.Attrs() {
		w.values[name] = v
	}
	switch visible := o.visible(seen); {
	case l.Op == Delete || l.Op == Expire:
		w.hides, w.whole = true, p == LastWriterWins
		if l.Op == Expire {
			newest, _ := o.best(seen, func(*write) bool { return true })
			w.v.Order = newest.v.Order
		}
	case l.Op == Put || p == LastWriterWins:
		w.whole = true
	default:
		if p == CRDT {
			w.adds = l.Adds
		}
		w.whole, w.partial, w.claimed = !visible, visible, map[string]bool{}
		for _, name := range l.Touched {
			w.claimed[name] = true
		}
		for _, a := range w.adds {
			delete(w.claimed, a.Name)
			delete(w.values, a.Name)
		}
	}
	if w.whole && len(w.adds) > 0 {
		// Additions to what the write found absent: it claims the absence, and adds to it.
		for _, a := range w.adds {
			delete(w.values, a.Name)
		}
	}
	o.writes = append(o.writes, w)
	after := maps.Clone(seen)
	after[len(o.writes)-1] = true
	return after
}
