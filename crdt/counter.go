package crdt

import "slices"

// Number is what a counter counts in. Add and Sub fail where the result cannot be represented.
type Number[N any] interface {
	Add(N) (N, error)
	Sub(N) (N, error)
}

// Tally is what one origin has added to a counter: the sum of all its additions from Start up to Dot.
//
// Start is the time of the first of them. An origin begins a new tally when it has forgotten the old one, which the
// stability of tombstones allows; a base that has seen only the old tally has seen nothing of the new one.
type Tally[N any] struct {
	Dot   Stamp
	Start Time // <= Dot.Time
	Sum   N
}

// Tallies is a counter's additions, one Tally for each origin, in origin order.
//
// A counter is a base, which is a register, the tallies that the base's writer saw, and the tallies of now. Its value is
// base + Σ(now − seen): additions that the base's writer had not seen are kept, whatever their stamps.
type Tallies[N Number[N]] []Tally[N]

// find returns an origin's place and whether it is there.
func (t Tallies[N]) find(o Origin) (int, bool) {
	return slices.BinarySearchFunc(t, o, func(t Tally[N], o Origin) int { return t.Dot.Origin.Compare(o) })
}

// Of returns an origin's tally.
func (t Tallies[N]) Of(o Origin) (Tally[N], bool) {
	if i, ok := t.find(o); ok {
		return t[i], true
	}
	return Tally[N]{}, false
}

// Add returns the tallies after the write dot added delta. It fails if the origin's sum cannot be represented.
func (t Tallies[N]) Add(dot Stamp, delta N) (Tallies[N], error) {
	i, ok := t.find(dot.Origin)
	if !ok {
		return slices.Insert(slices.Clone(t), i, Tally[N]{dot, dot.Time, delta}), nil
	}
	sum, err := t[i].Sum.Add(delta)
	if err != nil {
		return nil, err
	}
	t = slices.Clone(t)
	t[i] = Tally[N]{dot, t[i].Start, sum}
	return t, nil
}

// Join takes the newest tally of each origin.
func (t Tallies[N]) Join(u Tallies[N]) Tallies[N] {
	var out Tallies[N]
	for len(t) > 0 && len(u) > 0 {
		switch c := t[0].Dot.Origin.Compare(u[0].Dot.Origin); {
		case c < 0:
			out, t = append(out, t[0]), t[1:]
		case c > 0:
			out, u = append(out, u[0]), u[1:]
		default:
			newer := t[0]
			if newer.Dot.Less(u[0].Dot) {
				newer = u[0]
			}
			out, t, u = append(out, newer), t[1:], u[1:]
		}
	}
	return append(append(out, t...), u...)
}

// Unseen returns the tallies of t with additions that the tallies seen do not have.
func (t Tallies[N]) Unseen(seen Tallies[N]) Tallies[N] {
	var out Tallies[N]
	for _, x := range t {
		if s, ok := seen.Of(x.Dot.Origin); !ok || s.Dot.Less(x.Dot) {
			out = append(out, x)
		}
	}
	return out
}

// Value is base + Σ(t − seen), in origin order. A term that cannot be added within the numbers' range is left out: it is
// the same one everywhere. A local write never gets there, because it is refused or written as a base (package conflict).
func (t Tallies[N]) Value(base N, seen Tallies[N]) N {
	for _, x := range t.Unseen(seen) {
		delta := x.Sum
		if s, ok := seen.Of(x.Dot.Origin); ok && s.Dot.Time >= x.Start {
			d, err := x.Sum.Sub(s.Sum)
			if err != nil {
				continue
			}
			delta = d
		}
		if sum, err := base.Add(delta); err == nil {
			base = sum
		}
	}
	return base
}
