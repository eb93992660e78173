package region

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/clock"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream"
	"github.com/meridiandb/meridian/stream/record"
)

// background is for short local writes that must not be cut off half way by a client's impatience.
var background = context.Background()

// Options says what region to open. Name and Store are required.
type Options struct {
	Name   string
	Store  storage.Store // Region closes it
	Wall   clock.Wall    // nil: the machine's clock
	Logger *slog.Logger  // says itself which region it is of; nil: none

	// ClockBound is how far this region's hybrid time may be ahead of the majority's before it refuses client writes; 0:
	// clock.DefaultBound. Twice as far, and what arrives from another region is held.
	ClockBound time.Duration

	// ShardLife is how long the shards of a stream take changes before their children follow; 0: DefaultShardLife. Much less
	// makes many shards for consumers to walk through, much more keeps changes for longer than the 24 hours.
	ShardLife time.Duration

	// FloorStep is the granularity of the times up to which deletes are forgotten; 0: DefaultFloorStep. Less than an hour lets
	// comparisons look at deletes that one side has forgotten and the other not yet; a small one forgets sooner, and looks at all
	// remembered deletes as often.
	FloorStep time.Duration

	// ConflictAge is how long conflicts stay in a table's feed, ConflictBytes how large a feed may get until its oldest quarter
	// goes; 0: DefaultConflictAge, DefaultConflictBytes. The region that drops most says for all how much. Too little, and
	// nobody has looked yet; too much costs disk in every region, and memory for what must be known of each entry.
	ConflictAge   time.Duration
	ConflictBytes int64
}

// Region is one region's database. It is safe for concurrent use.
type Region struct {
	name    string
	origin  crdt.Origin
	store   storage.Store
	logger  *slog.Logger
	clock   *clock.Clock
	log     *stream.Log
	catalog *catalog.Catalog
	engine  *table.Engine
	inbound *inbound
	acked   ackedPositions
	streams streams
	feeds   table.FeedLimits
	overdue overdue
	shown   shown

	alarmed atomic.Bool // the clock differs from the others'

	uncounted uncounted

	floors     sync.Map // record.TableID -> crdt.Time
	remembered sync.Map // record.TableID -> table.Remembered, as of the last collection
	heldBack   sync.Map // record.TableID -> []HoldingBack
	forgotten  atomic.Uint64
	floorStep  time.Duration

	relayed atomic.Uint64 // commits that came by relay, since the start

	begins record.Seq  // where the log stood when this incarnation began
	asides atomic.Bool // something is set aside

	// Housekeeping's own.
	wall    clock.Wall // the machine's clock; nil if Options gave another
	stepped bool       // it was set
	slack   slack

	ctx    context.Context // ends with Close or with a failure
	cancel context.CancelCauseFunc
	jobs   sync.WaitGroup
	wake   chan struct{} // size 1: the lifecycle job has something to look at

	mu    sync.Mutex
	peers Peers // nil until Connect
}

// Open opens a region's store as its database. On error the store is left to the caller.
func Open(o Options) (*Region, error) {
	if err := CheckName(o.Name); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Region{name: o.Name, store: o.Store, logger: o.Logger, wake: make(chan struct{}, 1)}
	if o.Wall == nil {
		o.Wall = clock.NewWall()
		r.wall = o.Wall
	}
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	if err := r.recover(o); err != nil {
		r.cancel(err)
		return nil, fmt.Errorf("open region %s: %w", o.Name, err)
	}
	r.startJobs()
	return r, nil
}

func (r *Region) recover(o Options) (err error) {
	if r.log, err = stream.Open(r.store); err != nil {
		return err
	}
	id, again, err := loadIdentity(r.store, r.name, o.Wall(), r.log.Durable())
	if err != nil {
		return err
	}
	if r.origin, r.begins = id.origin(), id.Begins; again {
		r.logger.Warn("the region begins anew", "origin", r.origin.String())
	}
	if r.clock, err = clock.Open(r.store, r.origin, o.Wall); err != nil {
		return err
	}
	r.clock.SetBound(o.ClockBound)
	r.streams.life = cmp.Or(o.ShardLife, DefaultShardLife)
	r.floorStep = cmp.Or(o.FloorStep, DefaultFloorStep)
	if err := r.loadFloors(); err != nil {
		return err
	}
	r.feeds = table.FeedLimits{
		Age: cmp.Or(o.ConflictAge, DefaultConflictAge).Milliseconds(), Bytes: cmp.Or(o.ConflictBytes, DefaultConflictBytes),
	}
	r.catalog, err = catalog.Open(catalog.Options{
		Region: r.name, Store: r.store, Stamp: r.clock.Stamp, Now: r.clock.Now, Position: r.log.Durable,
	})
	if err != nil {
		return err
	}
	r.engine = table.NewEngine(table.Options{
		Store: r.store, Log: r.log, Clock: r.clock, Origin: r.origin, Resolve: r.resolve,
		Floor: r.tableFloor,
	})
	if err = r.engine.LoadSeen(); err != nil {
		return err
	}
	r.shown.note(r.engine.SeenOthers())
	if r.inbound, err = openInbound(r); err != nil {
		return err
	}
	return errors.Join(r.loadCounts(), r.loadAsides())
}

