package replication_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/replication"
	"github.com/meridiandb/meridian/replication/grpclink"
	"github.com/meridiandb/meridian/replication/member"
)

// eventually waits for a condition, in real time.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// real is a fake region on real sockets.
type real struct {
	*fake
	members *roster
	t       *grpclink.Transport
	r       *replication.Replication
	address string
}

func startReal(t *testing.T, w *world, name, listen string) *real {
	t.Helper()
	f := w.region(t, name)
	x := &real{fake: f, members: newRoster()}
	x.start(t, listen)
	t.Cleanup(func() { x.stop(t) })
	return x
}

func (x *real) start(t *testing.T, listen string) {
	t.Helper()
	var err error
	if x.t, err = grpclink.New(grpclink.Options{Listen: listen}); err != nil {
		t.Fatal(err)
	}
	x.address = x.t.Address()
	x.r, err = replication.StartOver(replication.Options{
		Region: x.origin.Region, Source: x.fake, Sink: x.fake, Handler: echo{x.origin},
	}, x.t, x.members)
	if err != nil {
		t.Fatal(err)
	}
}

func (x *real) stop(t *testing.T) {
	t.Helper()
	if x.r == nil {
		return
	}
	if err := x.r.Close(); err != nil {
		t.Error(err)
	}
	x.r = nil
}

func (x *real) peer() member.Peer {
	return member.Peer{Region: x.origin.Region, Origin: x.origin, Address: x.address}
}

func connected(r *replication.Replication, n int) bool {
	peers := r.Peers()
	return len(peers) == n && !slices.ContainsFunc(peers, func(p replication.PeerStatus) bool { return !p.Connected })
}

func TestTwoRegionsOverGRPC(t *testing.T) {
	w := newWorld()
	a, b := startReal(t, w, "a", "127.0.0.1:0"), startReal(t, w, "b", "127.0.0.1:0")
	a.want("b", table(1))
	b.want("a", table(1))
	a.describe("table one")
	a.members.set(b.peer())
	b.members.set(a.peer())
	eventually(t, "both connected", func() bool { return connected(a.r, 1) && connected(b.r, 1) })
	for i := range 300 {
		a.write(i, table(1))
		b.write(i, table(2), table(1))
		if i%10 == 0 {
			a.foreign()
			a.sync()
			b.sync()
		}
	}
	a.write(400<<10, table(1))
	a.write(16<<20, table(1))
	a.sync()
	b.sync()
	eventually(t, "both level", func() bool { return a.level(b.fake) && b.level(a.fake) })
	eventually(t, "no lag", func() bool {
		p, q := a.r.Peers()[0], b.r.Peers()[0]
		return p.Outbound.IsZero() && p.Inbound.IsZero() && q.Outbound.IsZero() && q.Inbound.IsZero()
	})
	eventually(t, "acknowledged to the end", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.acked["b"] == a.endLocked()
	})
	eventually(t, "the table's description", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.received["table one"]
	})

	reply, err := a.r.Call(t.Context(), "b", "greet", []byte("you"))
	if err != nil || string(reply) != "b greet you for a" {
		t.Errorf("call: %q, %v", reply, err)
	}
	if _, err := a.r.Call(t.Context(), "b", "fail", nil); err == nil || err.Error() != "no such thing" {
		t.Errorf("call that fails: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := a.r.Call(ctx, "b", "hang", nil); err == nil {
		t.Error("a call that hangs returned")
	}
	if _, err := a.r.Call(t.Context(), "c", "greet", nil); err == nil || !strings.Contains(err.Error(), "no region c") {
		t.Errorf("call to nowhere: %v", err)
	}
	changes, positions := 0, 0
	err = b.r.FetchSnapshot(t.Context(), "a", table(1), func(c replication.SnapshotChunk) error {
		changes += len(c.Changes)
		positions += len(c.Positions)
		return nil
	})
	if err != nil || changes != 302 || positions != 2 {
		t.Errorf("snapshot: %d changes, %d positions, %v", changes, positions, err)
	}
	p := a.r.Peers()[0]
	if p.RoundTrip <= 0 || p.RoundTrip > time.Second || p.ClockOffset.Abs() > 100*time.Millisecond {
		t.Errorf("round trip %v, offset %v", p.RoundTrip, p.ClockOffset)
	}
}
