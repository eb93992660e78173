package trigger

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/google/uuid"
)

// Path is where Lambda's API of event source mappings is served.
const Path = "/2015-03-31/event-source-mappings"

// Handler serves Lambda's API of event source mappings, so that any AWS SDK or the AWS CLI can be used (DYNAMODB.md 13.1).
// Signatures are not looked at: it belongs on an endpoint for operators.
func (m *Manager) Handler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, status int, fn func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v, err := fn(r)
			if err != nil {
				writeError(w, apiErrorOf(err))
				return
			}
			writeJSON(w, status, v)
		})
	}
	for _, path := range []string{Path, Path + "/{$}"} {
		handle("POST "+path, http.StatusAccepted, m.serveCreate)
		handle("GET "+path, http.StatusOK, m.serveList)
	}
	one := Path + "/{uuid}"
	handle("GET "+one, http.StatusOK, func(r *http.Request) (any, error) { return m.Get(r.PathValue("uuid")) })
	handle("DELETE "+one, http.StatusAccepted, func(r *http.Request) (any, error) { return m.delete(r.Context(), r.PathValue("uuid")) })
	handle("PUT "+one, http.StatusAccepted, func(r *http.Request) (any, error) {
		in, err := readRequest(r.Body)
		if err != nil {
			return nil, err
		}
		return m.update(r.Context(), r.PathValue("uuid"), in)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, &apiError{"ResourceNotFoundException", http.StatusNotFound, "there is no such operation"})
	})
	return sameOrigin(mux)
}

// sameOrigin refuses requests that a page in a browser makes of another site: it must not be able to have a table's changes
// sent to where it likes. SDKs and command lines send no Origin.
func sameOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "" {
			writeError(w, &apiError{"AccessDeniedException", http.StatusForbidden, "this API is not for pages of other sites"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (m *Manager) serveCreate(r *http.Request) (any, error) {
	in, err := readRequest(r.Body)
	if err != nil {
		return nil, err
	}
	return m.create(r.Context(), uuid.NewString(), in, defaultSettings())
}

// mappingsPage is what ListEventSourceMappings answers.
type mappingsPage struct {
	EventSourceMappings []Mapping
	NextMarker          string `json:",omitempty"`
}

func (m *Manager) serveList(r *http.Request) (any, error) {
	form := r.URL.Query()
	q := query{stream: form.Get("EventSourceArn"), function: form.Get("FunctionName"), after: form.Get("Marker")}
	if s := form.Get("MaxItems"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 10_000 {
			return nil, invalid("MaxItems is %q and must be between 1 and 10000", s)
		}
		q.limit = n
	}
	all, next, err := m.page(q)
	return mappingsPage{all, next}, err
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"Type":"Service","Message":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Requestid", newRequestID())
	w.WriteHeader(status)
	_, _ = w.Write(b) // a reader that went away is nobody's failure
}

func writeError(w http.ResponseWriter, e *apiError) {
	w.Header().Set("X-Amzn-Errortype", e.code)
	who := "User"
	if e.status >= 500 {
		who = "Service"
	}
	writeJSON(w, e.status, map[string]string{"Type": who, "Message": e.text})
}
