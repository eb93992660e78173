package clock

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/storage/pebblestore"
)

var (
	seedFlag = flag.Uint64("seed", 0, "seed of random tests; 0: another each time")
	origin   = crdt.Origin{Region: "a-1", Incarnation: 1}
)

func open(t *testing.T, s storage.Store, wall func() int64) *Clock {
	t.Helper()
	c, err := Open(s, origin, wall)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// seal commits one stamp.
func seal(s storage.Store, c *Clock) (st crdt.Stamp, err error) {
	tx, err := s.Begin(context.Background())
	if err != nil {
		return st, err
	}
	defer tx.Discard()
	d, err := tx.Commit(func(w storage.Writer) error {
		st, err = c.Seal(w)
		return err
	})
	if err != nil {
		return st, err
	}
	return st, d.Wait()
}

func ceilingOf(t *testing.T, s storage.Store) crdt.Time {
	t.Helper()
	return open(t, s, func() int64 { return 0 }).Settled()
}

// TestStampsRise over restarts, whatever the wall clock does, and the durable ceiling is never below a durable stamp.
func TestStampsRise(t *testing.T) {
	s := memstore.New()
	now := int64(1_000_000)
	var last crdt.Time
	for _, step := range []int64{1, 0, -500_000, 10_000, -1, 0, 0, 3} {
		now += step
		c := open(t, s, func() int64 { return now })
		for range 3 {
			st, err := seal(s, c)
			if err != nil {
				t.Fatal(err)
			}
			if st.Time <= last {
				t.Fatalf("%s after %s", st.Time, last)
			}
			if last = st.Time; ceilingOf(t, s) < last {
				t.Fatalf("the ceiling %s is below %s", ceilingOf(t, s), last)
			}
		}
	}
}

// TestCrashLoop: a region that crashes over and over, faster than time goes by, does not run away.
func TestCrashLoop(t *testing.T) {
	s := memstore.New()
	const now = 1_000_000
	for range 100 {
		if _, err := seal(s, open(t, s, func() int64 { return now })); err != nil {
			t.Fatal(err)
		}
	}
	if ahead := ceilingOf(t, s).Millis() - now; ahead > 1000 {
		t.Errorf("after 100 restarts within a millisecond the clock is %d ms ahead", ahead)
	}
}

// TestAborted: a ceiling in a batch that did not happen is not relied upon.
func TestAborted(t *testing.T) {
	s := memstore.New()
	c := open(t, s, func() int64 { return 1000 })
	abort := errors.New("no")
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(func(w storage.Writer) error {
		if _, err := c.Seal(w); err != nil {
			return err
		}
		return abort
	}); !errors.Is(err, abort) {
		t.Fatal(err)
	}
	st, err := seal(s, c)
	if err != nil || ceilingOf(t, s) < st.Time {
		t.Errorf("ceiling %s, stamp %s, %v", ceilingOf(t, s), st.Time, err)
	}
}

// TestObserve: later stamps are above another region's time, over a restart too.
func TestObserve(t *testing.T) {
	s := memstore.New()
	c := open(t, s, func() int64 { return 1000 })
	far := crdt.TimeFromMillis(5000) + 7
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d, err := tx.Commit(func(w storage.Writer) error { return c.Observe(w, far) })
	if err != nil || d.Wait() != nil {
		t.Fatal(err)
	}
	if st := c.Stamp(); st.Time <= far {
		t.Errorf("%s after %s was observed", st.Time, far)
	}
	if st := open(t, s, func() int64 { return 1000 }).Stamp(); st.Time <= far {
		t.Errorf("%s after a restart, %s was observed", st.Time, far)
	}
}

// TestRaise keeps Settled at or above physical time, once a second, and writes nothing where there is no need.
func TestRaise(t *testing.T) {
	s := memstore.New()
	now := int64(1000)
	c := open(t, s, func() int64 { return now })
	begun := 0
	begin := func() (storage.Txn, error) { begun++; return s.Begin(context.Background()) }
	for range 5 {
		if err := c.Raise(begin); err != nil {
			t.Fatal(err)
		}
		if c.Settled() < crdt.TimeFromMillis(now) || ceilingOf(t, s) != c.Settled() {
			t.Errorf("at %d: settled %s, on disk %s", now, c.Settled(), ceilingOf(t, s))
		}
		now += 1000
	}
	begun, now = 0, now-1000
	if err := c.Raise(begin); err != nil || begun != 0 {
		t.Errorf("raised %d times for nothing, %v", begun, err)
	}
	// A commit has raised it further, and is not known to be durable: Raise waits for it.
	now += 10_000
	if _, err := seal(s, c); err != nil {
		t.Fatal(err)
	}
	if err := c.Raise(begin); err != nil || c.Settled() < crdt.TimeFromMillis(now) {
		t.Errorf("settled %s, %v", c.Settled(), err)
	}
	fails := errors.New("no")
	now += 10_000
	before := c.Settled()
	if err := c.Raise(func() (storage.Txn, error) { return nil, fails }); !errors.Is(err, fails) || c.Settled() != before {
		t.Errorf("settled %s after a failure, was %s: %v", c.Settled(), before, err)
	}
}

// TestPowerLoss: many writers, a clock that jumps back, and power cuts at any moment: no stamp that may have been seen by
// somebody (its commit was durable), and none that was told as settled, is at or above one given after the restart.
func TestPowerLoss(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d (run again with -seed=%d)", seed, seed)
	g := rand.New(rand.NewPCG(seed, 1))
	fs := vfs.NewCrashableMem()
	var floor crdt.Time
	for range 12 {
		s, err := pebblestore.Open("d", pebblestore.Options{FS: fs, CacheBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		now := 1_000_000 + g.Int64N(2000) // back and forth between lives
		c := open(t, s, func() int64 { mu.Lock(); defer mu.Unlock(); now++; return now })
		if first := c.Stamp().Time; first <= floor {
			t.Fatalf("seed %d: a restart begins at %s, %s was out before", seed, first, floor)
		}
		var clone *vfs.MemFS
		var out crdt.Time // the newest that was sure before the clone
		var work sync.WaitGroup
		writers, at := 3, g.IntN(60)
		n := 0
		note := func(time crdt.Time) {
			mu.Lock()
			defer mu.Unlock()
			if clone == nil {
				out = max(out, time)
				if n++; n >= at {
					clone = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: g.IntN(101), RNG: rand.New(rand.NewPCG(seed, uint64(n)))})
				}
			}
		}
		for range writers {
			work.Go(func() {
				for range 25 {
					st, err := seal(s, c)
					if err != nil {
						t.Error(err)
						return
					}
					note(st.Time)
				}
			})
		}
		work.Go(func() {
			for range 10 {
				if err := c.Raise(func() (storage.Txn, error) { return s.Begin(context.Background()) }); err != nil {
					t.Error(err)
					return
				}
				note(min(c.Settled(), c.Stamp().Time)) // what End may promise
			}
		})
		work.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		floor, fs = max(floor, out), clone
	}
}

// TestMajority is the pure decision, in full for two and three regions and some more.
func TestMajority(t *testing.T) {
	s := time.Second
	for _, c := range []struct {
		offsets []time.Duration // theirs minus ours
		want    time.Duration
	}{
		{nil, 0},
		{[]time.Duration{0}, 0},
		{[]time.Duration{10 * s}, 0},                    // of two, the one ahead is wrong: not we
		{[]time.Duration{-10 * s}, -10 * s},             // it is we
		{[]time.Duration{0, 0}, 0},                      //
		{[]time.Duration{10 * s, 0}, 0},                 // one of the others is ahead
		{[]time.Duration{-10 * s, 0}, 0},                // behind
		{[]time.Duration{10 * s, 10 * s}, 10 * s},       // we are behind
		{[]time.Duration{-10 * s, -10 * s}, -10 * s},    // we are ahead
		{[]time.Duration{-10 * s, 10 * s}, 0},           // we are in the middle
		{[]time.Duration{5 * s, 10 * s}, 5 * s},         // all differ, we are the last
		{[]time.Duration{-5 * s, -10 * s}, -5 * s},      // the first
		{[]time.Duration{0, -10 * s, -10 * s}, -10 * s}, // of four, the two ahead are wrong
		{[]time.Duration{0, 10 * s, 10 * s}, 0},         // and the two behind right
		{[]time.Duration{0, 10 * s, 10 * s, 10 * s}, 10 * s},
	} {
		offsets := map[string]time.Duration{}
		for i, o := range c.offsets {
			offsets[fmt.Sprint("r-", i)] = o
		}
		if got := Majority(offsets); got != c.want {
			t.Errorf("others %v: %v, want %v", c.offsets, got, c.want)
		}
	}
}

// TestStanding is the guard's whole table: known or not × how far hybrid time is ahead of ours × the majority.
func TestStanding(t *testing.T) {
	const now = 1_000_000
	b := DefaultBound
	for _, c := range []struct {
		known         bool
		hybrid        time.Duration // hybrid time less our physical time
		majority      time.Duration // less our physical time
		refuse, alarm bool
	}{
		{false, 0, 0, false, false},
		{false, time.Hour, 0, false, false}, // alone: nobody to poison
		{true, 0, 0, false, false},
		{true, b, 0, false, false},
		{true, b + time.Millisecond, 0, true, true}, // hybrid time carried away by others
		{true, 0, -b, false, false},
		{true, 0, -b - time.Millisecond, true, true}, // our clock is ahead
		{true, 0, b, false, false},
		{true, 0, b + time.Millisecond, false, true}, // behind only alarms
		{true, time.Hour, time.Hour, false, true},    // behind, and hybrid time is theirs
		{true, time.Hour, time.Hour - b - time.Millisecond, true, true},
		{true, 0, 24 * time.Hour, false, true},
		{true, 0, -24 * time.Hour, true, true},
	} {
		g := guard{known: c.known, ahead: c.majority}
		s := g.standing(crdt.TimeFromMillis(now+c.hybrid.Milliseconds()), now)
		if s.Refuse != c.refuse || s.Alarm != c.alarm || s.Known != c.known {
			t.Errorf("%+v: %+v", c, s)
		}
	}
}

// TestGuardRefusesAndLetsGo: refused while ahead, by itself no longer than that; no time is used up meanwhile.
func TestGuardRefusesAndLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		c := open(t, s, NewWall())
		if _, err := seal(s, c); err != nil {
			t.Fatal(err)
		}
		if st := c.Report(map[string]time.Duration{"b-1": -3 * time.Second}); !st.Refuse || st.Ahead != 3*time.Second {
			t.Errorf("%+v", st)
		}
		before := c.Last()
		if _, err := seal(s, c); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("a stamp from 3 s ahead: %v", err)
		}
		if c.Last() != before {
			t.Error("a refused write moved the clock")
		}
		c.Report(nil)
		if _, err := seal(s, c); err != nil {
			t.Errorf("alone: %v", err)
		}
		// Carried ahead by 2 s and no more: two seconds, less the bound, later it writes again.
		tx, err := s.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d, err := tx.Commit(func(w storage.Writer) error { return c.Observe(w, crdt.TimeFromMillis(c.Now()+2000)) })
		if err != nil || d.Wait() != nil {
			t.Fatal(err)
		}
		c.Report(map[string]time.Duration{"b-1": 0, "c-1": 0})
		if _, err := seal(s, c); err == nil {
			t.Error("2 s ahead")
		}
		time.Sleep(2*time.Second - DefaultBound)
		if _, err := seal(s, c); err != nil {
			t.Errorf("back within the bound: %v", err)
		}
		for _, x := range []struct {
			ahead time.Duration
			hold  bool
		}{{0, false}, {2 * DefaultBound, false}, {2*DefaultBound + time.Millisecond, true}, {-time.Hour, false}} {
			if _, hold := c.Holds(crdt.TimeFromMillis(c.Now() + x.ahead.Milliseconds())); hold != x.hold {
				t.Errorf("a commit %v ahead: held %v", x.ahead, hold)
			}
		}
	})
}

// TestRestartIsNotRefused: a restart begins ahead, at the ceiling, but never so far that the guard speaks.
func TestRestartIsNotRefused(t *testing.T) {
	s := memstore.New()
	wall := func() int64 { return 1000 }
	for range 10 {
		c := open(t, s, wall)
		c.Report(map[string]time.Duration{"b-1": 0, "c-1": 0})
		if _, err := seal(s, c); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWall()
		a := w()
		time.Sleep(1500 * time.Millisecond)
		if b := w(); b-a != 1500 || Stepped(w) != 0 {
			t.Errorf("%d ms, stepped %v", b-a, Stepped(w))
		}
		if by := Stepped(func() int64 { return time.Now().UnixMilli() - 7000 }); by != 7*time.Second {
			t.Errorf("stepped %v", by)
		}
	})
}
