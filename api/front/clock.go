package front

import (
	"net/http"
	"sync/atomic"
	"time"
)

// clock is what time it is, to within a tick: asking it costs a load, where a deadline on a connection, set anew for every
// request, costs two calls of the runtime.
type clock struct {
	start  time.Time
	millis atomic.Int64           // since start
	date   atomic.Pointer[string] // as HTTP writes it
}

const tick = 500 * time.Millisecond

func (c *clock) tick() {
	now := time.Now()
	date := now.UTC().Format(http.TimeFormat)
	c.date.Store(&date)
	c.millis.Store(now.Sub(c.start).Milliseconds())
}

// after is the time that a patience ends which begins now; 0, never, for none. The tick that may be left of the present one
// comes on top.
func (c *clock) after(patience time.Duration) int64 {
	if patience <= 0 {
		return 0
	}
	return c.millis.Load() + (patience + tick).Milliseconds()
}

// watch keeps the clock, and closes connections whose time is up, until the Server ends.
func (s *Server) watch() {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.clock.tick()
			s.closeOverdue(s.clock.millis.Load())
		case <-s.ctx.Done():
			return
		}
	}
}

func (s *Server) closeOverdue(now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if d := c.deadline.Load(); d != 0 && d < now {
			_ = c.Close() // its reader or writer finds out
		}
	}
}
