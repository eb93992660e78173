package crdt

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// universe is every stamp of the tests: three origins at the times 1 to 6.
func universe() []Stamp {
	var all []Stamp
	for t := Time(1); t <= 6; t++ {
		for _, r := range []string{"a", "b", "c"} {
			all = append(all, Stamp{t, Origin{r, 1}})
		}
	}
	return all
}

func drawStamp(t *rapid.T, name string) Stamp { return rapid.SampledFrom(universe()).Draw(t, name) }

func drawContext(t *rapid.T, name string) Context {
	floor := Time(rapid.IntRange(0, 5).Draw(t, name+" floor"))
	return NewContext(floor, rapid.SliceOfN(rapid.SampledFrom(universe()), 0, 4).Draw(t, name)...)
}

// set is a context as the set of stamps that it stands for.
func set(c Context) []Stamp {
	return slices.DeleteFunc(universe(), func(s Stamp) bool { return !c.Covers(s) })
}

func union(a, b []Stamp) []Stamp {
	return slices.DeleteFunc(universe(), func(s Stamp) bool { return !slices.Contains(a, s) && !slices.Contains(b, s) })
}

// TestContextIsASet: contexts against the plain sets of stamps that they stand for.
func TestContextIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, d, s := drawContext(t, "c"), drawContext(t, "d"), drawStamp(t, "s")
		j := c.Join(d)
		if !slices.Equal(set(j), union(set(c), set(d))) {
			t.Fatalf("%s join %s is %s", c, d, j)
		}
		if !c.SubsetOf(j) || !d.SubsetOf(j) || !c.SubsetOf(c) {
			t.Fatalf("%s and %s are not in %s", c, d, j)
		}
		// SubsetOf may deny what only this small universe makes true: a floor covers origins that are not in it.
		if c.SubsetOf(d) && len(union(set(c), set(d))) != len(set(d)) {
			t.Fatalf("%s is no subset of %s", c, d)
		}
		if c.floor <= d.floor && !c.SubsetOf(d) && len(union(set(c), set(d))) == len(set(d)) {
			t.Fatalf("%s is a subset of %s", c, d)
		}
		var upTo []Stamp
		for _, x := range universe() {
			if x.Origin == s.Origin && x.Time <= s.Time {
				upTo = append(upTo, x)
			}
		}
		if w := c.With(s); !slices.Equal(set(w), union(set(c), upTo)) {
			t.Fatalf("%s with %s is %s", c, s, w)
		}
		for _, x := range j.dots {
			if x.Time <= j.floor || j.Of(x.Origin) != x.Time || j.Newest() < x.Time {
				t.Fatalf("%s lists %s", j, x)
			}
		}
	})
}

// TestContextLaws: Join is a lattice's, down to equal representation.
func TestContextLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y, z := drawContext(t, "x"), drawContext(t, "y"), drawContext(t, "z")
		for law, pair := range map[string][2]Context{
			"commutative": {x.Join(y), y.Join(x)},
			"associative": {x.Join(y).Join(z), x.Join(y.Join(z))},
			"idempotent":  {x.Join(x), x},
			"absorbing":   {x.Join(y).Join(x), x.Join(y)},
		} {
			if !pair[0].Equal(pair[1]) {
				t.Fatalf("not %s: %s, %s", law, pair[0], pair[1])
			}
		}
		if x.SubsetOf(y) != x.Join(y).Equal(y) {
			t.Fatalf("%s subset of %s is %v", x, y, x.SubsetOf(y))
		}
	})
}

// TestContextImmutable: what a method returns shares nothing that another method changes.
func TestContextImmutable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawContext(t, "c")
		before := c.String()
		c.With(drawStamp(t, "s"))
		c.Join(drawContext(t, "d"))
		c.WithFloor(3)
		if c.String() != before {
			t.Fatalf("%s became %s", before, c)
		}
	})
}
