package replication

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/replication/transport"
	"github.com/meridiandb/meridian/stream/record"
)

const (
	// applyCommits and applyBytes bound what is given to Sink.Apply at once, and so how long it holds anything.
	applyCommits = 1024
	applyBytes   = 4 << 20
	// refusedPause and repairPause are how long a peer that refused, or is refused, is left in peace, unless other tables are wanted.
	refusedPause = time.Second
	repairPause  = 5 * time.Second
	// holdPause is when what the Sink holds is tried again.
	holdPause = time.Second
)

// errReopen says that other tables are wanted from the peer.
var errReopen = errors.New("other tables are wanted now")

// follow keeps a link from the peer while the session lives. It begins when the peer's catalog has come: of a transaction over
// tables of which the peer had one only since the last session, the parts in the others would be shown alone.
func (p *peer) follow(ctx context.Context, s *session, who crdt.Origin) error {
	select {
	case <-s.told:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	conn := s.conn
	backoff := link.Backoff{Min: 5 * time.Millisecond, Max: 500 * time.Millisecond}
	for {
		tables, changed := p.r.o.Sink.Wanted(p.region)
		o := link.NewOpen(p.r.o.Link, p.r.self, who, p.r.o.Sink.Cursor(who), tables)
		moved, err := p.followOnce(ctx, conn, o, changed)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if moved {
			backoff.Reset()
		}
		wait := backoff.Next(rand.Float64())
		var refusal *link.Refusal
		switch {
		case errors.Is(err, errReopen), errors.Is(err, ErrStale):
			p.r.o.Logger.Debug("link opened again for other tables", "peer", p.region)
		case errors.Is(err, link.ErrGap):
			p.r.o.Logger.Warn("link opened again", "peer", p.region, "err", err)
		case errors.As(err, &refusal) && refusal.Reason == link.ReasonTrimmed:
			p.failed(StateRepair, err)
			p.r.o.Sink.Trimmed(who)
			wait = repairPause
		case errors.As(err, &refusal), errors.Is(err, ErrOver):
			p.failed(StateRefused, err)
			wait = refusedPause
		default:
			return err
		}
		rest := time.NewTimer(wait)
		select {
		case <-rest.C:
		case <-changed: // closed already if that is why: then the timer's moment is saved
		case <-ctx.Done():
		}
		rest.Stop()
	}
}

// receiving is a link from a peer, open or ended.
type receiving struct {
	p       *peer
	who     crdt.Origin
	arrived chan struct{} // size 1: there may be work
	acked   chan struct{} // size 1: there is something to acknowledge

	mu       sync.Mutex
	receiver *link.Receiver
	open     bool
	moved    bool // something was applied
	held     error
}

// followOnce runs one link; moved says whether it brought anything.
func (p *peer) followOnce(ctx context.Context, conn transport.Conn, o link.Open, changed <-chan struct{}) (moved bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	patience := time.AfterFunc(dialPatience, func() { cancel(link.ErrSilent) })
	in, accept, err := conn.Follow(ctx, o)
	if !patience.Stop() && err == nil {
		err = link.ErrSilent
	}
	if err == nil {
		err = o.Check(accept)
	}
	if err != nil {
		return false, err
	}
	v := &receiving{
		p: p, who: o.Sender, arrived: make(chan struct{}, 1), acked: make(chan struct{}, 1),
		receiver: link.NewReceiver(p.r.o.Link, &o, accept, time.Now()), open: true,
	}
	p.mu.Lock()
	p.in = v
	p.mu.Unlock()
	p.count.received.links.Add(1)
	p.well()

	var parts sync.WaitGroup
	parts.Go(func() { cancel(v.receive(in)) })
	parts.Go(func() { cancel(v.apply(ctx)) })
	cancel(v.acknowledge(ctx, conn, in, changed))
	parts.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open = false
	return v.moved, context.Cause(ctx)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// receive takes what comes. It never waits for apply: what may come is bounded by the window.
func (v *receiving) receive(in transport.Inbound) error {
	for {
		b, err := in.Recv()
		if err != nil {
			return err
		}
		count := &v.p.count.received
		count.batches.Add(1)
		count.bytes.Add(uint64(b.Bytes()))
		count.commits.Add(uint64(len(b.Commits)))
		v.mu.Lock()
		err = v.receiver.Arrived(b, time.Now())
		v.mu.Unlock()
		if err != nil {
			return err
		}
		signal(v.arrived)
	}
}

// apply gives what came to the Sink, as much at once as has come meanwhile.
func (v *receiving) apply(ctx context.Context) error {
	sink := v.p.r.o.Sink
	for {
		v.mu.Lock()
		w, ok := v.receiver.Take(applyCommits, applyBytes)
		v.mu.Unlock()
		if !ok {
			select {
			case <-v.arrived:
				continue
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		commits, err := decode(w.Commits)
		if err != nil {
			return fmt.Errorf("from %v before position %v: %w", v.who, w.UpTo, err)
		}
		err = sink.Apply(ctx, v.who, commits, w.UpTo, w.Closed)
		for errors.Is(err, ErrHeld) && ctx.Err() == nil {
			v.hold(err)
			pause(ctx, holdPause)
			err = sink.Apply(ctx, v.who, commits, w.UpTo, w.Closed)
		}
		v.hold(nil)
		if err != nil {
			return fmt.Errorf("apply up to position %v: %w", w.UpTo, err)
		}
		v.p.r.metrics.applied(v.p, commits)
		v.mu.Lock()
		_, tell := v.receiver.Applied(w, time.Now())
		v.moved = v.moved || tell
		v.mu.Unlock()
		if tell {
			signal(v.acked)
		}
	}
}

// hold notes why the stream is held; nil: it is not. The link stays: that the sender lives is known, and what it may send
// meanwhile is bounded by the window.
func (v *receiving) hold(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held = err
}

func decode(encoded [][]byte) ([]record.Commit, error) {
	if len(encoded) == 0 {
		return nil, nil
	}
	commits := make([]record.Commit, len(encoded))
	for i, b := range encoded {
		var err error
		if commits[i], err = record.DecodeCommit(b); err != nil {
			return nil, fmt.Errorf("commit %d of %d: %w", i+1, len(encoded), err)
		}
	}
	return commits, nil
}

// acknowledge tells the peer what is applied, and that we live while nothing is; it ends the link when the peer is silent
// or other tables are wanted.
func (v *receiving) acknowledge(ctx context.Context, conn transport.Conn, in transport.Inbound, changed <-chan struct{}) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed:
			return errReopen
		case <-v.acked:
			if err := in.Send(v.ack()); err != nil {
				return err
			}
		case <-timer.C:
			v.mu.Lock()
			v.receiver.Heard(conn.Heard())
			err := v.receiver.Check(time.Now())
			due := v.receiver.Due(time.Now())
			v.mu.Unlock()
			if err == nil && due {
				err = in.Send(v.ack())
			}
			if err != nil {
				return err
			}
			v.mu.Lock()
			timer.Reset(time.Until(v.receiver.Next()))
			v.mu.Unlock()
		}
	}
}

func (v *receiving) ack() link.Ack {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.receiver.Ack(time.Now())
}

// lag is what the region misses of the peer, as far as it knows.
func (v *receiving) lag(now time.Time) Lag {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.receiver.Lag(now, v.open)
}
