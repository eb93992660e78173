package trigger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage/memstore"
)

// world is one region in memory, its triggers, and a function that is a Go function. Run it in virtual time.
type world struct {
	t      *testing.T
	store  *memstore.Store
	region *region.Region
	m      *Manager
	o      Options
	fn     *lambda
}

// shardLife is short of the service's four hours: an hour of a world costs a second.
const shardLife = 10 * time.Minute

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	w := &world{t: t, store: memstore.New(), fn: &lambda{t: t}}
	var err error
	if w.region, err = region.Open(region.Options{Name: "us-east-1", Store: w.store, ShardLife: shardLife}); err != nil {
		t.Fatal(err)
	}
	w.o = Options{Source: w.region, Store: w.store, Endpoint: "http://lambda.test", Transport: w.fn, Timeout: 10 * time.Second}
	for _, c := range change {
		c(&w.o)
	}
	w.open()
	w.table("T")
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.m, err = Open(w.o); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) close() {
	w.t.Helper()
	w.m.Close()
	if err := w.region.Close(); err != nil {
		w.t.Error(err)
	}
}

func (w *world) table(name string) {
	w.t.Helper()
	pk := []item.KeyAttr{{Name: "pk", Kind: item.String}}
	_, err := w.region.CreateTable(context.Background(), catalog.Spec{Descriptor: catalog.Descriptor{
		Name: name, Schema: item.KeySchema{Hash: pk}, Attributes: pk, Billing: catalog.Billing{PayPerRequest: true},
		Stream: catalog.StreamSpec{Enabled: true, View: "NEW_AND_OLD_IMAGES"},
	}})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) put(key string, n int) {
	w.t.Helper()
	t, err := w.region.Table("T")
	if err != nil {
		w.t.Fatal(err)
	}
	num, err := item.ParseNum(fmt.Append(nil, n))
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = t.Write(context.Background(), table.Write{Op: table.Put, Item: item.NewItem([]item.Field{
		{Name: "pk", Value: item.Str(key)}, {Name: "n", Value: item.NumVal(num)},
	})})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) arn() string {
	w.t.Helper()
	n, err := w.region.EnabledStream("T")
	if err != nil {
		w.t.Fatal(err)
	}
	return w.m.streamARN(n)
}

// api asks the API and decodes what it answers; the status must be the wanted one.
func (w *world) api(method, path string, in any, status int, out any) http.Header {
	w.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		w.t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	w.m.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(context.Background(), method, Path+path, bytes.NewReader(body)))
	if rec.Code != status {
		w.t.Fatalf("%s %s: %d %s", method, path, rec.Code, rec.Body)
	}
	if out != nil {
		if err := json.Unmarshal(rec.Body.Bytes(), out); err != nil {
			w.t.Fatalf("%s: %v", rec.Body, err)
		}
	}
	return rec.Header()
}

type fields map[string]any

// create makes a mapping of T's stream to fn, and waits until it is in force.
func (w *world) create(more fields) string {
	w.t.Helper()
	in := fields{"EventSourceArn": w.arn(), "FunctionName": "fn", "StartingPosition": "TRIM_HORIZON"}
	for k, v := range more {
		in[k] = v
	}
	var d Mapping
	w.api("POST", "/", in, 202, &d)
	if d.State != "Creating" {
		w.t.Errorf("created in state %s", d.State)
	}
	w.until("Enabled", func() bool { return w.get(d.UUID).State == "Enabled" })
	return d.UUID
}

func (w *world) get(id string) (d Mapping) {
	w.t.Helper()
	w.api("GET", "/"+id, nil, 200, &d)
	return d
}

// until waits for something, in virtual time.
func (w *world) until(what string, done func() bool) {
	w.t.Helper()
	for begin := time.Now(); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > 10*time.Minute {
			w.t.Fatalf("still not %s; calls %v", what, w.fn.seen())
		}
	}
}

// lambda is the function, and whatever else is called: a transport without a network.
type lambda struct {
	t  *testing.T
	do func(c call) answered // nil: succeeds

	mu    sync.Mutex
	calls []call
}

type call struct {
	at      time.Time
	request *http.Request
	url     string
	body    []byte
	records []delivered
}

type delivered struct {
	EventID   string `json:"eventID"`
	EventName string `json:"eventName"`
	ARN       string `json:"eventSourceARN"`
	Dynamodb  struct {
		SequenceNumber string
		Keys           struct{ PK struct{ S string } }
		NewImage       struct{ N struct{ N string } }
	} `json:"dynamodb"`
}

func (r delivered) String() string { return r.Dynamodb.Keys.PK.S + "=" + r.Dynamodb.NewImage.N.N }

type answered struct {
	status int
	header http.Header
	body   string
	err    error
	after  time.Duration
}

func (l *lambda) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	c := call{at: time.Now(), request: r, url: r.URL.String(), body: body}
	var event struct{ Records []delivered }
	if json.Unmarshal(body, &event) == nil {
		c.records = event.Records
	}
	a := answered{status: 200}
	if l.do != nil {
		a = l.do(c)
	}
	if t := httptrace.ContextClientTrace(r.Context()); t != nil && !errors.Is(a.err, errRefused) {
		t.WroteRequest(httptrace.WroteRequestInfo{})
	}
	if a.after > 0 {
		select {
		case <-time.After(a.after):
		case <-r.Context().Done():
			a.err = context.Cause(r.Context())
		}
	}
	l.mu.Lock()
	l.calls = append(l.calls, c)
	l.mu.Unlock()
	if a.err != nil {
		return nil, a.err
	}
	if a.header == nil {
		a.header = http.Header{}
	}
	return &http.Response{
		StatusCode: a.status, Status: http.StatusText(a.status), Header: a.header, Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
	}, nil
}

func (l *lambda) all() []call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]call(nil), l.calls...)
}

// seen lists the calls' records.
func (l *lambda) seen() (all []string) {
	for _, c := range l.all() {
		all = append(all, fmt.Sprint(c.records))
	}
	return all
}

// count is how often a record was delivered to the function, whatever it answered.
func (l *lambda) count() map[string]int {
	n := map[string]int{}
	for _, c := range l.all() {
		for _, r := range c.records {
			n[r.String()]++
		}
	}
	return n
}

var errRefused = errors.New("connection refused")
