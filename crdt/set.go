package crdt

import (
	"slices"
	"strings"
)

// Element is one member of an observed-remove set, by its bytes, with the additions that put it there and that nobody
// removed: several when they were concurrent.
type Element struct {
	Member string
	Dots   []Stamp // sorted, at least one
}

// Elements is an observed-remove set in member order. It has no tombstones: a dot that a context covers and the set of the
// same state lacks has been removed.
type Elements []Element

// find returns a member's place and whether it is there.
func (s Elements) find(member string) (int, bool) {
	return slices.BinarySearchFunc(s, member, func(e Element, m string) int { return strings.Compare(e.Member, m) })
}

// Has reports whether the member is there.
func (s Elements) Has(member string) bool {
	_, ok := s.find(member)
	return ok
}

// Add returns the set after the write dot added a member. The dots that its author saw are replaced by the new one, so
// that a concurrent removal of those leaves the member in.
func (s Elements) Add(member string, dot Stamp) Elements {
	i, ok := s.find(member)
	s = slices.Clone(s)
	if !ok {
		return slices.Insert(s, i, Element{member, []Stamp{dot}})
	}
	s[i] = Element{member, []Stamp{dot}}
	return s
}

// Remove returns the set without a member: of its dots, those seen here.
func (s Elements) Remove(member string) Elements {
	i, ok := s.find(member)
	if !ok {
		return s
	}
	return slices.Delete(slices.Clone(s), i, i+1)
}

// JoinElements joins two sets, each with the context of the state it is part of: a dot stays if both have it, or if one
// has it and the other has not seen it.
func JoinElements(a Elements, ca Context, b Elements, cb Context) Elements {
	var out Elements
	keep := func(member string, da, db []Stamp) {
		if dots := joinDots(da, ca, db, cb); len(dots) > 0 {
			out = append(out, Element{member, dots})
		}
	}
	for len(a) > 0 || len(b) > 0 {
		c := 0
		switch {
		case len(a) == 0:
			c = 1
		case len(b) == 0:
			c = -1
		default:
			c = strings.Compare(a[0].Member, b[0].Member)
		}
		switch {
		case c < 0:
			keep(a[0].Member, a[0].Dots, nil)
			a = a[1:]
		case c > 0:
			keep(b[0].Member, nil, b[0].Dots)
			b = b[1:]
		default:
			keep(a[0].Member, a[0].Dots, b[0].Dots)
			a, b = a[1:], b[1:]
		}
	}
	return out
}

func joinDots(da []Stamp, ca Context, db []Stamp, cb Context) []Stamp {
	var out []Stamp
	for _, d := range da {
		if slices.Contains(db, d) || !cb.Covers(d) {
			out = append(out, d)
		}
	}
	for _, d := range db {
		if !slices.Contains(da, d) && !ca.Covers(d) {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, Stamp.Compare)
	return out
}
