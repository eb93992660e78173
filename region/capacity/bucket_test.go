package capacity

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"
)

var seedFlag = flag.Uint64("seed", 0, "seed of random tests; 0: another each time")

func newRand(t *testing.T) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

const start = int64(1_700_000_000_000) // unix ms

// level is what is in a bucket, for tests to read.
func (b *bucket) level(now int64) float64 {
	return float64(min(nanos(now)-b.empty, int64(Burst))) / 1e9 * float64(b.limit.Units)
}

// TestBucket walks through a bucket's life, step by step (DYNAMODB.md section 6: up to 300 s of unused capacity).
func TestBucket(t *testing.T) {
	type step struct {
		at   int64 // ms from start
		what string
		n    float64
		open bool // afterwards
		left float64
	}
	for name, steps := range map[string][]step{
		"new is full": {
			{0, "look", 0, true, 3000},
		},
		"never more than the burst": {
			{3_600_000, "look", 0, true, 3000}, {3_600_000, "take", 1, true, 2999}, {3_600_100, "look", 0, true, 3000}, {3_700_000, "look", 0, true, 3000},
		},
		"empty is not above zero": {
			{0, "take", 3000, false, 0}, {1, "look", 0, true, 0.01},
		},
		"one large request overdraws, and is paid off": {
			{0, "take", 2999.5, true, 0.5}, {0, "take", 400, false, -399.5}, {39_950, "look", 0, false, 0}, {39_951, "look", 0, true, 0.01},
		},
		"larger than the bucket": {
			{0, "take", 9000, false, -6000}, {600_000, "look", 0, false, 0}, {600_001, "look", 0, true, 0.01},
		},
		"half units": {
			{0, "take", 2999.5, true, 0.5}, {0, "take", 0.5, false, 0}, {50, "look", 0, true, 0.5},
		},
		"a charge takes what is there and a second more at most": {
			{0, "charge", 1000, true, 2000}, {0, "charge", 5000, false, -10}, {0, "charge", 5000, false, -10}, {1000, "look", 0, false, 0}, {1001, "look", 0, true, 0.01},
		},
		"a charge leaves a larger debt alone": {
			{0, "take", 4000, false, -1000}, {0, "charge", 5, false, -1000},
		},
		"given back": {
			{0, "take", 3000, false, 0}, {0, "back", 3000, true, 3000}, {0, "take", 3001, false, -1}, {100, "back", 3001, true, 3000},
		},
		"given back after time": {
			{0, "take", 100, true, 2900}, {20_000, "back", 100, true, 3000},
		},
		"a clock set back": {
			{0, "take", 3000, false, 0}, {-1000, "look", 0, false, -10}, {1000, "look", 0, true, 10},
		},
		"faster: what is there stays, what is owed is paid sooner": {
			{0, "take", 2900, true, 100}, {0, "rate", 100, true, 100}, {1000, "look", 0, true, 200}, {1000, "take", 400, false, -200},
			{1000, "rate", 1000, false, -200}, {1200, "look", 0, false, 0}, {1300, "look", 0, true, 100},
		},
		"slower: no more than the new burst": {
			{0, "rate", 1, true, 300}, {0, "take", 300, false, 0}, {0, "rate", 10, false, 0}, {1000, "look", 0, true, 10},
		},
		"slower: what is owed is owed": {
			{0, "take", 3010, false, -10}, {0, "rate", 1, false, -10}, {10_000, "look", 0, false, 0}, {10_001, "look", 0, true, 0.001},
		},
		"no limit, and one again": {
			{0, "take", 4000, false, -1000}, {0, "rate", 0, true, 0}, {0, "take", 1e6, true, 0}, {0, "rate", 7, true, 2100},
		},
		"as fast as can be asked for": {
			{0, "rate", 1e12, true, 3000}, {0, "take", 5000, true, -2000}, {1, "look", 0, true, 1e9 - 2000},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b bucket
			b.set(start, Limit{Units: 10})
			for i, s := range steps {
				now := start + s.at
				switch s.what {
				case "take":
					b.take(now, s.n)
				case "charge":
					b.charge(now, s.n)
				case "back":
					b.giveBack(s.n)
				case "rate":
					b.set(now, Limit{Units: int64(s.n)})
				}
				if name == "as fast as can be asked for" {
					continue // a nanosecond is a thousand units: only that nothing overflows can be asked
				}
				if b.open(now) != s.open {
					t.Fatalf("step %d %v: open is %v, %v left", i, s, b.open(now), b.level(now))
				}
				if b.limit.Units > 0 && math.Abs(b.level(now)-s.left) > 1e-6 {
					t.Fatalf("step %d %v: %v left", i, s, b.level(now))
				}
			}
			if b.empty < nanos(start)-2*int64(Burst) || b.empty > nanos(start)+nanos(1e7) {
				t.Fatalf("empty at %d", b.empty)
			}
		})
	}
}

