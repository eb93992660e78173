package replication

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meridiandb/meridian/replication/transport"
	"github.com/meridiandb/meridian/stream/record"
)

const (
	// connectPatience is how long a command waits for a connection that is just being made.
	connectPatience = time.Second
	// callPatience bounds commands whose caller set no bound.
	callPatience = 10 * time.Second
	// snapshotBytes is about how much of a table travels in one message.
	snapshotBytes = 1 << 20
)

// unknownRegion is the error of a call to a region that nobody has heard of: a misspelt one, or one that has not been met yet.
type unknownRegion string

func (u unknownRegion) Error() string { return fmt.Sprintf("no region %s is known here", string(u)) }

// UnknownRegion tells it from regions that cannot be reached, for callers that do not know this package.
func (unknownRegion) UnknownRegion() {}

// server answers other regions.
type server struct{ r *Replication }

var _ transport.Server = (*server)(nil)

// Call has a region carry out a command and returns its answer. After an error the command may or may not have been carried
// out.
func (r *Replication) Call(ctx context.Context, region, name string, payload []byte) ([]byte, error) {
	ctx, cancel := r.bound(ctx)
	defer cancel(nil)
	if _, ok := ctx.Deadline(); !ok {
		var done context.CancelFunc
		ctx, done = context.WithTimeout(ctx, callPatience)
		defer done()
	}
	conn, err := r.connected(ctx, region)
	if err != nil {
		return nil, err
	}
	return conn.Call(ctx, r.self.Region, name, payload)
}

// FetchSnapshot copies a table from a region: fn gets the positions that the copy includes, then the changes, in pieces. Its
// error ends the copying.
func (r *Replication) FetchSnapshot(ctx context.Context, region string, id record.TableID, fn func(SnapshotChunk) error) error {
	ctx, cancel := r.bound(ctx)
	defer cancel(nil)
	conn, err := r.connected(ctx, region)
	if err != nil {
		return err
	}
	positioned := false
	err = conn.Snapshot(ctx, r.self.Region, id, func(c SnapshotChunk) error {
		if first := !positioned; first != (len(c.Positions) > 0) {
			return fmt.Errorf("a copy of table %v from %s has its positions in the wrong place", id, region)
		}
		positioned = true
		return fn(c)
	})
	if err == nil && !positioned {
		err = fmt.Errorf("a copy of table %v from %s came without positions", id, region)
	}
	return err
}

// bound makes a context that ends with replication, too.
func (r *Replication) bound(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(r.ctx, func() { cancel(context.Cause(r.ctx)) })
	return ctx, func(err error) { stop(); cancel(err) }
}

// connected returns the connection to a region, waiting for one that is just being made.
func (r *Replication) connected(ctx context.Context, region string) (transport.Conn, error) {
	r.mu.Lock()
	p := r.peers[region]
	r.mu.Unlock()
	if p == nil {
		return nil, unknownRegion(region)
	}
	patience := time.NewTimer(connectPatience)
	defer patience.Stop()
	for {
		p.mu.Lock()
		s, came, err := p.session, p.came, p.err
		p.mu.Unlock()
		if s != nil {
			return s.conn, nil
		}
		select {
		case <-came:
		case <-patience.C:
			if err == nil {
				err = errors.New("it did not answer yet")
			}
			return nil, fmt.Errorf("no connection to region %s: %w", region, err)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Call carries out what a peer asks.
func (s *server) Call(ctx context.Context, from, name string, payload []byte) ([]byte, error) {
	return s.r.o.Handler.Handle(ctx, from, name, payload)
}

// Ping tells the time.
func (s *server) Ping(context.Context) transport.Pong {
	arrived := s.r.o.Now()
	return transport.Pong{Origin: s.r.self, Arrived: arrived, Answered: s.r.o.Now()}
}

// Snapshot sends a peer a copy of a table.
func (s *server) Snapshot(ctx context.Context, _ string, id record.TableID, send func(SnapshotChunk) error) (err error) {
	snap, err := s.r.o.Source.Snapshot(ctx, id)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, snap.Close()) }()
	if err := send(SnapshotChunk{Positions: snap.Positions()}); err != nil {
		return err
	}
	for more := true; more; {
		var chunk SnapshotChunk
		if chunk.Changes, more, err = snap.Next(snapshotBytes); err != nil {
			return err
		}
		if len(chunk.Changes) == 0 {
			continue
		}
		if err := send(chunk); err != nil {
			return err
		}
	}
	return nil
}
