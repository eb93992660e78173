package crdt

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// num counts in small integers, so that sums can overflow.
type num int

var errOverflow = errors.New("overflow")

func (n num) Add(m num) (num, error) {
	if s := n + m; s >= -100 && s <= 100 {
		return s, nil
	}
	return 0, errOverflow
}

func (n num) Sub(m num) (num, error) { return n.Add(-m) }

// counter is models/counter.py in this package's parts.
type counter struct {
	base struct {
		at    Stamp
		value num
		seen  Tallies[num]
	}
	cum Tallies[num]
}

func (a counter) join(b counter) counter {
	j := a
	if a.base.at.Less(b.base.at) {
		j.base = b.base
	}
	j.cum = a.cum.Join(b.cum)
	return j
}

func (a counter) value() num { return a.cum.Value(a.base.value, a.base.seen) }

// TestCounterModel is models/counter.py: additions, resets, merges, and regions that are lost and rebuilt under a new
// incarnation; the value is exactly the last base and all additions that it had not seen.
func TestCounterModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var (
			states  [3]counter
			known   [3]map[int]bool // additions, by number
			inc     [3]uint64
			deltas  []num
			base    num
			baseAt  Stamp
			hadSeen = map[int]bool{}
			pool    []counter
		)
		for i := range known {
			known[i] = map[int]bool{}
		}
		merge := func(i, j int) {
			states[i] = states[i].join(states[j])
			known[i] = maps.Clone(known[i])
			maps.Copy(known[i], known[j])
		}
		for now := range Time(rapid.IntRange(1, 14).Draw(t, "steps")) {
			i, j := rapid.IntRange(0, 2).Draw(t, "region"), rapid.IntRange(0, 2).Draw(t, "other")
			dot := Stamp{now + 1, Origin{fmt.Sprint(i), inc[i]}}
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				d := num(rapid.IntRange(-5, 7).Draw(t, "delta"))
				cum, err := states[i].cum.Add(dot, d)
				if err != nil {
					t.Fatal(err)
				}
				states[i].cum = cum
				known[i] = maps.Clone(known[i])
				known[i][len(deltas)] = true
				deltas = append(deltas, d)
			case 1:
				s := &states[i]
				s.base.at, s.base.value, s.base.seen = dot, num(rapid.IntRange(0, 10).Draw(t, "value")), s.cum
				base, baseAt, hadSeen = s.base.value, dot, known[i]
			case 2:
				merge(i, j)
			case 3: // lost, and rebuilt from a peer that has all it had
				if i != j {
					merge(j, i)
					states[i], known[i] = states[j], maps.Clone(known[j])
					inc[i]++
				}
			}
			pool = append(pool, states[i])
		}
		want := base
		for k, d := range deltas {
			if !hadSeen[k] {
				want += d
			}
		}
		all := states[0].join(states[1]).join(states[2])
		if got := all.value(); got != want || all.base.at != baseAt {
			t.Fatalf("the value is %d, want %d", got, want)
		}
		x, y, z := rapid.SampledFrom(pool).Draw(t, "x"), rapid.SampledFrom(pool).Draw(t, "y"), rapid.SampledFrom(pool).Draw(t, "z")
		if a, b := x.join(y).join(z), z.join(y.join(x)); !slices.Equal(a.cum, b.cum) || a.value() != b.value() {
			t.Fatalf("order matters: %v, %v", a, b)
		}
		if a := x.join(y).join(x); !slices.Equal(a.cum, x.join(y).cum) {
			t.Fatal("repeats matter")
		}
	})
}

// TestTallies: a new tally is not measured against an old one, and what cannot be represented is refused or left out.
func TestTallies(t *testing.T) {
	a, b := Origin{"a", 1}, Origin{"b", 1}
	must := func(ts Tallies[num], err error) Tallies[num] {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return ts
	}
	old := must(Tallies[num](nil).Add(Stamp{2, a}, 7))
	fresh := must(Tallies[num](nil).Add(Stamp{9, a}, 1))
	if got := fresh.Value(0, old); got != 1 {
		t.Errorf("1 counted anew after 7 that were seen is %d", got)
	}
	if got := must(old.Add(Stamp{3, a}, 1)).Value(0, old); got != 1 {
		t.Errorf("1 on top of 7 that were seen is %d", got)
	}
	if got := old.Value(5, must(old.Add(Stamp{3, a}, 1))); got != 5 {
		t.Errorf("a base that has seen more than there is shows %d", got)
	}
	if _, err := old.Add(Stamp{3, a}, 99); err == nil {
		t.Error("106 was counted")
	}
	both := must(must(Tallies[num](nil).Add(Stamp{2, b}, 1)).Add(Stamp{1, a}, 99))
	if got := both.Value(1, nil); got != 100 {
		t.Errorf("1 + 99, and 1 that does not fit: %d", got)
	}
}

// TestElements: observed-remove sets against the plain definition: an addition is in until somebody who saw it removes it.
func TestElements(t *testing.T) {
	type region struct {
		set  Elements
		ctx  Context
		adds map[Stamp]string // seen
		gone map[Stamp]bool   // seen to be removed
	}
	rapid.Check(t, func(t *rapid.T) {
		regions := make([]region, 3)
		for i := range regions {
			regions[i].adds, regions[i].gone = map[Stamp]string{}, map[Stamp]bool{}
		}
		for now := range Time(rapid.IntRange(1, 15).Draw(t, "steps")) {
			i, j := rapid.IntRange(0, 2).Draw(t, "region"), rapid.IntRange(0, 2).Draw(t, "other")
			r := &regions[i]
			dot := Stamp{now + 1, Origin{fmt.Sprint(i), 1}}
			m := rapid.SampledFrom([]string{"p", "q"}).Draw(t, "member")
			what := rapid.IntRange(0, 2).Draw(t, "what")
			if what < 2 {
				for d, member := range r.adds {
					if member == m {
						r.gone[d] = true
					}
				}
				r.ctx = r.ctx.With(dot)
			}
			switch what {
			case 0:
				r.set = r.set.Add(m, dot)
				r.adds[dot] = m
			case 1:
				r.set = r.set.Remove(m)
			case 2:
				o := regions[j]
				j1, j2 := JoinElements(r.set, r.ctx, o.set, o.ctx), JoinElements(o.set, o.ctx, r.set, r.ctx)
				if fmt.Sprint(j1) != fmt.Sprint(j2) {
					t.Fatalf("%v, other way round %v", j1, j2)
				}
				r.set, r.ctx = j1, r.ctx.Join(o.ctx)
				maps.Copy(r.adds, o.adds)
				maps.Copy(r.gone, o.gone)
			}
			want := map[string][]Stamp{}
			for d, member := range r.adds {
				if !r.gone[d] {
					want[member] = append(want[member], d)
				}
			}
			got := map[string][]Stamp{}
			for _, e := range r.set {
				got[e.Member] = e.Dots
			}
			for m := range want {
				slices.SortFunc(want[m], Stamp.Compare)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%v, want %v", got, want)
			}
		}
	})
}
