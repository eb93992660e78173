package front

import (
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
)

// Sizes of buffers.
const (
	ownBuffer  = 4 << 10  // that a connection keeps: most requests fit
	firstLarge = 64 << 10 // the first that a larger one gets
	apart      = 16 << 10 // an answer's body from this size on is written from where it is, not copied behind its head
	keptOut    = 2 * apart
)

// States of a connection.
const (
	busy    int32 = iota
	idle          // no byte of a request was read
	retired       // while it was idle; it is closed
)

// conn is a connection while it is served here. Only its own goroutine uses it, atomics and Close aside.
type conn struct {
	net.Conn
	server   *Server
	state    atomic.Int32
	deadline atomic.Int64 // of the clock: when the connection is closed, if what it waits for has not come; 0: never

	in    []byte  // what was read and is not served yet; begins with a request
	own   []byte  // where in is kept, unless it is larger
	large *[]byte // else
	head  head

	served   bool  // at least one request
	begun    int64 // by when the request being read has to be there
	sent     bool  // the answer to the request being served
	finished bool  // nothing more can be sent or is to be read
}

func newConn(s *Server, c net.Conn) *conn {
	k := &conn{Conn: c, server: s, own: make([]byte, 0, ownBuffer)}
	k.in = k.own
	return k
}

// run serves the connection until it ends or is another's.
func (c *conn) run() {
	defer c.server.end(c)
	defer func() {
		if p := recover(); p != nil { // as net/http does: one request's failure is no other's
			c.server.logger.Error("serving a connection panicked", "panic", p, "stack", string(debug.Stack()))
			c.close()
		}
	}()
	if c.serve() || !c.handOver() {
		c.close()
	}
}

func (c *conn) close() {
	_ = c.Close() // again, maybe
	c.server.note(c.Conn, http.StateClosed)
}

func (c *conn) handOver() bool {
	before := append([]byte(nil), c.in...)
	c.giveBack()
	c.deadline.Store(0)
	return c.server.foreign.put(&handed{Conn: c.Conn, before: before})
}

// serve serves requests; done is false when it met what is not ours.
func (c *conn) serve() (done bool) {
	for {
		v, size := c.head.parse(c.in)
		switch v {
		case foreign:
			return false
		case incomplete:
			if !c.read() {
				return true
			}
			continue
		}
		whole := size + c.head.length
		for len(c.in) < whole {
			c.deadline.Store(c.begun)
			if !c.read() {
				return true
			}
		}
		if !c.answer(size, whole) {
			return true
		}
	}
}

// answer has the request answered that is the first whole bytes of what was read, and makes the rest the first.
func (c *conn) answer(size, whole int) bool {
	c.deadline.Store(0)
	c.sent, c.served = false, true
	c.server.handler.ServeCall(c.server.ctx, &c.head, c.in[size:whole:whole], c)
	if !c.sent || c.finished {
		return false
	}
	rest := c.in[whole:]
	if c.large != nil && len(rest) <= ownBuffer {
		c.in = append(c.own, rest...)
		c.giveBack()
	} else {
		c.in = c.in[:copy(c.in, rest)]
	}
	if len(c.in) > 0 {
		c.begin()
	}
	return true
}

// begin starts the clock of a request, whose first bytes are there.
func (c *conn) begin() {
	h := c.server.http
	c.begun = c.server.clock.after(h.ReadTimeout)
	c.deadline.Store(c.server.clock.after(h.ReadHeaderTimeout))
}

// read reads more. It is false when nothing comes any more.
func (c *conn) read() bool {
	c.makeRoom()
	waiting := len(c.in) == 0
	if waiting {
		c.rest()
	}
	n, err := c.Conn.Read(c.in[len(c.in):cap(c.in)])
	if n == 0 && err != nil {
		return false
	}
	c.in = c.in[:len(c.in)+n]
	if waiting {
		if !c.state.CompareAndSwap(idle, busy) {
			return false
		}
		c.server.note(c.Conn, http.StateActive)
		c.begin()
	}
	return true
}

// rest makes the connection idle.
func (c *conn) rest() {
	h := c.server.http
	if c.served {
		c.server.note(c.Conn, http.StateIdle)
		c.deadline.Store(c.server.clock.after(h.IdleTimeout))
	} else {
		c.deadline.Store(c.server.clock.after(h.ReadHeaderTimeout))
	}
	c.state.Store(idle)
	if c.server.closing.Load() && c.state.CompareAndSwap(idle, retired) {
		_ = c.Close() // Shutdown came before it could see that we are idle
	}
}

// makeRoom makes room for at least one byte. A request's buffer doubles as it arrives: what was only announced takes no
// memory. There is an end, as read is called only for what is missing of one request.
func (c *conn) makeRoom() {
	if len(c.in) < cap(c.in) {
		return
	}
	room := min(max(firstLarge, 2*cap(c.in)), maxHead+maxBody)
	old, was := c.in, c.large
	b, _ := c.server.large.Get().(*[]byte)
	if b == nil || cap(*b) < room {
		fresh := make([]byte, 0, room)
		b = &fresh
	}
	c.in, c.large = append((*b)[:0], old...), b
	if was != nil {
		c.server.large.Put(was)
	}
}

// giveBack gives a large buffer to whom needs it next; c.in does not use it any more.
func (c *conn) giveBack() {
	if c.large != nil {
		c.server.large.Put(c.large)
		c.large = nil
	}
}

// Send is a Sender's.
func (c *conn) Send(r Reply) {
	if c.sent {
		panic("front: two answers to one call")
	}
	c.sent = true
	out, _ := c.server.outs.Get().(*[]byte)
	if out == nil {
		out = new([]byte)
	}
	b := append((*out)[:0], "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(r.Status), 10)
	b = append(append(append(b, ' '), http.StatusText(r.Status)...), "\r\n"...)
	b = append(append(b, r.Header...), "Content-Length: "...)
	b = append(strconv.AppendInt(b, int64(len(r.Body)), 10), "\r\nDate: "...)
	b = append(append(b, *c.server.clock.date.Load()...), "\r\n"...)
	if c.server.closing.Load() {
		c.finished = true
		b = append(b, "Connection: close\r\n"...)
	}
	b = append(b, "\r\n"...)
	c.deadline.Store(c.server.clock.after(c.server.http.WriteTimeout))
	if len(r.Body) < apart {
		b = append(b, r.Body...)
		c.write(b)
	} else {
		c.writeBoth(b, r.Body)
	}
	if *out = b; cap(b) <= keptOut {
		c.server.outs.Put(out)
	}
}

func (c *conn) write(b []byte) {
	if _, err := c.Conn.Write(b); err != nil {
		c.finished = true
	}
}

func (c *conn) writeBoth(head, body []byte) {
	both := net.Buffers{head, body}
	if _, err := both.WriteTo(c.Conn); err != nil {
		c.finished = true
	}
}
