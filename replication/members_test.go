package replication_test

import (
	"slices"
	"sync"

	"github.com/meridiandb/meridian/replication/member"
)

// roster is a membership that a test writes itself.
type roster struct {
	mu      sync.Mutex
	peers   []member.Peer
	changed chan struct{}
}

func newRoster(peers ...member.Peer) *roster {
	return &roster{peers: peers, changed: make(chan struct{})}
}

func (r *roster) Peers() []member.Peer {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.peers)
}

func (r *roster) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

func (r *roster) Close() error { return nil }

func (r *roster) set(peers ...member.Peer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.peers = peers
	close(r.changed)
	r.changed = make(chan struct{})
}
