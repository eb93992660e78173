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
}

// Counters reads the totals.
func (e *Engine) Counters() Counters {
	return Counters{Commits: e.commits.Load(), Applied: e.applied.Load(), Conflicts: e.conflicts.snapshot()}
}

// conflictCounts counts lost writes by table.
type conflictCounts struct {
	mu sync.Mutex
	n  map[record.TableID]uint64
}

func (c *conflictCounts) add(id record.TableID, n int) {
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

func (c *conflictCounts) snapshot() map[record.TableID]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := maps.Clone(c.n)
	if m == nil {
		m = map[record.TableID]uint64{}
	}
	return m
}
