package route

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// maxAnswer is more than any operation answers.
const maxAnswer = 64 << 20

// fate is what is known about a request after an attempt.
type fate int

const (
	answered fate = iota // the region has answered, with a success or an error of the caller's
	notDone              // it did not happen: it was never sent, or the region says so
	unknown              // it may have happened
)

// result is the end of one attempt.
type result struct {
	region int
	fate   fate
	resp   *http.Response // when answered, or when the region sent the session away; its body is in memory
	err    error          // otherwise
}

// attempt tries a call at one region.
func (c *call) attempt(ctx context.Context, i int) result {
	r := c.router
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ctx, stop := context.WithTimeoutCause(ctx, r.o.AttemptTimeout, errSlow)
	defer stop()
	if c.kind == read { // a write that is under way may still be answered
		defer context.AfterFunc(r.life(i), func() { cancel(errEjected) })()
	}
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	resp, err := r.transport.RoundTrip(c.request(ctx, i))
	if err == nil {
		err = readAll(resp)
	}
	res := result{region: i, resp: resp}
	switch {
	case err != nil:
		res.resp = nil
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		res.err = fmt.Errorf("region %s: %w", r.o.Regions[i].Name, err)
		if res.fate = unknown; !sent.Load() {
			res.fate = notDone
		}
	case resp.Header.Get(behindHeader) != "":
		res.fate, res.err = notDone, fmt.Errorf("region %s has not caught up with the session: it lacks writes of %s",
			r.o.Regions[i].Name, resp.Header.Get(behindHeader))
	case resp.StatusCode >= http.StatusInternalServerError:
		res.fate, res.err = unknown, fmt.Errorf("region %s: %s: %.200s", r.o.Regions[i].Name, resp.Status, peek(resp))
	}
	c.account(ctx, res)
	return res
}

// account tells picker and metrics how an attempt ended. One that the caller gave up, or another answer made needless, says
// nothing about its region.
func (c *call) account(ctx context.Context, res result) {
	r, name := c.router, c.router.o.Regions[res.region].Name
	switch cause := context.Cause(ctx); {
	case res.resp != nil && res.resp.Header.Get(behindHeader) != "":
		r.metrics.attempts.WithLabelValues(name, "behind").Inc()
		r.event(SentAway, res.region, res.err)
	case res.err == nil:
		r.metrics.attempts.WithLabelValues(name, "ok").Inc()
		r.observe(res.region, Outcome{})
	case cause == nil || errors.Is(cause, errSlow):
		r.metrics.attempts.WithLabelValues(name, "failed").Inc()
		r.observe(res.region, Outcome{Failed: true, Refused: isRefused(res.err)})
	}
}

// request is the call as it goes to one region.
func (c *call) request(ctx context.Context, i int) *http.Request {
	u := *c.router.endpoints[i]
	u.Path, u.RawQuery = c.path, c.query
	req := &http.Request{
		Method: c.method, URL: &u, Host: u.Host, Header: c.header, ContentLength: int64(len(c.body)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(c.body)), nil }
	if len(c.body) > 0 {
		req.Body, _ = req.GetBody()
	}
	return req.WithContext(ctx)
}

// readAll takes an answer's body into memory: an answer that breaks off half way is no answer.
func readAll(resp *http.Response) error {
	defer resp.Body.Close() //nolint:errcheck // it was only read
	var b bytes.Buffer
	if n := resp.ContentLength; n > 0 && n < maxAnswer {
		b.Grow(int(n) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1)); err != nil {
		return err
	}
	if b.Len() > maxAnswer {
		return errTooLarge
	}
	resp.Body = io.NopCloser(bytes.NewReader(b.Bytes()))
	return nil
}

// peek reads the beginning of a body that is in memory, for a message.
func peek(resp *http.Response) []byte {
	b, _ := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(b))
	return b
}
