package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
)

// fake is a Source with canned answers.
type fake struct {
	status Status
	fleet  Fleet
	ready  error
	state  ItemState
	err    error

	askedTable string
	askedKey   item.Item
}

func (f *fake) Status() Status              { return f.status }
func (f *fake) Fleet(context.Context) Fleet { return f.fleet }
func (f *fake) Ready() error                { return f.ready }
func (f *fake) Item(_ context.Context, table string, key item.Item) (ItemState, error) {
	f.askedTable, f.askedKey = table, key
	return f.state, f.err
}

// ask sends one request to the handler over f.
func ask(t *testing.T, f *fake, method, target string) (int, string, http.Header) {
	t.Helper()
	reg, registerer := NewRegistry("us-east-1")
	registerer.MustRegister(NewCollector(f.Status, nil))
	h := Handler(Options{Source: f, Metrics: NewMetrics(reg)})
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(method, target, nil))
	body, err := io.ReadAll(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Code, string(body), rec.Header()
}

func TestLivenessDoesNotDependOnReadiness(t *testing.T) {
	f := &fake{ready: errors.New("the catalog is loading")}
	if code, body, _ := ask(t, f, "GET", "/healthz"); code != 200 || body != "ok\n" {
		t.Errorf("healthz: %d %q", code, body)
	}
	if code, body, _ := ask(t, f, "GET", "/readyz"); code != 503 || body != "not ready: the catalog is loading\n" {
		t.Errorf("readyz: %d %q", code, body)
	}
	f.ready = nil
	if code, body, _ := ask(t, f, "GET", "/readyz"); code != 200 || body != "ready\n" {
		t.Errorf("readyz: %d %q", code, body)
	}
}

func TestOnlyReadsAndOnlyKnownPages(t *testing.T) {
	for _, c := range []struct {
		method, path string
		code         int
	}{
		{"GET", "/", 200}, {"HEAD", "/healthz", 200}, {"POST", "/healthz", 405}, {"DELETE", "/admin/status", 405},
		{"POST", "/admin/item", 405}, {"GET", "/nothing", 404}, {"GET", "/admin/", 404}, {"GET", "/debug/pprof/", 404},
	} {
		if code, _, _ := ask(t, &fake{}, c.method, c.path); code != c.code {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, code, c.code)
		}
	}
}

func TestProfilesOnlyIfAskedFor(t *testing.T) {
	reg, _ := NewRegistry("r")
	h := Handler(Options{Source: &fake{}, Metrics: NewMetrics(reg), Profile: true})
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/pprof/symbol"} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
		if rec.Code != 200 {
			t.Errorf("%s: %d", path, rec.Code)
		}
		if code, _, _ := ask(t, &fake{}, "GET", path); code != 404 {
			t.Errorf("%s without Profile: %d", path, code)
		}
	}
}

func TestStatusTravelsWhole(t *testing.T) {
	want := Status{
		Region: "us-east-1", Origin: "us-east-1@00000000000000a1", Ready: true, Version: "v1",
		Log: Log{First: 3, Durable: 9, Last: 10, Bytes: 77}, Conflicts: map[string]uint64{"t": 2},
		Tables: []Table{{Name: "t", Status: "ACTIVE", Members: []Member{{"us-east-1", "ACTIVE"}}}},
		Peers:  []Peer{{Region: "eu-west-1", Sending: Lag{Seconds: 1.5, Commits: 2, Bytes: 300}}},
	}
	f := &fake{status: want, fleet: Fleet{From: "us-east-1", Regions: []Status{want}}}
	code, body, h := ask(t, f, "GET", "/admin/status")
	var got Status
	if err := json.Unmarshal([]byte(body), &got); err != nil || code != 200 || h.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %v %v", code, h, err)
	}
	same(t, got, want)
	_, body, _ = ask(t, f, "GET", "/admin/regions")
	var fleet Fleet
	if err := json.Unmarshal([]byte(body), &fleet); err != nil || fleet.From != "us-east-1" {
		t.Fatalf("%+v %v", fleet, err)
	}
	same(t, fleet.Regions[0], want)
}

func same(t *testing.T, got, want Status) {
	t.Helper()
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("got  %s\nwant %s", a, b)
	}
}

func itemURL(table, key string) string {
	return "/admin/item?" + url.Values{"table": {table}, "key": {key}}.Encode()
}

