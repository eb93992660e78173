package trigger

import (
	"slices"

	"github.com/meridiandb/meridian/crdt"
)

// vector is a context as it is stored and sent: for each origin the time up to which everything is meant.
type vector []crdt.Stamp

func vectorOf(c crdt.Context) vector { return slices.Collect(c.Seen()) }

func (v vector) context() crdt.Context { return crdt.NewContext(0, v...) }

// mark is a place in this region's log, and a vector that says something of what stands before it.
//
// Seen marks cover all that stands before: if a vector covers Vector, all of it was delivered, and a trigger may begin at After.
// Holds marks are covered by what stands before: if everything before After is done with, so is everything that Vector covers.
type mark struct {
	After  string `json:"after"` // a sequence number
	Vector vector `json:"vector"`
}

// marks are marks in order. They are thinned as they grow old: a trigger that is far behind finds one near enough.
type marks struct{ all []mark }

// maxMarks bounds them. One is made with every tick in which something was written, and half of the older ones go when there
// are too many: the older, the farther apart they are, and the oldest stays.
const maxMarks = 1024

func (m *marks) add(n mark) {
	if k := len(m.all); k > 0 && m.all[k-1].After == n.After {
		m.all[k-1] = n // nothing was written: the later one knows more
		return
	}
	m.all = append(m.all, n)
	if len(m.all) < maxMarks {
		return
	}
	kept := m.all[:0]
	for i, old := range m.all {
		if i >= maxMarks/2 || i%2 == 0 {
			kept = append(kept, old)
		}
	}
	m.all = kept
}

// newest is the newest mark that holds, if any is newer than a place.
func (m *marks) newest(after string, holds func(mark) bool) (mark, bool) {
	for _, n := range slices.Backward(m.all) {
		if n.After <= after {
			break
		}
		if holds(n) {
			return n, true
		}
	}
	return mark{}, false
}

// coveredBy tests Seen marks.
func coveredBy(c crdt.Context) func(mark) bool {
	return func(n mark) bool { return n.Vector.context().SubsetOf(c) }
}

// passed takes the Holds marks that are at or before a place out, and returns what they hold.
func (m *marks) passed(at string) (c crdt.Context) {
	n := 0
	for n < len(m.all) && m.all[n].After <= at {
		c = c.Join(m.all[n].Vector.context())
		n++
	}
	m.all = slices.Delete(m.all, 0, n)
	return c
}
