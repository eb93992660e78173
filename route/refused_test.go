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
