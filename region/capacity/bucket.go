package capacity

import "time"

// Burst is how long unused capacity is kept.
const Burst = 300 * time.Second

// maxCharge is how far behind a bucket may get by what cannot be refused.
const maxCharge = time.Second

// Limit is what may be used in a second.
type Limit struct {
	Units    int64 // 0: no limit
	OnDemand bool  // a cap on an on-demand table, not provisioned capacity
}

// bucket is a token bucket. It keeps no level but the moment at which it was, or will be, empty:
//
//	level(now) = (now − empty) · rate, at most Burst · rate
//
// so that one number is all that changes, and a new rate needs no look at the past. The zero bucket has no limit.
type bucket struct {
	limit Limit
	empty int64 // unix nanoseconds
}

func nanos(ms int64) int64 { return ms * int64(time.Millisecond) }

// worth is how long n units take to flow in.
func (b *bucket) worth(n float64) int64 {
	return int64(n * float64(time.Second) / float64(b.limit.Units))
}

// open reports whether the bucket is above zero, or has no limit.
func (b *bucket) open(now int64) bool { return b.limit.Units == 0 || b.empty < nanos(now) }

// take takes n units, be they there or not.
func (b *bucket) take(now int64, n float64) {
	if b.limit.Units > 0 {
		b.empty = max(b.empty, nanos(now)-int64(Burst)) + b.worth(n)
	}
}

// charge takes n units too, but never so many that the bucket is empty for longer than maxCharge by it.
func (b *bucket) charge(now int64, n float64) {
	before := b.empty
	b.take(now, n)
	b.empty = max(before, min(b.empty, nanos(now)+int64(maxCharge)))
}

// giveBack undoes a take of n units.
func (b *bucket) giveBack(n float64) {
	if b.limit.Units > 0 {
		b.empty -= b.worth(n)
	}
}

// maxDebt is the longest time that a bucket may take to get above zero under a new rate: years are an overflow.
const maxDebt = 1e6 * time.Second

// set gives the bucket a limit from now on. What is in it, or owed, stays; the most that it can hold goes with the rate. A
// bucket that had no limit is full, so a new table's first load does not fail for want of a past. How the service fills a new
// table's is not known; to begin empty would leave every test on a small table to the SDK's retries.
func (b *bucket) set(now int64, l Limit) {
	old := b.limit
	b.limit = l
	switch {
	case l.Units == old.Units || l.Units == 0:
		return
	case old.Units == 0:
		b.empty = nanos(now) - int64(Burst)
		return
	}
	level := float64(min(nanos(now)-b.empty, int64(Burst))) * float64(old.Units) / float64(l.Units)
	b.empty = nanos(now) - int64(min(max(level, -float64(maxDebt)), float64(Burst)))
}