// Close ends the jobs, waits for them and closes the store.
func (r *Region) Close() error {
	r.cancel(errClosed)
	r.jobs.Wait()
	var err error
	if r.store.Err() == nil { // a store that has failed has told everybody
		err = r.saveCounts()
	}
	return errors.Join(err, r.store.Close())
}

// Failed is closed when the region has stopped: by Close, or because its store failed.
func (r *Region) Failed() <-chan struct{} { return r.ctx.Done() }

// Err says why the region failed; nil while it works and after Close.
func (r *Region) Err() error {
	if err := context.Cause(r.ctx); err != nil && !isClosed(err) {
		return err
	}
	return nil
}

// fail stops the region for good when an error is the store's and not a request's. It returns the error.
func (r *Region) fail(err error) error {
	var corrupt *storage.CorruptionError
	if errors.As(err, &corrupt) || errors.Is(err, storage.ErrFailed) {
		r.stop(err)
	}
	return err
}

// stop ends the region's work with a reason. The first one counts.
func (r *Region) stop(err error) {
	if r.ctx.Err() == nil && !isClosed(err) {
		r.logger.Error("the region stops", "err", err)
	}
	r.cancel(err)
}

// Name is the region's name.
func (r *Region) Name() string { return r.name }

// Origin is the region's name with the incarnation of its store.
func (r *Region) Origin() crdt.Origin { return r.origin }

// Table finds a table for reads and writes of items.
func (r *Region) Table(name string) (*table.Table, error) {
	if e := r.catalog.Lookup(name); e != nil {
		if h := r.handleOf(e); h.serves {
			return h.table, nil
		}
	}
	return nil, fault.New(fault.NotFound, "Requested resource not found")
}

// handle is what is kept with a catalog entry: few requests find more of it than this in a processor's cache, if there are many
// tables.
type handle struct {
	table  *table.Table
	serves bool // the replica is complete
}

func (r *Region) handleOf(e *catalog.Entry) *handle {
	if h, ok := e.Kept.Load().(*handle); ok {
		return h
	}
	e.Kept.CompareAndSwap(nil, &handle{r.engine.Table(e), e.Local.Ready && e.Holds(r.name)})
	if now := r.catalog.ByID(e.ID); now != nil && now != e {
		r.engine.Table(now) // its throughput holds, and not that of the entry that it came after
	}
	return e.Kept.Load().(*handle)
}

// handle returns the Table of a catalog entry, making it when the entry is new.
func (r *Region) handle(e *catalog.Entry) *table.Table { return r.handleOf(e).table }

// resolve finds the table that changes of an id belong to: one this region holds, or is filling.
func (r *Region) resolve(id record.TableID) *table.Table {
	e := r.catalog.ByID(id)
	if e == nil || !e.Holds(r.name) || !(e.Local.Ready || r.inbound.joining(id)) {
		return nil
	}
	return r.handle(e)
}

// TableWrite is one write of a batch or transaction.
type TableWrite = table.TableWrite

// TableKey is one read of a transaction.
type TableKey = table.TableKey

// WriteBatch does each write by itself and waits for the disk once; errors stand at the write's place.
func (r *Region) WriteBatch(ctx context.Context, ws []TableWrite) ([]table.WriteResult, []error) {
	res, errs := r.engine.WriteBatch(ctx, ws)
	for _, err := range errs {
		_ = r.fail(err) // the caller gets it too
	}
	return res, errs
}

// Canceled says that a transaction did not happen.
type Canceled = table.Canceled

// Transact does all writes or none; *Canceled says which of them were in the way. A token, which may be nil, makes it
// idempotent (table.Token).
func (r *Region) Transact(ctx context.Context, token *table.Token, ws []TableWrite) (table.Transacted, error) {
	done, err := r.engine.Transact(ctx, token, ws)
	if err != nil {
		return table.Transacted{}, r.fail(err)
	}
	if done.Reasons != nil {
		return table.Transacted{}, &Canceled{Reasons: done.Reasons}
	}
	return done, nil
}

// TransactGet reads items as they were together at one moment; *Canceled says what was in the way.
func (r *Region) TransactGet(ctx context.Context, keys []TableKey) ([]table.GetResult, error) {
	res, err := r.engine.TransactGet(ctx, keys)
	return res, r.fail(err)
}

// ItemState is an item with its versions, for operators.
func (r *Region) ItemState(ctx context.Context, tableName string, key item.Item) (ItemState, error) {
	t, err := r.Table(tableName)
	if err != nil {
		return ItemState{}, err
	}
	k, err := t.Schema().FromKeyArg(key)
	if err != nil {
		return ItemState{}, err
	}
	s, err := t.State(ctx, k)
	if err != nil || s.IsZero() {
		return ItemState{}, err
	}
	return ItemState{Found: true, Item: s.Item(), Stamp: s.Stamp(), Context: s.Context()}, nil
}

// ItemState is what a region stores of one item. Item is zero for a remembered delete.
type ItemState struct {
	Found   bool
	Item    item.Item
	Stamp   crdt.Stamp
	Context crdt.Context
}
