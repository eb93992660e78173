package table

import (
	"maps"
	"sync"

	"github.com/meridiandb/meridian/stream/record"
)

// Counters are totals since the process started.
type Counters struct {
	Commits, Applied uint64
	Conflicts        map[record.TableID]uint64
	Expired          map[record.TableID]uint64 // items whose time was over, by this region alone
}

// Counters reads the totals.
func (e *Engine) Counters() Counters {
	return Counters{Commits: e.commits.Load(), Applied: e.applied.Load(), Conflicts: e.conflicts.snapshot(), Expired: e.expired.snapshot()}
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
