package fakenet

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/replication/transport"
)

// serverPatience is when a server gives up a connection on which something was lost.
const serverPatience = 5 * time.Second

// knockEvery is how often a dialer tries while it has no answer.
const knockEvery = 250 * time.Millisecond

// Path is how messages travel from one address to another.
type Path struct {
	Delay  time.Duration
	Jitter time.Duration // up to so much is added
	Cut    bool
	// Of a thousand messages of links so many are lost, come twice, or come later than those behind them.
	Lost, Repeated, Overtaken int
}

// Net is the network.
type Net struct {
	seed uint64

	mu       sync.Mutex
	paths    map[[2]string]Path
	usual    Path
	stations map[string]*Transport
	conns    map[[2]string]uint64 // made so far, by dialer and dialed
}

// New makes a network on which all paths are like usual.
func New(seed uint64, usual Path) *Net {
	return &Net{seed: seed, usual: usual, paths: map[[2]string]Path{}, stations: map[string]*Transport{}, conns: map[[2]string]uint64{}}
}

// Set changes the path from one address to another.
func (n *Net) Set(from, to string, p Path) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.paths[[2]string{from, to}] = p
}

// Cut cuts or mends both ways between two addresses.
func (n *Net) Cut(a, b string, cut bool) {
	for _, way := range [2][2]string{{a, b}, {b, a}} {
		p := n.path(way[0], way[1])
		p.Cut = cut
		n.Set(way[0], way[1], p)
	}
}

func (n *Net) path(from, to string) Path {
	n.mu.Lock()
	defer n.mu.Unlock()
	if p, ok := n.paths[[2]string{from, to}]; ok {
		return p
	}
	return n.usual
}

// Station is an address on the network. An address can be taken again after its Transport was closed.
func (n *Net) Station(address string) *Transport {
	t := &Transport{net: n, address: address}
	t.ctx, t.cancel = context.WithCancelCause(context.Background())
	return t
}

func (n *Net) station(address string) *Transport {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stations[address]
}

// Transport is one region's place on the network.
type Transport struct {
	net     *Net
	address string
	server  transport.Server
	ctx     context.Context
	cancel  context.CancelCauseFunc
	mute    atomic.Bool

	mu      sync.Mutex
	closed  bool
	serving sync.WaitGroup // handlers
}

var _ transport.Transport = (*Transport)(nil)

var errGone = errors.New("fakenet: the connection is broken")

// Serve begins to answer.
func (t *Transport) Serve(s transport.Server) error {
	t.server = s
	t.net.mu.Lock()
	defer t.net.mu.Unlock()
	if t.net.stations[t.address] != nil {
		return fmt.Errorf("fakenet: %s is taken", t.address)
	}
	t.net.stations[t.address] = t
	return nil
}

// Close ends the handlers' contexts and waits for them.
func (t *Transport) Close() error {
	t.net.mu.Lock()
	if t.net.stations[t.address] == t {
		delete(t.net.stations, t.address)
	}
	t.net.mu.Unlock()
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.cancel(errGone)
	t.serving.Wait()
	return nil
}

// Mute takes the machine's power: from now on nothing that it sends leaves it, and nobody connects to it; what has left it
// arrives. It waits for nothing, so that a test can call it at the very moment of the cut. Close must follow.
func (t *Transport) Mute() { t.mute.Store(true) }

// handle runs a handler in its own goroutine unless the station is closed.
func (t *Transport) handle(f func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.serving.Go(f)
	return true
}

// Dial connects a round trip after the first attempt that is not lost.
func (t *Transport) Dial(ctx context.Context, address string) (transport.Conn, error) {
	for {
		there, back := t.net.path(t.address, address), t.net.path(address, t.address)
		wait := there.Delay + back.Delay
		lost := there.Cut || back.Cut
		if lost {
			wait = knockEvery
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		}
		if !lost {
			return t.connect(address)
		}
	}
}

func (t *Transport) connect(address string) (transport.Conn, error) {
	to := t.net.station(address)
	if to == nil || to.mute.Load() || t.mute.Load() {
		return nil, errors.New("fakenet: connection refused")
	}
	t.net.mu.Lock()
	t.net.conns[[2]string{t.address, address}]++
	id := t.net.conns[[2]string{t.address, address}]
	t.net.mu.Unlock()
	c := &conn{from: t, to: to, heard: time.Now()}
	c.client, c.leave = context.WithCancelCause(t.ctx)
	c.served, c.abandon = context.WithCancelCause(to.ctx)
	c.up = &way{c: c, from: t.address, to: address, id: id}
	c.down = &way{c: c, from: address, to: t.address, id: id}
	return c, nil
}

// way is one direction of one connection.
type way struct {
	c        *conn
	from, to string
	id       uint64

	mu      sync.Mutex
	sent    uint64
	arrives time.Time // of the last message: nothing overtakes
	dead    bool      // something was lost in a cut
}

// send has arrive called when the message arrives, and returns how often it will be, unless the line is cut. Messages of links
// may suffer.
func (w *way) send(ofLink bool, arrive func()) (copies int) {
	p := w.c.from.net.path(w.from, w.to)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent++
	if (p.Cut || w.sender().mute.Load()) && !w.dead {
		w.dead = true
		time.AfterFunc(serverPatience, func() { w.c.abandon(errGone) })
	}
	copies = 1
	if w.dead {
		return copies
	}
	chance := rand.New(rand.NewPCG(w.c.from.net.seed, w.hash()))
	at := time.Now().Add(p.Delay)
	if p.Jitter > 0 {
		at = at.Add(time.Duration(chance.Int64N(int64(p.Jitter))))
	}
	if dice := chance.IntN(1000); ofLink {
		switch {
		case dice < p.Lost:
			copies = 0
		case dice < p.Lost+p.Repeated:
			copies = 2
		case dice < p.Lost+p.Repeated+p.Overtaken:
			late := at.Add(3 * (p.Delay + p.Jitter + time.Millisecond))
			w.arriveAt(late, arrive)
			return copies
		}
	}
	if !at.After(w.arrives) {
		at = w.arrives.Add(1)
	}
	w.arrives = at
	for range copies {
		w.arriveAt(at, arrive)
	}
	return copies
}

func (w *way) sender() *Transport {
	if w == w.c.up {
		return w.c.from
	}
	return w.c.to
}

// arriveAt delivers unless the line is cut while the message is under way.
func (w *way) arriveAt(at time.Time, arrive func()) {
	time.AfterFunc(time.Until(at), func() {
		cut := w.c.from.net.path(w.from, w.to).Cut
		w.mu.Lock()
		if cut && !w.dead {
			w.dead = true
			time.AfterFunc(serverPatience, func() { w.c.abandon(errGone) })
		}
		dead := w.dead
		w.mu.Unlock()
		if !dead {
			arrive()
		}
	})
}

func (w *way) hash() uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s>%s/%d/%d", w.from, w.to, w.id, w.sent)
	return h.Sum64()
}
