package api

import (
	"context"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/meridiandb/meridian/api/front"
)

// Limits on a request (DYNAMODB.md 1.1).
const (
	maxBody   = 16 << 20
	maxHeader = 16 << 10
	maxLine   = 16 << 10
)

// Content types the protocol knows.
const (
	amzJSON   = "application/x-amz-json-1.0"
	plainJSON = "application/json"
)

// unknownPage is what the service's front end says to what is no API call; its checksum is 3552371480.
const unknownPage = "<UnknownOperationException/>\n"

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Header.Get("Origin") != "" {
		h.Set("Access-Control-Allow-Origin", "*")
	}
	switch {
	case len(r.RequestURI) > maxLine || headerSize(r) > maxHeader:
		h.Set("Connection", "close")
		s.sendText(w, http.StatusBadRequest, "")
	case r.Method == http.MethodOptions:
		preflight(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/":
		s.sendText(w, http.StatusOK, "healthy: dynamodb."+s.region+".amazonaws.com ")
	case r.Method != http.MethodPost || r.URL.Path != "/":
		s.sendText(w, http.StatusNotFound, unknownPage)
	default:
		s.serveCall(w, r)
	}
}

// headerSize is about how many bytes a request's headers took.
func headerSize(r *http.Request) int {
	n := len("Host") + len(r.Host) + 4
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v) + 4 // ": " and the line's end
		}
	}
	return n
}

// preflight answers a browser that asks what it may send.
func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Header.Get("Origin") != "" {
		for ask, allow := range map[string]string{
			"Access-Control-Request-Headers": "Access-Control-Allow-Headers",
			"Access-Control-Request-Method":  "Access-Control-Allow-Methods",
		} {
			if v := r.Header.Get(ask); v != "" {
				h.Set(allow, v)
			}
		}
		h.Set("Access-Control-Max-Age", "172800")
	}
	setHeaders(h, "text/plain", nil)
	w.WriteHeader(http.StatusOK)
}

// contentType says in which of its two types a request wants its answer; ok is false for a type that is not spoken here.
func contentType(h front.Head) (reply string, ok bool) {
	ct := h.Get("Content-Type")
	if ct == amzJSON {
		return amzJSON, true // what SDKs send
	}
	name, _, err := mime.ParseMediaType(ct)
	if err != nil { // parameters are ignored, broken ones too
		name, _, _ = strings.Cut(ct, ";")
		name = strings.ToLower(strings.TrimSpace(name))
	}
	switch name {
	case amzJSON, plainJSON:
		return name, true
	}
	return "", false
}

// serveCall answers a POST to / that comes by net/http.
func (s *Server) serveCall(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	s.metrics.inFlight.Inc()
	defer s.metrics.inFlight.Dec()
	reply, ok := contentType(r.Header)
	if !ok {
		_, _ = io.CopyN(io.Discard, r.Body, maxHeader) // a short body is taken in, so that the connection can be kept
		s.sendText(w, http.StatusNotFound, unknownPage)
		return
	}
	c := s.call(r.Context(), r.Header)
	defer s.release(c)
	c.query = r.URL.RawQuery
	a := s.answer(c, reply, c.readBody(w, r))
	a.send(w)
	s.done(c, &a, began)
}

// ServeCall answers a POST to / that comes by package front.
func (s *Server) ServeCall(ctx context.Context, head front.Head, body []byte, to front.Sender) {
	began := time.Now()
	s.metrics.inFlight.Inc()
	defer s.metrics.inFlight.Dec()
	reply, ok := contentType(head)
	if !ok {
		a := response{status: http.StatusNotFound, contentType: "text/plain", body: []byte(unknownPage)}
		a.sendTo(to, nil)
		return
	}
	c := s.call(ctx, head)
	defer s.release(c)
	c.body = body
	s.metrics.received.Add(float64(len(body)))
	a := s.answer(c, reply, nil)
	c.headBuf = a.sendTo(to, c.headBuf[:0])
	s.done(c, &a, began)
}

// answer runs a call, unless its body could not be read, and makes its answer.
func (s *Server) answer(c *call, contentType string, err error) response {
	if err == nil {
		err = c.openSession()
	}
	if err == nil {
		err = s.run(c)
	}
	a := response{status: http.StatusOK, contentType: contentType}
	if c.session != nil {
		a.extra = c.session.headers(err)
	}
	if err != nil {
		e := s.asError(err, c)
		a.status, a.err = e.status, e.name
		if a.err == "" {
			a.err = "RequestTooLarge" // the only one that is told by its status alone
		}
		c.out.buf = c.out.buf[:0]
		e.write(&c.out)
	}
	a.body = c.out.buf
	if len(a.body) > compressAbove {
		if packed, encoding := s.compress(c.head.Get("Accept-Encoding"), a.body); encoding != "" {
			a.body, a.encoding = packed, encoding
		}
	}
	return a
}

// done counts an answer that has gone out.
func (s *Server) done(c *call, a *response, began time.Time) {
	name := c.operation
	if name == "" {
		name = "Unknown"
	}
	s.metrics.sent.Add(float64(len(a.body)))
	s.metrics.done(name, a.err, time.Since(began))
}

// run finds and runs the operation. A panic in it is this request's failure and no one else's.
func (s *Server) run(c *call) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.logger.Error("a request panicked", "operation", c.operation, "panic", p, "stack", string(debug.Stack()))
			err = errInternal()
		}
	}()
	op := s.operations[c.operation]
	if op == nil {
		op = s.streams[c.operation]
	}
	if op == nil || s.requireAuth {
		// JSON that cannot be read is reported before an unknown target or missing credentials (DYNAMODB.md 1.4).
		if !validJSON(c.body) {
			return errBadJSON()
		}
		if op == nil {
			return errUnknownOperation(c.operation)
		}
		if err := c.checkAuthorization(); err != nil {
			return err
		}
	}
	return op(c)
}

// checkAuthorization sees only whether a request is signed. Signatures themselves are not checked yet.
func (c *call) checkAuthorization() error {
	if strings.HasPrefix(c.head.Get("Authorization"), "AWS4-") {
		return nil
	}
	if q, _ := url.ParseQuery(c.query); q.Get("X-Amz-Algorithm") != "" { // broken parts are passed over
		return nil
	}
	return clientError("MissingAuthenticationTokenException", "Request is missing Authentication Token")
}

func (s *Server) logFailure(c *call, err error) {
	s.logger.Error("a request failed", slog.String("operation", c.operation), slog.Any("err", err))
}
