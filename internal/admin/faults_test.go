package admin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/wan"
)

func TestFaults(t *testing.T) {
	network := wan.New("us-east-1", nil)
	f := &fake{status: Status{Peers: []Peer{{Region: "eu-west-1"}}}}
	allowed := Handler(Options{Source: f, Metrics: http.NotFoundHandler(), Faults: network})
	refused := Handler(Options{Source: f, Metrics: http.NotFoundHandler()})
	ask := func(h http.Handler, method, body string) (int, string) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(method, "/admin/faults", strings.NewReader(body)))
		return rec.Code, rec.Body.String()
	}
	for _, method := range []string{"GET", "POST", "DELETE"} {
		if code, body := ask(refused, method, `{"to":"eu-west-1","fault":{"cut":true}}`); code != http.StatusForbidden || !strings.Contains(body, "--allow-faults") {
			t.Errorf("%s without leave: %d %s", method, code, body)
		}
	}
	for body, want := range map[string]int{
		`{"to":"mars-north-1","fault":{"cut":true}}`:  http.StatusNotFound,
		`{"to":"eu-west-1","fault":{"loss":2}}`:       http.StatusBadRequest,
		`{"to":"eu-west-1","fault":{"colour":"red"}}`: http.StatusBadRequest,
		`nonsense`: http.StatusBadRequest,
		`{"to":"eu-west-1","fault":{"latency":1000000}}`: http.StatusOK,
	} {
		if code, said := ask(allowed, "POST", body); code != want {
			t.Errorf("%s: %d %s", body, code, said)
		}
	}
	if got := network.Faults()["eu-west-1"]; got.Latency != time.Millisecond {
		t.Errorf("the fault is %+v", got)
	}
	foreign := httptest.NewRequest("POST", "/admin/faults", strings.NewReader(`{"to":"eu-west-1","fault":{"cut":true}}`))
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	rec := httptest.NewRecorder()
	if allowed.ServeHTTP(rec, foreign); rec.Code != http.StatusForbidden || network.Faults()["eu-west-1"].Cut {
		t.Errorf("from a page of another origin: %d, %v", rec.Code, network.Faults())
	}
	troubleFaults(t, f, refused)
	if code, body := ask(allowed, "GET", ""); code != 200 || !strings.Contains(body, "eu-west-1") {
		t.Errorf("listed: %d %s", code, body)
	}
	if code, _ := ask(allowed, "DELETE", ""); code != 200 || len(network.Faults()) != 0 {
		t.Errorf("after healing: %d, %v", code, network.Faults())
	}
}

// trouble is a region whose clock and disk can be broken.
type trouble struct {
	clock wan.ClockFault
	full  bool
}

func (t *trouble) ClockFault() wan.ClockFault { return t.clock }
func (t *trouble) SetClock(f wan.ClockFault)  { t.clock = f }
func (t *trouble) DiskFull() bool             { return t.full }
func (t *trouble) SetDiskFull(full bool)      { t.full = full }

func troubleFaults(t *testing.T, f *fake, refused http.Handler) {
	t.Helper()
	region := &trouble{}
	h := Handler(Options{Source: f, Metrics: http.NotFoundHandler(), Faults: wan.New("us-east-1", nil), Trouble: region})
	ask := func(h http.Handler, method, page, body string) int {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(method, "/admin/faults/"+page, strings.NewReader(body)))
		return rec.Code
	}
	if c := ask(refused, "POST", "clock", `{"jump":1}`) + ask(refused, "POST", "disk", `{"full":true}`); c != 2*http.StatusForbidden {
		t.Errorf("without leave: %d", c)
	}
	for body, want := range map[string]int{`{"jump":10000000000,"drift":1000}`: 200, `{"jump":100000000000000}`: 400, `{"leap":1}`: 400} {
		if code := ask(h, "POST", "clock", body); code != want {
			t.Errorf("clock %s: %d", body, code)
		}
	}
	if code := ask(h, "POST", "disk", `{"full":true}`); code != 200 || !region.full || region.clock.Jump != 10*time.Second {
		t.Errorf("%d, the region is %+v", code, region)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("DELETE", "/admin/faults", nil))
	if *region != (trouble{}) {
		t.Errorf("healed, the region is %+v", region)
	}
}
