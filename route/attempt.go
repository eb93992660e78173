package route

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
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
	resp   *http.Response // when answered, or when the region refused or sent the session away; its body is in memory
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
	resp, err := c.send(ctx, i)
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
	case resp.StatusCode >= http.StatusInternalServerError && c.oneUnit() && saysNotDone(resp):
		res.fate, res.err = notDone, fmt.Errorf("region %s refuses: %s: %.200s", r.o.Regions[i].Name, resp.Status, peek(resp))
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
	case res.fate == notDone && res.resp != nil && res.resp.Header.Get(behindHeader) == "":
		r.metrics.attempts.WithLabelValues(name, "refused").Inc()
		r.event(SentAway, res.region, res.err)
	case res.resp != nil && res.resp.Header.Get(behindHeader) != "":
		if c.session != nil {
			c.session.refused(name, time.Now())
		}
		r.metrics.attempts.WithLabelValues(name, "behind").Inc()
		r.event(SentAway, res.region, res.err)
	case res.err == nil:
		if c.session != nil {
			c.session.accepted(name)
		}
		r.metrics.attempts.WithLabelValues(name, "ok").Inc()
		r.observe(res.region, Outcome{})
	case cause == nil || errors.Is(cause, errSlow):
		r.metrics.attempts.WithLabelValues(name, "failed").Inc()
		r.observe(res.region, Outcome{Failed: true, Refused: isRefused(res.err)})
	}
}

// send sends the call to one region, signed for it if that is asked for.
func (c *call) send(ctx context.Context, i int) (*http.Response, error) {
	req := c.request(ctx, i)
	if err := c.router.sign(ctx, req, c.body, i); err != nil {
		return nil, err
	}
	return c.router.transport.RoundTrip(req)
}

// oneUnit reports whether the call happens as a whole or not at all.
func (c *call) oneUnit() bool {
	switch c.operation {
	case "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems":
		return true
	}
	return false
}

// saysNotDone reports whether a region says of its own error that nothing was done: its disk is full, or its clock is wrong.
func saysNotDone(resp *http.Response) bool {
	var says struct{ MeridianNotDone bool }
	return json.Unmarshal(peek(resp), &says) == nil && says.MeridianNotDone
}

// wait is how long a region may wait until it has what the session has seen: half an attempt for all regions together, so that
// there is time to ask elsewhere. What one has waited the others had time for, too: they are given a moment more. So is one
// that was behind when it was asked last.
func (c *call) wait(i int) time.Duration {
	if c.session != nil {
		if behind, _ := c.session.standing(c.router.o.Regions[i].Name, c.began); behind {
			return (c.router.o.AttemptTimeout / 20).Round(time.Millisecond)
		}
	}
	return max(c.router.o.AttemptTimeout/20, c.router.o.AttemptTimeout/2-time.Since(c.began)).Round(time.Millisecond)
}

// request is the call as it goes to one region.
func (c *call) request(ctx context.Context, i int) *http.Request {
	u := *c.router.endpoints[i]
	u.Path, u.RawQuery = c.path, c.query
	header := c.header
	if len(header[sessionHeader]) > 0 {
		header = header.Clone()
		header.Set(waitHeader, c.wait(i).String())
	}
	req := &http.Request{
		Method: c.method, URL: &u, Host: u.Host, Header: header, ContentLength: int64(len(c.body)),
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
