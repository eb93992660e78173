package replication_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meridiandb/meridian/replication"
	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/replication/member"
	"github.com/meridiandb/meridian/replication/repltest/fakenet"
	"github.com/meridiandb/meridian/stream/record"
)

// sim is some regions on a scripted network in virtual time.
type sim struct {
	t     *testing.T
	net   *fakenet.Net
	world *world
	nodes map[string]*node
	conf  link.Config
}

// node is a fake region that runs, or is down.
type node struct {
	*fake
	members *roster
	r       *replication.Replication
	copies  *copies // nil: it compares no tables
}

func newSim(t *testing.T, seed uint64, usual fakenet.Path, conf link.Config, names ...string) *sim {
	s := &sim{t: t, net: fakenet.New(seed, usual), world: newWorld(), nodes: map[string]*node{}, conf: conf}
	for _, name := range names {
		s.nodes[name] = &node{fake: s.world.region(t, name)}
	}
	for _, n := range s.nodes {
		for _, o := range names {
			n.want(o, table(1))
		}
	}
	for _, name := range names {
		s.start(name)
	}
	return s
}

func (s *sim) start(name string) {
	s.t.Helper()
	n := s.nodes[name]
	var peers []member.Peer
	for o, p := range s.nodes {
		if o != name {
			peers = append(peers, member.Peer{Region: o, Origin: p.origin, Address: o})
		}
	}
	slices.SortFunc(peers, func(p, q member.Peer) int { return p.Origin.Compare(q.Origin) })
	n.members = newRoster(peers...)
	o := replication.Options{Region: name, Source: n.fake, Sink: n.fake, Handler: echo{n.origin}, Link: s.conf}
	if n.copies != nil {
		o.Repairer = n.copies
	}
	var err error
	n.r, err = replication.StartOver(o, s.net.Station(name), n.members)
	if err != nil {
		s.t.Fatal(err)
	}
}

// kill takes a region down; what is not durable is gone.
func (s *sim) kill(name string) {
	s.t.Helper()
	n := s.nodes[name]
	if err := n.r.Close(); err != nil {
		s.t.Error(err)
	}
	n.r = nil
	n.crash()
}

func (s *sim) close() {
	s.t.Helper()
	for _, n := range s.nodes {
		if n.r != nil {
			if err := n.r.Close(); err != nil {
				s.t.Error(err)
			}
		}
	}
	synctest.Wait()
}

// within waits in virtual time, and returns how long it took.
func (s *sim) within(limit time.Duration, what string, cond func() bool) time.Duration {
	s.t.Helper()
	began := time.Now()
	step := max(time.Millisecond, limit/10000)
	for !cond() {
		if time.Since(began) > limit {
			for _, n := range s.nodes {
				if n.r != nil {
					s.t.Logf("%s: %+v", n.origin.Region, n.r.Peers())
				}
			}
			s.t.Fatalf("not within %v: %s", limit, what)
		}
		time.Sleep(step)
	}
	return time.Since(began)
}

func (s *sim) level() bool {
	for _, n := range s.nodes {
		for _, o := range s.nodes {
			if n != o && !n.level(o.fake) {
				return false
			}
		}
	}
	return true
}

// calm reports whether everybody is connected with nothing outstanding.
func (s *sim) calm() bool {
	for _, n := range s.nodes {
		peers := n.r.Peers()
		if len(peers) != len(s.nodes)-1 {
			return false
		}
		for _, p := range peers {
			if !p.Connected || !p.Inbound.IsZero() || !p.Outbound.IsZero() {
				return false
			}
		}
	}
	return s.level()
}

func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func TestIdleLatency(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSim(t, 1, fakenet.Path{Delay: 40 * time.Millisecond}, link.Config{}, "a", "b")
		defer s.close()
		s.within(time.Second, "both connected", s.calm)
		time.Sleep(10 * time.Second)
		for range 5 {
			s.nodes["a"].write(10, table(1))
			s.nodes["a"].sync()
			if d := s.within(time.Second, "commit arrived", s.level); d > 41*time.Millisecond {
				t.Errorf("a commit took %v over a path of 40 ms", d)
			}
			time.Sleep(3 * time.Second)
		}
	})
}

