package bench

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// endpoint is a server that checks requests' form and counts them.
type endpoint struct {
	t        *testing.T
	requests atomic.Int64
	mu       sync.Mutex
	written  map[string]int // by pk
	tables   map[string]int // items written to each by batches
	fail     string         // an error type to answer with
	big      bool           // answer in chunks
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.requests.Add(1)
	b, err := io.ReadAll(r.Body)
	var in struct {
		RequestItems map[string][]struct {
			PutRequest struct {
				Item map[string]struct{ S string }
			}
		}
		TransactItems []struct {
			Put struct{ Item map[string]struct{ S string } }
		}
	}
	if err == nil {
		err = json.Unmarshal(b, &in)
	}
	if err != nil {
		e.t.Errorf("%s: %v: %s", r.Header.Get("X-Amz-Target"), err, b)
	}
	e.mu.Lock()
	for table, ws := range in.RequestItems {
		e.tables[table] += len(ws)
		for _, x := range ws {
			e.written[x.PutRequest.Item["pk"].S]++
		}
	}
	seen := map[string]bool{}
	for _, x := range in.TransactItems {
		if pk := x.Put.Item["pk"].S; seen[pk] {
			e.t.Errorf("a transaction writes %s twice", pk)
		} else {
			seen[pk] = true
		}
	}
	e.mu.Unlock()
	switch {
	case e.fail != "" && !strings.HasSuffix(r.Header.Get("X-Amz-Target"), "Table"):
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#`+e.fail+`","message":"no"}`)
	case e.big:
		for range 50 {
			_, _ = io.WriteString(w, strings.Repeat(" ", 1000))
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, `{"Count":7}`)
	default:
		_, _ = io.WriteString(w, `{"Table":{"TableStatus":"ACTIVE"},"Count":3}`)
	}
}

func serve(t *testing.T) (*endpoint, string) {
	e := &endpoint{t: t, written: map[string]int{}, tables: map[string]int{}}
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	return e, s.URL
}

func config(url, workload string) Config {
	return Config{Endpoints: []string{url}, Workload: workload, Items: 300, ItemSize: 500, Attributes: 3, Connections: 4,
		Warmup: time.Millisecond, Duration: 50 * time.Millisecond, Zipfian: true}
}

// Every workload sends requests of the right form, and what it counts adds up.
func TestWorkloads(t *testing.T) {
	for _, w := range Workloads() {
		t.Run(w.Name, func(t *testing.T) {
			e, url := serve(t)
			r, err := Run(context.Background(), config(url, w.Name))
			if err != nil {
				t.Fatal(err)
			}
			counted := uint64(0)
			for _, l := range r.Latency {
				counted += l.Count
			}
			if r.Requests == 0 || counted != r.Requests || len(r.Errors) != 0 || int64(r.Requests) > e.requests.Load() {
				t.Errorf("%+v after %d requests", r, e.requests.Load())
			}
			var out strings.Builder
			if err := r.WriteText(&out); err != nil || !strings.Contains(out.String(), "requests/s") {
				t.Errorf("%v: %s", err, &out)
			}
		})
	}
}

// Load writes each item once.
func TestLoad(t *testing.T) {
	e, url := serve(t)
	if err := Load(context.Background(), config(url, "put"), nil); err != nil {
		t.Fatal(err)
	}
	if len(e.written) != 300 {
		t.Errorf("%d items", len(e.written))
	}
	for pk, n := range e.written {
		if n != 1 || len(pk) != 16 {
			t.Errorf("%q was written %d times", pk, n)
		}
	}
}

