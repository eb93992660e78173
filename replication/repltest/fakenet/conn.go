package fakenet

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/replication/transport"
	"github.com/meridiandb/meridian/stream/record"
)

// conn is one connection.
type conn struct {
	from, to *Transport
	up, down *way

	client  context.Context // of what the dialer does on it
	leave   context.CancelCauseFunc
	served  context.Context // of what the server does on it
	abandon context.CancelCauseFunc

	mu    sync.Mutex
	heard time.Time
}

var _ transport.Conn = (*conn)(nil)

func (c *conn) Heard() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard
}

func (c *conn) Close() error {
	c.leave(errGone)
	c.up.send(false, func() { c.abandon(errGone) })
	return nil
}

// box is a bounded queue of what has arrived at one end of a stream.
type box[M any] struct {
	mu     sync.Mutex
	list   []M
	end    error // after list
	moved  chan struct{}
	inside int // under way or in list
	taken  chan struct{}
}

// boxSize is how many messages may be under way and unread before Send blocks.
const boxSize = 64

func newBox[M any]() *box[M] {
	return &box[M]{moved: make(chan struct{}, 1), taken: make(chan struct{}, 1)}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// post sends a message by a way, when there is room.
func (b *box[M]) post(ctx context.Context, w *way, ofLink bool, m M) error {
	for {
		b.mu.Lock()
		room := b.inside < boxSize
		if room {
			b.inside++
		}
		b.mu.Unlock()
		if room {
			break
		}
		select {
		case <-b.taken:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	copies := w.send(ofLink, func() {
		w.c.mark(w)
		b.mu.Lock()
		b.list = append(b.list, m)
		b.mu.Unlock()
		signal(b.moved)
	})
	b.mu.Lock()
	b.inside += copies - 1
	b.mu.Unlock()
	return nil
}

func (c *conn) mark(w *way) {
	if w != c.down {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = time.Now()
}

// finish says that nothing more will come.
func (b *box[M]) finish(w *way, err error) {
	w.send(false, func() {
		w.c.mark(w)
		b.mu.Lock()
		if b.end == nil {
			b.end = err
		}
		b.mu.Unlock()
		signal(b.moved)
	})
}

func (b *box[M]) next(ctx context.Context) (m M, err error) {
	for {
		b.mu.Lock()
		if len(b.list) > 0 {
			m, b.list = b.list[0], b.list[1:]
			b.inside--
			b.mu.Unlock()
			signal(b.taken)
			return m, nil
		}
		end := b.end
		b.mu.Unlock()
		if end != nil {
			return m, end
		}
		select {
		case <-b.moved:
		case <-ctx.Done():
			return m, context.Cause(ctx)
		}
	}
}

// both is a context that ends with either.
func both(a, b context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(a)
	context.AfterFunc(b, func() { cancel(context.Cause(b)) })
	return ctx, cancel
}

// ask begins a call: serve runs at the server when the request arrives, and its error travels back into down. When the
// asker's context ends, so does the server's, a delay later.
func ask[M any](ctx context.Context, c *conn, down *box[M], serve func(context.Context) error) (context.Context, context.CancelCauseFunc) {
	asking, done := both(ctx, c.client)
	serving, stop := context.WithCancelCause(c.served)
	c.up.send(false, func() {
		started := c.to.handle(func() {
			err := serve(serving)
			stop(errGone)
			if err == nil {
				err = io.EOF
			}
			down.finish(c.down, err)
		})
		if !started {
			stop(errGone)
			down.finish(c.down, errGone)
		}
	})
	context.AfterFunc(asking, func() { c.up.send(false, func() { stop(errGone) }) })
	return asking, done
}

func (c *conn) Follow(ctx context.Context, o link.Open) (transport.Inbound, link.Accept, error) {
	s := &stream{c: c, accepts: newBox[link.Accept](), batches: newBox[link.Batch](), acks: newBox[link.Ack]()}
	s.asking, _ = ask(ctx, c, s.batches, func(ctx context.Context) error {
		s.serving = ctx
		err := c.to.server.Follow(ctx, o, outbound{s})
		if err == nil {
			err = errors.New("the other region ended the stream")
		}
		s.accepts.finish(c.down, err)
		return err
	})
	a, err := s.accepts.next(s.asking)
	return inbound{s}, a, err
}

// stream is a link's two directions.
type stream struct {
	c               *conn
	asking, serving context.Context
	accepts         *box[link.Accept]
	batches         *box[link.Batch]
	acks            *box[link.Ack]
}

type inbound struct{ *stream }

func (s inbound) Recv() (link.Batch, error) { return s.batches.next(s.asking) }
func (s inbound) Send(a link.Ack) error     { return s.acks.post(s.asking, s.c.up, true, a) }

type outbound struct{ *stream }

func (s outbound) Accept(a link.Accept) error { return s.accepts.post(s.serving, s.c.down, false, a) }
func (s outbound) Send(b link.Batch) error    { return s.batches.post(s.serving, s.c.down, true, b) }
func (s outbound) Recv() (link.Ack, error)    { return s.acks.next(s.serving) }

// drain hands what a call sends to fn.
func drain[M any](ctx context.Context, c *conn, serve func(context.Context, func(M) error) error, fn func(M) error) error {
	down := newBox[M]()
	asking, done := ask(ctx, c, down, func(ctx context.Context) error {
		return serve(ctx, func(m M) error { return down.post(ctx, c.down, false, m) })
	})
	defer done(nil)
	for {
		m, err := down.next(asking)
		if err == nil {
			err = fn(m)
		}
		if err != nil {
			return err
		}
	}
}

func (c *conn) Catalog(ctx context.Context, from crdt.Origin, fn func([][]byte) error) error {
	return drain(ctx, c, func(ctx context.Context, send func([][]byte) error) error {
		return c.to.server.Catalog(ctx, from, send)
	}, fn)
}

func (c *conn) Snapshot(ctx context.Context, from string, table record.TableID, fn func(transport.SnapshotChunk) error) error {
	err := drain(ctx, c, func(ctx context.Context, send func(transport.SnapshotChunk) error) error {
		return c.to.server.Snapshot(ctx, from, table, send)
	}, fn)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (c *conn) Call(ctx context.Context, from, name string, payload []byte) (reply []byte, err error) {
	err = drain(ctx, c, func(ctx context.Context, send func([]byte) error) error {
		b, err := c.to.server.Call(ctx, from, name, payload)
		if err == nil {
			err = send(b)
		}
		return err
	}, func(b []byte) error { reply = b; return nil })
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return reply, err
}

func (c *conn) Ping(ctx context.Context) (pong transport.Pong, err error) {
	err = drain(ctx, c, func(ctx context.Context, send func(transport.Pong) error) error {
		return send(c.to.server.Ping(ctx))
	}, func(p transport.Pong) error { pong = p; return nil })
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return pong, err
}
