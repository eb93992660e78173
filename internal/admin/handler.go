package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/http/pprof"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// Source answers for one running region. All methods may be called at the same time, and at any time until the handler's
// server has stopped.
type Source interface {
	// Status describes this region; it is cheap enough for every scrape.
	Status() Status
	// Fleet describes this region and, as far as they answer before ctx ends, all others that it knows. A region that does
	// not answer is listed with the reason; that is no error.
	Fleet(ctx context.Context) Fleet
	// Ready is nil while the region serves requests, else it says why it does not.
	Ready() error
	// Item reads what is stored under a key. A *fault.Error of kind NotFound or Invalid is the asker's doing.
	Item(ctx context.Context, table string, key item.Item) (ItemState, error)
}

// ItemState is what a region stores under a key. Found is false when it stores nothing, not even a remembered delete; Item
// is zero for such a delete.
type ItemState struct {
	Found   bool
	Item    item.Item
	Stamp   crdt.Stamp
	Context crdt.Context
}

// Options says what to serve. Source and Metrics are required.
type Options struct {
	Source    Source
	Metrics   http.Handler   // see NewMetrics
	Conflicts ConflictSource // nil: no pages of the conflict feed
	// Profile serves /debug/pprof/: what the process computes and holds. Whoever reaches it can slow the region down.
	Profile bool
	// Faults breaks the region's links when asked to, for rehearsals; nil: that is refused.
	Faults Faults
	// Trouble makes the region's clock wrong and its disk full when asked to; only looked at where Faults are allowed.
	Trouble Trouble
}

// Handler serves the admin pages of one region. Those that change something refuse a page of another origin that is open in an
// operator's browser.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { serveReady(w, o.Source) })
	mux.Handle("GET /metrics", o.Metrics)
	mux.HandleFunc("GET /admin/status", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, o.Source.Status())
	})
	mux.HandleFunc("GET /admin/regions", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, o.Source.Fleet(r.Context()))
	})
	mux.HandleFunc("GET /admin/item", func(w http.ResponseWriter, r *http.Request) { serveItem(w, r, o.Source) })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { serveIndex(w, o.Source) })
	if o.Conflicts != nil {
		addConflicts(mux, o.Conflicts)
	}
	addFaults(mux, o)
	if o.Profile {
		addProfiles(mux)
	}
	return http.NewCrossOriginProtection().Handler(mux)
}

// addProfiles serves what go tool pprof asks for. It asks for symbols by POST.
func addProfiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
}

func serveReady(w http.ResponseWriter, s Source) {
	if err := s.Ready(); err != nil {
		writeText(w, http.StatusServiceUnavailable, "not ready: "+err.Error())
		return
	}
	writeText(w, http.StatusOK, "ready")
}

var indexPage = template.Must(template.New("index").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Meridian {{.Region}}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:3em auto;max-width:44em;padding:0 1em}td{padding:.2em 1.5em .2em 0}</style>
<h1>{{.Region}}</h1>
<p>Meridian {{.Version}}, {{if .Ready}}ready{{else}}not ready: {{.NotReady}}{{end}}; {{len .Tables}} tables, {{len .Peers}} peers.</p>
<table>
<tr><td><a href="/healthz">/healthz</a><td>is the process alive
<tr><td><a href="/readyz">/readyz</a><td>does the region serve
<tr><td><a href="/metrics">/metrics</a><td>figures for Prometheus
<tr><td><a href="/admin/status">/admin/status</a><td>this region
<tr><td><a href="/admin/regions">/admin/regions</a><td>all regions, asked from here
<tr><td><a href="/admin/conflicts">/admin/conflicts</a><td>writes that lost to others
<tr><td>/admin/item?table=T&amp;key={"pk":{"S":"x"}}<td>one item as stored here
</table>
</html>
`))

func serveIndex(w http.ResponseWriter, s Source) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = indexPage.Execute(w, s.Status()) // a reader that went away is nobody's failure
}

// failure is the body of every answer that is no success.
type failure struct {
	Error string `json:"error"`
}

func writeFailure(w http.ResponseWriter, code int, format string, args ...any) {
	writeJSON(w, code, failure{fmt.Sprintf(format, args...)})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		writeText(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	write(w, code, append(b, '\n'))
}

func writeText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	write(w, code, []byte(text+"\n"))
}

func write(w http.ResponseWriter, code int, body []byte) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write(body) // a reader that went away is nobody's failure
}
