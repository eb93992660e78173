package wan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

const (
	hello      = "MWAN1 "
	longest    = 64       // bytes of an introduction
	queueBytes = 64 << 20 // on the way at most; then Write waits, as it does for a full window
)

var errNoNetwork = errors.New("the other side does not simulate a network: all regions must be started with --wan or --allow-faults, or none")

// conn is a connection whose writes travel. One goroutine carries them; it ends with Close.
//
// Invariant: due times in queue do not go back.
type conn struct {
	net.Conn
	network  *Network
	accepted bool // the other side introduces itself, at the first use

	meet sync.Once
	met  error
	peer string // set when met

	mu     sync.Mutex
	queue  []parcel
	bytes  int
	last   time.Time // when the newest parcel is due
	free   time.Time // when the line is
	failed error
	closed bool
	more   chan struct{} // size 1: something is in the queue, or it was closed
	room   chan struct{} // size 1: the queue has shrunk, or nobody takes from it any more
	carry  sync.WaitGroup
	ctx    context.Context // ends with the connection
	end    context.CancelFunc
}

// parcel is a write on its way.
type parcel struct {
	b   []byte
	due time.Time
}

func (n *Network) wrap(raw net.Conn) *conn {
	ctx, end := context.WithCancel(context.Background())
	return &conn{Conn: raw, network: n, more: make(chan struct{}, 1), room: make(chan struct{}, 1), ctx: ctx, end: end}
}

// introduceTo is the dialer's side of the beginning. Who is dialed is not known before the answer: the introduction goes
// out at once, and the answer of a region to which the way is cut is not heard.
func (c *conn) introduceTo(ctx context.Context) error {
	c.meet.Do(func() {
		if _, c.met = io.WriteString(c.Conn, hello+c.network.self+"\n"); c.met != nil {
			return
		}
		if c.peer, c.met = readHello(c.Conn); c.met != nil {
			return
		}
		c.start()
		for {
			f, changed := c.network.fault(c.peer)
			if !f.Cut {
				return
			}
			if c.met = wait(ctx, f, changed); c.met != nil {
				return
			}
		}
	})
	return c.met
}

// wait returns when a fault may be over.
func wait(ctx context.Context, f Fault, changed <-chan struct{}) error {
	var over <-chan time.Time
	if !f.Until.IsZero() {
		t := time.NewTimer(time.Until(f.Until))
		defer t.Stop()
		over = t.C
	}
	select {
	case <-changed:
	case <-over:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// ready is the listener's side of the beginning. Its answer travels like everything else.
func (c *conn) ready() error {
	if !c.accepted {
		return c.met
	}
	c.meet.Do(func() {
		if c.peer, c.met = readHello(c.Conn); c.met != nil {
			return
		}
		c.start()
		c.met = c.send([]byte(hello + c.network.self + "\n"))
	})
	return c.met
}

func readHello(r io.Reader) (string, error) {
	var line []byte
	for b := make([]byte, 1); len(line) < longest; {
		if _, err := io.ReadFull(r, b); err != nil {
			return "", err
		}
		if b[0] == '\n' {
			name, ok := strings.CutPrefix(string(line), hello)
			if !ok || name == "" {
				return "", errNoNetwork
			}
			return name, nil
		}
		line = append(line, b[0])
	}
	return "", errNoNetwork
}

func (c *conn) Read(b []byte) (int, error) {
	if err := c.ready(); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c *conn) Write(b []byte) (int, error) {
	if err := c.ready(); err != nil {
		return 0, err
	}
	if err := c.send(append([]byte(nil), b...)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// send puts bytes on their way; it waits while too many are.
func (c *conn) send(b []byte) error {
	delay, busy := c.network.travel(c.peer, len(b))
	c.mu.Lock()
	for c.bytes > 0 && c.bytes+len(b) > queueBytes && c.failed == nil && !c.closed {
		c.mu.Unlock()
		select {
		case <-c.room:
		case <-c.ctx.Done():
		}
		c.mu.Lock()
	}
	defer c.mu.Unlock()
	if c.failed != nil || c.closed {
		return errors.Join(c.failed, net.ErrClosed)
	}
	now := time.Now()
	if c.free.Before(now) {
		c.free = now
	}
	c.free = c.free.Add(busy)
	due := c.free.Add(delay)
	if due.Before(c.last) {
		due = c.last
	}
	c.last = due
	c.queue = append(c.queue, parcel{b, due})
	c.bytes += len(b)
	signal(c.more)
	return nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// start begins to carry, unless the connection is closed already.
func (c *conn) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.carry.Go(c.carryAll)
	}
}

// carryAll hands over each parcel when it is due and the way is open.
func (c *conn) carryAll() {
	for {
		p, ok := c.next(c.ctx)
		if !ok {
			return
		}
		if _, err := c.Conn.Write(p.b); err != nil {
			c.mu.Lock()
			c.failed = fmt.Errorf("on the way to %s: %w", c.peer, err)
			c.mu.Unlock()
			signal(c.room)
			return
		}
	}
}

// next takes the first parcel when its time has come; false when the connection is closed.
func (c *conn) next(ctx context.Context) (parcel, bool) {
	for ctx.Err() == nil {
		c.mu.Lock()
		var due time.Time
		some := len(c.queue) > 0
		if some {
			due = c.queue[0].due
		}
		c.mu.Unlock()
		if !some {
			select {
			case <-c.more:
			case <-ctx.Done():
			}
			continue
		}
		if f, changed := c.network.fault(c.peer); f.Cut {
			_ = wait(ctx, f, changed) // the loop asks ctx
			continue
		}
		if d := time.Until(due); d > 0 {
			t := time.NewTimer(d)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
			}
			continue
		}
		c.mu.Lock()
		p := c.queue[0]
		c.queue[0] = parcel{}
		c.queue = c.queue[1:]
		c.bytes -= len(p.b)
		c.mu.Unlock()
		signal(c.room)
		return p, true
	}
	return parcel{}, false
}

// Close ends the connection. What is on its way is lost, as in a socket that is closed hard.
func (c *conn) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end()
	err := c.Conn.Close()
	c.carry.Wait()
	return err
}
