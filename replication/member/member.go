package member

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/serf/serf"

	"github.com/meridiandb/meridian/crdt"
)

// State is what is known of a region.
type State uint8

// A Failed region stopped answering, a Left one said goodbye.
const (
	Alive State = iota
	Failed
	Left
)

func (s State) String() string {
	switch s {
	case Alive:
		return "alive"
	case Failed:
		return "failed"
	case Left:
		return "left"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Peer is another region.
type Peer struct {
	Region          string // Origin.Region
	Origin          crdt.Origin
	Address         string // replication, host:port
	DynamoDB, Admin string // endpoints it tells of; may be empty
	State           State
	RTT             time.Duration // estimated from network coordinates; 0: unknown
}

// Options says who we are and where the others may be. Origin, Listen and ReplicationAddress are required.
type Options struct {
	Origin crdt.Origin
	// Listen is the gossip endpoint, TCP and UDP, host:port. Port 0 takes a free one.
	Listen string
	// Advertise is Listen as the others see it, host:port; empty: the same. A host name is resolved by whoever uses it.
	Advertise string
	// ReplicationAddress is where the others reach our replication, host:port.
	ReplicationAddress string
	// DynamoDB and Admin are told to the others; may be empty.
	DynamoDB, Admin string
	// Seeds are gossip endpoints of other regions, host:port; one that answers is enough. Our own among them does no harm.
	Seeds []string
	// Key encrypts and authenticates gossip, with AES-GCM: 16, 24 or 32 bytes, the same in all regions; nil: none.
	Key    []byte
	Logger *slog.Logger // nil: none

	pace *pace // nil: production; tests are in a hurry
}

// Member is this region's place among the others.
type Member struct {
	o       Options
	name    string // in Serf
	started int64  // unix nanoseconds
	serf    *serf.Serf
	net     *transport
	advert  string // gossip endpoint as told to the others
	logger  *slog.Logger
	pace    pace

	stop context.CancelFunc // ends the jobs and whatever they wait for
	ctx  context.Context
	jobs sync.WaitGroup
	kick chan struct{} // size 1: Serf has news
	once sync.Once
	done error // of Close

	mu      sync.Mutex
	view    view
	changed chan struct{}
}

// Start binds the gossip port and begins to look for the others. It waits for none of them.
func Start(o Options) (*Member, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Member{
		o: o, started: time.Now().UnixNano(), logger: o.Logger, pace: production,
		kick: make(chan struct{}, 1), changed: make(chan struct{}),
	}
	if o.pace != nil {
		m.pace = *o.pace
	}
	m.name = nameOf(o.Origin, m.started)
	m.ctx, m.stop = context.WithCancel(context.Background())
	if err := m.start(); err != nil {
		m.stop()
		return nil, err
	}
	return m, nil
}

func (m *Member) start() error {
	if err := m.o.check(); err != nil {
		return err
	}
	logger := newLogger(m.ctx, m.logger)
	t, err := listen(m.ctx, m.o.Listen, logger)
	if err != nil {
		return err
	}
	m.net = t
	m.advert = m.o.Advertise
	if m.advert == "" {
		m.advert = t.address
	}
	ip, port, err := m.advertised()
	if err != nil {
		return errors.Join(err, t.Shutdown())
	}
	tags, err := encodeTags(m.tags())
	if err != nil {
		return errors.Join(err, t.Shutdown())
	}
	events := make(chan serf.Event, 256)
	c := m.pace.config(logger)
	c.NodeName, c.Tags, c.EventCh = m.name, tags, events
	c.ReconnectTimeoutOverride = m
	c.MemberlistConfig.Transport = t
	c.MemberlistConfig.AdvertiseAddr, c.MemberlistConfig.AdvertisePort = ip, port
	c.MemberlistConfig.BindPort = port // of no use with a transport of our own, but 0 must not stand there
	c.MemberlistConfig.SecretKey = m.o.Key
	if m.serf, err = serf.Create(c); err != nil {
		return errors.Join(fmt.Errorf("membership of %s: %w", m.o.Origin.Region, err), t.Shutdown())
	}
	m.jobs.Go(func() { m.drain(events) })
	m.jobs.Go(m.run)
	m.jobs.Go(m.keepRoutes)
	return nil
}

func (o *Options) check() error {
	if o.Origin.IsZero() || o.Origin.Region == "" {
		return errors.New("membership: no origin")
	}
	for _, a := range append([]string{o.Listen, o.ReplicationAddress}, o.Seeds...) {
		if _, _, err := net.SplitHostPort(a); err != nil {
			return fmt.Errorf("membership: %q is not host:port", a)
		}
	}
	if o.Advertise == "" {
		return nil
	}
	if host, _, err := net.SplitHostPort(o.Advertise); err != nil || host == "" {
		return fmt.Errorf("membership: advertised address %q is not host:port", o.Advertise)
	}
	return nil
}

// advertised is the IP address that Serf tells the others. If a host name does not resolve now, it is the one we listen on,
// or Serf's choice ("") if we listen on all: whoever gets the tag with the name goes by that.
func (m *Member) advertised() (ip string, port int, err error) {
	at, err := resolve(m.ctx, m.advert)
	if err == nil && !at.Addr().IsUnspecified() {
		return at.Addr().String(), int(at.Port()), nil
	}
	var dns *net.DNSError
	if err != nil && !errors.As(err, &dns) {
		return "", 0, fmt.Errorf("membership: advertised address %s: %w", m.advert, err)
	}
	at = m.net.bound
	if at.Addr().IsUnspecified() {
		return "", int(at.Port()), nil
	}
	return at.Addr().String(), int(at.Port()), nil
}

// drain takes Serf's events as fast as they come: Serf holds its lock while it hands one over.
func (m *Member) drain(events <-chan serf.Event) {
	for {
		select {
		case <-events:
			select {
			case m.kick <- struct{}{}:
			default:
			}
		case <-m.serf.ShutdownCh():
			return
		}
	}
}

// Peers lists the other regions, sorted by name.
func (m *Member) Peers() []Peer {
	m.mu.Lock()
	v := m.view
	m.mu.Unlock()
	own, err := m.serf.GetCoordinate()
	peers := make([]Peer, 0, len(v.peers))
	for _, e := range v.peers {
		p := e.peer()
		if c, ok := m.serf.GetCachedCoordinate(e.name); ok && err == nil {
			p.RTT = own.DistanceTo(c)
		}
		peers = append(peers, p)
	}
	return peers
}

// Changed is closed when Peers will next answer otherwise (round-trip times apart), or Err.
func (m *Member) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// Address is the gossip endpoint we listen on.
func (m *Member) Address() string { return m.net.address }

// Err is a *ClashError while another living process claims our region, else nil.
func (m *Member) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.view.clash == nil {
		return nil
	}
	return m.view.clash
}

// ClashError says that another living process claims our region.
type ClashError struct {
	Region string
	Ours   string // gossip endpoints
	Theirs string
	Origin crdt.Origin // of the other process
}

func (e *ClashError) Error() string {
	return fmt.Sprintf("two living processes are region %s: this one (gossip %s) and %s (gossip %s); stop one of them",
		e.Region, e.Ours, e.Origin, e.Theirs)
}

// Close says goodbye to the others, waiting about a second at most for it to go out, and ends everything.
func (m *Member) Close() error {
	m.once.Do(func() {
		m.logger.Debug("leaving", "gossip", m.net.address)
		m.stop()           // first: who looks for others and says goodbye at the same time confuses them
		_ = m.serf.Leave() // whoever misses the goodbye notices the silence
		m.done = m.serf.Shutdown()
		m.jobs.Wait()
	})
	return m.done
}

// set takes over a new view; it reports whether anything that callers can see is different.
func (m *Member) set(v view) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	same := slices.Equal(m.view.peers, v.peers) && (m.view.clash == v.clash ||
		m.view.clash != nil && v.clash != nil && *m.view.clash == *v.clash)
	m.view = v
	if !same {
		close(m.changed)
		m.changed = make(chan struct{})
	}
	return !same
}

// ReconnectTimeout is Serf's question how long to remember a member that is gone. Those in whose place another process came
// are forgotten soon. Serf asks with its lock held.
func (m *Member) ReconnectTimeout(s *serf.Member, usual time.Duration) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.view.replaced[s.Name] || strings.HasPrefix(s.Name, m.o.Origin.Region+"@") {
		return m.pace.forget
	}
	return usual
}
