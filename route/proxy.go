package route

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// idempotentHeader marks a request to the proxy as Idempotent does a context.
const idempotentHeader = "X-Meridian-Idempotent"

// Proxy answers the DynamoDB protocol by sending requests on: one address for clients in any language. A client that shows
// the header x-meridian-session keeps its own session; the others share s, which may be nil: then they have none. Requests
// go on as they are, with the signature that they came with unless Options.Credentials are given.
func Proxy(r *Router, s *Session) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodGet && req.URL.Path == "/" {
			_, _ = io.WriteString(w, "healthy: meridian route, "+r.Current()+"\n")
			return
		}
		session := s
		if _, ok := req.Header[sessionHeader]; ok {
			session = nil
		}
		if req.Header.Get(idempotentHeader) != "" {
			req = req.WithContext(Idempotent(req.Context()))
		}
		resp, err := r.Do(req, session)
		if err != nil {
			sayFailure(w, err)
			return
		}
		defer func() { _ = resp.Body.Close() }() // read to its end, or its client has gone away
		h := w.Header()
		for k, v := range resp.Header {
			h[k] = v
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body) // a client that has gone away needs no answer
	})
}

// sayFailure tells a failure in DynamoDB's words. SDKs repeat whatever has a status above 499, and a write of unknown fate
// must not be repeated by something that does not know where.
func sayFailure(w http.ResponseWriter, err error) {
	status, name := http.StatusServiceUnavailable, "com.amazon.coral.service#ServiceUnavailable"
	var fate *UnknownFateError
	if errors.As(err, &fate) {
		status, name = http.StatusBadRequest, "com.meridiandb.route#UnknownFateException"
	}
	b, merr := json.Marshal(map[string]string{"__type": name, "message": err.Error()})
	if merr != nil {
		b = nil
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