// The log's end may move just after a sender has looked at it.
func TestWakeupIsNotMissed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSim(t, 1, fakenet.Path{Delay: 40 * time.Millisecond}, link.Config{}, "a", "b")
		defer s.close()
		s.within(time.Second, "both connected", s.calm)
		a := s.nodes["a"]
		for round := range 20 {
			time.Sleep(777 * time.Millisecond)
			looks := make(chan time.Time, 1)
			n := 0
			a.mu.Lock()
			a.ended = func() {
				a.mu.Lock()
				if n++; n <= round%4 { // one look in four comes just before a sender waits
					a.mu.Unlock()
					return
				}
				a.ended = nil
				a.mu.Unlock()
				a.write(1, table(1))
				looks <- time.Now()
				a.sync()
				time.Sleep(time.Millisecond) // whoever waits for the log is woken before the one who looked goes on
			}
			a.mu.Unlock()
			written := <-looks
			s.within(time.Second, "commit arrived", s.level)
			if d := time.Since(written); d > 43*time.Millisecond {
				t.Errorf("a commit took %v over a path of 40 ms", d)
			}
		}
	})
}

// A line that is cut silently is noticed in seconds, its lag grows and is told, and it flows again within a second of the
// network's return, however long it was away.
func TestCutAndReturn(t *testing.T) {
	for _, away := range []time.Duration{time.Second, 3400 * time.Millisecond, 4 * time.Second, 61 * time.Second, 20 * time.Minute} {
		t.Run(away.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				s := newSim(t, uint64(away), fakenet.Path{Delay: 30 * time.Millisecond, Jitter: time.Millisecond}, link.Config{}, "a", "b", "c")
				defer s.close()
				a, c := s.nodes["a"], s.nodes["c"]
				s.within(time.Second, "all connected", s.calm)
				time.Sleep(777 * time.Millisecond)
				s.net.Cut("a", "b", true)
				a.write(10, table(1))
				a.sync()
				began := time.Now()
				s.within(100*time.Millisecond, "the third is not held up", func() bool { return c.level(a.fake) })
				if away > 5*time.Second {
					s.within(5*time.Second, "noticed", func() bool {
						p := a.r.Peers()[0]
						return !p.Connected && p.State == string(replication.StateUnreachable) && p.Error != ""
					})
					time.Sleep(away - time.Since(began))
					p := a.r.Peers()[0]
					if got := p.Outbound.Seconds; got < away.Seconds()-1 || got > away.Seconds()+1 || p.Outbound.Commits < 1 || p.Outbound.Commits > 2 {
						t.Errorf("after %v the lag is %+v", away, p.Outbound)
					}
					if got := s.nodes["b"].r.Peers()[0].Inbound.Seconds; got < away.Seconds()-2 {
						t.Errorf("after %v the other sees a lag of %v s", away, got)
					}
				} else {
					time.Sleep(away - time.Since(began))
				}
				s.net.Cut("a", "b", false)
				// A short cut is not over before it was noticed: by the receiver; the sender's end may hang for longer.
				d := s.within(max(time.Second, 4*time.Second-away), "flows again", s.calm)
				t.Logf("flows again after %v", d)
			})
		})
	}
}

// A one-way cut: what a says reaches nobody, what b says reaches a.
func TestOneWayCut(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		usual := fakenet.Path{Delay: 20 * time.Millisecond}
		s := newSim(t, 1, usual, link.Config{}, "a", "b")
		defer s.close()
		s.within(time.Second, "both connected", s.calm)
		s.net.Set("a", "b", fakenet.Path{Delay: 20 * time.Millisecond, Cut: true})
		s.nodes["a"].write(1, table(1))
		s.nodes["b"].write(1, table(1))
		s.nodes["a"].sync()
		s.nodes["b"].sync()
		time.Sleep(30 * time.Second)
		if s.level() {
			t.Error("a cut line carried something")
		}
		s.net.Set("a", "b", usual)
		s.within(time.Second, "flows again", s.calm)
	})
}

// A peer that applies slowly, and one that is far behind, hold nobody else up, and what waits for them is bounded.
func TestSlowPeerHoldsNobodyUp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		conf := link.Config{Window: 256 << 10, MinBatch: 16 << 10, MaxBatch: 64 << 10}
		s := newSim(t, 1, fakenet.Path{Delay: 5 * time.Millisecond}, conf, "a", "slow", "well")
		defer s.close()
		s.within(time.Second, "all connected", s.calm)
		a, slow, well := s.nodes["a"], s.nodes["slow"], s.nodes["well"]
		slow.mu.Lock()
		slow.applying = func(ctx context.Context) error {
			select {
			case <-time.After(15 * time.Second): // longer than any patience
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		slow.mu.Unlock()
		for range 2000 {
			a.write(1000, table(1))
			a.sync()
			time.Sleep(time.Millisecond)
			if !well.level(a.fake) {
				s.within(20*time.Millisecond, "the well one has it", func() bool { return well.level(a.fake) })
			}
		}
		for _, p := range a.r.Peers() {
			if p.Region != "slow" {
				continue
			}
			if !p.Connected || p.Outbound.Commits < 1000 || p.Outbound.Seconds < 1 {
				t.Errorf("the slow one: %+v", p)
			}
			if sent := p.BytesSent; sent > 3*256<<10 {
				t.Errorf("%d bytes were sent to one that applies nothing", sent)
			}
		}
		slow.mu.Lock()
		slow.applying = nil
		slow.mu.Unlock()
		s.within(30*time.Second, "the slow one catches up", s.calm)
	})
}