// TestSetKeepsDebtsInRange moves a deep debt between the slowest and the fastest rate.
func TestSetKeepsDebtsInRange(t *testing.T) {
	var b bucket
	b.set(start, Limit{Units: 1e12})
	b.empty = nanos(start) + 10*int64(Burst)
	for _, rate := range []int64{1, 1e12, 1, 1e12} {
		b.set(start, Limit{Units: rate})
		if b.open(start) || b.empty > nanos(start)+int64(maxDebt) {
			t.Fatalf("at %d units: empty until %d", rate, b.empty-nanos(start))
		}
	}
}

type admitted struct {
	at    int64
	units float64
}

// TestBucketAdmitsNoMore offers random loads: over every window, what was admitted is at most the rate times the window,
// the burst, and the overdraft of the last.
func TestBucketAdmitsNoMore(t *testing.T) {
	r := newRand(t)
	for range 300 {
		rate := 1 + r.Int64N(1000)
		var b bucket
		b.set(start, Limit{Units: rate})
		now, full := start, float64(rate)*Burst.Seconds()
		var done []admitted
		refused := 0
		for range 400 {
			now += r.Int64N(1 << r.IntN(18))
			n := float64(1+r.IntN(1<<r.IntN(14))) / 2
			if !b.open(now) {
				refused++
				continue
			}
			b.take(now, n)
			done = append(done, admitted{now, n})
		}
		for i := range done {
			sum := 0.0
			for j := i; j < len(done); j++ {
				window := float64(done[j].at-done[i].at) / 1000
				if sum > float64(rate)*window+full+1e-3 {
					t.Fatalf("rate %d: %v units in %v s before the last", rate, sum, window)
				}
				sum += done[j].units
			}
		}
		if len(done) == 0 {
			t.Fatal("nothing was admitted")
		}
	}
}

// slow is a bucket as one would write it down: a level that is filled up as time goes.
type slow struct{ level, rate, at float64 }

func (s *slow) fill(now int64) {
	s.level = min(s.level+(float64(now-start)/1000-s.at)*s.rate, s.rate*Burst.Seconds())
	s.at = float64(now-start) / 1000
}

// TestBucketIsAsTheSlowOne compares with the obvious bucket, rates that change included.
func TestBucketIsAsTheSlowOne(t *testing.T) {
	r := newRand(t)
	for range 300 {
		rate := 1 + r.Int64N(100)
		var b bucket
		b.set(start, Limit{Units: rate})
		s := slow{level: float64(rate) * 300, rate: float64(rate)}
		now := start
		for i := range 500 {
			now += r.Int64N(1 << r.IntN(16))
			s.fill(now)
			const tolerance = 1e-4 // each step rounds to a nanosecond, of at most 100 units a second
			if math.Abs(b.level(now)-s.level) > tolerance {
				t.Fatalf("step %d, rate %d: %v left instead of %v", i, b.limit.Units, b.level(now), s.level)
			}
			n := float64(r.IntN(2000)) / 2
			switch {
			case r.IntN(20) == 0:
				rate = 1 + r.Int64N(100)
				b.set(now, Limit{Units: rate})
				s.rate = float64(rate)
				s.fill(now)
			case b.open(now):
				b.take(now, n)
				s.level -= n
				if r.IntN(4) == 0 {
					b.giveBack(n)
					s.level += n
				}
			}
		}
	}
}
