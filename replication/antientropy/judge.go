package antientropy

import "github.com/meridiandb/meridian/crdt"

// Held says what a side holds of a table: of each listed origin everything up to a time, and everything at or below the
// floor. Of an origin that is not listed nothing more will come by a log (it is gone, or cannot be reached): what is missing
// of it is missing. A listed one stands for later incarnations of its region, too: the side may not have heard of them yet.
type Held struct {
	Floor crdt.Time
	// Through is the time up to which the side holds everything of all origins that ever wrote to the table, known or gone.
	Through crdt.Time
	Up      map[crdt.Origin]crdt.Time
	// Have is the same of all origins of which anything is known, those that are gone too. Nothing is judged by it: it says
	// what the other side holds after a round.
	Have map[crdt.Origin]crdt.Time
}

// gained is what a side that held h holds after a round with another that held o. Of an origin that it does not follow it has
// taken all that it missed; after a round that was whole, of every origin.
func (h *Held) gained(o *Held, whole bool) map[crdt.Origin]crdt.Time {
	up := map[crdt.Origin]crdt.Time{}
	for origin, t := range o.Have {
		if _, follows := h.follows(origin); (whole || !follows) && t > h.Have[origin] {
			up[origin] = t
		}
	}
	return up
}

// follows reports whether a side will hear of an origin by its log, and up to when it has everything of it. A region that was
// rebuilt may be known as what it was before, or not be followed yet as what it is now: nothing of its new log needs to be there.
func (h *Held) follows(o crdt.Origin) (up crdt.Time, yes bool) {
	if up, yes = h.Up[o]; yes {
		return up, true
	}
	for listed := range h.Up {
		if listed.Region == o.Region && listed.Incarnation < o.Incarnation {
			return 0, true
		}
	}
	return 0, false
}

// covers reports whether a side should have a write.
func (h *Held) covers(s crdt.Stamp) bool {
	up, follows := h.follows(s.Origin)
	return !follows || s.Time <= up
}

// Raise adds what another side held, after all of it was merged: whoever held less, holds that now.
func (h *Held) Raise(o Held) {
	h.Floor = max(h.Floor, o.Floor)
	if h.Up == nil {
		h.Up = map[crdt.Origin]crdt.Time{}
	}
	for origin, t := range o.Up {
		h.Up[origin] = max(h.Up[origin], t)
	}
}

// Seen is one side's version of an item, as far as judging goes. One that is not there has seen what is at or below the floor:
// its delete may be forgotten.
type Seen struct {
	Present bool
	Visible bool // it is an item, not a remembered delete
	Context crdt.Context
}

func (s Seen) context(h *Held) crdt.Context {
	if s.Present {
		return s.Context
	}
	return crdt.Context{}.WithFloor(h.Floor)
}

// Verdict says what a difference is. None set: what differs is on its way.
type Verdict struct {
	MineLacks, TheirsLacks bool
	Clash                  bool // the same writes, another state
}

// Judge judges two versions whose digests differ.
func Judge(mine Seen, my *Held, theirs Seen, their *Held) Verdict {
	if mine.Present && theirs.Present && mine.Context.Equal(theirs.Context) {
		return Verdict{Clash: true}
	}
	a, b := mine.context(my), theirs.context(their)
	return Verdict{
		MineLacks:   theirs.Present && lacks(a, my, b) || lost(mine, my, theirs, their),
		TheirsLacks: mine.Present && lacks(b, their, a) || lost(theirs, their, mine, my),
	}
}

// lost reports whether a side has not forgotten an item's delete, but lost the item: the other side, which has it, would know of
// a delete that a floor has passed.
func lost(s Seen, held *Held, other Seen, otherHeld *Held) bool {
	return !s.Present && other.Present && other.Visible && held.Floor > 0 &&
		other.Context.Newest() <= held.Floor && otherHeld.Through >= held.Floor
}

// lacks reports whether a side that has seen have should have seen something of other.
func lacks(have crdt.Context, held *Held, other crdt.Context) bool {
	all := true
	for s := range other.Seen() {
		if have.Covers(s) {
			continue
		}
		if all = false; held.covers(s) {
			return true
		}
	}
	// A floor comes into a context with a write. Whoever has seen all the writes has it, too.
	return all && other.Floor() > have.Floor()
}

// different is what a Whole round makes of it: everything that one side has seen and the other has not.
func different(mine Seen, my *Held, theirs Seen, their *Held) Verdict {
	v := Judge(mine, my, theirs, their)
	a, b := mine.context(my), theirs.context(their)
	v.MineLacks = v.MineLacks || theirs.Present && !b.SubsetOf(a)
	v.TheirsLacks = v.TheirsLacks || mine.Present && !a.SubsetOf(b)
	return v
}