// Far behind, commits are applied many at a time, and a long line is kept full.
func TestCatchUpOverLongLine(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSim(t, 1, fakenet.Path{Delay: 100 * time.Millisecond}, link.Config{}, "a", "b")
		defer s.close()
		s.within(time.Second, "both connected", s.calm)
		a, b := s.nodes["a"], s.nodes["b"]
		s.kill("b")
		for range 20000 {
			a.write(300, table(1))
		}
		a.sync()
		s.start("b")
		d := s.within(5*time.Second, "caught up", func() bool { return b.level(a.fake) })
		t.Logf("20000 commits in %v of virtual time, %d calls, the largest with %d", d, b.applies, b.largest)
		if b.applies > 20000/25 {
			t.Errorf("%d calls of Apply for 20000 commits", b.applies)
		}
	})
}

// Wanted changes at any time; the link follows, and the new table comes whole from where it is wanted.
func TestWantedChanges(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSim(t, 1, fakenet.Path{Delay: 10 * time.Millisecond}, link.Config{}, "a", "b")
		defer s.close()
		a, b := s.nodes["a"], s.nodes["b"]
		for i := range 200 {
			a.write(i, table(1), table(2))
			a.write(i, table(2))
			a.sync()
			time.Sleep(time.Duration(i%7) * time.Millisecond)
			switch i {
			case 50:
				b.join("a", a.origin, 0, table(1), table(2))
			case 100:
				b.want("a")
			case 101, 102, 103:
				b.join("a", a.origin, record.Seq(i), table(2))
			case 150:
				b.join("a", a.origin, 0, table(1), table(2))
			}
		}
		s.within(2*time.Second, "level", s.calm)
		if p := b.r.Peers()[0]; p.State != string(replication.StateConnected) || p.Error != "" {
			t.Errorf("%+v", p)
		}
	})
}

// Who wants nothing is connected, without lag, and its cursor is left alone.
func TestNothingWanted(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSim(t, 1, fakenet.Path{Delay: 10 * time.Millisecond}, link.Config{}, "a", "b")
		defer s.close()
		a, b := s.nodes["a"], s.nodes["b"]
		b.want("a")
		for range 100 {
			a.write(1, table(1))
			a.sync()
			time.Sleep(50 * time.Millisecond)
		}
		s.within(time.Second, "calm", s.calm)
		if at := b.Cursor(a.origin); at != 0 {
			t.Errorf("the cursor moved to %v", at)
		}
	})
}

// A log that no longer reaches back is told as such, once in a while, and not asked for in a hot loop.
func TestTrimmed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSim(t, 1, fakenet.Path{Delay: 10 * time.Millisecond}, link.Config{}, "a", "b")
		defer s.close()
		a, b := s.nodes["a"], s.nodes["b"]
		s.kill("b")
		for range 10 {
			a.write(1, table(1))
		}
		a.sync()
		a.mu.Lock()
		a.trimmed = 5
		a.mu.Unlock()
		s.start("b")
		s.within(time.Second, "told", func() bool { return s.state(b, "a") == replication.StateRepair })
		time.Sleep(time.Minute)
		p := b.r.Peers()[0]
		if p.State != string(replication.StateRepair) || p.Connected || p.Error == "" {
			t.Errorf("%+v", p)
		}
		if !b.wasTold("trimmed: a") {
			t.Error("the region was not told")
		}
		if n := s.opened(b, "a"); n > 20 {
			t.Errorf("%d links opened in a minute", n)
		}
		b.join("a", a.origin, 9, table(1)) // repaired up to there
		b.mu.Lock()
		b.cursors[a.origin], b.most[a.origin] = 9, 9
		b.mu.Unlock()
		b.want("a", table(1))
		s.within(time.Second, "connected", func() bool { return connected(b.r, 1) })
	})
}

