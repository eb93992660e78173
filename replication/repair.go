package replication

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/antientropy"
	"github.com/meridiandb/meridian/stream/record"
)

// Repairer is a region as repair sees it. It is safe for concurrent use.
type Repairer interface {
	// RepairTables names the tables that this region and a peer both serve, by id; with no peer all that this region serves.
	RepairTables(peer string) map[record.TableID]string
	// Floor is the time up to which every member of a table holds everything: older deletes may be forgotten.
	Floor(id record.TableID) crdt.Time
	// OpenCopy begins a copy of a table as it is now, durable state only, without deletes of whole hours at or below forgotten.
	// Live are the origins whose logs are followed, this region's own among them.
	OpenCopy(ctx context.Context, id record.TableID, forgotten crdt.Time, live []crdt.Origin) (RepairCopy, error)
	// Mend merges items that a peer sent (their keys and states, one for one) and returns when they are durable. News is how
	// many were not known. Floor is that of this region's copy in the round.
	Mend(ctx context.Context, from string, id record.TableID, floor crdt.Time, keys, states [][]byte) (news int, err error)
	// Scrub works out from a table's items what its hash tree should be and mends it; bad is how many cells were wrong.
	Scrub(ctx context.Context, id record.TableID) (bad int, err error)
}

// RepairCopy is a table as it was at one moment.
type RepairCopy interface {
	antientropy.View
	// Held says, for each live origin, up to which time the copy has everything.
	Held() map[crdt.Origin]crdt.Time
	// Have says the same of every origin of which anything is known.
	Have() map[crdt.Origin]crdt.Time
	// Through is the time up to which the copy has everything of all origins.
	Through() crdt.Time
	// Ended is told at the end of a round with a peer of which origins the table has everything up to when, besides what the
	// copy has.
	Ended(peer string, up map[crdt.Origin]crdt.Time) error
	// Floor is the table's floor when the copy was made, or a later one.
	Floor() crdt.Time
	// Position is up to where in this region's own log the copy has everything.
	Position() record.Seq
	Close() error
}

const (
	// defaultRepairEvery is how often, about, each table is compared with each peer.
	defaultRepairEvery = time.Minute
	// repairRest is how many times longer repair rests than it worked: it costs a tenth of a processor at most.
	repairRest = 9
	// repairIdle is how long it waits when there is nothing to compare, and at least between two rounds.
	repairIdle = time.Second
	// gonePatience is how long a region may be away until what is missing of it counts as missing, and not as on its way.
	gonePatience = 30 * time.Second
	// answerPatience bounds the wait for one answer. A large partition takes a while to hash.
	answerPatience = time.Minute
	// scrubRest is how long a table is not scrubbed again because a round found a hollow tree.
	scrubRest = time.Hour
	// maxAnswering is how many rounds of others this region answers at once. Each holds a snapshot open.
	maxAnswering = 4
)

// repairs compares this region's tables with the peers', one after the other, and answers when they do.
type repairs struct {
	r         *Replication
	region    Repairer
	every     time.Duration
	asking    chan struct{} // size 1: one round at a time
	answering chan struct{}
	scrubbed  atomic.Uint64 // cells that a scrub found wrong

	mu     sync.Mutex
	seen   map[string]time.Time         // when a region's link stood last
	scrubs map[record.TableID]time.Time // when a tree was scrubbed last, because a round had found one wrong; as many as tables
}

func newRepairs(r *Replication) *repairs {
	if r.o.Repairer == nil {
		return nil
	}
	every := r.o.RepairEvery
	if every == 0 {
		every = defaultRepairEvery
	}
	return &repairs{
		r: r, region: r.o.Repairer, every: every,
		asking: make(chan struct{}, 1), answering: make(chan struct{}, maxAnswering), seen: map[string]time.Time{},
		scrubs: map[record.TableID]time.Time{},
	}
}

// pair is what one round compares.
type pair struct {
	id   record.TableID
	name string
	peer *peer
}

// run compares all the time. Of two regions the one whose name is first asks: a round mends both.
func (s *repairs) run(ctx context.Context) {
	var todo []pair
	for {
		s.look()
		rest := repairIdle
		if len(todo) == 0 {
			todo = s.pairs(func(peer string) bool { return s.r.self.Region < peer })
		}
		if n := len(todo); n > 0 {
			rest = max(rest, s.every/time.Duration(n))
			began := time.Now()
			if todo[0].peer.connected() {
				s.background(ctx, todo[0])
			}
			rest = max(rest, repairRest*time.Since(began))
			todo = todo[1:]
		}
		for until := time.Now().Add(rest); time.Now().Before(until) && ctx.Err() == nil; {
			pause(ctx, min(repairIdle, time.Until(until)))
			s.look()
		}
		if ctx.Err() != nil {
			return
		}
	}
}

func (s *repairs) background(ctx context.Context, p pair) {
	report, err := s.round(ctx, p, nil)
	switch {
	case err != nil && ctx.Err() == nil:
		s.r.o.Logger.Debug("repair to be tried again", "peer", p.peer.region, "table", p.name, "err", err)
	case report.Hollow > 0:
		s.scrub(ctx, p.id)
	}
}

// scrub mends this region's hash tree after a round has found that one of the two is wrong. It reads the whole table, so it is
// not done again for a while: what is still found then is a bug, not a disk's doing.
func (s *repairs) scrub(ctx context.Context, id record.TableID) {
	now := time.Now()
	s.mu.Lock()
	last, done := s.scrubs[id]
	due := !done || now.Sub(last) >= scrubRest
	if due {
		s.scrubs[id] = now
	}
	s.mu.Unlock()
	if !due {
		return
	}
	bad, err := s.region.Scrub(ctx, id)
	s.scrubbed.Add(uint64(max(0, bad)))
	if err != nil || bad > 0 {
		s.r.o.Logger.Error("the hash tree of a table was wrong", "table", id.String(), "cells", bad, "err", err)
	}
}

// pairs lists what can be compared now.
func (s *repairs) pairs(with func(peer string) bool) []pair {
	var all []pair
	for _, p := range s.r.list() {
		if !with(p.region) || !p.connected() {
			continue
		}
		for id, name := range s.region.RepairTables(p.region) {
			all = append(all, pair{id, name, p})
		}
	}
	return all
}

// look notes whose links stand.
func (s *repairs) look() {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.r.list() {
		if _, known := s.seen[p.region]; !known || p.follows() {
			s.seen[p.region] = now
		}
	}
}

// live lists the origins of which more is to come by their logs.
func (s *repairs) live() []crdt.Origin {
	s.look()
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	live := []crdt.Origin{s.r.self}
	for _, p := range s.r.list() {
		if o := p.origin(); !o.IsZero() && now.Sub(s.seen[p.region]) < gonePatience {
			live = append(live, o)
		}
	}
	return live
}

// connected reports whether the peer can be asked.
func (p *peer) connected() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.session != nil && !p.member.Origin.IsZero()
}

// follows reports whether the peer's log is followed.
func (p *peer) follows() bool {
	p.mu.Lock()
	in := p.in
	p.mu.Unlock()
	if in == nil {
		return false
	}
	open, _ := in.stands()
	return open
}

func (p *peer) origin() crdt.Origin {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.member.Origin
}
