package replication

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/replication/member"
	"github.com/meridiandb/meridian/replication/transport"
	"github.com/meridiandb/meridian/stream/record"
)

// dialPatience is how long a connection may take once the other machine has answered: several round trips with TLS.
const dialPatience = 3 * time.Second

// steady is how long a session must have lasted for its end to be no reason to wait: one that ends at once, because what
// comes cannot be applied, would be begun again and again.
const steady = time.Second

// peer is another region: what is known of it, and both directions between it and us.
type peer struct {
	r      *Replication
	region string
	count  struct {
		sent, received traffic
		repair         repairTraffic
	}

	acks sync.Mutex // held while Source.Acked is told: what an older link says must not come after a newer one's

	mu      sync.Mutex
	member  member.Peer // as membership says; zero Origin: not named
	session *session    // nil: not connected
	came    chan struct{}
	in      *receiving // the last link from it; kept when it ends, for its lag
	out     *sending   // the link to it; nil: none
	backlog *link.Backlog
	clock   link.Clock
	state   State // of the link from it, as it was last
	err     error // why it is not StateConnected; nil: it never failed
}

// traffic counts from the start of the process.
type traffic struct{ bytes, commits, batches, links atomic.Uint64 }

// session is one connection to a peer.
type session struct {
	conn transport.Conn
	told chan struct{} // closed when the peer's catalog has come once, or will not
}

func newPeer(r *Replication, region string, end record.Seq) *peer {
	return &peer{
		r: r, region: region, came: make(chan struct{}), backlog: link.NewBacklog(end), state: StateConnecting,
	}
}

func (p *peer) named(m member.Peer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.member.Origin != m.Origin {
		p.clock = link.Clock{}
		p.in = nil
	}
	p.member = m
}

func (p *peer) unnamed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.member = member.Peer{}
}

// rival is the living process that membership names instead of who; zero if there is none. Were both let in, the two would
// push each other out of their links for ever.
func (p *peer) rival(who crdt.Origin) crdt.Origin {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.member.Origin == who || p.member.State != member.Alive {
		return crdt.Origin{}
	}
	return p.member.Origin
}

// run keeps a session with the peer, as membership described it, until ctx ends.
func (p *peer) run(ctx context.Context, to member.Peer) {
	backoff := link.Backoff{Min: 50 * time.Millisecond, Max: 300 * time.Millisecond}
	for ctx.Err() == nil {
		began := time.Now()
		err := p.connect(ctx, to)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > steady {
			backoff.Reset()
		}
		p.failed(StateUnreachable, err)
		pause(ctx, backoff.Next(rand.Float64()))
	}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// connect runs one session; it returns why it ended.
func (p *peer) connect(ctx context.Context, to member.Peer) error {
	dialing, cancel := context.WithTimeoutCause(ctx, dialPatience, errors.New("no answer"))
	defer cancel()
	conn, err := p.r.transport.Dial(dialing, to.Address)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", to.Address, err)
	}
	defer func() { _ = conn.Close() }() // nothing is buffered that matters: what was not acknowledged is sent again
	if err := p.ping(dialing, conn, to.Origin); err != nil {
		return fmt.Errorf("connect to %s: %w", to.Address, err)
	}
	s := &session{conn, make(chan struct{})}
	p.enter(s)
	defer p.leave()

	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var parts sync.WaitGroup
	for _, part := range []func(context.Context, *session, crdt.Origin) error{p.follow, p.followCatalog, p.watch} {
		parts.Go(func() { stop(part(running, s, to.Origin)) }) // the first to end says why
	}
	parts.Wait()
	return context.Cause(running)
}

func (p *peer) enter(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.session = s
	close(p.came)
	if p.state == StateUnreachable {
		p.state = StateConnecting
	}
}

func (p *peer) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.session = nil
	p.came = make(chan struct{})
}

// failed notes why there is no link from the peer.
func (p *peer) failed(s State, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != s || p.err == nil || p.err.Error() != err.Error() {
		p.r.o.Logger.Info("link down", "peer", p.region, "state", string(s), "err", err)
	}
	p.state, p.err = s, err
}

// well notes that the link from the peer stands.
func (p *peer) well() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != StateConnected {
		p.r.o.Logger.Info("link up", "peer", p.region)
	}
	p.state, p.err = StateConnected, nil
}
