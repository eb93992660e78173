package conflict

import (
	"slices"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// Loss is one write that lost to another whose author had not seen it.
type Loss struct {
	Stamp      crdt.Stamp // the losing write
	Image      item.Item  // the whole item as its side had it; zero if the losing write was a delete
	Base       crdt.Stamp // what its author replaced; zero if that was nothing, or if later writes on its side hide it
	Whole      bool       // Base is known, and was replaced altogether (State.Whole)
	Winner     crdt.Stamp // the highest that it lost to
	Beaten     item.Item  // the whole item as the winner's side had it; zero if that was a delete
	Attributes []string   // which of its attributes lost, in name order; nil for the whole item
	Reason     Reason
}

// Reason says in an operator's words why a write lost.
type Reason string

// The reasons.
const (
	OverwrittenByPut    Reason = "a concurrent write in another region has a later stamp"
	OverwrittenByDelete Reason = "a concurrent delete in another region has a later stamp"
	DeleteOverwritten   Reason = "a concurrent write in another region has a later stamp than this delete"
	OverwrittenByUpdate Reason = "a concurrent write in another region has a later stamp for some of the attributes"
	TypeOverwritten     Reason = "a concurrent write in another region gave the attribute a type that cannot be added to"
)

// losses lists what of l and r is not in their join j although nobody on the other side had seen it, sorted by stamp.
// Contexts here are those of the two sides before the join: a side that had already seen a write and holds another has
// reported the loss, if it was one, when it saw it.
func losses(l, r, j *State) []Loss {
	lost := append(lostTo(l, r, j), lostTo(r, l, j)...)
	slices.SortFunc(lost, func(a, b Loss) int { return a.Stamp.Compare(b.Stamp) })
	return lost
}

// lostTo lists what x lost to y.
func lostTo(x, y, j *State) []Loss {
	if x.IsZero() || y.IsZero() {
		return nil
	}
	c := collector{x: x, y: y}
	switch {
	case x.deleted.Order != x.deleted.Dot:
		// Nobody asked for an expiry. That later writes win against it is its purpose.
	case !x.Visible() && j.Visible():
		c.note(x.deleted.Dot, "", j.newest().Dot, DeleteOverwritten)
	case !x.Visible():
		// Delete against delete, or a delete that stands. Attributes under it were given up by whoever deleted them.
	case !j.Visible():
		for _, dot := range x.dots() {
			c.note(dot, "", j.deleted.Dot, OverwrittenByDelete)
		}
	default:
		c.attributes(j)
	}
	return c.lost
}

// collector gathers the losses of x to y, one for each dot.
type collector struct {
	x, y *State
	lost []Loss
}

// note adds a loss unless y has seen it. An empty name stands for the whole item.
func (c *collector) note(dot crdt.Stamp, name string, winner crdt.Stamp, why Reason) {
	if dot.IsZero() || c.y.ctx.Covers(dot) {
		return
	}
	i := slices.IndexFunc(c.lost, func(l Loss) bool { return l.Stamp == dot })
	if i < 0 {
		i = len(c.lost)
		l := Loss{Stamp: dot, Image: c.x.Item(), Beaten: c.y.Item(), Reason: why}
		if c.x.newest().Dot == dot {
			l.Base, l.Whole = c.x.base, !c.x.base.IsZero() && c.x.Whole()
		}
		c.lost = append(c.lost, l)
	}
	l := &c.lost[i]
	if l.Winner.Less(winner) {
		l.Winner = winner
	}
	if name != "" && !slices.Contains(l.Attributes, name) {
		l.Attributes = append(l.Attributes, name)
	}
}

// attributes compares the attributes of x, which is visible, with what became of them.
func (c *collector) attributes(j *State) {
	if len(c.x.attrs) == 0 && len(c.y.attrs) == 0 && c.x.touched.IsZero() && c.y.touched.IsZero() {
		if c.x.clear.Less(c.y.clear) && !c.x.view.Equal(c.y.view) {
			c.note(c.x.clear.Dot, "", c.y.clear.Dot, OverwrittenByPut)
		}
		return
	}
	seen := map[string]bool{}
	each := func(name string) {
		if !seen[name] {
			seen[name] = true
			c.attribute(name, j)
		}
	}
	for _, s := range [...]*State{c.x, c.y} {
		for name := range s.view.Attrs() {
			each(name)
		}
		for i := range s.attrs {
			each(s.attrs[i].name)
		}
	}
	for i := range c.lost {
		slices.Sort(c.lost[i].Attributes)
	}
}

// attribute notes what x lost of one attribute: its base to another with another value, and its additions to a base that
// cannot be added to.
func (c *collector) attribute(name string, j *State) {
	rx, rj := c.x.attr(name), j.attr(name)
	vx, vj := rx.version(c.x), rj.version(j)
	if vx.Less(vj) && !rx.value.Equal(rj.value) {
		why := OverwrittenByUpdate
		if vj == c.y.clear {
			why = OverwrittenByPut
		}
		c.note(vx.Dot, name, vj.Dot, why)
	}
	still := rj.shown(j)
	for _, dot := range rx.additions() {
		if !slices.Contains(still, dot) && rj.kind() != rx.kind() {
			c.note(dot, name, vj.Dot, TypeOverwritten)
		}
	}
}

// dots lists the writes that have a part in a visible state.
func (s *State) dots() []crdt.Stamp {
	dots := []crdt.Stamp{s.clear.Dot, s.touched}
	for i := range s.attrs {
		dots = append(dots, s.attrs[i].shown(s)...)
	}
	return dots
}
