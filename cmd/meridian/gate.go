package main

import (
	"net"
	"net/http"
	"sync"
)

// gate stands before a region's listeners in a drill, and holds up or cuts their connections. What it does to them is what
// clients see of a process that stands still or dies.
type gate struct {
	mu        sync.Mutex
	shutting  chan struct{} // not nil while shut; closed by open
	conns     map[*gated]bool
	listeners []net.Listener
	dead      bool // cut
}

func newGate() *gate { return &gate{conns: map[*gated]bool{}} }

func (g *gate) listen(l net.Listener) net.Listener {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listeners = append(g.listeners, l)
	return gatedListener{l, g}
}

// shut lets nothing through until open.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shutting == nil {
		g.shutting = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shutting != nil {
		close(g.shutting)
		g.shutting = nil
	}
}

// cut ends everything at once, without a word. Closing what is open cannot fail in a way that matters.
func (g *gate) cut() {
	g.open()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dead = true
	for _, l := range g.listeners {
		_ = l.Close()
	}
	for c := range g.conns {
		if t, ok := c.Conn.(*net.TCPConn); ok {
			_ = t.SetLinger(0) // a reset, as a dead process's kernel sends
		}
		_ = c.Conn.Close()
	}
}

// wait returns when the gate is open.
func (g *gate) wait() {
	g.mu.Lock()
	shut := g.shutting
	g.mu.Unlock()
	if shut != nil {
		<-shut
	}
}

type gatedListener struct {
	net.Listener
	gate *gate
}

func (l gatedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		l.gate.mu.Lock()
		defer l.gate.mu.Unlock()
		if l.gate.dead {
			return nil, http.ErrServerClosed // that is no failure of the server's
		}
		return nil, err
	}
	g := &gated{c, l.gate}
	l.gate.mu.Lock()
	l.gate.conns[g] = true
	l.gate.mu.Unlock()
	return g, nil
}

// gated is a connection behind a gate.
type gated struct {
	net.Conn
	gate *gate
}

func (c *gated) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.gate.wait() // what has come is not seen before the gate is open
	return n, err
}

func (c *gated) Write(b []byte) (int, error) {
	c.gate.wait()
	return c.Conn.Write(b)
}

func (c *gated) Close() error {
	c.gate.mu.Lock()
	delete(c.gate.conns, c)
	c.gate.mu.Unlock()
	return c.Conn.Close()
}
