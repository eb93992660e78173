package conflict

import (
	"encoding/binary"
	"fmt"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// State is one item's version as a region stores it. The zero State is an item that nobody ever wrote. It is immutable.
//
// All states are in one normal form, so that equal states are equal bytes: touched and deleted are kept only where they
// still decide anything.
//
//	touched is zero or > clear
//	deleted is zero, and the item visible, or >= clear and > touched
//	ctx covers all dots of the state
type State struct {
	raw []byte // lazy: set by TrustedState, nothing else then is

	clear   crdt.Version // the newest write of the whole item; older registers are gone
	deleted crdt.Version // the delete that hides the item
	touched crdt.Stamp   // the newest update of some of its attributes
	base    crdt.Stamp   // what the author of the newest write replaced
	ctx     crdt.Context
	view    item.Item  // all attributes, as they show when visible; zero where nothing is left
	attrs   []register // in name order, those attributes of which more is to be known than that clear wrote the view's value
}

// Absent is the state of a key about which a region remembers only that it holds everything up to floor: what is
// covered by it is not let in again. It has no bytes: nothing is stored for it.
func Absent(floor crdt.Time) State { return State{ctx: crdt.Context{}.WithFloor(floor)} }

// IsZero reports whether nothing is known of any write to the item.
func (s State) IsZero() bool { return s.raw == nil && s.newest().IsZero() }

// Visible reports whether there is an item, as opposed to none or a remembered delete.
func (s State) Visible() bool {
	if s.raw != nil {
		return s.raw[1]&flagVisible != 0
	}
	return s.deleted.IsZero() && !s.newest().IsZero()
}

// Item returns the attributes, a view of the state's bytes; the zero Item if it is not visible.
func (s State) Item() item.Item {
	if !s.Visible() {
		return item.Item{}
	}
	if s.raw == nil {
		return s.view
	}
	n, k := binary.Uvarint(s.raw[2:])
	return item.TrustedItem(s.raw[2+k+int(n):])
}

// Stamp is the dot of the newest write in the state: of the one that wins, which after an expiry need not be the last.
func (s State) Stamp() crdt.Stamp {
	s = s.full()
	return s.newest().Dot
}

// Base is the stamp of the state that the newest write replaced; zero if it found nothing.
func (s State) Base() crdt.Stamp { return s.full().base }

// Context is what the state has seen.
func (s State) Context() crdt.Context { return s.full().ctx }

// Whole reports whether the newest write wrote or deleted the whole item, and so superseded its base. An update of some
// attributes does not: what its base wrote to the others may still lose.
func (s State) Whole() bool {
	s = s.full()
	return s.touched.IsZero() || !s.deleted.IsZero()
}

// Stable reports whether the state is a remembered delete all of whose writes are at or below floor.
//
// A tombstone without registers (last-writer-wins) can go then. One with registers can go only when, besides, everything
// has arrived that was written anywhere before this delete was seen there; a floor alone does not say that, because a
// region may have written, at a time above the floor, before it saw a delete below it (see doc.go).
func (s State) Stable(floor crdt.Time) bool {
	s = s.full()
	return !s.deleted.IsZero() && s.ctx.Newest() <= max(floor, s.ctx.Floor())
}

// Registers reports whether the state keeps anything for single attributes beside what the newest write of the whole item
// wrote, or, of a deleted item, whether it keeps attributes at all.
func (s State) Registers() bool {
	s = s.full()
	return len(s.attrs) > 0 || (!s.deleted.IsZero() && s.view.Len() > 0)
}

// Equal reports whether two states are the same, what they have seen included.
func (s State) Equal(t State) bool { return string(s.Append(nil)) == string(t.Append(nil)) }

// newest is the version that decides what the item is.
func (s *State) newest() crdt.Version {
	return s.alive().Max(s.deleted)
}

// alive is the newest write that is not a delete, or a delete of the whole item that has cleared it too.
func (s *State) alive() crdt.Version {
	if s.touched.IsZero() {
		return s.clear // spares a comparison to nearly all states
	}
	return s.clear.Max(crdt.At(s.touched))
}

// settle brings the parts in the normal form.
func (s *State) settle() {
	if !s.clear.Less(crdt.At(s.touched)) {
		s.touched = crdt.Stamp{}
	}
	if s.deleted.Less(s.alive()) {
		s.deleted = crdt.Version{}
	}
	// A delete that cleared is not newer than itself and stays: deleted = clear hides the item.
}

// setView sets the attributes. A deleted item of which none are left has no view, a visible one has at least an empty one.
func (s *State) setView(it item.Item) {
	switch s.view = it; {
	case !s.deleted.IsZero() && it.Len() == 0:
		s.view = item.Item{}
	case s.deleted.IsZero() && it.IsZero():
		s.view = item.NewItem(nil)
	}
}

// TrustedState wraps bytes that this binary wrote and that a checksum has guarded since. It costs nothing until more than
// the item is asked for. Bytes that are no state are a bug, and panic then.
//
// No bytes are the zero State.
func TrustedState(b []byte) State {
	if len(b) == 0 {
		return State{}
	}
	return State{raw: b}
}

func (s State) full() State {
	if s.raw == nil {
		return s
	}
	d, err := decode(s.raw, true)
	if err != nil {
		panic(fmt.Sprintf("conflict: a trusted state cannot be read: %v: %x", err, s.raw))
	}
	return d
}
