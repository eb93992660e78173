package crdt

import (
	"iter"
	"slices"
	"strings"
)

// Context says which writes a version has seen: all at or below the floor, and of each listed origin all up to a time.
// It is immutable. The zero Context has seen nothing.
type Context struct {
	floor Time
	dots  []Stamp // one for each origin, in origin order, each above the floor
}

// NewContext makes a context; of several stamps of one origin the newest counts.
func NewContext(floor Time, seen ...Stamp) Context {
	c := Context{floor: floor}
	for _, s := range seen {
		c = c.With(s)
	}
	return c
}

// Covers reports whether the write s has been seen. The zero Stamp is covered by all.
func (c Context) Covers(s Stamp) bool {
	if s.Time <= c.floor {
		return true
	}
	i, ok := c.find(s.Origin)
	return ok && s.Time <= c.dots[i].Time
}

func (c Context) find(o Origin) (int, bool) {
	// A handful of origins: a linear search beats a clever one.
	for i := range c.dots {
		switch d := c.dots[i].Origin.Compare(o); {
		case d == 0:
			return i, true
		case d > 0:
			return i, false
		}
	}
	return len(c.dots), false
}

// Of returns the newest time listed for an origin, 0 if it is not listed (the floor still counts for it).
func (c Context) Of(o Origin) Time {
	if i, ok := c.find(o); ok {
		return c.dots[i].Time
	}
	return 0
}

// Newest is the newest time covered: the floor or that of the newest write seen.
func (c Context) Newest() Time {
	t := c.floor
	for i := range c.dots {
		t = max(t, c.dots[i].Time)
	}
	return t
}

// With adds what a write's author saw of its own origin: everything up to s.
func (c Context) With(s Stamp) Context {
	if c.Covers(s) {
		return c
	}
	i, ok := c.find(s.Origin)
	dots := make([]Stamp, len(c.dots), len(c.dots)+1)
	copy(dots, c.dots)
	if ok {
		dots[i] = s
	} else {
		dots = slices.Insert(dots, i, s)
	}
	return Context{c.floor, dots}
}

// WithFloor raises the floor; entries at or below it are dropped.
func (c Context) WithFloor(floor Time) Context {
	if floor <= c.floor {
		return c
	}
	n := Context{floor: floor}
	for _, d := range c.dots {
		if d.Time > floor {
			n.dots = append(n.dots, d)
		}
	}
	return n
}

// Join is the union.
func (c Context) Join(d Context) Context {
	if d.SubsetOf(c) {
		return c
	}
	if c.SubsetOf(d) {
		return d
	}
	j := c.WithFloor(d.floor)
	for _, s := range d.dots {
		j = j.With(s)
	}
	return j
}

// SubsetOf reports whether everything that c covers is covered by d.
func (c Context) SubsetOf(d Context) bool {
	if c.floor > d.floor {
		// d would have to list every origin there ever was to cover a higher floor without having it.
		return false
	}
	for _, s := range c.dots {
		if !d.Covers(s) {
			return false
		}
	}
	return true
}

// Equal reports whether c and d cover the same writes.
func (c Context) Equal(d Context) bool { return c.floor == d.floor && slices.Equal(c.dots, d.dots) }

// Floor is the time at or below which everything is covered.
func (c Context) Floor() Time { return c.floor }

// Len is the number of listed origins.
func (c Context) Len() int { return len(c.dots) }

// Seen lists the newest stamp of each origin, in origin order.
func (c Context) Seen() iter.Seq[Stamp] { return slices.Values(c.dots) }

func (c Context) String() string {
	var b strings.Builder
	b.WriteString("{floor " + c.floor.String())
	for _, d := range c.dots {
		b.WriteString(" " + d.String())
	}
	return b.String() + "}"
}
