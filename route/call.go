package route

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"
)

// call is one request on its way. What it is made of does not change between attempts.
type call struct {
	router       *Router
	session      *Session // nil: the caller's own, or none
	operation    string
	kind         kind
	idempotent   bool
	method       string
	path, query  string
	header       http.Header
	body         []byte
	began        time.Time
	lastSentAway *http.Response // a region's refusal, which is the answer if no other region has a better one
	failures     []error
}

// A write of unknown fate is tried again in its region that often, after these pauses.
var sameRegion = []time.Duration{50 * time.Millisecond, 150 * time.Millisecond}

// maxBody is more than any request may have.
const maxBody = 32 << 20

// Do sends a request of the DynamoDB protocol where it is best sent. Its own address does not count. The answer is any that
// a region gave; *UnknownFateError and *UnavailableError say why there is none. A nil session is none.
func (r *Router) Do(req *http.Request, s *Session) (*http.Response, error) {
	c := &call{
		router: r, method: req.Method, path: req.URL.Path, query: req.URL.RawQuery, header: req.Header.Clone(),
		idempotent: isIdempotent(req.Context()),
	}
	c.operation, c.kind = operationOf(req.Header.Get("X-Amz-Target"))
	if req.Body != nil {
		b, err := io.ReadAll(io.LimitReader(req.Body, maxBody))
		if err := errors.Join(err, req.Body.Close()); err != nil {
			return nil, err
		}
		c.body = b
	}
	c.header.Del("Connection")
	c.header.Del("Content-Length")
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	defer context.AfterFunc(r.ctx, func() { cancel(errClosed) })()
	if s == nil {
		return c.run(ctx)
	}
	c.session = s
	shown, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	c.header[sessionHeader] = shown
	if len(shown) == 0 {
		c.header[sessionHeader] = []string{""}
	}
	resp, err := c.run(ctx)
	if err != nil {
		s.end(shown, nil)
		return nil, err
	}
	s.end(shown, resp.Header)
	return resp, nil
}

func (c *call) run(ctx context.Context) (*http.Response, error) {
	c.began = time.Now()
	order := c.order()
	if c.kind == read {
		return c.read(ctx, order)
	}
	return c.write(ctx, order)
}

// order is in which regions to try the call: as the picker says, but those that were behind the session just now come last.
func (c *call) order() []int {
	order := c.router.order()
	if c.session == nil {
		return order
	}
	slices.SortStableFunc(order, func(a, b int) int { return c.passed(a) - c.passed(b) })
	return order
}

func (c *call) passed(i int) int {
	if _, passed := c.session.standing(c.router.o.Regions[i].Name, c.began); passed {
		return 1
	}
	return 0
}

// read asks one region after the other until one answers; two at a time if the first is slow and hedging is on.
func (c *call) read(ctx context.Context, order []int) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	results := make(chan result, len(order))
	running, next := 0, 0
	start := func() {
		i := order[next]
		next++
		running++
		go func() { results <- c.attempt(ctx, i) }() // ends with ctx
	}
	var hedge <-chan time.Time
	if c.router.o.HedgeAfter > 0 {
		t := time.NewTimer(c.router.o.HedgeAfter)
		defer t.Stop()
		hedge = t.C
	} else if len(order) > 0 { // nothing runs beside it: no goroutine is needed
		res := c.attempt(ctx, order[0])
		next, running = 1, 1
		results <- res
	}
	if running == 0 {
		start()
	}
	for running > 0 {
		select {
		case res := <-results:
			running--
			if res.fate == answered {
				return res.resp, nil
			}
			c.failed(res)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if running == 0 && next < len(order) {
				c.router.event(Retried, order[next], res.err)
				start()
			}
		case <-hedge:
			if next < len(order) {
				c.router.event(Hedged, order[next], nil)
				start()
			}
		}
	}
	return c.gaveUp()
}

// write does the call in one region; elsewhere only while it is certain that it has not happened.
func (c *call) write(ctx context.Context, order []int) (*http.Response, error) {
	for n, i := range order {
		if n > 0 {
			c.router.event(Retried, i, c.failures[len(c.failures)-1])
		}
		res := c.attempt(ctx, i)
		if res.fate == unknown && !c.idempotent {
			return c.again(ctx, res)
		}
		if res.fate == answered {
			return res.resp, nil
		}
		c.failed(res)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if c.kind == local {
			break
		}
	}
	return c.gaveUp()
}

// again tries a write of unknown fate in its own region, as every SDK does, while the region is thought to be there.
func (c *call) again(ctx context.Context, res result) (*http.Response, error) {
	first := res
	for _, pause := range sameRegion {
		if ctx.Err() != nil || !c.router.healthy(res.region) {
			break
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
		c.router.event(Retried, res.region, res.err)
		if res = c.attempt(ctx, res.region); res.fate == answered {
			return res.resp, nil
		}
	}
	err := &UnknownFateError{c.router.o.Regions[first.region].Name, c.operation, first.err}
	c.router.event(UnknownFate, first.region, first.err)
	return nil, err
}

func (c *call) failed(res result) {
	c.failures = append(c.failures, res.err)
	if res.resp != nil && res.fate == notDone {
		c.lastSentAway = res.resp
	}
}

// gaveUp is the end of a call that no region answered and that did not happen, or that may happen twice. That a session's
// writes are nowhere else is the answer to give, and a client may wait and ask again.
func (c *call) gaveUp() (*http.Response, error) {
	if c.lastSentAway != nil {
		return c.lastSentAway, nil
	}
	return nil, &UnavailableError{c.operation, errors.Join(c.failures...)}
}

func (r *Router) healthy(i int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.picker.Healthy(i)
}