func TestItemShowsWhatIsStored(t *testing.T) {
	stamp := crdt.Stamp{Time: 1 << 30, Origin: crdt.Origin{Region: "us-east-1", Incarnation: 0xa1}}
	it := item.NewItem([]item.Field{{Name: "pk", Value: item.Str("x")}, {Name: "n", Value: item.BoolVal(true)}})
	f := &fake{state: ItemState{Found: true, Item: it, Stamp: stamp, Context: crdt.NewContext(5, stamp)}}
	code, body, _ := ask(t, f, "GET", itemURL("t", `{"pk":{"S":"x"}}`))
	var got struct {
		Item    map[string]map[string]any
		Deleted *bool
		Stamp   crdt.Stamp
		Context struct {
			Floor string
			Seen  []crdt.Stamp
		}
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || code != 200 {
		t.Fatalf("%d %s: %v", code, body, err)
	}
	if got.Stamp != stamp || got.Deleted == nil || *got.Deleted || got.Item["pk"]["S"] != "x" || got.Item["n"]["BOOL"] != true {
		t.Errorf("got %s", body)
	}
	if len(got.Context.Seen) != 1 || got.Context.Seen[0] != stamp || got.Context.Floor != crdt.Time(5).String() {
		t.Errorf("context of %s", body)
	}
	if f.askedTable != "t" || f.askedKey.Get("pk").Text() != "x" {
		t.Errorf("asked for %q %s", f.askedTable, f.askedKey.AppendJSON(nil))
	}
	f.state.Item = item.Item{}
	if _, body, _ = ask(t, f, "GET", itemURL("t", `{"pk":{"S":"x"}}`)); !strings.Contains(body, `"item": null`) || !strings.Contains(body, `"deleted": true`) {
		t.Errorf("of a remembered delete: %s", body)
	}
}

func TestItemRefusals(t *testing.T) {
	const key = `{"pk":{"S":"x"}}`
	for _, c := range []struct {
		name, target string
		err          error
		code         int
		text         string
	}{
		{"no arguments", "/admin/item", nil, 400, "?table="},
		{"no key", "/admin/item?table=t", nil, 400, "?table="},
		{"no JSON", itemURL("t", "pk=x"), nil, 400, "key is not"},
		{"half of it", itemURL("t", `{"pk":{"S":"x"`), nil, 400, "key is not"},
		{"null", itemURL("t", "null"), nil, 400, "key is not"},
		{"empty", itemURL("t", "{}"), nil, 400, "key is not"},
		{"two", itemURL("t", key+key), nil, 400, "more after the end"},
		{"wrong type", itemURL("t", `{"pk":{"S":1}}`), nil, 400, "key is not"},
		{"bad number", itemURL("t", `{"pk":{"N":"one"}}`), nil, 400, "key is not"},
		{"no table", itemURL("t", key), fault.New(fault.NotFound, "Requested resource not found"), 404, "Requested resource not found"},
		{"other key", itemURL("t", key), &item.ValidationError{Message: "no match"}, 400, "no match"},
		{"bad key", itemURL("t", key), fault.New(fault.Invalid, "no match"), 400, "no match"},
		{"closing", itemURL("t", key), fault.New(fault.Unavailable, "shutting down"), 503, "shutting down"},
		{"broken", itemURL("t", key), errors.New("disk"), 500, "disk"},
		{"nothing there", itemURL("t", key), nil, 404, "nothing is stored"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, body, _ := ask(t, &fake{err: c.err}, "GET", c.target)
			var f failure
			if err := json.Unmarshal([]byte(body), &f); err != nil || code != c.code || !strings.Contains(f.Error, c.text) {
				t.Errorf("%d %s, want %d and %q", code, body, c.code, c.text)
			}
		})
	}
}

func TestIndexListsThePages(t *testing.T) {
	_, body, h := ask(t, &fake{status: Status{Region: "<b>", Ready: true}}, "GET", "/")
	for _, page := range []string{"/healthz", "/readyz", "/metrics", "/admin/status", "/admin/regions", "/admin/item", "&lt;b&gt;"} {
		if !strings.Contains(body, page) {
			t.Errorf("%s is not in the index", page)
		}
	}
	if !strings.HasPrefix(h.Get("Content-Type"), "text/html") {
		t.Errorf("content type %q", h.Get("Content-Type"))
	}
}

// FuzzItemKey: whatever stands in the query, the page answers and reads at most one whole key.
func FuzzItemKey(f *testing.F) {
	for _, s := range []string{`{"pk":{"S":"x"}}`, `{}`, `null`, `[`, `{"a":{"N":"1e400"}}`, `{"a":{"M":{}}} `, "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := parseKey(text)
		if err != nil {
			return
		}
		again, err := parseKey(string(key.AppendJSON(nil)))
		if err != nil || !again.Equal(key) {
			t.Errorf("%q reads as %s, that as %s (%v)", text, key.AppendJSON(nil), again.AppendJSON(nil), err)
		}
	})
}
