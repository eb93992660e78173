package replication_test

import (
	"context"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridiandb/meridian/replication"
	"github.com/meridiandb/meridian/replication/grpclink"
	"github.com/meridiandb/meridian/replication/link"
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
	conf    link.Config
}

func newReal(t *testing.T, w *world, name string, conf link.Config) *real {
	t.Helper()
	x := &real{fake: w.region(t, name), members: newRoster(), conf: conf}
	x.start(t, "127.0.0.1:0")
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
		Region: x.origin.Region, Source: x.fake, Sink: x.fake, Handler: echo{x.origin}, Link: x.conf,
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
	a, b := newReal(t, w, "a", link.Config{}), newReal(t, w, "b", link.Config{})
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

// A region that is killed and comes back at the same address goes on within a second; nothing is lost or left over.
func TestKillAndReturnOverGRPC(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("use", func(t *testing.T) {
		w := newWorld()
		a, b := newReal(t, w, "a", link.Config{}), newReal(t, w, "b", link.Config{})
		a.want("b", table(1))
		b.want("a", table(1))
		a.members.set(b.peer())
		b.members.set(a.peer())
		for round := range 5 {
			eventually(t, "both connected", func() bool { return connected(a.r, 1) && connected(b.r, 1) })
			for i := range 200 {
				a.write(i, table(1))
				b.write(i, table(1))
				if i%20 == round {
					a.sync()
					b.sync()
				}
			}
			b.stop(t)
			b.crash()
			a.write(1, table(1))
			a.sync()
			eventually(t, "noticed", func() bool { return !connected(a.r, 1) })
			b.start(t, b.address)
			began := time.Now()
			eventually(t, "level", func() bool { return a.level(b.fake) && b.level(a.fake) && connected(a.r, 1) && connected(b.r, 1) })
			if d := time.Since(began); d > 3*time.Second { // a second, on a machine that is not shared
				t.Errorf("level only after %v", d)
			}
		}
	})
	eventually(t, "all goroutines ended", func() bool { return runtime.NumGoroutine() <= before })
}

// The whole of it as a server starts it: gRPC and Serf, one seed.
func TestStart(t *testing.T) {
	w := newWorld()
	start := func(name string, seeds ...string) (*fake, *replication.Replication) {
		f := w.region(t, name)
		r, err := replication.Start(replication.Options{
			Region: name, Source: f, Sink: f, Handler: echo{f.origin},
			Listen: "127.0.0.1:0", GossipListen: "127.0.0.1:0", Seeds: seeds, Registerer: prometheus.NewRegistry(),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
		return f, r
	}
	seed := freePort(t)
	a := w.region(t, "a")
	ra, err := replication.Start(replication.Options{
		Region: "a", Source: a, Sink: a, Handler: echo{a.origin}, Listen: "127.0.0.1:0", GossipListen: seed,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ra.Close() })
	b, rb := start("b", seed)
	c, rc := start("c", seed)
	all := []*fake{a, b, c}
	for _, f := range all {
		for _, o := range all {
			f.want(o.origin.Region, table(1))
		}
		f.write(10, table(1))
		f.sync()
	}
	eventually(t, "all connected and level", func() bool {
		if !connected(ra, 2) || !connected(rb, 2) || !connected(rc, 2) {
			return false
		}
		for _, f := range all {
			for _, o := range all {
				if f != o && !f.level(o) {
					return false
				}
			}
		}
		return true
	})
	if err := ra.Close(); err != nil {
		t.Error(err)
	}
	eventually(t, "a has left", func() bool { return rb.Peers()[0].State == string(replication.StateLeft) })
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestOptions(t *testing.T) {
	f := newWorld().region(t, "a")
	good := replication.Options{Region: "a", Source: f, Sink: f, Handler: echo{}, Listen: "127.0.0.1:0", GossipListen: "127.0.0.1:0"}
	for name, spoil := range map[string]func(*replication.Options){
		"no region":      func(o *replication.Options) { o.Region = "" },
		"no source":      func(o *replication.Options) { o.Source = nil },
		"another region": func(o *replication.Options) { o.Region = "b" },
		"bad address":    func(o *replication.Options) { o.Listen = "nowhere" },
		"bad gossip":     func(o *replication.Options) { o.GossipListen = "nowhere" },
		"bad TLS":        func(o *replication.Options) { o.TLS = &replication.TLS{CertFile: "x"} },
	} {
		o := good
		spoil(&o)
		if r, err := replication.Start(o); err == nil {
			t.Errorf("%s: started", name)
			_ = r.Close()
		}
	}
}
