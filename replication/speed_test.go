package replication_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication"
	"github.com/meridiandb/meridian/replication/grpclink"
	"github.com/meridiandb/meridian/replication/member"
	"github.com/meridiandb/meridian/stream/record"
)

// The benchmarks run two regions over loopback sockets. The one that receives checks nothing and stores nothing, so that the
// figures are replication's own.
//
//	go test -run - -bench . ./replication

// hollow applies nothing.
type hollow struct {
	*fake
	arrived chan time.Time // when Apply was called with commits
}

func (h *hollow) Apply(_ context.Context, peer crdt.Origin, commits []record.Commit, upTo record.Seq, _ crdt.Time) error {
	now := time.Now()
	h.mu.Lock()
	h.cursors[peer] = max(h.cursors[peer], upTo)
	h.most[peer] = h.cursors[peer]
	h.wakeLocked()
	h.mu.Unlock()
	if len(commits) > 0 && h.arrived != nil {
		h.arrived <- now
	}
	return nil
}

// pair starts a, whose log b follows. b begins when begin is called.
func pair(b *testing.B, arrived chan time.Time) (from *fake, to *hollow, begin func()) {
	w := newWorld()
	from, to = w.region(b, "a"), &hollow{fake: w.region(b, "b"), arrived: arrived}
	to.want("a", table(1))
	start := func(f *fake, sink replication.Sink, peers ...member.Peer) string {
		t, err := grpclink.New(grpclink.Options{Listen: "127.0.0.1:0"})
		if err != nil {
			b.Fatal(err)
		}
		r, err := replication.StartOver(replication.Options{
			Region: f.origin.Region, Source: f, Sink: sink, Handler: echo{f.origin},
		}, t, newRoster(peers...))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			if err := r.Close(); err != nil {
				b.Error(err)
			}
		})
		return t.Address()
	}
	address := start(from, from)
	return from, to, func() { start(to.fake, to, member.Peer{Region: "a", Origin: from.origin, Address: address}) }
}

// BenchmarkIdleLatency: from a commit being durable to the call of Apply at the peer, one at a time.
func BenchmarkIdleLatency(b *testing.B) {
	arrived := make(chan time.Time, 1)
	from, _, begin := pair(b, arrived)
	begin()
	var took []time.Duration
	from.write(200, table(1))
	from.sync()
	<-arrived
	for b.Loop() {
		time.Sleep(2 * time.Millisecond) // an idle link, not a busy one
		from.write(200, table(1))
		began := time.Now()
		from.sync()
		took = append(took, (<-arrived).Sub(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
}

// BenchmarkCatchUp: a region that was away reads a log of commits of 300 bytes.
func BenchmarkCatchUp(b *testing.B) {
	from, to, begin := pair(b, nil)
	const backlog = 200_000
	for b.Loop() {
		b.StopTimer()
		for range backlog {
			from.write(300, table(1))
		}
		b.StartTimer()
		from.sync()
		if begin != nil {
			begin()
			begin = nil
		}
		end, _ := from.End()
		if err := to.await(b.Context(), func() bool { return to.cursors[from.origin] >= end }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(backlog*b.N)/b.Elapsed().Seconds(), "commits/s")
}
