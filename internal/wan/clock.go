package wan

import (
	"fmt"
	"sync"
	"time"
)

// ClockFault is how wrong a region's clock is.
type ClockFault struct {
	Jump  time.Duration `json:"jump,omitempty"`  // nanoseconds ahead; behind if negative
	Drift time.Duration `json:"drift,omitempty"` // nanoseconds more each second
}

// Check refuses what no rehearsal needs: a clock that goes backwards all the time would never show a later time again.
func (f ClockFault) Check() error {
	if f.Jump.Abs() > 24*time.Hour {
		return fmt.Errorf("a jump of %v is more than a day", f.Jump)
	}
	if f.Drift <= -time.Second || f.Drift > time.Second {
		return fmt.Errorf("a drift of %v each second is not above -1s and at most 1s", f.Drift)
	}
	return nil
}

// Clock is a machine's clock as one region reads it: it begins right and can be made wrong. It does not follow when the
// machine's is set. It is safe for concurrent use.
type Clock struct {
	start time.Time // carries the monotonic reading

	mu    sync.Mutex
	fault ClockFault
	since time.Time // when fault was set
}

// NewClock begins with the machine's time.
func NewClock() *Clock { return &Clock{start: time.Now()} }

// Now is the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	right := c.start.Add(time.Since(c.start))
	drifted := time.Duration(time.Since(c.since).Seconds() * float64(c.fault.Drift))
	if c.fault.Drift == 0 {
		drifted = 0
	}
	return right.Add(c.fault.Jump + drifted)
}

// Set makes the clock wrong, in the place of how it was; the zero ClockFault makes it right.
func (c *Clock) Set(f ClockFault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault, c.since = f, time.Now()
}

// Fault is how the clock was set.
func (c *Clock) Fault() ClockFault {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fault
}
