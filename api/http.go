package api

import (
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
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
func contentType(r *http.Request) (reply string, ok bool) {
	ct := r.Header.Get("Content-Type")
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

// serveCall answers a POST to /: reads it, runs the operation, sends what came out.
func (s *Server) serveCall(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	s.metrics.inFlight.Inc()
	defer s.metrics.inFlight.Dec()
	reply, ok := contentType(r)
	if !ok {
		_, _ = io.CopyN(io.Discard, r.Body, maxHeader) // a short body is taken in, so that the connection can be kept
		s.sendText(w, http.StatusNotFound, unknownPage)
		return
	}
	c := s.call(r)
	defer s.release(c)
	err := c.readBody(w, r)
	if err == nil {
		err = c.openSession(r)
	}
	if err == nil {
		err = s.run(c, r)
	}
	if c.session != nil {
		c.session.answer(w.Header(), err)
	}
	status, errorName := http.StatusOK, ""
	if err != nil {
		e := s.asError(err, c)
		status, errorName = e.status, e.name
		if errorName == "" {
			errorName = "RequestTooLarge" // the only one that is told by its status alone
		}
		c.out.buf = c.out.buf[:0]
		e.write(&c.out)
	}
	s.send(w, r, status, reply, c.out.buf)
	name := c.operation
	if name == "" {
		name = "Unknown"
	}
	s.metrics.done(name, errorName, time.Since(began))
}

// run finds and runs the operation. A panic in it is this request's failure and no one else's.
func (s *Server) run(c *call, r *http.Request) (err error) {
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
		if err := checkAuthorization(r); err != nil {
			return err
		}
	}
	return op(c)
}

// checkAuthorization sees only whether a request is signed. Signatures themselves are not checked yet.
func checkAuthorization(r *http.Request) error {
	if strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") || r.URL.Query().Get("X-Amz-Algorithm") != "" {
		return nil
	}
	return clientError("MissingAuthenticationTokenException", "Request is missing Authentication Token")
}

func (s *Server) logFailure(c *call, err error) {
	s.logger.Error("a request failed", slog.String("operation", c.operation), slog.Any("err", err))
}
