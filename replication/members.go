package replication

import (
	"context"

	"github.com/meridiandb/meridian/replication/member"
)

// followMembership begins a loop for each peer that membership names and ends those of peers that left or moved.
func (r *Replication) followMembership() {
	loops := map[string]*loop{}
	for {
		changed := r.membership.Changed()
		named := map[string]bool{}
		for _, m := range r.membership.Peers() {
			if m.Region == r.self.Region {
				continue
			}
			named[m.Region] = true
			r.name(loops, m)
		}
		for region, l := range loops {
			if !named[region] {
				l.end()
				r.peer(region).unnamed()
			}
		}
		select {
		case <-changed:
		case <-r.ctx.Done():
			return // the loops end with the same context
		}
	}
}

// loop is a peer's loop that runs, or has been told to end. An ended one is kept: the next one waits for it.
type loop struct {
	to     member.Peer
	cancel context.CancelFunc
	over   bool // end was called
	ended  chan struct{}
}

func (l *loop) end() {
	l.over = true
	l.cancel()
}

// name takes what membership says of one peer.
func (r *Replication) name(loops map[string]*loop, m member.Peer) {
	p := r.peer(m.Region)
	if p == nil {
		r.o.Logger.Error("too many regions; one is not replicated with", "peer", m.Region)
		return
	}
	p.named(m)
	old := loops[m.Region]
	if old != nil && !old.over {
		if m.State != member.Left && old.to.Origin == m.Origin && old.to.Address == m.Address {
			return
		}
		old.end()
	}
	if m.State == member.Left {
		return
	}
	ctx, cancel := context.WithCancel(r.ctx)
	l := &loop{to: m, cancel: cancel, ended: make(chan struct{})}
	loops[m.Region] = l
	r.running.Go(func() {
		defer close(l.ended)
		defer cancel()
		if old != nil {
			<-old.ended // a Sink serves one link from a region at a time
		}
		p.run(ctx, m)
	})
}
