package crdt

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestStampText: what is printed is read back, and nothing else is read.
func TestStampText(t *testing.T) {
	for _, s := range []Stamp{
		{}, {1, Origin{"a", 0}}, {math.MaxUint64, Origin{"us-east-1", math.MaxUint64}}, {TimeFromMillis(1764000000000) + 3, Origin{"x@y/z", 0xa1}},
	} {
		if got, err := ParseStamp(s.String()); err != nil || got != s {
			t.Errorf("%s is read as %s, %v", s, got, err)
		}
		b, err := json.Marshal(map[string]any{"s": s})
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]Stamp
		if err := json.Unmarshal(b, &back); err != nil || back["s"] != s {
			t.Errorf("%s became %v, %v", b, back, err)
		}
	}
	if got := (Stamp{TimeFromMillis(1764000000000) + 3, Origin{"us-east-1", 0xa1}}).String(); got != "1764000000000.3/us-east-1@00000000000000a1" {
		t.Errorf("printed %s", got)
	}
	for _, bad := range []string{
		"", "1", "1.1", "1.1/", "1.1/a", "1.1/@00000000000000a1", "1.1/a@a1", "1.1/a@00000000000000A1", "01.1/a@00000000000000a1",
		"1.65536/a@00000000000000a1", "281474976710656.0/a@00000000000000a1", "-1.0/a@00000000000000a1", "1.+1/a@00000000000000a1",
	} {
		if s, err := ParseStamp(bad); err == nil {
			t.Errorf("%q is read as %s", bad, s)
		}
	}
}

// TestOrder: time, then region, then incarnation; an expiry stands directly above what it expires.
func TestOrder(t *testing.T) {
	s := func(t Time, r string, inc uint64) Stamp { return Stamp{t, Origin{r, inc}} }
	rising := []Version{
		{}, At(s(4, "z", 9)), At(s(5, "a", 1)), {s(5, "a", 1), s(90, "a", 1)}, {s(5, "a", 1), s(90, "b", 1)},
		At(s(5, "a", 2)), At(s(5, "b", 0)), At(s(6, "a", 0)), At(s(90, "a", 1)),
	}
	for i := range rising {
		for j := range rising {
			if got, want := rising[i].Less(rising[j]), i < j; got != want {
				t.Errorf("%s less than %s is %v", rising[i], rising[j], got)
			}
			if got := rising[i].Max(rising[j]); got != rising[max(i, j)] {
				t.Errorf("the later of %s and %s is %s", rising[i], rising[j], got)
			}
		}
	}
}

// TestClock: times rise strictly, keep up with physical time, and never fall behind what was observed, whatever the wall
// clock does.
func TestClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c Clock
		var newest Time
		for range rapid.IntRange(1, 30).Draw(t, "n") {
			if rapid.Bool().Draw(t, "observe") {
				seen := Time(rapid.Uint64Range(0, 1<<62).Draw(t, "seen"))
				c.Observe(seen)
				newest = max(newest, seen)
				continue
			}
			now := rapid.Int64().Draw(t, "now")
			got := c.Next(now)
			if got <= newest || got < TimeFromMillis(now) || got != c.Last() {
				t.Fatalf("after %s and at %d: %s", newest, now, got)
			}
			newest = got
		}
	})
}

// TestMillis: the counter runs over into the milliseconds, and no physical time wraps.
func TestMillis(t *testing.T) {
	var c Clock
	for range 1<<16 + 1 {
		c.Next(7)
	}
	if got := c.Last(); got != TimeFromMillis(8) || got.Millis() != 8 {
		t.Errorf("after 65537 times in one millisecond: %s", got)
	}
	for ms, want := range map[int64]int64{-1: 0, 0: 0, 1 << 48: 1<<48 - 1, math.MaxInt64: 1<<48 - 1} {
		if got := TimeFromMillis(ms).Millis(); got != want {
			t.Errorf("millisecond %d is %d", ms, got)
		}
	}
}
