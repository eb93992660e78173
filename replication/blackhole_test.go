package replication_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/replication/member"
)

// blackhole is a way to an address that can swallow everything without a word, as a broken line does: what is connected
// then stays connected to nothing for ever.
type blackhole struct {
	t       *testing.T
	to      string
	l       net.Listener
	serving sync.WaitGroup

	mu    sync.Mutex
	deaf  bool
	conns []net.Conn
	lost  map[net.Conn]bool // swallowed for ever
}

func newBlackhole(t *testing.T, to string) *blackhole {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &blackhole{t: t, to: to, l: l, lost: map[net.Conn]bool{}}
	h.serving.Go(h.accept)
	t.Cleanup(h.close)
	return h
}

func (h *blackhole) close() {
	_ = h.l.Close()
	h.mu.Lock()
	for _, c := range h.conns {
		_ = c.Close()
	}
	h.mu.Unlock()
	h.serving.Wait()
}

func (h *blackhole) swallow(deaf bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deaf = deaf
	for _, c := range h.conns {
		h.lost[c] = true
	}
}

func (h *blackhole) accept() {
	for {
		in, err := h.l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", h.to)
		h.mu.Lock()
		h.conns = append(h.conns, in)
		if h.deaf || err != nil {
			h.lost[in] = true
		}
		if out != nil {
			h.conns = append(h.conns, out)
		}
		h.mu.Unlock()
		if out != nil {
			h.serving.Go(func() { h.copy(out, in, in) })
			h.serving.Go(func() { h.copy(in, out, in) })
		}
	}
}

// copy forwards until either end closes, or swallows.
func (h *blackhole) copy(to, from, id net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		h.mu.Lock()
		lost := h.lost[id]
		h.mu.Unlock()
		if lost {
			_, _ = io.Copy(io.Discard, from)
			return
		}
		if n > 0 {
			if _, e := to.Write(buf[:n]); e != nil {
				err = e
			}
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

// A line that swallows everything is noticed by silence, other links do not suffer, and it flows again soon after.
func TestBlackholeOverGRPC(t *testing.T) {
	w := newWorld()
	conf := link.Config{Heartbeat: 50 * time.Millisecond, Silence: 400 * time.Millisecond, AckTimeout: 600 * time.Millisecond}
	a, b := newReal(t, w, "a", conf), newReal(t, w, "b", conf)
	a.want("b", table(1))
	b.want("a", table(1))
	toA, toB := newBlackhole(t, a.address), newBlackhole(t, b.address)
	a.members.set(member.Peer{Region: "b", Origin: b.origin, Address: toB.l.Addr().String()})
	b.members.set(member.Peer{Region: "a", Origin: a.origin, Address: toA.l.Addr().String()})
	for range 3 {
		eventually(t, "both connected", func() bool { return connected(a.r, 1) && connected(b.r, 1) })
		for i := range 100 {
			a.write(i, table(1))
			b.write(i, table(1))
		}
		a.sync()
		b.sync()
		toA.swallow(true)
		toB.swallow(true)
		began := time.Now()
		eventually(t, "noticed", func() bool { return !connected(a.r, 1) && !connected(b.r, 1) })
		t.Logf("noticed after %v", time.Since(began))
		a.write(5, table(1))
		a.sync()
		time.Sleep(10 * time.Millisecond) // some attempts to connect are swallowed
		toA.swallow(false)
		toB.swallow(false)
		began = time.Now()
		eventually(t, "level", func() bool { return a.level(b.fake) && b.level(a.fake) })
		t.Logf("level after %v", time.Since(began))
	}
}
