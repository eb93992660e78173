package table

import (
	"sync"
	"sync/atomic"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/clock"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream"
	"github.com/meridiandb/meridian/stream/record"
)

// Options is what an Engine works on. All fields are required.
type Options struct {
	Store  storage.Store
	Log    *stream.Log
	Clock  *clock.Clock
	Origin crdt.Origin
	// Resolve finds the table of an id if this region holds a replica of it, nil otherwise.
	Resolve func(record.TableID) *Table
}

// Engine is what the tables of one region share. It is safe for concurrent use.
type Engine struct {
	store    storage.Store
	log      *stream.Log
	clock    *clock.Clock
	origin   crdt.Origin
	resolve  func(record.TableID) *Table
	inflight inflight
	counts   counts

	// order is held from taking a stamp until the commit stands in the log, so that End can name a time below which
	// nothing is still to come.
	order  sync.Mutex
	closed closing

	commits   atomic.Uint64 // own commits
	applied   atomic.Uint64 // commits of other regions that changed something
	conflicts conflictCounts
}

// NewEngine makes the engine of a region.
func NewEngine(o Options) *Engine {
	return &Engine{store: o.Store, log: o.Log, clock: o.Clock, origin: o.Origin, resolve: o.Resolve}
}

// Table is one table of a region at one revision of its descriptor. It is immutable and cheap to make.
type Table struct {
	engine *Engine
	entry  *catalog.Entry
	prefix []byte // of its items' keys in the store
}

// Table makes the handle for a catalog entry.
func (e *Engine) Table(entry *catalog.Entry) *Table {
	return &Table{engine: e, entry: entry, prefix: append([]byte{storage.KindItem}, entry.ID[:]...)}
}

// Descriptor is the table's description; it must not be changed.
func (t *Table) Descriptor() *catalog.Descriptor { return t.entry.Descriptor }

// Entry is the catalog entry that this handle was made from.
func (t *Table) Entry() *catalog.Entry { return t.entry }

// closing finds closed times: (last, at) says that when commit last is durable, nothing at or below time at is to come.
type closing struct {
	mu     sync.Mutex
	last   record.Seq
	at     crdt.Time
	closed crdt.Time
}

// End is the durable end of the log and a time at or below which no own commit will still appear past it.
func (e *Engine) End() (record.Seq, crdt.Time) {
	e.closed.mu.Lock()
	defer e.closed.mu.Unlock()
	if e.closed.at == 0 {
		e.order.Lock()
		e.closed.at, e.closed.last = e.clock.Stamp().Time, e.log.Last()
		e.order.Unlock()
	}
	if e.log.Durable() >= e.closed.last {
		e.closed.closed, e.closed.at = e.closed.at, 0
	}
	return e.log.Durable(), e.closed.closed
}

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
	m := make(map[record.TableID]uint64, len(c.n))
	for k, v := range c.n {
		m[k] = v
	}
	return m
}
