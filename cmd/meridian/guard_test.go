//go:build unix && !race

package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meridiandb/meridian/api"
	"github.com/meridiandb/meridian/bench"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/storage/pebblestore"
)

// TestNoGrossRegression holds a request's processor time, the client's included, against that of a bare net/http server which
// answers as many bytes. Both run in this process, neither waiting for the disk nor for a core counts, and the best of three
// short runs does: a busy machine moves the ratios by some tens of per cent. They may be about three times what they were when
// this was written: it catches what makes a path several times slower. bench/limits measures.
func TestNoGrossRegression(t *testing.T) {
	if testing.Short() {
		t.Skip("it loads the machine for some seconds")
	}
	ours := serveForGuard(t, newEndpoint(guardedServer(t), 1000, slog.New(slog.DiscardHandler)))
	c := bench.Config{Endpoints: []string{ours}, Workload: "put", Table: "guard", Items: 2000, Connections: 8, Warmup: time.Millisecond, Duration: 300 * time.Millisecond}
	if err := bench.Load(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		workload string
		reply    int     // bytes
		most     float64 // 1.0, 6 and 3 were seen
	}{{"get", 1250, 4}, {"put", 2, 20}, {"scan", 1_150_000, 9}} {
		bare := serveForGuard(t, newHTTPServer(answering(row.reply), 1000, slog.New(slog.DiscardHandler)))
		best := func(url string) time.Duration {
			least := time.Duration(0)
			for range 3 {
				if d := guardCPU(t, c, url, row.workload); least == 0 || d > 0 && d < least {
					least = d
				}
			}
			return least
		}
		a, b := best(ours), best(bare)
		if a == 0 || b == 0 {
			t.Logf("%s: the machine is too busy to tell", row.workload)
			continue
		}
		ratio := float64(a) / float64(b)
		t.Logf("%s: %v, %.1f times the processor time of a bare server", row.workload, a, ratio)
		if ratio > row.most {
			t.Errorf("%s takes %.1f times the processor time of a bare server, more than %g", row.workload, ratio, row.most)
		}
	}
}

// guardedServer is an endpoint with a region on disk behind it.
func guardedServer(t *testing.T) *api.Server {
	t.Helper()
	store, err := pebblestore.Open(t.TempDir(), pebblestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := region.Open(region.Options{Name: "us-east-1", Store: store})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := api.New(api.Options{Region: r})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func serveForGuard(t *testing.T, s httpServer) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- serveHTTP(s, l) }()
	t.Cleanup(func() {
		stopHTTP(s)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

func answering(n int) http.Handler {
	body := []byte(strings.Repeat("x", n))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Length", strconv.Itoa(n))
		_, _ = w.Write(body)
	})
}

// guardCPU is this process's processor time for one request of a workload; 0 if none was answered in time.
func guardCPU(t *testing.T, c bench.Config, url, workload string) time.Duration {
	t.Helper()
	c.Endpoints, c.Workload = []string{url}, workload
	before := ownProcessorTime(t)
	r, err := bench.Run(context.Background(), c)
	if err != nil || len(r.Errors) > 0 {
		t.Fatalf("%s: %v %+v", workload, err, r)
	}
	if r.Requests < 10 {
		return 0
	}
	return (ownProcessorTime(t) - before) / time.Duration(r.Requests)
}

func ownProcessorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