// Items are dealt out over tables, each to the one that requests name.
func TestTables(t *testing.T) {
	e, url := serve(t)
	c := config(url, "batchwrite")
	c.Tables = 7
	if err := Load(context.Background(), c, nil); err != nil {
		t.Fatal(err)
	}
	if len(e.written) != 300 || len(e.tables) != 7 || e.tables["meridian-bench-0000"] != 43 || e.tables["meridian-bench-0006"] != 300-6*43 {
		t.Errorf("%d items, by table: %v", len(e.written), e.tables)
	}
	for _, w := range Workloads() {
		c.Workload = w.Name
		if r, err := Run(context.Background(), c); err != nil || len(r.Errors) != 0 {
			t.Errorf("%s: %v %+v", w.Name, err, r)
		}
	}
}

// Refusals are counted by name and are no latency.
func TestErrorsAreCounted(t *testing.T) {
	e, url := serve(t)
	e.fail = "ThrottlingException"
	r, err := Run(context.Background(), config(url, "get"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Errors["ThrottlingException"] != r.Requests || len(r.Latency) != 0 {
		t.Errorf("%+v", r)
	}
}

// Replies in chunks are read to their end.
func TestChunkedReplies(t *testing.T) {
	e, url := serve(t)
	e.big = true
	r, err := Run(context.Background(), config(url, "scan"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.ItemsPerSec*r.Seconds, 7*float64(r.Requests); got < want-0.5 || got > want+0.5 {
		t.Errorf("%g items counted, not %g", got, want)
	}
}

// In an open loop a stall is charged to the requests that were due during it.
func TestOpenLoopChargesStalls(t *testing.T) {
	const stall = 200 * time.Millisecond
	var once sync.Once
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		once.Do(func() { time.Sleep(stall) }) // the fault under test
		_, _ = io.WriteString(w, "{}")
	}))
	defer s.Close()
	c := config(s.URL, "put")
	c.Connections, c.Rate, c.Warmup, c.Duration = 1, 1000, time.Nanosecond, 400*time.Millisecond
	r, err := Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	// 200 requests were due while the server stood still, half of them at least 100 ms before it went on.
	if l := r.Latency["PutItem"]; l.Count < 390 || l.P90 < (stall/2).Microseconds()/2 {
		t.Errorf("%+v", l)
	}
}

// A server that goes away is an error, not a result.
func TestLostServer(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, _ := w.(http.Hijacker).Hijack()
		_ = c.Close()
	}))
	defer s.Close()
	if _, err := Run(context.Background(), config(s.URL, "put")); err == nil {
		t.Error("no error")
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, c := range map[string]Config{
		"no endpoint":   {Workload: "put"},
		"no workload":   {Endpoints: []string{"http://a:1"}, Workload: "x"},
		"https":         {Endpoints: []string{"https://a:1"}, Workload: "put"},
		"tiny items":    {Endpoints: []string{"http://a:1"}, Workload: "put", ItemSize: 10},
		"negative rate": {Endpoints: []string{"http://a:1"}, Workload: "put", Rate: -1},
	} {
		if c.Check() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// The zipfian chooser stays within its numbers and prefers few of them.
func TestZipfian(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 1000} {
		z := newZipfian(n)
		hits := map[int]int{}
		for range 20_000 {
			x := z.next(r)
			if x < 0 || x >= n {
				t.Fatalf("%d of %d", x, n)
			}
			hits[x]++
		}
		top := 0
		for _, h := range hits {
			top = max(top, h)
		}
		if n == 1000 && (top < 1500 || len(hits) < 300) {
			t.Errorf("the most popular of %d was chosen %d times of 20000, %d were chosen at all", n, top, len(hits))
		}
	}
}

// An item has the size that was asked for, give or take its rounding.
func TestItemSize(t *testing.T) {
	c := Config{Endpoints: []string{"http://a:1"}, Workload: "put"}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	var item map[string]struct{ S string }
	if err := json.Unmarshal(newMaker(&c, 0).item(nil, 7), &item); err != nil {
		t.Fatal(err)
	}
	size := 0
	for k, v := range item {
		size += len(k) + len(v.S)
	}
	if size > 1024 || size < 1024-10 {
		t.Errorf("%d bytes", size)
	}
}
