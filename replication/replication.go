package replication

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/transport"
)

// errClosed is why everything ends at Close.
var errClosed = errors.New("replication is closed")

// Replication is one region's links to the others. It is safe for concurrent use.
type Replication struct {
	o          Options
	self       crdt.Origin
	transport  transport.Transport
	membership Membership
	tail       *tail

	ctx     context.Context
	cancel  context.CancelCauseFunc
	running sync.WaitGroup
	metrics *metrics
	repairs *repairs // nil: none

	mu    sync.Mutex
	peers map[string]*peer // by region; whom membership names, and who has asked us for our log
}

// StartOver replicates over a transport and a membership, which are closed with it, also when it fails.
func StartOver(o Options, t transport.Transport, m Membership) (*Replication, error) {
	if err := o.check(); err != nil {
		return nil, errors.Join(err, m.Close(), t.Close())
	}
	r := &Replication{o: o, self: o.Source.Origin(), transport: t, membership: m, peers: map[string]*peer{}}
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	r.tail = newTail(o.Source)
	r.repairs = newRepairs(r)
	r.metrics = newMetrics(r)
	err := r.metrics.register(o.Registerer)
	if err == nil {
		err = t.Serve(&server{r})
	}
	if err != nil {
		r.cancel(err)
		return nil, errors.Join(err, r.Close())
	}
	r.running.Go(func() { r.tail.run(r.ctx) })
	r.running.Go(r.followMembership)
	if r.repairs != nil && o.RepairEvery >= 0 {
		r.running.Go(func() { r.repairs.run(r.ctx) })
	}
	return r, nil
}

// Close says goodbye to the others, ends all links and waits.
func (r *Replication) Close() error {
	err := r.membership.Close()
	r.cancel(errClosed)
	err = errors.Join(err, r.transport.Close())
	r.running.Wait()
	r.metrics.unregister()
	return err
}

// maxStrangers bounds how many regions may ask for our log before membership has named them.
const maxStrangers = 1000

// peer finds a region's peer or makes it; nil when there are too many.
func (r *Replication) peer(region string) *peer {
	end, _ := r.o.Source.End()
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.peers[region]
	if p == nil && len(r.peers) < maxStrangers {
		p = newPeer(r, region, end)
		r.peers[region] = p
	}
	return p
}

// list is all peers, by region.
func (r *Replication) list() []*peer {
	r.mu.Lock()
	all := make([]*peer, 0, len(r.peers))
	for _, p := range r.peers {
		all = append(all, p)
	}
	r.mu.Unlock()
	slices.SortFunc(all, func(a, b *peer) int { return strings.Compare(a.region, b.region) })
	return all
}
