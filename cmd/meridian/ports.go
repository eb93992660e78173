package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// want is an address that something of ours is to listen on.
type want struct {
	what   string // for the reader of an error: "admin of eu-west-1"
	addr   string
	packet bool // UDP too: gossip
}

// claims are the listeners of a set of wants, in their order. Either all were free and are held, or none is.
type claims []*claim

type claim struct {
	want
	tcp net.Listener
	udp net.PacketConn // nil unless packet
}

// claimPorts takes all ports before anything starts, so that a user learns of every port that is taken at once, and no
// data folder has been touched. Port 0 gets a free one.
func claimPorts(wants []want) (claims, error) {
	if err := checkTwice(wants); err != nil {
		return nil, err
	}
	var got claims
	var refused []string
	for _, w := range wants {
		c, err := claimPort(w)
		if err != nil {
			refused = append(refused, fmt.Sprintf("%s (%s: %s)", w.addr, w.what, reason(err)))
			continue
		}
		got = append(got, c)
	}
	if refused != nil {
		got.release()
		return nil, usagef("cannot listen on %s", strings.Join(refused, ", "))
	}
	return got, nil
}

// claimPort takes one port, for UDP too if asked: then with port 0 both get the same number.
func claimPort(w want) (*claim, error) {
	l, err := net.Listen("tcp", w.addr)
	if err != nil {
		return nil, err
	}
	c := &claim{want: w, tcp: l}
	if w.packet {
		if c.udp, err = net.ListenPacket("udp", l.Addr().String()); err != nil {
			c.release()
			return nil, err
		}
	}
	return c, nil
}

// address is where the claim listens, with the host as it was asked for and the real port.
func (c *claim) address() string {
	host, _, err := net.SplitHostPort(c.addr)
	_, port, err2 := net.SplitHostPort(c.tcp.Addr().String())
	if err != nil || err2 != nil {
		return c.tcp.Addr().String()
	}
	return net.JoinHostPort(host, port)
}

// release frees the port, for a component that opens it itself. Closing a listener that nobody uses cannot fail in a way
// that matters.
func (c *claim) release() {
	_ = c.tcp.Close()
	if c.udp != nil {
		_ = c.udp.Close()
	}
}

func (cs claims) release() {
	for _, c := range cs {
		c.release()
	}
}

// checkTwice finds ports that we would take from ourselves.
func checkTwice(wants []want) error {
	first := map[string]want{}
	for _, w := range wants {
		_, port, err := net.SplitHostPort(w.addr)
		if err != nil {
			return usagef("%s: %q is not host:port", w.what, w.addr)
		}
		if port == "0" {
			continue
		}
		if n, err := strconv.Atoi(port); err == nil && (n < 0 || n > 65535) {
			return usagef("%s: there is no port %s", w.what, port)
		}
		if o, ok := first[w.addr]; ok {
			return usagef("%s is wanted twice: %s, %s", w.addr, o.what, w.what)
		}
		first[w.addr] = w
	}
	return nil
}

// reason is the end of a chain of network errors: "address already in use" without the address, which is said already.
func reason(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.Err
	}
	return strings.TrimPrefix(rootCause(err).Error(), "bind: ")
}
