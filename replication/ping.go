package replication

import (
	"context"
	"fmt"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/replication/transport"
)

// pingEvery is how often clocks are compared. It also keeps something coming on a connection that has nothing to say.
const pingEvery = time.Second

// ping compares clocks once.
func (p *peer) ping(ctx context.Context, conn transport.Conn, who crdt.Origin) error {
	// The wall clock may be set while the ping is under way; how long it took is measured by the monotonic one.
	asked, began := p.r.o.Now(), time.Now()
	pong, err := conn.Ping(ctx)
	if err != nil {
		return err
	}
	if pong.Origin != who {
		return fmt.Errorf("%v answers instead of %v", pong.Origin, who)
	}
	s := link.Sample{Asked: asked, Arrived: pong.Arrived, Answered: pong.Answered, Returned: asked.Add(time.Since(began))}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clock.Add(s)
	return nil
}

// watch compares clocks as long as the session lives and ends it when nothing comes any more. A ping that fails is no
// reason: on a slow, full connection it stands in line behind much else.
func (p *peer) watch(ctx context.Context, s *session, who crdt.Origin) error {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	silence := p.r.o.Link.Silence
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		once, cancel := context.WithTimeout(ctx, silence)
		err := p.ping(once, s.conn, who)
		cancel()
		if quiet := time.Since(s.conn.Heard()); quiet >= silence && ctx.Err() == nil {
			return fmt.Errorf("%w for %v: %w", link.ErrSilent, quiet.Round(time.Millisecond), err)
		}
	}
}
