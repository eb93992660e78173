package route

import (
	"context"
	"errors"
	"io"
	"net/http"
	"syscall"
	"time"
)

// probe asks a region again and again whether it is there, until the router is closed. It uses the DynamoDB endpoint's own
// health page: what matters is whether requests get there. After a probe that took long the next one begins soon, so that a
// region which hangs is noticed in well under a second.
func (r *Router) probe(i int) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-timer.C:
		}
		began := time.Now()
		err := r.ask(i)
		if r.ctx.Err() != nil {
			return
		}
		r.observe(i, Outcome{Probe: true, Failed: err != nil, Refused: isRefused(err), Latency: time.Since(began)})
		timer.Reset(max(r.o.ProbeEvery-time.Since(began), r.o.ProbeEvery/4))
	}
}

// ask sends one probe.
func (r *Router) ask(i int) error {
	ctx, cancel := context.WithTimeout(r.ctx, r.patience(i))
	defer cancel()
	u := *r.endpoints[i]
	u.Path = "/"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	resp, err := r.transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	_, err = io.CopyN(io.Discard, resp.Body, 4<<10)
	if err == nil || errors.Is(err, io.EOF) {
		err = nil
	}
	if err == nil && resp.StatusCode >= http.StatusInternalServerError {
		err = errors.New(resp.Status)
	}
	return err
}

// patience is how long a probe may take.
func (r *Router) patience(i int) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l, ok := r.picker.Latency(i); ok {
		return min(r.o.ProbeTimeout, max(shortestProbe, 4*l))
	}
	return r.o.ProbeTimeout
}

const shortestProbe = 250 * time.Millisecond

// isRefused reports whether nobody listens at the address: then nothing was sent, either.
func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
