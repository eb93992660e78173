package crdt

// Version is a write's place among others: it has a dot, which names the write, and an order stamp, by which it wins or
// loses. They are equal except for an expiry, whose order is that of the version it expires: the dot breaks the tie, so it
// stands directly above what it expires and below every other later write, one that had not seen the expiry included.
//
// A tick added to the time, as DESIGN puts it, would do nearly the same; but the stamp made that way could be somebody
// else's, and would stand above a write of the same time by an origin of a higher name.
//
// Dot >= Order. The zero Version is no write.
type Version struct {
	Order Stamp
	Dot   Stamp
}

// At is the version of an ordinary write.
func At(s Stamp) Version { return Version{s, s} }

// IsZero reports whether v is no write.
func (v Version) IsZero() bool { return v.Dot.IsZero() }

// Compare orders by order stamp, then dot.
func (v Version) Compare(w Version) int {
	if c := v.Order.Compare(w.Order); c != 0 {
		return c
	}
	return v.Dot.Compare(w.Dot)
}

// Less reports whether v loses to w.
func (v Version) Less(w Version) bool { return v.Compare(w) < 0 }

// Max returns the version that wins.
func (v Version) Max(w Version) Version {
	if v.Less(w) {
		return w
	}
	return v
}

// String is the dot, and the order after it where they differ.
func (v Version) String() string {
	if v.Order == v.Dot {
		return v.Dot.String()
	}
	return v.Dot.String() + " ordered " + v.Order.String()
}