// What the Sink holds is tried again until it is taken; the link stays, and says so.
func TestHeld(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSim(t, 1, fakenet.Path{Delay: 10 * time.Millisecond}, link.Config{Window: 4 << 10}, "a", "b")
		defer s.close()
		a, b := s.nodes["a"], s.nodes["b"]
		s.within(time.Second, "both connected", s.calm)
		var ahead atomic.Bool
		ahead.Store(true)
		b.mu.Lock()
		b.applying = func(context.Context) error {
			if ahead.Load() {
				return fmt.Errorf("%w, by an hour", replication.ErrHeld)
			}
			return nil
		}
		b.mu.Unlock()
		for range 100 {
			a.write(100, table(1))
			a.sync()
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		p := b.r.Peers()[0]
		if p.State != string(replication.StateHeld) || p.Connected || !strings.Contains(p.Error, "by an hour") || p.BytesReceived > 8<<10 {
			t.Errorf("%+v", p)
		}
		if n := s.opened(b, "a"); n != 1 {
			t.Errorf("%d links opened", n)
		}
		ahead.Store(false)
		s.within(2*time.Second, "level", s.calm)
	})
}

// Of a peer that the Sink takes nothing of any more the link is tried again now and then, and the session stays for all else.
func TestOver(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSim(t, 1, fakenet.Path{Delay: 10 * time.Millisecond}, link.Config{}, "a", "b")
		defer s.close()
		a, b := s.nodes["a"], s.nodes["b"]
		s.within(time.Second, "both connected", s.calm)
		var over atomic.Bool
		over.Store(true)
		b.mu.Lock()
		b.applying = func(context.Context) error {
			if over.Load() {
				return fmt.Errorf("%w: it was expelled", replication.ErrOver)
			}
			return nil
		}
		b.mu.Unlock()
		a.write(1, table(1))
		a.sync()
		s.within(10*time.Second, "refused", func() bool { return s.state(b, "a") == replication.StateRefused })
		if p := b.r.Peers()[0]; !strings.Contains(p.Error, "it was expelled") {
			t.Errorf("%+v", p)
		}
		before := s.opened(b, "a")
		time.Sleep(time.Minute)
		if n := s.opened(b, "a") - before; n < 10 || n > 70 {
			t.Errorf("%d links opened in a minute", n)
		}
		over.Store(false)
		s.within(5*time.Second, "level", s.calm)
	})
}

// A cursor past the end of the log, as after a disk was rolled back, is refused in words.
func TestCursorPastEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSim(t, 1, fakenet.Path{Delay: 10 * time.Millisecond}, link.Config{}, "a", "b")
		defer s.close()
		a, b := s.nodes["a"], s.nodes["b"]
		s.kill("b")
		b.cursors[a.origin], b.most[a.origin] = 1000, 1000
		s.start("b")
		s.within(time.Second, "refused", func() bool { return s.state(b, "a") == replication.StateRefused })
		if !a.wasTold("rolled back: b") || b.wasTold("trimmed: a") {
			t.Error("the region whose disk it is was not told, or the other was told something else")
		}
		time.Sleep(10 * time.Second)
		if p := b.r.Peers()[0]; p.State != string(replication.StateRefused) || p.Error == "" || p.Connected {
			t.Errorf("%+v", p)
		}
	})
}

// A region rebuilt from nothing is another origin: links to the old one end, the new one's log is read from its beginning.
func TestRebuiltRegion(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSim(t, 1, fakenet.Path{Delay: 10 * time.Millisecond}, link.Config{}, "a", "b")
		defer s.close()
		a := s.nodes["a"]
		for range 10 {
			a.write(1, table(1))
			s.nodes["b"].write(1, table(1))
			a.sync()
			s.nodes["b"].sync()
		}
		s.within(time.Second, "level", s.calm)
		s.kill("b")
		s.nodes["b"] = &node{fake: s.world.region(t, "b")}
		b := s.nodes["b"]
		b.want("a", table(1))
		s.start("b")
		s.within(3*time.Second, "wrong origin noticed", func() bool { return a.r.Peers()[0].Error != "" })
		b.write(5, table(1))
		b.sync()
		a.members.set(member.Peer{Region: "b", Origin: b.origin, Address: "b"})
		s.within(2*time.Second, "level", s.calm)
		a.members.set(member.Peer{Region: "b", Origin: b.origin, Address: "b", State: member.Left})
		s.within(time.Second, "left", func() bool { return a.r.Peers()[0].State == string(replication.StateLeft) })
		a.members.set()
		s.within(time.Second, "gone", func() bool { return len(a.r.Peers()) == 0 })
		a.members.set(member.Peer{Region: "b", Origin: b.origin, Address: "b"})
		s.within(2*time.Second, "back", s.calm)
	})
}

