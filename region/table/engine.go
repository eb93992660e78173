package table

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/capacity"
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
	// Resolve finds the table of an id as the catalog has it now, if this region holds a replica of it; nil otherwise. It is
	// called inside seal, so it must not wait for anybody who may be waiting for the store.
	Resolve func(record.TableID) *Table
	// Floor is a table's floor (collect.go); nil: nothing is ever forgotten.
	Floor func(record.TableID) crdt.Time
}

// Engine is what the tables of one region share. It is safe for concurrent use.
type Engine struct {
	store    storage.Store
	log      *stream.Log
	clock    *clock.Clock
	origin   crdt.Origin
	resolve  func(record.TableID) *Table
	floor    func(record.TableID) crdt.Time
	inflight inflight
	counts   counts
	meters   sync.Map // record.TableID -> *capacity.Meter; as many as there are tables

	// order is held from taking a stamp until the commit stands in the log, so that End can name a time below which
	// nothing is still to come.
	order   sync.Mutex
	scratch scratch // under order
	seen    seen
	closed  closing

	commits   atomic.Uint64 // own commits
	applied   atomic.Uint64 // commits of other regions that changed something
	conflicts pairs
	expired   totals // items that this region expired
}

// NewEngine makes the engine of a region.
func NewEngine(o Options) *Engine {
	if o.Floor == nil {
		o.Floor = func(record.TableID) crdt.Time { return 0 }
	}
	return &Engine{store: o.Store, log: o.Log, clock: o.Clock, origin: o.Origin, resolve: o.Resolve, floor: o.Floor}
}

// Table is one table of a region at one revision of its descriptor. It is immutable and cheap to make.
type Table struct {
	engine  *Engine
	entry   *catalog.Entry
	prefix  []byte // of its items' keys in the store
	cells   cellHash
	policy  conflict.Policy
	meter   *capacity.Meter
	indexes []index // as the descriptor lists them
	// keyNames are the attributes of the table's key.
	keyNames []string
}

// Table makes the handle for a catalog entry.
func (e *Engine) Table(entry *catalog.Entry) *Table {
	t := &Table{
		engine: e, entry: entry,
		prefix: storage.AppendTable(nil, storage.KindItem, entry.ID),
		cells:  newCellHash(entry.ID), keyNames: entry.Schema.Names(),
	}
	t.meter = e.meterOf(entry.ID)
	t.meter.Set(e.clock.Now(), planOf(entry.Descriptor.In(e.origin.Region)))
	t.policy, _ = conflict.ParsePolicy(entry.Policy) // checked when it was set; empty is the default
	t.indexes = make([]index, len(entry.Indexes))
	for i := range entry.Indexes {
		t.indexes[i] = newIndex(entry.Descriptor, &entry.Indexes[i])
	}
	return t
}

// Descriptor is the table's description; it must not be changed.
func (t *Table) Descriptor() *catalog.Descriptor { return t.entry.Descriptor }

// Entry is the catalog entry that this handle was made from.
func (t *Table) Entry() *catalog.Entry { return t.entry }

// Barrier returns when every commit that may have begun under an older description of any table is applied: it has its
// number, and whoever reads the store sees it. Later ones find the new description in their seal.
func (e *Engine) Barrier(ctx context.Context) error {
	_, err := e.Edge(ctx)
	return err
}

// Edge is a Barrier that says where in the log it stands: all commits after the one that it returns have found the present
// descriptions in their seal, and those up to it are durable.
func (e *Engine) Edge(ctx context.Context) (last record.Seq, err error) {
	tx, err := e.store.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer tx.Discard()
	// In the seal: what was appended before it stands, and cannot be taken back and its number given again.
	durable, err := tx.Commit(func(storage.Writer) error {
		last = e.log.Last()
		return nil
	})
	if err != nil {
		return 0, err
	}
	return last, durable.Wait()
}

// RemoveTable deletes all that is stored of a table that this region no longer holds, the log excepted. The catalog must
// say so already: commits that come later find out in their seal, those before are removed with the rest.
func (e *Engine) RemoveTable(ctx context.Context, id record.TableID) error {
	return e.removeRanges(ctx,
		storage.AppendTable(nil, storage.KindItem, id),
		storage.AppendTable(nil, storage.KindIndex, id),
		expiryPrefix(id),
		feedPrefix(nil, id, nil),
		storage.AppendTable(nil, storage.KindHashCell, id),
		storage.AppendTable(nil, storage.KindHashCell, id.Feed()))
}

// removeRanges deletes the keys that begin with any of the prefixes.
func (e *Engine) removeRanges(ctx context.Context, prefixes ...[]byte) error {
	tx, err := e.store.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Discard()
	for _, p := range prefixes {
		if err := tx.DeleteRange(p, after(p)); err != nil {
			return err
		}
	}
	durable, err := tx.Commit(nil)
	if err != nil {
		return err
	}
	return durable.Wait()
}
