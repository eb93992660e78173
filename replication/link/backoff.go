package link

import "time"

// Backoff spaces attempts: the first again after Min, then twice as long each time, at most Max, each shortened by up to
// half by chance, so that regions that lost each other at the same time do not come back at the same time.
type Backoff struct {
	Min, Max time.Duration
	next     time.Duration
}

// Next is how long to wait; chance is in [0, 1).
func (b *Backoff) Next(chance float64) time.Duration {
	if b.next == 0 {
		b.next = b.Min
	}
	d := b.next
	b.next = min(2*b.next, b.Max)
	return d - time.Duration(chance*float64(d)/2)
}

// Reset begins anew, after a success.
func (b *Backoff) Reset() { b.next = 0 }