// A peer that moves while something of it is being applied: the new link waits for the old one's Apply.
func TestMovesWhileApplying(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSim(t, 1, fakenet.Path{Delay: 10 * time.Millisecond}, link.Config{}, "a", "b")
		defer s.close()
		a, b := s.nodes["a"], s.nodes["b"]
		s.within(time.Second, "both connected", s.calm)
		b.mu.Lock()
		b.applying = func(context.Context) error { time.Sleep(300 * time.Millisecond); return nil } // minds no context
		b.mu.Unlock()
		second := s.net.Station("a's second address")
		if err := second.Serve(replication.Served(a.r)); err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			a.write(1, table(1))
			a.sync()
			time.Sleep(50 * time.Millisecond)
			b.members.set(member.Peer{Region: "a", Origin: a.origin, Address: []string{"a", "a's second address"}[i%2]})
		}
		s.within(5*time.Second, "level", s.calm)
		if err := b.r.Close(); err != nil { // before the station that it may be connected to
			t.Error(err)
		}
		b.r = nil
		if err := second.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Everything at once, by seed.
func TestChaos(t *testing.T) {
	seeds := 20
	if testing.Short() {
		seeds = 5
	}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { inBubble(t, func(t *testing.T) { chaos(t, seed) }) })
	}
}

func chaos(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 7))
	usual := fakenet.Path{
		Delay: time.Duration(rnd.IntN(100)) * time.Millisecond, Jitter: time.Duration(1 + rnd.IntN(20_000_000)),
		Lost: rnd.IntN(20), Repeated: rnd.IntN(30), Overtaken: rnd.IntN(20),
	}
	conf := link.Config{Window: 1 << (10 + rnd.IntN(10)), MinBatch: 1 << (8 + rnd.IntN(6)), MaxBatch: 1 << (10 + rnd.IntN(8))}
	names := []string{"a", "b", "c", "d"}[:2+rnd.IntN(3)]
	s := newSim(t, seed, usual, conf, names...)
	defer s.close()
	for _, n := range s.nodes {
		slowest := rnd.IntN(30)
		dice := rand.New(rand.NewPCG(seed, n.origin.Incarnation))
		n.applying = func(ctx context.Context) error {
			n.mu.Lock()
			d := time.Duration(dice.IntN(1+slowest)) * time.Millisecond
			n.mu.Unlock()
			select {
			case <-time.After(d):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	cuts := map[[2]string]bool{}
	for range 300 {
		n := s.nodes[names[rnd.IntN(len(names))]]
		other := names[rnd.IntN(len(names))]
		switch dice := rnd.IntN(100); {
		case dice < 45:
			for range 1 + rnd.IntN(20) {
				n.write(rnd.IntN(2000), table(byte(1+rnd.IntN(3))), table(byte(4+rnd.IntN(2))))
			}
		case dice < 75:
			n.sync()
		case dice < 80:
			n.foreign()
		case dice < 83 && n.r != nil:
			s.kill(n.origin.Region)
		case dice < 88 && n.r == nil:
			s.start(n.origin.Region)
		case dice < 92 && other != n.origin.Region:
			pair := [2]string{min(other, n.origin.Region), max(other, n.origin.Region)}
			cuts[pair] = !cuts[pair]
			s.net.Cut(pair[0], pair[1], cuts[pair])
		case dice < 95 && other != n.origin.Region:
			o := s.nodes[other].origin
			if rnd.IntN(2) == 0 {
				n.join(other, o, 0, table(1), table(byte(4+rnd.IntN(2))))
				break
			}
			n.mu.Lock()
			at, same := n.cursors[o], n.wanted[other]
			n.mu.Unlock()
			n.join(other, o, at/2, same...)
		}
		time.Sleep(time.Duration(rnd.IntN(200_000_000)))
		if rnd.IntN(60) == 0 {
			time.Sleep(time.Duration(rnd.IntN(20)) * time.Second)
		}
	}
	for pair := range cuts {
		s.net.Cut(pair[0], pair[1], false)
	}
	for name, n := range s.nodes {
		if n.r == nil {
			s.start(name)
		}
		n.sync()
	}
	s.within(5*time.Minute, "all level and calm", s.calm)
}

// state is how a region's link from a peer stands; empty: it does not know the peer yet.
func (s *sim) state(n *node, peer string) replication.State {
	for _, p := range n.r.Peers() {
		if p.Region == peer {
			return replication.State(p.State)
		}
	}
	return ""
}

// opened counts the links that a region opened to a peer.
func (s *sim) opened(n *node, peer string) uint64 {
	for _, l := range gather(s.t, n.r) {
		if l.name == "meridian_replication_links_opened_total" && l.peer == peer && l.direction == "receiving" {
			return uint64(l.value)
		}
	}
	return 0
}
