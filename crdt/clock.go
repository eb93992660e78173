package crdt

// Clock is a hybrid logical clock (Kulkarni et al., 2014) without a source of time: the caller says what it is. It is not
// safe for concurrent use. The zero Clock is ready.
type Clock struct{ last Time }

// Next returns a time above all that were returned or observed before, and at or above physical time.
func (c *Clock) Next(nowMillis int64) Time {
	c.last = max(c.last+1, TimeFromMillis(nowMillis))
	return c.last
}

// Observe takes note of a time from elsewhere.
func (c *Clock) Observe(t Time) { c.last = max(c.last, t) }

// Last is the newest time returned or observed.
func (c *Clock) Last() Time { return c.last }
