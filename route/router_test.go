package route

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// net3 is three regions behind a transport in virtual time. Each answers after its latency, unless it is told otherwise.
type net3 struct {
	mu     sync.Mutex
	state  map[string]string // by host; see RoundTrip
	calls  []string          // host and operation of every request that arrived
	tokens int
}

var latencies = map[string]time.Duration{"near": 5 * ms, "mid": 60 * ms, "far": 150 * ms}

func (n *net3) set(host, state string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.state[host] = state
}

func (n *net3) arrived() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := strings.Join(n.calls, " ")
	n.calls = nil
	return s
}

func (n *net3) RoundTrip(req *http.Request) (*http.Response, error) {
	host := req.URL.Host
	n.mu.Lock()
	state := n.state[host]
	n.mu.Unlock()
	wait := func(d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-req.Context().Done():
			return req.Context().Err()
		}
	}
	if state == "refused" {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	if t := httptrace.ContextClientTrace(req.Context()); t != nil && t.WroteHeaders != nil {
		t.WroteHeaders()
	}
	_, op, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	if op != "" {
		n.mu.Lock()
		n.calls = append(n.calls, host+":"+op)
		n.mu.Unlock()
	}
	resp := &http.Response{StatusCode: 200, Status: "200 OK", Header: http.Header{}, Request: req}
	delay, body := latencies[host], host
	switch {
	case state == "hangs":
		return nil, wait(time.Hour)
	case state == "breaks" && op != "":
		return nil, errors.Join(wait(delay), io.ErrUnexpectedEOF)
	case state == "500" && op != "":
		resp.StatusCode, resp.Status = 500, "500 Internal Server Error"
	case state == "behind" && op != "":
		resp.StatusCode, resp.Status = 503, "503 Service Unavailable"
		resp.Header.Set(behindHeader, "elsewhere")
	case state == "slow" && op != "":
		delay = 900 * ms
	}
	if v, ok := req.Header[sessionHeader]; ok {
		n.mu.Lock()
		n.tokens++
		resp.Header.Set(sessionHeader, fmt.Sprintf("(%d after %s)", n.tokens, strings.ReplaceAll(strings.Join(v, "+"), " ", "_")))
		resp.Header.Set(sessionHeader, strings.ReplaceAll(resp.Header.Get(sessionHeader), " ", "_"))
		n.mu.Unlock()
	}
	resp.Body = io.NopCloser(strings.NewReader(body))
	return resp, wait(delay)
}

// routed runs a test with a router whose probes have settled on the nearest region.
func routed(t *testing.T, fn func(n *net3, r *Router), set ...func(*Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &net3{state: map[string]string{}}
		o := Options{Transport: n, Regions: []Region{{Name: "mid", Endpoint: "http://mid"}, {Name: "near", Endpoint: "http://near"}, {Name: "far", Endpoint: "http://far"}}}
		for _, s := range set {
			s(&o)
		}
		r, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		time.Sleep(10 * time.Second)
		if r.Current() != "near" {
			t.Fatalf("%s is in use: %v", r.Current(), r.Regions())
		}
		fn(n, r)
	})
}

// do runs an operation and returns the region that answered.
func do(r *Router, ctx context.Context, op string, s *Session) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://any/", strings.NewReader("{}"))
	if err != nil {
		return "", err
	}
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+op)
	resp, err := r.Do(req, s)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func wants(t *testing.T, r *Router, op, region string) {
	t.Helper()
	if got, err := do(r, context.Background(), op, nil); err != nil || got != region {
		t.Errorf("%s was answered by %q, %v; want %s", op, got, err, region)
	}
}

