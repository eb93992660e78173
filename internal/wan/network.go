package wan

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Fault is what is wrong with the way from this region to another, besides what its profile says.
type Fault struct {
	Cut     bool          `json:"cut,omitempty"`     // nothing gets through
	Latency time.Duration `json:"latency,omitempty"` // nanoseconds more
	Loss    float64       `json:"loss,omitempty"`    // share of packets lost, 0 to 1
	Until   time.Time     `json:"until,omitzero"`    // it heals by itself then; zero: it does not
}

// Check refuses what no link can be.
func (f Fault) Check() error {
	if f.Latency < 0 || f.Latency > time.Minute {
		return fmt.Errorf("a latency of %v is not between 0 and a minute", f.Latency)
	}
	if !(f.Loss >= 0 && f.Loss < 1) { // NaN is none, either
		return fmt.Errorf("a loss of %v is not a share from 0 to less than 1", f.Loss)
	}
	return nil
}

// Network is the network as one region has it. It is safe for concurrent use.
type Network struct {
	self    string
	profile *Profile

	mu      sync.Mutex
	random  *rand.Rand
	faults  map[string]Fault // by the region that is sent to
	changed chan struct{}    // closed when faults change
}

// New makes a region's network; a nil profile is a perfect one, until faults are set.
func New(self string, p *Profile) *Network {
	return &Network{
		self: self, profile: p, faults: map[string]Fault{}, changed: make(chan struct{}),
		random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	}
}

// Set puts a fault on the way to a region, in the place of one that is there; the zero Fault heals it.
func (n *Network) Set(to string, f Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if f == (Fault{}) {
		delete(n.faults, to)
	} else {
		n.faults[to] = f
	}
	n.changedLocked()
}

// Heal removes all faults.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.faults)
	n.changedLocked()
}

func (n *Network) changedLocked() {
	close(n.changed)
	n.changed = make(chan struct{})
}

// Faults lists the faults by the region that is sent to.
func (n *Network) Faults() map[string]Fault {
	n.mu.Lock()
	defer n.mu.Unlock()
	maps.DeleteFunc(n.faults, func(_ string, f Fault) bool { return f.over(time.Now()) })
	return maps.Clone(n.faults)
}

func (f Fault) over(now time.Time) bool { return !f.Until.IsZero() && !now.Before(f.Until) }

// fault is what is wrong on the way to a region now, and what tells of a change.
func (n *Network) fault(to string) (Fault, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f := n.faults[to]
	if f.over(time.Now()) {
		f = Fault{}
	}
	return f, n.changed
}

// packet is what travels together, and is lost together.
const packet = 1460

// travel says how long so many bytes take to a region, and how long they keep the line busy.
func (n *Network) travel(to string, bytes int) (delay, busy time.Duration) {
	l := n.profile.Link(n.self, to)
	f, _ := n.fault(to)
	delay = l.Delay + f.Latency
	loss := 1 - (1-l.Loss)*(1-f.Loss)
	n.mu.Lock()
	defer n.mu.Unlock()
	if l.Jitter > 0 {
		delay += time.Duration(n.random.Int64N(int64(l.Jitter)))
	}
	again := max(2*delay, 10*time.Millisecond) // a round trip, until the loss is noticed and made good
	for sent := 0; sent < bytes && loss > 0; sent += packet {
		for tries := 0; tries < 10 && n.random.Float64() < loss; tries++ {
			delay += again
		}
	}
	if l.Bandwidth > 0 {
		busy = time.Duration(int64(bytes) * int64(time.Second) / l.Bandwidth)
	}
	return delay, busy
}

// Client makes a connection that was dialed one of this network. It returns when the other side has said who it is.
func (n *Network) Client(ctx context.Context, raw net.Conn) (net.Conn, error) {
	c := n.wrap(raw)
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() }) // the reader hears of it
	err := c.introduceTo(ctx)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = c.Close() // it was never used
		if ctx.Err() != nil {
			err = fmt.Errorf("no answer through the simulated network: %w", context.Cause(ctx))
		}
		return nil, err
	}
	return c, nil
}

// Listen makes the connections that a listener accepts some of this network.
func (n *Network) Listen(l net.Listener) net.Listener { return listener{l, n} }

type listener struct {
	net.Listener
	network *Network
}

func (l listener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := l.network.wrap(raw)
	c.accepted = true
	return c, nil
}
