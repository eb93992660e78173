package conflict

import (
	"bytes"
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
//
// The attributes before and after, the registers and the names touched are all in name order, and are walked over side by side:
// an item has many attributes, an update names a few.
func (s *State) update(p Policy, w Local) {
	u := updating{old: s.view.Cursor(), new: w.New.Cursor(), attrs: s.attrs, touched: sortedNames(w.Touched)}
	regs := make([]register, 0, max(len(s.attrs), len(u.touched))) // nearly always the same
	for u.step() {
		r := register{name: u.name(), value: u.was}
		if u.own != nil {
			r = *u.own
		}
		if u.named || !u.was.Equal(u.now) {
			r = r.write(p, w, u.now)
		}
		regs = append(regs, r)
	}
	s.touched, s.deleted = w.Stamp, crdt.Version{}
	s.keep(regs, w.New)
}

// sortedNames returns names in order, each once.
func sortedNames(names []string) []string {
	for i := 1; i < len(names); i++ {
		if names[i-1] >= names[i] {
			sorted := slices.Clone(names)
			slices.Sort(sorted)
			return slices.Compact(sorted)
		}
	}
	return names
}

// updating is an update on its way through the attributes.
type updating struct {
	old, new item.Cursor
	attrs    []register
	touched  []string

	// What step has found of an attribute: its values, its register if it has one, and whether it is touched.
	was, now item.Value
	own      *register
	named    bool
	known    bool // its name is text, else inItem
	text     string
	inItem   []byte
}

// step goes to the next attribute of which there is anything. Those that neither have a register nor are touched nor differ, which
// most are, it passes over.
func (u *updating) step() bool {
	text, known := u.inNames()
	for u.old.Valid() && u.new.Valid() && u.old.Same(&u.new) && (!known || string(u.old.Name()) < text) {
		u.old.Next()
		u.new.Next()
	}
	inItem, shown := u.inItems()
	if !shown && !known {
		return false
	}
	shown, u.known = shown && (!known || string(inItem) <= text), known && (!shown || text <= string(inItem))
	u.inItem, u.text = inItem, text
	u.was, u.now, u.own, u.named = item.Value{}, item.Value{}, nil, false
	if shown && u.old.Valid() && bytes.Equal(u.old.Name(), inItem) {
		u.was = u.old.Value()
		u.old.Next()
	}
	if shown && u.new.Valid() && bytes.Equal(u.new.Name(), inItem) {
		u.now = u.new.Value()
		u.new.Next()
	}
	if u.known && len(u.attrs) > 0 && u.attrs[0].name == text {
		u.own, u.attrs = &u.attrs[0], u.attrs[1:]
	}
	if u.known && len(u.touched) > 0 && u.touched[0] == text {
		u.named, u.touched = true, u.touched[1:]
	}
	return true
}

// inItems is the next name in the items.
func (u *updating) inItems() (name []byte, ok bool) {
	if u.old.Valid() {
		name, ok = u.old.Name(), true
	}
	if u.new.Valid() && (!ok || bytes.Compare(u.new.Name(), name) < 0) {
		name, ok = u.new.Name(), true
	}
	return name, ok
}

// inNames is the next name that has a register or is touched.
func (u *updating) inNames() (name string, ok bool) {
	if len(u.attrs) > 0 {
		name, ok = u.attrs[0].name, true
	}
	if len(u.touched) > 0 && (!ok || u.touched[0] < name) {
		name, ok = u.touched[0], true
	}
	return name, ok
}

func (u *updating) name() string {
	if u.known {
		return u.text
	}
	return string(u.inItem)
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
