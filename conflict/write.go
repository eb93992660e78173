package conflict

import (
	"slices"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// Op is what a local write does.
type Op uint8

// The writes.
const (
	Put Op = iota + 1
	Update
	Delete
	Expire // the delete of an item whose time to live is over: any later write that had not seen it wins
)

// Local is one write of this region.
type Local struct {
	Stamp   crdt.Stamp // above everything in the stored state
	Op      Op
	New     item.Item // Put and Update: the whole item as it is afterwards
	Touched []string  // Update: the attributes it names
	Adds    []Add     // Update: its ADD and DELETE actions on whole attributes
	// Floor is the table's floor where nothing is stored: everything at or below it is known to be gone (DESIGN section 5,
	// stability). It is ignored where something is.
	Floor crdt.Time
}

// Add is one ADD or DELETE action of an update expression on a top-level attribute. Only the policy CRDT cares.
type Add struct {
	Name   string
	Value  item.Value // ADD: a number or a set; DELETE: a set
	Remove bool       // DELETE
}

// Write returns the state after a local write on the stored one. Its author has seen all that the stored state has. The
// new state's Item is w.New under every policy, whatever w says of attributes touched: what differs was touched.
func Write(p Policy, stored State, w Local) State {
	stored = stored.full()
	s := stored
	s.base = stored.newest().Dot
	if stored.IsZero() {
		s.ctx = s.ctx.WithFloor(w.Floor)
	}
	s.ctx = s.ctx.With(w.Stamp)
	switch at := crdt.At(w.Stamp); {
	case w.Op == Expire:
		if !stored.IsZero() {
			at.Order = stored.newest().Order
		}
		s.remove(p, at)
	case w.Op == Delete:
		s.remove(p, at)
	case w.Op == Update && p != LastWriterWins && stored.Visible():
		s.update(p, w)
	default:
		s.claim(p, at, w)
	}
	return s
}

// remove hides the item. Only last-writer-wins forgets it at once; the other policies keep it, counters and all, so that
// an update that had not seen the delete revives it whole.
func (s *State) remove(p Policy, at crdt.Version) {
	s.deleted = at
	if p != LastWriterWins {
		s.setView(s.view)
		return
	}
	regs := s.ghosts(nil)
	s.clear, s.touched = at, crdt.Stamp{}
	s.set(nil, regs)
}

// claim writes the whole item. Counters and sets that the write adds to start from nothing rather than with a value, so
// that two regions' first additions come together.
func (s *State) claim(p Policy, at crdt.Version, w Local) {
	adds := w.Adds
	if p != CRDT || w.Op != Update {
		adds = nil
	}
	fresh := make([]register, 0, len(adds)) // what it adds to, in the order of adds
	for _, a := range adds {
		if indexOf(fresh, a.Name) >= 0 {
			continue // two actions on one name: expr refuses them
		}
		old := s.attr(a.Name)
		r := register{name: a.Name, at: w.Stamp, seen: old.cum, cum: old.cum}
		if r.add(a, w.Stamp); r.show().Equal(w.New.Get(a.Name)) {
			fresh = append(fresh, r)
		}
	}
	regs := s.ghosts(fresh)
	s.clear, s.deleted, s.touched = at, crdt.Version{}, crdt.Stamp{}
	if len(regs) == 0 {
		s.attrs = nil // nearly always: one stamp for the whole item
		s.setView(w.New)
		return
	}
	for i := range regs {
		if v := w.New.Get(regs[i].name); !v.IsZero() && !regs[i].show().Equal(v) {
			regs[i].value = v
		}
	}
	s.keep(regs, w.New)
}

// ghosts adds to regs those registers that a write of the whole item must leave behind: of counters, what it has seen.
func (s *State) ghosts(regs []register) []register {
	for i := range s.attrs {
		if r := &s.attrs[i]; len(r.cum) > 0 && indexOf(regs, r.name) < 0 {
			regs = append(regs, register{name: r.name, seen: r.cum, cum: r.cum})
		}
	}
	return regs
}

func indexOf(regs []register, name string) int {
	for i := range regs {
		if regs[i].name == name {
			return i
		}
	}
	return -1
}

// update writes the attributes that are touched or changed and leaves the others their registers. What the item shows
// afterwards is known, w.New: the view is not put together again.
func (s *State) update(p Policy, w Local) {
	touched := slices.Clone(w.Touched)
	slices.Sort(touched)
	u := updating{state: s, policy: p, write: w, touched: slices.Compact(touched)}
	u.done = make([]bool, len(u.touched))
	u.regs = make([]register, 0, len(s.attrs)+len(u.touched)+len(w.Adds))
	var buf [16]item.Field
	old := buf[:0] // attributes of the view that w.New has not passed yet, in name order as everywhere
	for name, v := range s.view.Attrs() {
		old = append(old, item.Field{Name: name, Value: v})
	}
	for name, v := range w.New.Attrs() {
		for len(old) > 0 && old[0].Name < name {
			u.attribute(old[0].Name, old[0].Value, item.Value{})
			old = old[1:]
		}
		var was item.Value
		if len(old) > 0 && old[0].Name == name {
			was, old = old[0].Value, old[1:]
		}
		u.attribute(name, was, v)
	}
	for _, f := range old {
		u.attribute(f.Name, f.Value, item.Value{})
	}
	for i := range s.attrs { // what does not show
		if name := s.attrs[i].name; w.New.Get(name).IsZero() && s.view.Get(name).IsZero() {
			u.attribute(name, item.Value{}, item.Value{})
		}
	}
	for i, name := range u.touched { // removed, but never was there
		if !u.done[i] {
			u.attribute(name, item.Value{}, item.Value{})
		}
	}
	s.touched, s.deleted = w.Stamp, crdt.Version{}
	s.keep(u.regs, w.New)
}

// updating is an update on its way through the attributes.
type updating struct {
	state   *State
	policy  Policy
	write   Local
	touched []string // sorted
	done    []bool   // by place in touched
	regs    []register
}

// attribute takes an attribute from what the view had to what it is to have.
func (u *updating) attribute(name string, was, now item.Value) {
	at, touched := slices.BinarySearch(u.touched, name)
	if touched {
		u.done[at] = true
	}
	i, own := u.state.find(name)
	if !own && !touched && was.Equal(now) {
		return // clear wrote it, and it stands
	}
	r := register{name: name, value: was}
	if own {
		r = u.state.attrs[i]
	}
	if touched || !was.Equal(now) {
		r = r.write(u.policy, u.write, now)
	}
	u.regs = append(u.regs, r)
}

// write is the register after an update has made its value v: by additions if that is what the update says and does, else
// as a new base, which has seen all additions there are.
func (r register) write(p Policy, w Local, v item.Value) register {
	if p == CRDT {
		n := r
		acted := false
		for _, a := range w.Adds {
			if a.Name == r.name {
				n.add(a, w.Stamp)
				acted = true
			}
		}
		if acted && n.show().Equal(v) {
			return n
		}
	}
	return register{name: r.name, at: w.Stamp, value: v, seen: r.cum, cum: r.cum}
}

// add applies one action. Where it does not fit the register, it does nothing: the caller sees that the value is not
// what it should be, and writes a base.
func (r *register) add(a Add, dot crdt.Stamp) {
	switch {
	case a.Value.Kind() == item.Number && !a.Remove:
		if cum, err := r.cum.Add(dot, a.Value.Num()); err == nil {
			r.cum = cum
		}
	case a.Value.Kind().IsSet() && a.Remove:
		r.removeMembers(a.Value)
	case a.Value.Kind().IsSet():
		for m := range a.Value.Elems() {
			r.added = r.added.Add(string(m.Encoded()), dot)
		}
	}
}

func (r *register) removeMembers(gone item.Value) {
	for m := range gone.Elems() {
		r.added = r.added.Remove(string(m.Encoded()))
	}
	if !r.value.Kind().IsSet() {
		return
	}
	var rest []item.Value
	for m := range r.value.Elems() {
		if !gone.Has(m) {
			rest = append(rest, m)
		}
	}
	if len(rest) < r.value.Len() {
		r.value, r.cut = makeSet(r.value.Kind(), rest), r.at.IsZero()
	}
}
