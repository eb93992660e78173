// Package clock gives a region its stamps: hybrid logical time that never goes back, not even over a crash.
//
// A durable ceiling stands above every time ever given out. It is raised ahead of need in the background (Raise); a stamp
// that would pass it all the same carries the new ceiling in its own batch, so that the two become durable together. A
// restart begins at the ceiling: no stamp is given twice, not even one that a crash lost.
//
// Physical time is monotonic from start: a step of the wall clock is not followed (DESIGN section 5, clock guard).
package clock

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/storage"
)

// headroom is how far above now the ceiling is kept; after a crash the clock runs ahead by at most this much.
const headroom = 3 * time.Second

// Wall tells physical time in unix milliseconds, monotonic from the start of the process.
type Wall func() int64

// NewWall returns the machine's clock.
func NewWall() Wall {
	start := time.Now() // carries the monotonic reading
	return func() int64 { return start.UnixMilli() + time.Since(start).Milliseconds() }
}

// Clock hands out stamps of one origin. It is safe for concurrent use.
type Clock struct {
	origin crdt.Origin
	wall   Wall

	mu      sync.Mutex
	hlc     crdt.Clock
	ceiling crdt.Time // durable, or on its way in the batch that needs it
}

var ceilingKey = append([]byte{storage.KindMeta}, "clock-ceiling"...)

// Open starts a clock at the ceiling that an earlier run left.
func Open(s storage.Reader, origin crdt.Origin, wall Wall) (*Clock, error) {
	c := &Clock{origin: origin, wall: wall}
	v, err := s.Get(ceilingKey)
	switch {
	case storage.IsNotFound(err):
		return c, nil
	case err != nil:
		return nil, err
	case len(v) != 8:
		return nil, &storage.CorruptionError{Where: "clock ceiling", Err: fmt.Errorf("%d bytes instead of 8", len(v))}
	}
	c.ceiling = crdt.Time(binary.BigEndian.Uint64(v))
	c.hlc.Observe(c.ceiling)
	return c, nil
}

// Stamp returns the next stamp, above all before it and all observed. It must not be used for anything durable without a
// following Seal or Raise; items use Seal.
func (c *Clock) Stamp() crdt.Stamp {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nextLocked()
}

func (c *Clock) nextLocked() crdt.Stamp {
	return crdt.Stamp{Time: c.hlc.Next(c.wall()), Origin: c.origin}
}

// Seal returns the next stamp for the batch w, raising the ceiling in it when the stamp would pass it.
func (c *Clock) Seal(w storage.Writer) (crdt.Stamp, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.nextLocked()
	if s.Time <= c.ceiling {
		return s, nil
	}
	return s, c.raiseLocked(w, s.Time)
}

// Observe takes note of another region's time, so that later stamps are above it.
func (c *Clock) Observe(w storage.Writer, t crdt.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hlc.Observe(t)
	if t <= c.ceiling {
		return nil
	}
	return c.raiseLocked(w, t)
}

func (c *Clock) raiseLocked(w storage.Writer, above crdt.Time) error {
	c.ceiling = crdt.TimeFromMillis(above.Millis() + headroom.Milliseconds())
	return w.Set(ceilingKey, binary.BigEndian.AppendUint64(nil, uint64(c.ceiling)))
}

// Raise lifts the ceiling ahead of need; called about once a second. It reports whether w was written.
func (c *Clock) Raise(w storage.Writer) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := crdt.TimeFromMillis(c.wall())
	if now.Millis()+headroom.Milliseconds()/2 < c.ceiling.Millis() {
		return false, nil
	}
	return true, c.raiseLocked(w, now)
}

// Now is the physical time in unix milliseconds.
func (c *Clock) Now() int64 { return c.wall() }

// Last is the newest time given out or observed.
func (c *Clock) Last() crdt.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hlc.Last()
}
