package route_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridiandb/meridian/route"
)

// A write that a region says it has not done is done elsewhere, unless it can have been done in part.
func TestRefusedWritesGoElsewhere(t *testing.T) {
	var refused atomic.Int64
	body := `{"__type":"com.amazon.coral.service#ServiceUnavailable","message":"full","meridianNotDone":true}`
	full := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			return
		}
		refused.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, body)
	}))
	defer full.Close()
	good := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	defer good.Close()
	r, err := route.New(route.Options{
		Regions:    []route.Region{{Name: "full", Endpoint: full.URL, Hint: time.Millisecond}, {Name: "good", Endpoint: good.URL, Hint: time.Second}},
		ProbeEvery: time.Hour, Picker: route.PickerConfig{Dwell: time.Hour}, Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ask := func(operation string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://any/", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
		return r.Do(req, nil)
	}
	for range 5 { // a region that refuses writes is not taken out: its reads are good
		if resp, err := ask("PutItem"); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%v %v", resp, err)
		}
	}
	if n := refused.Load(); n != 5 {
		t.Errorf("the first region was asked %d times", n)
	}
	var fate *route.UnknownFateError
	if _, err := ask("BatchWriteItem"); !errors.As(err, &fate) {
		t.Errorf("a batch that may be done in part: %v", err)
	}
}

// A session does not ask a region first, again and again, that lacks what the session has seen.
func TestSessionPassesOverWhoIsBehind(t *testing.T) {
	var behind, waited atomic.Int64
	late := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			return
		}
		behind.Add(1)
		d, err := time.ParseDuration(r.Header.Get("X-Meridian-Session-Wait"))
		if err != nil {
			t.Error(err)
		}
		waited.Add(int64(d))
		w.Header().Set("X-Meridian-Session-Behind", "mars-north-1")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer late.Close()
	good := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	defer good.Close()
	r, err := route.New(route.Options{
		Regions:    []route.Region{{Name: "late", Endpoint: late.URL, Hint: time.Millisecond}, {Name: "good", Endpoint: good.URL, Hint: time.Second}},
		ProbeEvery: time.Hour, Picker: route.PickerConfig{Dwell: time.Hour}, Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ask := func(s *route.Session) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://any/", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
		if resp, err := r.Do(req, s); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%v %v", resp, err)
		}
	}
	one, other := route.NewSession(), route.NewSession()
	for range 5 {
		ask(one)
	}
	if n := behind.Load(); n != 1 {
		t.Errorf("the region that is behind was asked %d times by one session", n)
	}
	ask(other)
	if n, d := behind.Load(), time.Duration(waited.Load()); n != 2 || d < 1400*time.Millisecond {
		t.Errorf("another session asked it %d times and let it wait for %v in all", n-1, d)
	}
}
