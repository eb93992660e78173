package route

import (
	"cmp"
	"slices"
	"time"
)

// PickerConfig says how quickly a Picker changes its mind. The zero value of each field means its default.
type PickerConfig struct {
	// EjectAfter is how many failures in a row, of requests or of probes, take a region out. 2. One would make every lost
	// packet a failover; many keep clients at a dead region.
	EjectAfter int
	// ReturnProbes in a row must succeed, and ReturnAfter must have passed, before a region that was taken out is used again.
	// 3 and 2 s. Each time it fails again within a minute of its return ReturnAfter doubles, up to 30 s.
	ReturnProbes int
	ReturnAfter  time.Duration
	// A healthy region is left for one whose latency is less by Margin, a share (0.2), and by at least 2 ms, for as long as
	// Dwell (3 s).
	Margin float64
	Dwell  time.Duration
}

func (c PickerConfig) withDefaults() PickerConfig {
	c.EjectAfter = cmp.Or(c.EjectAfter, 2)
	c.ReturnProbes = cmp.Or(c.ReturnProbes, 3)
	c.ReturnAfter = cmp.Or(c.ReturnAfter, 2*time.Second)
	c.Margin = cmp.Or(c.Margin, 0.2)
	c.Dwell = cmp.Or(c.Dwell, 3*time.Second)
	return c
}

const (
	worthMoving = 2 * time.Millisecond
	longestAway = 30 * time.Second
	probation   = time.Minute // a failure this soon after a return is the same trouble
	unmeasured  = time.Hour   // latency of a region that nobody has measured or guessed
	probeWeight = 4           // a probe counts for a quarter of the smoothed latency
)

// Outcome is what became of one request or probe.
type Outcome struct {
	Probe   bool
	Failed  bool
	Refused bool // nobody listens there: no second failure is needed
	Latency time.Duration
}

// EventKind says what happened.
type EventKind string

// The kinds of events.
const (
	Ejected     EventKind = "ejected"      // the region is not used any more
	Returned    EventKind = "returned"     // it may be used again
	Moved       EventKind = "moved"        // requests go there from now on
	Retried     EventKind = "retried"      // a request is tried there after it failed elsewhere, or there
	Hedged      EventKind = "hedged"       // a slow read is asked there, too
	SentAway    EventKind = "sent away"    // the region has not caught up with a session, or takes no writes now
	UnknownFate EventKind = "unknown fate" // a write was given up that may have happened there
)

// Event is one thing that a Router did.
type Event struct {
	Kind   EventKind
	Region string
	Reason string
}

// health is what a Picker knows of one region.
type health struct {
	name     string
	latency  time.Duration // smoothed
	measured bool
	ejected  bool
	requests int           // failures in a row
	probes   int           // likewise
	well     int           // probes in a row that succeeded since the ejection
	at       time.Time     // of the last ejection or return
	away     time.Duration // how long it stays ejected at least
}

// Picker decides which region to use. It does no I/O and reads no clock; times must not go back. It is not safe for
// concurrent use.
//
// Invariant: current is not ejected unless all are.
type Picker struct {
	config  PickerConfig
	regions []health
	current int
	rival   int // a nearer region, since rivalAt; -1: none
	rivalAt time.Time
}

// NewPicker begins with all regions healthy and the first one, or the one with the least hint, in use.
func NewPicker(c PickerConfig, regions []Region) *Picker {
	p := &Picker{config: c.withDefaults(), rival: -1}
	for _, r := range regions {
		p.regions = append(p.regions, health{name: r.Name, latency: cmp.Or(r.Hint, unmeasured)})
	}
	p.current = p.nearest()
	return p
}

// Current is the region in use.
func (p *Picker) Current() int { return p.current }

// Healthy reports whether a region may be used.
func (p *Picker) Healthy(i int) bool { return !p.regions[i].ejected }

// Latency is a region's smoothed latency; false if nothing was measured yet.
func (p *Picker) Latency(i int) (time.Duration, bool) {
	return p.regions[i].latency, p.regions[i].measured
}

// Order lists all regions in the order to try them: the current one, the other healthy ones by latency, the others.
func (p *Picker) Order() []int {
	order := make([]int, len(p.regions))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(p.class(a)-p.class(b), cmp.Compare(p.regions[a].latency, p.regions[b].latency))
	})
	return order
}

func (p *Picker) class(i int) int {
	switch {
	case i == p.current:
		return 0
	case p.regions[i].ejected:
		return 2
	}
	return 1
}

// Observe takes note of an outcome at a region and says what follows.
func (p *Picker) Observe(i int, o Outcome, now time.Time) []Event {
	r := &p.regions[i]
	var events []Event
	failures := &r.requests
	if o.Probe {
		failures = &r.probes
	}
	switch {
	case !o.Failed:
		*failures = 0
		if o.Probe {
			r.measure(o.Latency)
			events = p.well(r, now)
		}
	case o.Refused:
		*failures = p.config.EjectAfter
	default:
		*failures++
	}
	if o.Failed {
		r.well = 0
		if *failures >= p.config.EjectAfter && !r.ejected {
			p.eject(r, now)
			events = append(events, Event{Ejected, r.name, "it failed"})
		}
	}
	return append(events, p.move(now)...)
}

func (r *health) measure(latency time.Duration) {
	if !r.measured {
		r.latency, r.measured = latency, true
		return
	}
	r.latency += (latency - r.latency) / probeWeight
}

func (p *Picker) eject(r *health, now time.Time) {
	switch {
	case r.away == 0 || now.Sub(r.at) > probation:
		r.away = p.config.ReturnAfter
	default:
		r.away = min(2*r.away, max(longestAway, p.config.ReturnAfter))
	}
	r.ejected, r.at, r.well = true, now, 0
}

// well counts a probe that succeeded.
func (p *Picker) well(r *health, now time.Time) []Event {
	if !r.ejected {
		return nil
	}
	if r.well++; r.well < p.config.ReturnProbes || now.Sub(r.at) < r.away {
		return nil
	}
	r.ejected, r.at, r.requests = false, now, 0
	return []Event{{Returned, r.name, "it is well again"}}
}

// nearest is the healthy region with the least latency, or of all if none is healthy.
func (p *Picker) nearest() int {
	best := 0
	for i := range p.regions {
		a, b := &p.regions[i], &p.regions[best]
		if a.ejected != b.ejected && b.ejected || a.ejected == b.ejected && a.latency < b.latency {
			best = i
		}
	}
	return best
}

// move changes the current region if there is reason to.
func (p *Picker) move(now time.Time) []Event {
	best := p.nearest()
	cur, b := &p.regions[p.current], &p.regions[best]
	switch {
	case best == p.current || cur.ejected == b.ejected && !p.worth(cur, b):
		p.rival = -1
		return nil
	case cur.ejected && !b.ejected:
		return p.take(best, "the region in use was taken out")
	case !cur.measured:
		return p.take(best, "it is near")
	case p.rival != best:
		p.rival, p.rivalAt = best, now
	case now.Sub(p.rivalAt) >= p.config.Dwell:
		return p.take(best, "it is nearer")
	}
	return nil
}

func (p *Picker) worth(from, to *health) bool {
	gain := from.latency - to.latency
	return gain >= worthMoving && float64(gain) >= p.config.Margin*float64(from.latency)
}

func (p *Picker) take(i int, why string) []Event {
	p.current, p.rival = i, -1
	return []Event{{Moved, p.regions[i].name, why}}
}
