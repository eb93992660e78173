package conflict

import (
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// Outcome is what became of a merge. Changed says that State differs from the stored one, be it in its context alone; Joined
// that neither side had seen all of the other.
type Outcome struct {
	State   State
	Changed bool
	Joined  bool
	Lost    []Loss
}

// Merge joins the stored and the arriving state. It is the only place where versions meet: replication, copies of tables
// and repair all go through it.
func Merge(stored, arriving State) Outcome {
	if arriving.IsZero() {
		return Outcome{State: stored}
	}
	l, r := stored.full(), arriving.full()
	switch {
	case r.ctx.SubsetOf(l.ctx):
		return Outcome{State: l}
	case l.ctx.SubsetOf(r.ctx):
		return Outcome{State: r, Changed: true}
	}
	j := join(&l, &r)
	return Outcome{State: j, Changed: true, Joined: true, Lost: losses(&l, &r, &j)}
}

// join takes the maximum of each part. The short ways of Merge spare this work; they never change its result.
func join(l, r *State) State {
	j := State{
		clear:   l.clear.Max(r.clear),
		deleted: l.deleted.Max(r.deleted),
		touched: l.touched,
		base:    l.base,
		ctx:     l.ctx.Join(r.ctx),
	}
	if j.touched.Less(r.touched) {
		j.touched = r.touched
	}
	if l.newest().Less(r.newest()) {
		j.base = r.base
	}
	j.settle()
	if len(l.attrs) == 0 && len(r.attrs) == 0 {
		// One stamp for all registers on either side: the later write of the whole item has them all.
		view := l.view
		if l.clear.Less(r.clear) {
			view = r.view
		}
		j.setView(view)
		return j
	}
	j.joinAttrs(l, r)
	return j
}

func (j *State) joinAttrs(l, r *State) {
	newer := l // wrote the attributes that have no register of their own
	if l.clear.Less(r.clear) {
		newer = r
	}
	var plain []item.Field
	for name, v := range newer.view.Attrs() {
		_, inL := l.find(name)
		_, inR := r.find(name)
		if !inL && !inR {
			plain = append(plain, item.Field{Name: name, Value: v})
		}
	}
	regs := make([]register, 0, len(l.attrs)+len(r.attrs))
	for i := range l.attrs {
		other := r.attr(l.attrs[i].name)
		regs = append(regs, joinRegister(l, &l.attrs[i], r, &other))
	}
	for i := range r.attrs {
		if _, ok := l.find(r.attrs[i].name); !ok {
			other := l.attr(r.attrs[i].name)
			regs = append(regs, joinRegister(l, &other, r, &r.attrs[i]))
		}
	}
	j.set(plain, regs)
}

// joinRegister joins the registers a and b of one attribute in the states l and r. Neither base is older than either
// state's clear, so the later of them is not either.
func joinRegister(l *State, a *register, r *State, b *register) register {
	n := register{
		name:  a.name,
		cum:   a.cum.Join(b.cum),
		added: crdt.JoinElements(a.added, l.ctx, b.added, r.ctx),
	}
	va, vb := a.version(l), b.version(r)
	won, v := a, va
	if va.Less(vb) {
		won, v = b, vb
	}
	n.value, n.cut, n.seen = won.value, won.cut, won.seen
	if va == vb {
		n.value, n.cut, n.seen = common(a.value, b.value), a.cut || b.cut, a.seen.Join(b.seen)
	}
	if v.Order == v.Dot {
		n.at = v.Dot // the zero stamp, if nobody ever wrote it
	}
	return n
}

// common is what is left of one write's value in two states: of a set, the members that neither state's updates removed.
func common(a, b item.Value) item.Value {
	if a.Equal(b) {
		return a
	}
	if !a.Kind().IsSet() || a.Kind() != b.Kind() {
		return item.Value{} // one side has removed the last member
	}
	var both []item.Value
	for m := range a.Elems() {
		if b.Has(m) {
			both = append(both, m)
		}
	}
	return makeSet(a.Kind(), both)
}
