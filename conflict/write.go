package conflict

import (
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// Op is what a local write does.
type Op uint8

// The three writes.
const (
	Put Op = iota + 1
	Update
	Delete
)

// Local is one write of this region.
type Local struct {
	Stamp   crdt.Stamp // above everything in the stored state
	Op      Op
	New     item.Item // Put and Update: the whole item as it is afterwards
	Touched []string  // Update: the attributes it names
	// Floor is the table's floor where nothing is stored: everything at or below it is known to be gone (DESIGN section 5,
	// stability). It is ignored where something is.
	Floor crdt.Time
}

// Write returns the state after a local write on the stored one. Its author has seen all that the stored state has.
func Write(_ Policy, stored State, w Local) State {
	stored = stored.full()
	ctx := stored.ctx
	if stored.IsZero() {
		ctx = ctx.WithFloor(w.Floor)
	}
	// Last writer wins: a write claims the whole item, so one stamp stands for all its attributes.
	s := State{head: head{stamp: w.Stamp, clear: w.Stamp, ctx: ctx.With(w.Stamp)}, item: w.New}
	if w.Op == Delete {
		s.deleted, s.item = w.Stamp, item.Item{}
	}
	return s
}
