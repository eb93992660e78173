package link

import "time"

// Sample is one exchange of clock readings, as NTP does it: the asker's clock when it asked and when it had the answer, the
// other's clock when it was asked and when it answered.
type Sample struct{ Asked, Arrived, Answered, Returned time.Time }

// RoundTrip is the time under way, the other side's own time left out.
func (s Sample) RoundTrip() time.Duration {
	return max(0, s.Returned.Sub(s.Asked)-s.Answered.Sub(s.Arrived))
}

// Offset is the other's clock minus the asker's. It is off by half of the difference between the two ways, which is at
// most RoundTrip/2.
func (s Sample) Offset() time.Duration {
	return (s.Arrived.Sub(s.Asked) + s.Answered.Sub(s.Returned)) / 2
}

// clockSamples is how many of the last exchanges count. Few enough to follow a clock that is set, enough to find one that
// met no queue on its way.
const clockSamples = 8

// Clock estimates another region's clock from samples: the one with the shortest round trip of the last few is the least
// wrong one.
type Clock struct {
	samples [clockSamples]struct{ offset, roundTrip time.Duration }
	n       int
}

// Add takes one sample.
func (c *Clock) Add(s Sample) {
	at := &c.samples[c.n%clockSamples]
	at.offset, at.roundTrip = s.Offset(), s.RoundTrip()
	c.n++
}

// Estimate is the other's clock minus ours and the round trip; ok is false before the first sample.
func (c *Clock) Estimate() (offset, roundTrip time.Duration, ok bool) {
	best := c.samples[0]
	for _, s := range c.samples[:min(c.n, clockSamples)] {
		if s.roundTrip < best.roundTrip {
			best = s
		}
	}
	return best.offset, best.roundTrip, c.n > 0
}
