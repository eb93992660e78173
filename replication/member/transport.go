package member

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// transport is memberlist's own, with two differences: connections end with ctx, so that Close need not wait for a host that
// does not answer; and packets for a region that has a host name go where that name leads from here and now.
type transport struct {
	*memberlist.NetTransport
	ctx     context.Context
	bound   netip.AddrPort
	address string // bound, with the host as it was asked for

	mu     sync.Mutex
	routes map[string]string      // member name → IP address:port; members that are not in it are reached as Serf says
	cut    func(addr string) bool // tests cut links with it; nil: none is
}

// listen binds a gossip endpoint.
func listen(ctx context.Context, endpoint string, logger *log.Logger) (*transport, error) {
	t := &transport{ctx: ctx}
	at, err := resolve(ctx, endpoint)
	if err != nil {
		return nil, fmt.Errorf("membership: listen on %s: %w", endpoint, err)
	}
	c := &memberlist.NetTransportConfig{BindAddrs: []string{at.Addr().String()}, BindPort: int(at.Port()), Logger: logger}
	// A free TCP port may be taken for UDP: with port 0, another one is tried.
	for range 10 {
		t.NetTransport, err = memberlist.NewNetTransport(c)
		if err == nil || at.Port() != 0 || !strings.Contains(err.Error(), "address already in use") {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("membership: listen on %s: %w", endpoint, err)
	}
	t.bound = netip.AddrPortFrom(at.Addr(), uint16(t.GetAutoBindPort()))
	host, _, _ := net.SplitHostPort(endpoint) // resolve has done it
	t.address = net.JoinHostPort(host, fmt.Sprint(t.bound.Port()))
	return t, nil
}

// setRoutes says where members with host names are.
func (t *transport) setRoutes(routes map[string]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.routes = routes
}

// route is where to send what is for a member; ok is false when nothing may be sent there (tests cut links).
func (t *transport) route(a memberlist.Address) (addr string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	addr = a.Addr
	if r := t.routes[a.Name]; r != "" {
		addr = r
	}
	return addr, t.cut == nil || !t.cut(addr)
}

// WriteToAddress is memberlist.NodeAwareTransport's.
func (t *transport) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	addr, ok := t.route(a)
	if !ok {
		return time.Now(), nil // a lost packet
	}
	return t.NetTransport.WriteToAddress(b, memberlist.Address{Addr: addr, Name: a.Name})
}

// WriteTo is memberlist.Transport's.
func (t *transport) WriteTo(b []byte, addr string) (time.Time, error) {
	return t.WriteToAddress(b, memberlist.Address{Addr: addr})
}

// DialAddressTimeout is memberlist.NodeAwareTransport's.
func (t *transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	addr, ok := t.route(a)
	if !ok {
		return nil, fmt.Errorf("link to %s is cut", addr)
	}
	d := net.Dialer{Timeout: timeout}
	c, err := d.DialContext(t.ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &conn{c, context.AfterFunc(t.ctx, func() { _ = c.Close() })}, nil // the one who waits on it learns of it
}

// DialTimeout is memberlist.Transport's.
func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// conn is closed with the transport's context.
type conn struct {
	net.Conn
	release func() bool
}

func (c *conn) Close() error {
	c.release()
	return c.Conn.Close()
}
