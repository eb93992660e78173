package front

import (
	"net"
)

// handed is a connection on its way to net/http, with what was read of it before.
type handed struct {
	net.Conn
	before []byte
}

func (h *handed) Read(p []byte) (int, error) {
	if len(h.before) > 0 {
		n := copy(p, h.before)
		if h.before = h.before[n:]; len(h.before) == 0 {
			h.before = nil
		}
		return n, nil
	}
	return h.Conn.Read(p)
}

// CloseWrite lets net/http end a connection so that its last answer is read before the end is seen.
func (h *handed) CloseWrite() error {
	if c, ok := h.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// queue is the listener that brings net/http its connections. It holds none: who hands one over waits until it is taken.
type queue struct {
	conns chan net.Conn
	done  chan struct{}
}

func newQueue() *queue { return &queue{make(chan net.Conn), make(chan struct{})} }

// put reports whether net/http has taken the connection; else it is closing.
func (q *queue) put(c net.Conn) bool {
	select {
	case q.conns <- c:
		return true
	case <-q.done:
		return false
	}
}

func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

// Close is left to the Server, which closes done.
func (q *queue) Close() error { return nil }

func (q *queue) Addr() net.Addr { return &net.TCPAddr{} }
