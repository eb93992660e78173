package clock

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/storage"
)

// Headroom is how far above physical time the ceiling is raised, and so how far ahead a restart may begin. Less than
// DefaultBound, or every restart would make the guard speak; so much that the batches that must carry a new ceiling are few.
const Headroom = 400 * time.Millisecond

// step is by how much the ceiling rises while hybrid time runs ahead of physical time: 2^18 stamps. Headroom again would
// take a region that crashes in a loop further ahead each time.
const step crdt.Time = 4 << 16

// Wall tells physical time in unix milliseconds, monotonic from the start of the process.
type Wall func() int64

// NewWall returns the machine's clock.
func NewWall() Wall {
	start := time.Now() // carries the monotonic reading
	return func() int64 { return start.UnixMilli() + time.Since(start).Milliseconds() }
}

// Stepped is how far the machine's clock has been set since a NewWall's start, which that does not follow.
func Stepped(w Wall) time.Duration {
	return time.Duration(time.Now().UnixMilli()-w()) * time.Millisecond
}

// Clock hands out stamps of one origin. It is safe for concurrent use.
//
// Invariant: settled ≤ ceiling.
type Clock struct {
	origin crdt.Origin
	wall   Wall

	mu      sync.Mutex
	hlc     crdt.Clock
	ceiling crdt.Time // of all batches up to the one being sealed; above all times given out for items
	settled crdt.Time // known to be durable
	guard   guard
	ended   bool // no stamps for clients any more
}

var ceilingKey = storage.MetaKey("clock-ceiling")

// Open starts a clock at the ceiling that an earlier run left.
func Open(s storage.Reader, origin crdt.Origin, wall Wall) (*Clock, error) {
	at, err := Ceiling(s)
	if err != nil {
		return nil, err
	}
	c := &Clock{origin: origin, wall: wall, ceiling: at, settled: at}
	c.hlc.Observe(at)
	return c, nil
}

// Ceiling is a time that no write of a store is above, as an earlier run left it; 0 if there was none.
func Ceiling(s storage.Reader) (crdt.Time, error) {
	v, err := s.Get(ceilingKey)
	switch {
	case storage.IsNotFound(err):
		return 0, nil
	case err != nil:
		return 0, err
	case len(v) != 8:
		return 0, storage.Corruptf("clock ceiling", "%d bytes instead of 8", len(v))
	}
	return crdt.Time(binary.BigEndian.Uint64(v)), nil
}

// Stamp returns the next stamp, above all before it and all observed. It is for what must be new but not new for ever:
// after a crash it may be given again. Items use Seal.
func (c *Clock) Stamp() crdt.Stamp {
	c.mu.Lock()
	defer c.mu.Unlock()
	return crdt.Stamp{Time: c.hlc.Next(c.wall()), Origin: c.origin}
}

// Seal returns the next stamp for the batch w, raising the ceiling in it when the stamp would pass it. It is called inside
// the seal of w's commit. It fails with fault.Unavailable, and nothing is wrong, while the guard refuses writes.
func (c *Clock) Seal(w storage.Writer) (crdt.Stamp, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return crdt.Stamp{}, fault.Wrap(fault.Unavailable, ErrRefused, "this region was removed while it was dead, and begins anew: ask another")
	}
	now := c.wall()
	// Before a time is taken: a region that refuses does not move its own clock.
	if err := c.guard.admit(max(c.hlc.Last(), crdt.TimeFromMillis(now)), now); err != nil {
		return crdt.Stamp{}, err
	}
	s := crdt.Stamp{Time: c.hlc.Next(now), Origin: c.origin}
	return s, c.coverLocked(w, s.Time, now)
}

// End has Seal refuse everything from now on: what is stamped by an incarnation that is over, nobody takes.
func (c *Clock) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
}

// Ended reports whether End was called.
func (c *Clock) Ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// SealNext returns the stamp directly above all that were given out or observed, for the batch w, as Seal does. It does not
// look at the wall clock, so the guard need not refuse it: it is for what a region has to tell of others' writes.
func (c *Clock) SealNext(w storage.Writer) (crdt.Stamp, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := crdt.Stamp{Time: c.hlc.Next(0), Origin: c.origin}
	return s, c.coverLocked(w, s.Time, c.wall())
}

// Observe takes note of another region's time, so that later stamps are above it, even over a crash. It is called inside
// the seal of w's commit.
func (c *Clock) Observe(w storage.Writer, t crdt.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hlc.Observe(t)
	return c.coverLocked(w, t, c.wall())
}

// coverLocked sees to it that the ceiling, as w leaves it, is not below t.
func (c *Clock) coverLocked(w storage.Writer, t crdt.Time, now int64) error {
	if t <= c.ceiling {
		return nil
	}
	return c.raiseLocked(w, max(t+step, crdt.TimeFromMillis(now+Headroom.Milliseconds())))
}

// raiseLocked writes a new ceiling into w. If w's commit does not happen, the old one holds again: a batch that came after
// it would else trust in a ceiling that was never written.
func (c *Clock) raiseLocked(w storage.Writer, to crdt.Time) error {
	old := c.ceiling
	c.ceiling = to
	if s, ok := w.(storage.Sealer); ok {
		s.OnAbort(func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.ceiling = old
		})
	}
	return w.Set(ceilingKey, storage.AppendSeq(nil, uint64(to)))
}

// Raise lifts the ceiling ahead of need, in a batch of its own, and waits for the disk. It is called about once a second,
// so that an idle region too can say what time it has closed (Settled).
func (c *Clock) Raise(begin func() (storage.Txn, error)) error {
	c.mu.Lock()
	due := c.hlc.Last() > c.settled || crdt.TimeFromMillis(c.wall()) > c.settled
	c.mu.Unlock()
	if !due {
		return nil
	}
	tx, err := begin()
	if err != nil {
		return err
	}
	defer tx.Discard()
	var to crdt.Time
	durable, err := tx.Commit(func(w storage.Writer) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		// Written in every case: an equal one may stand in an earlier batch, and waiting for this one waits for that.
		to = max(c.ceiling, crdt.TimeFromMillis(c.wall()+Headroom.Milliseconds()))
		return c.raiseLocked(w, to)
	})
	if err != nil {
		return err
	}
	if err := durable.Wait(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled = max(c.settled, to)
	return nil
}

// Settled is a time below which a restart, whatever happens, gives out no stamp. A region promises nothing about its
// future beyond it.
func (c *Clock) Settled() crdt.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.settled
}

// Now is the physical time in unix milliseconds.
func (c *Clock) Now() int64 { return c.wall() }

// Hybrid is the hybrid time in unix milliseconds: the physical time, or that of the newest stamp if that is ahead. It does not
// go back, also where a restart finds another physical time.
func (c *Clock) Hybrid() int64 { return max(c.Now(), c.Last().Millis()) }

// Last is the newest time given out or observed.
func (c *Clock) Last() crdt.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hlc.Last()
}
