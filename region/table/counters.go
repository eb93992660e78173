package table

import (
	"maps"
	"sync"

	"github.com/meridiandb/meridian/stream/record"
)

// Counters are totals since the process started.
type Counters struct {
	Commits, Applied uint64
	Conflicts        map[record.TableID]uint64 // that came into the feed
	Pairs            map[Pair]uint64           // the same by kind
	Expired          map[record.TableID]uint64 // items whose time was over, by this region alone
}

// Counters reads the totals.
func (e *Engine) Counters() Counters {
	c := Counters{
		Commits: e.commits.Load(), Applied: e.applied.Load(), Conflicts: map[record.TableID]uint64{},
		Pairs: e.conflicts.snapshot(), Expired: e.expired.snapshot(),
	}
	for p, n := range c.Pairs {
		c.Conflicts[p.Table] += n
	}
	return c
}

// pairs counts conflicts by kind.
type pairs struct {
	mu sync.Mutex
	n  map[Pair]uint64
}

func (c *pairs) add(p Pair) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[Pair]uint64{}
	}
	c.n[p]++
}

func (c *pairs) snapshot() map[Pair]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.n)
}

// totals counts by table.
type totals struct {
	mu sync.Mutex
	n  map[record.TableID]uint64
}

func (c *totals) add(id record.TableID, n int) {
	if n == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[record.TableID]uint64{}
	}
	c.n[id] += uint64(n)
}

func (c *totals) snapshot() map[record.TableID]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := maps.Clone(c.n)
	if m == nil {
		m = map[record.TableID]uint64{}
	}
	return m
}
