package clock

import (
	"errors"
	"slices"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
)

// DefaultBound is how far a region's hybrid time may be ahead of the majority's. Less than twice the error of the time
// servers and of the measurement refuses good regions' writes; more lets a bad clock's stamps win for longer.
const DefaultBound = 500 * time.Millisecond

// guard knows the other regions' clocks. The zero guard knows none and refuses nothing: a region that is alone, or cut
// off, goes on serving, since its stamps win against nobody meanwhile.
type guard struct {
	bound time.Duration // 0: DefaultBound
	known bool          // others have been measured
	ahead time.Duration // what the majority's clock shows, less ours
}

// Majority is what the majority's clock shows, less our own, by the offsets of the others (theirs minus ours): the lower
// median of all clocks, ours among them. No more than half of all clocks are behind it; of two, the one ahead is wrong.
func Majority(offsets map[string]time.Duration) time.Duration {
	all := []time.Duration{0}
	for _, o := range offsets {
		all = append(all, o)
	}
	slices.Sort(all)
	return all[(len(all)-1)/2]
}

// Standing is how a clock stands to the others.
type Standing struct {
	Known  bool          // others have been measured; the rest is zero if not
	Ahead  time.Duration // our hybrid time less the majority's clock
	Behind time.Duration // the majority's clock less our physical time
	Refuse bool          // client writes are refused: Ahead is above the bound
	Alarm  bool          // Refuse, or Behind is above the bound
}

// standing decides. Hybrid time is ours, now our physical time in unix milliseconds.
func (g *guard) standing(hybrid crdt.Time, now int64) Standing {
	if !g.known {
		return Standing{}
	}
	s := Standing{
		Known:  true,
		Ahead:  time.Duration(hybrid.Millis()-now)*time.Millisecond - g.ahead,
		Behind: g.ahead,
	}
	s.Refuse = s.Ahead > g.limit()
	s.Alarm = s.Refuse || s.Behind > g.limit()
	return s
}

func (g *guard) limit() time.Duration {
	if g.bound == 0 {
		return DefaultBound
	}
	return g.bound
}

// ErrRefused is in the chain of errors of writes that did not happen because of the clock.
var ErrRefused = errors.New("refused by the clock guard")

// admit fails while a write at a hybrid time must be refused.
func (g *guard) admit(hybrid crdt.Time, now int64) error {
	s := g.standing(hybrid, now)
	if !s.Refuse {
		return nil
	}
	return fault.Wrap(fault.Unavailable, ErrRefused, "this region's clock is %v ahead of the other regions' and must not stamp writes (the bound is %v)",
		s.Ahead.Round(time.Millisecond), g.limit())
}

// holds reports whether a commit that arrives is so far ahead that taking it would spoil this clock too.
func (g *guard) holds(t crdt.Time, now int64) (ahead time.Duration, hold bool) {
	ahead = time.Duration(t.Millis()-now)*time.Millisecond - g.ahead
	return ahead, ahead > 2*g.limit()
}

// SetBound sets the guard's bound; 0 is DefaultBound. It is called before the clock is used.
func (c *Clock) SetBound(bound time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.guard.bound = bound
}

// Report tells what the other regions' clocks show, less our own, as measured lately. Those that cannot be reached are left
// out; none at all means that we are alone.
func (c *Clock) Report(offsets map[string]time.Duration) Standing {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.guard.known, c.guard.ahead = len(offsets) > 0, Majority(offsets)
	return c.standingLocked()
}

// Standing is how the clock stands now, by the last report.
func (c *Clock) Standing() Standing {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.standingLocked()
}

func (c *Clock) standingLocked() Standing {
	now := c.wall()
	return c.guard.standing(max(c.hlc.Last(), crdt.TimeFromMillis(now)), now)
}

// Holds reports whether a time that arrives from another region is to be held back, and how far it is ahead.
func (c *Clock) Holds(t crdt.Time) (ahead time.Duration, hold bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.guard.holds(t, c.wall())
}
