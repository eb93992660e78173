package conflict

import (
	"strings"
	"testing"

	"github.com/meridiandb/meridian/crdt"
)

func wantItem(t *testing.T, what string, s State, want string) {
	t.Helper()
	if got := shortItem(s.Item()); got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func mergeAll(states ...State) State {
	var s State
	for _, r := range states {
		s = Merge(s, r).State
	}
	return s
}

// TestModelMerge is the shortest failing history of models/merge.py: compared by stamps, regions 1 and 2 lost z, with equal
// digests.
func TestModelMerge(t *testing.T) {
	// r0 writes z twice, r2 has seen neither. What saw no item claims it whole, so a base that all have comes first.
	base := put(Attribute, State{}, "1a", "pk=k")
	a1 := update(Attribute, base, "2a", "z=1")
	a2 := update(Attribute, a1, "3a", "z=2")
	c1 := update(Attribute, base, "4c", "x=3")
	c2 := update(Attribute, c1, "5c", "y=4")
	r1 := mergeAll(base, a1, a2, c1, c2)
	r2 := mergeAll(c2, a1, a2)
	r0 := mergeAll(a2, c1, c2)
	for _, s := range []State{r0, r1, r2} {
		wantItem(t, "merged", s, "(pk=k x=3 y=4 z=2)")
		if !s.Equal(r0) {
			t.Errorf("states differ: %x %x", s.Append(nil), r0.Append(nil))
		}
	}
}

// TestModelPolicyChange is models/policy_change.py: two regions write under different policies, and merge alike.
func TestModelPolicyChange(t *testing.T) {
	base := put(LastWriterWins, State{}, "1a", "x=0 y=0")
	whole := update(LastWriterWins, base, "5a", "x=1")
	part := update(Attribute, base, "3b", "y=2")
	later := update(Attribute, base, "7b", "y=2")
	for _, c := range []struct {
		l, r State
		want string
	}{
		{whole, part, "(x=1 y=0)"},  // the later write claimed the whole item
		{whole, later, "(x=1 y=2)"}, // the later write claimed y alone
	} {
		lr, rl := Merge(c.l, c.r).State, Merge(c.r, c.l).State
		if wantItem(t, "merged", lr, c.want); !lr.Equal(rl) {
			t.Errorf("%x, other way round %x", lr.Append(nil), rl.Append(nil))
		}
	}
}

// TestModelFeed is the shortest history of models/feed.py in which a region never sees a loss itself: r1 gets 7a only after
// 9c, which has seen it. The loss stands in the report of r2, where the two met.
func TestModelFeed(t *testing.T) {
	first := put(LastWriterWins, State{}, "6c", "v=1")
	b := put(LastWriterWins, first, "7c", "v=2")
	a := put(LastWriterWins, first, "7a", "v=3")
	c := put(LastWriterWins, b, "8c", "v=4")
	met := Merge(c, a)
	if got := shortLosses(met.Lost); got != "7a(v=3) to 8c base 6c" {
		t.Errorf("where they met: %s", got)
	}
	d := put(LastWriterWins, met.State, "9c", "v=5")
	if out := Merge(mergeAll(first, b, c, d), a); out.Changed || len(out.Lost) > 0 {
		t.Errorf("a region that has the later write learned of %s", shortLosses(out.Lost))
	}
}

// TestModelTombstones is models/tombstones.py: a write on an absent key carries the floor, so what it stands for is not
// taken for unseen, and an old version does not come back.
func TestModelTombstones(t *testing.T) {
	old := put(LastWriterWins, State{}, "1a", "v=1")
	gone := del(LastWriterWins, old, "2a")
	if gone.Stable(1) || !gone.Stable(2) || old.Stable(2) || gone.Registers() {
		t.Error("the tombstone is stable from 2 on")
	}
	fresh := Write(LastWriterWins, State{}, Local{Stamp: at("9c"), Op: Put, New: attrs("v=2"), Floor: 2})
	for _, late := range []State{old, gone} {
		if out := Merge(fresh, late); out.Changed || len(out.Lost) > 0 {
			t.Errorf("a late version changed the item: %s", shortLosses(out.Lost))
		}
		if out := Merge(late, fresh); !out.State.Equal(fresh) || len(out.Lost) > 0 {
			t.Errorf("a region that kept the tombstone reports %s", shortLosses(out.Lost))
		}
		if out := Merge(Absent(2), late); out.Changed || out.State.Visible() {
			t.Errorf("%s came back", shortItem(out.State.Item()))
		}
	}
	if out := Merge(Absent(2), put(LastWriterWins, State{}, "3b", "v=3")); out.State.Context().Floor() != 2 || !out.Changed {
		t.Errorf("a new version on an absent key: %+v", out)
	}
}

// TestRegistersOutliveTheFloor is why a tombstone with registers needs more than a floor (State.Stable): a write that had
// not seen the delete, later than the floor, is still on its way when the tombstone goes.
func TestRegistersOutliveTheFloor(t *testing.T) {
	base := put(Attribute, State{}, "1a", "pk=k x=1")
	changed := update(Attribute, base, "5a", "x=2")
	gone := del(Attribute, changed, "6a")
	late := update(Attribute, base, "10b", "y=3") // b's clock is ahead; it had not seen 5a
	if !gone.Stable(6) || !gone.Registers() {
		t.Fatal("the tombstone keeps registers")
	}
	wantItem(t, "with the tombstone", Merge(gone, late).State, "(pk=k x=2 y=3)")
	wantItem(t, "without it", Merge(Absent(6), late).State, "(pk=k x=1 y=3)") // another item: it must not have gone yet
}

// TestRevival: a tombstone keeps the item for a later update that had not seen the delete, counters and sets too, under the
// policies attribute and crdt.
func TestRevival(t *testing.T) {
	base := update(CRDT, put(CRDT, State{}, "1a", "pk=k x=1"), "2a", "n+5 s+{p}")
	gone := del(CRDT, base, "5a")
	wantItem(t, "deleted", gone, "none")
	wantItem(t, "revived", Merge(gone, update(CRDT, base, "9b", "n+2")).State, "(n=7 pk=k s={p} x=1)")
	wantItem(t, "too early", Merge(gone, update(CRDT, base, "4b", "n+2")).State, "none")
	again := update(CRDT, gone, "6a", "n+1 s+{q}") // saw no item: claims it whole
	wantItem(t, "begun anew", again, "(n=1 s={q})")
	late := update(CRDT, base, "4b", "n+2")
	wantItem(t, "begun anew, an addition of before is kept", Merge(again, late).State, "(n=3 s={q})")
}

// TestExpiry: any later write that had not seen an expiry wins, though the expiry was made long after it, and even at the
// same time as what expired.
func TestExpiry(t *testing.T) {
	for _, p := range []Policy{LastWriterWins, Attribute, CRDT} {
		base := put(p, State{}, "5b", "x=1")
		expired := Write(p, base, Local{Stamp: at("90a"), Op: Expire})
		wantItem(t, "expired", expired, "none")
		wantItem(t, "older", Merge(expired, put(p, State{}, "5a", "x=2")).State, "none")
		for _, later := range []string{"5c", "6c", "80c"} {
			out := Merge(expired, put(p, State{}, later, "x=2"))
			if wantItem(t, later, out.State, "(x=2)"); len(out.Lost) > 0 || out.State.Stamp() != at(later) {
				t.Errorf("%s: lost %s, stamp %s", later, shortLosses(out.Lost), short(out.State.Stamp()))
			}
		}
		wantItem(t, "seen and written again", put(p, expired, "91a", "x=3"), "(x=3)")
		twice := Merge(expired, Write(p, base, Local{Stamp: at("70c"), Op: Expire}))
		if wantItem(t, "twice", twice.State, "none"); len(twice.Lost) > 0 || twice.State.Stamp() != at("90a") {
			t.Errorf("two expiries lost %s", shortLosses(twice.Lost))
		}
	}
}

// TestSupersedes: an update of some attributes leaves its base something to lose.
func TestSupersedes(t *testing.T) {
	base := put(Attribute, State{}, "1a", "x=1")
	for _, c := range []struct {
		name string
		s    State
		want bool
	}{
		{"put", base, true}, {"update", update(Attribute, base, "2a", "y=1"), false},
		{"whole update", update(LastWriterWins, base, "2a", "y=1"), true}, {"delete", del(Attribute, base, "2a"), true},
	} {
		if c.s.Whole() != c.want {
			t.Errorf("%s: Whole is %v", c.name, c.s.Whole())
		}
	}
}

// TestTypesDiffer: additions to what others have made another type give way, are reported, and come back when that goes.
func TestTypesDiffer(t *testing.T) {
	base := put(CRDT, State{}, "1a", "n=1")
	out := Merge(update(CRDT, base, "5a", "n+5"), put(CRDT, base, "4b", "n=q"))
	wantItem(t, "a string stands alone", out.State, "(n=q)")
	if got := shortLosses(out.Lost); got != "5a(n=6).n to 4b base 1a" {
		t.Errorf("lost %s", got)
	}
	none := put(CRDT, State{}, "1a", "pk=k")
	both := Merge(update(CRDT, none, "5a", "n+5"), update(CRDT, none, "6b", "n+{p}")).State
	wantItem(t, "the newest addition says the type", both, "(n={p} pk=k)")
	wantItem(t, "without its last member", update(CRDT, both, "7a", "n-{p}"), "(pk=k)")
}

// TestCounterOverflow: a sum that cannot be represented becomes a plain write of the value.
func TestCounterOverflow(t *testing.T) {
	s := put(CRDT, State{}, "1a", "n=0")
	for _, what := range []string{"2a n+6e125", "3a n=0", "4a n+6e125"} {
		stamp, action, _ := strings.Cut(what, " ")
		s = update(CRDT, s, stamp, action)
	}
	if got := s.Item().Get("n"); !got.Equal(value("6e125")) {
		t.Errorf("n is %s", shortValue(got))
	}
	wantItem(t, "counting goes on", update(CRDT, update(CRDT, s, "5a", "n=0"), "6b", "n+1"), "(n=1)")
	if _, err := DecodeState(s.Append(nil)); err != nil {
		t.Error(err)
	}
}

// TestRestartedTally: an origin that has forgotten its additions, because the item was deleted everywhere, counts anew; a
// region that remembers them knows which is which.
func TestRestartedTally(t *testing.T) {
	old := update(CRDT, put(CRDT, State{}, "1a", "pk=k"), "2a", "n+7")
	gone := del(CRDT, old, "3a")
	fresh := Write(CRDT, State{}, Local{
		Stamp: at("9a"), Op: Update, New: attrs("pk=k n=1"), Touched: []string{"n"},
		Adds: []Add{{Name: "n", Value: value("1")}}, Floor: 3,
	})
	other := update(CRDT, gone, "10c", "pk=k n+2") // c still had the tombstone
	for _, s := range []State{Merge(fresh, other).State, Merge(other, fresh).State} {
		wantItem(t, "1 by a and 2 by c", s, "(n=3 pk=k)")
	}
}

// TestZeroStates: nothing merged with something.
func TestZeroStates(t *testing.T) {
	s := put(LastWriterWins, State{}, "1a", "x=1")
	for _, zero := range []State{{}, TrustedState(nil), Absent(0)} {
		if out := Merge(zero, s); !out.Changed || !out.State.Equal(s) {
			t.Errorf("nothing and a state: %+v", out)
		}
		if out := Merge(s, zero); out.Changed || !out.State.Equal(s) {
			t.Errorf("a state and nothing: %+v", out)
		}
		if !zero.IsZero() || zero.Visible() || !zero.Item().IsZero() || zero.Stamp() != (crdt.Stamp{}) || zero.Append(nil) != nil {
			t.Errorf("%+v is not nothing", zero)
		}
	}
}
