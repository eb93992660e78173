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
	if code, body := ask(allowed, "GET", ""); code != 200 || !strings.Contains(body, "eu-west-1") {
		t.Errorf("listed: %d %s", code, body)
	}
	if code, _ := ask(allowed, "DELETE", ""); code != 200 || len(network.Faults()) != 0 {
		t.Errorf("after healing: %d, %v", code, network.Faults())
	}
}
