package member

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// routeEvery is how often host names are resolved anew.
const routeEvery = 3 * time.Second

// keepRoutes finds out where regions with host names are, until Close. It is a job of its own because a name server may be
// slow, and the failure detector must never wait for one.
func (m *Member) keepRoutes() {
	tick := time.NewTicker(routeEvery)
	defer tick.Stop()
	routes := map[string]string{}
	for {
		m.mu.Lock()
		peers, changed := m.view.peers, m.changed
		m.mu.Unlock()
		routes = m.resolveAll(peers, routes)
		m.net.setRoutes(routes)
		select {
		case <-m.ctx.Done():
			return
		case <-changed:
		case <-tick.C:
		}
	}
}

// resolveAll resolves the peers' host names; those that fail keep the address they had.
func (m *Member) resolveAll(peers []entry, old map[string]string) map[string]string {
	ctx, cancel := context.WithTimeout(m.ctx, routeEvery)
	defer cancel()
	var mu sync.Mutex
	var asking sync.WaitGroup
	routes := map[string]string{}
	for _, e := range peers {
		if isIP(e.gossip) {
			continue
		}
		asking.Go(func() {
			addr := old[e.name]
			if at, err := resolve(ctx, e.gossip); err == nil {
				addr = at.String()
			}
			mu.Lock()
			defer mu.Unlock()
			if addr != "" {
				routes[e.name] = addr
			}
		})
	}
	asking.Wait()
	return routes
}

// resolve turns host:port into an IP address and port; no host means all interfaces. Of several addresses it takes an IPv4
// one: a gossip endpoint listens on one, and that is the likely one.
func resolve(ctx context.Context, endpoint string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		return netip.AddrPort{}, err
	}
	n, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if host == "" {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(n)), nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	best := ips[0].Unmap()
	for _, ip := range ips {
		if ip.Unmap().Is4() {
			best = ip.Unmap()
			break
		}
	}
	return netip.AddrPortFrom(best, uint16(n)), nil
}