func TestWhatIsRetriedElsewhere(t *testing.T) {
	idempotent := Idempotent(context.Background())
	for _, row := range []struct {
		state, op string
		ctx       context.Context
		answer    string // the region; "" for unknown fate
		arrived   string
	}{
		{"", "PutItem", nil, "near", "near:PutItem"},
		{"refused", "GetItem", nil, "mid", "mid:GetItem"},
		{"refused", "PutItem", nil, "mid", "mid:PutItem"},
		{"refused", "TransactWriteItems", nil, "mid", "mid:TransactWriteItems"},
		{"breaks", "Query", nil, "mid", "near:Query mid:Query"},
		{"breaks", "UpdateItem", nil, "", "near:UpdateItem near:UpdateItem"}, // twice: then the region was taken out
		{"breaks", "UpdateItem", idempotent, "mid", "near:UpdateItem mid:UpdateItem"},
		{"500", "GetItem", nil, "mid", "near:GetItem mid:GetItem"},
		{"500", "DeleteItem", nil, "", "near:DeleteItem near:DeleteItem"},
		{"behind", "GetItem", nil, "mid", "near:GetItem mid:GetItem"},
		{"behind", "PutItem", nil, "mid", "near:PutItem mid:PutItem"},
		{"hangs", "Scan", nil, "mid", "near:Scan mid:Scan"},
		{"hangs", "ExecuteStatement", nil, "", "near:ExecuteStatement"},
	} {
		t.Run(row.state+" "+row.op, func(t *testing.T) {
			routed(t, func(n *net3, r *Router) {
				n.set("near", row.state)
				if row.ctx == nil {
					row.ctx = context.Background()
				}
				began := time.Now()
				got, err := do(r, row.ctx, row.op, nil)
				took := time.Since(began)
				var fate *UnknownFateError
				if row.answer == "" {
					if !errors.As(err, &fate) || fate.Region != "near" || fate.Operation != row.op {
						t.Errorf("got %q, %v", got, err)
					}
				} else if err != nil || got != row.answer {
					t.Errorf("got %q, %v", got, err)
				}
				if a := n.arrived(); a != row.arrived {
					t.Errorf("arrived %q, want %q", a, row.arrived)
				}
				if took > 2*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestNobodyIsThere(t *testing.T) {
	routed(t, func(n *net3, r *Router) {
		for host := range latencies {
			n.set(host, "refused")
		}
		var none *UnavailableError
		if _, err := do(r, context.Background(), "PutItem", nil); !errors.As(err, &none) || strings.Count(err.Error(), "region ") < 3 {
			t.Errorf("got %v", err)
		}
		for host := range latencies {
			n.set(host, "")
		}
		time.Sleep(10 * time.Second)
		wants(t, r, "PutItem", "near")
	})
}

// A region that hangs is left in well under a second, and taken again by itself.
func TestFailoverAndBack(t *testing.T) {
	var events []Event
	routed(t, func(n *net3, r *Router) {
		events = nil
		n.set("near", "hangs")
		began := time.Now()
		wants(t, r, "GetItem", "mid")
		if took := time.Since(began); took > time.Second {
			t.Errorf("a read took %v", took)
		}
		for range 20 {
			wants(t, r, "PutItem", "mid")
		}
		n.set("near", "")
		time.Sleep(time.Second)
		wants(t, r, "PutItem", "mid")
		time.Sleep(8 * time.Second)
		wants(t, r, "PutItem", "near")
		var kinds []string
		for _, e := range events {
			kinds = append(kinds, string(e.Kind)+" "+e.Region)
		}
		if got := strings.Join(kinds, ", "); got != "ejected near, moved mid, retried mid, returned near, moved near" {
			t.Errorf("events: %s", got)
		}
	}, func(o *Options) { o.OnEvent = func(e Event) { events = append(events, e) } })
}

func TestHedging(t *testing.T) {
	routed(t, func(n *net3, r *Router) {
		n.set("near", "slow")
		began := time.Now()
		wants(t, r, "GetItem", "mid")
		if took := time.Since(began); took != 100*ms {
			t.Errorf("a hedged read took %v, not 40 ms and the next region's 60", took)
		}
		wants(t, r, "PutItem", "near") // writes are not hedged
		n.set("near", "")
		n.arrived()
		wants(t, r, "GetItem", "near")
		time.Sleep(time.Second)
		if a := n.arrived(); a != "near:GetItem" {
			t.Errorf("a quick read went to %s", a)
		}
	}, func(o *Options) { o.HedgeAfter = 40 * ms })
}

func TestCallerGivesUp(t *testing.T) {
	routed(t, func(n *net3, r *Router) {
		n.set("near", "slow")
		ctx, cancel := context.WithTimeout(context.Background(), 100*ms)
		defer cancel()
		if _, err := do(r, ctx, "GetItem", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if n.set("near", ""); r.Current() != "near" {
			t.Error("a region was blamed for an impatient caller")
		}
	})
}

// Answers cover what their requests have shown, and nothing else; what is not covered stays.
func TestSessionTokens(t *testing.T) {
	routed(t, func(_ *net3, r *Router) {
		s := NewSession()
		for range 2 {
			if _, err := do(r, context.Background(), "PutItem", s); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.Token(); got != "(2_after_(1_after_))" {
			t.Errorf("in a row: %s", got)
		}
		s = NewSession()
		var both sync.WaitGroup
		for range 3 {
			both.Go(func() {
				if _, err := do(r, context.Background(), "GetItem", s); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if got := s.Token(); strings.Count(got, ",") != 2 {
			t.Errorf("side by side: %s", got)
		}
		if _, err := do(r, context.Background(), "GetItem", s); err != nil || strings.Contains(s.Token(), ",") {
			t.Errorf("after all were shown: %s, %v", s.Token(), err)
		}
		kept := NewSession(s.Token())
		if kept.Token() != s.Token() {
			t.Errorf("%s was kept as %s", s.Token(), kept.Token())
		}
	})
}

func TestOptionsRefused(t *testing.T) {
	for _, rs := range [][]Region{
		nil, {{Name: "a", Endpoint: "nowhere"}}, {{Name: "", Endpoint: "http://a"}},
		{{Name: "a", Endpoint: "http://a"}, {Name: "a", Endpoint: "http://b"}},
	} {
		if r, err := New(Options{Regions: rs}); err == nil {
			r.Close()
			t.Errorf("%v was taken", rs)
		}
	}
}
