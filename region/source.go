package region

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Read returns this region's own commits after from, reduced to the tables in wanted, and the position to go on from,
// which also moves over what was left out. It never reads past the durable end.
func (r *Region) Read(from record.Seq, wanted map[record.TableID]bool, maxBytes int) ([]record.Commit, record.Seq, error) {
	commits, next, err := r.log.Read(from, maxBytes, func(o *record.Order) bool {
		if o.Stamp.Origin != r.origin {
			return false
		}
		for _, p := range o.Parts {
			if wanted[p.Table] {
				return true
			}
		}
		return false
	})
	if err != nil {
		return nil, 0, r.fail(err)
	}
	for i := range commits {
		commits[i].Changes = keepTables(commits[i].Changes, wanted)
	}
	return commits, next, nil
}

// keepTables leaves out the changes of other tables; it copies only if there are any.
func keepTables(changes []record.Change, wanted map[record.TableID]bool) []record.Change {
	for i := range changes {
		if wanted[changes[i].Table] {
			continue
		}
		kept := append([]record.Change(nil), changes[:i]...)
		for _, ch := range changes[i+1:] {
			if wanted[ch.Table] {
				kept = append(kept, ch)
			}
		}
		return kept
	}
	return changes
}

// WaitDurable returns when the log's durable end is past a position.
func (r *Region) WaitDurable(ctx context.Context, after record.Seq) error {
	return r.log.WaitDurable(ctx, after+1)
}

// End is the log's durable end and a time at or below which no own commit will still appear past it.
func (r *Region) End() (record.Seq, crdt.Time) { return r.engine.End() }

// ackedPositions is how far each peer holds this region's log, as it said since this process started.
type ackedPositions struct {
	mu sync.Mutex
	by map[string]record.Seq // by region name
}

// Acked notes that a peer holds everything that it wants of this log up to a position.
func (r *Region) Acked(peer crdt.Origin, upTo record.Seq) {
	r.acked.mu.Lock()
	if r.acked.by == nil {
		r.acked.by = map[string]record.Seq{}
	}
	moved := r.acked.by[peer.Region] != upTo
	r.acked.by[peer.Region] = upTo // may go back: a rebuilt peer starts again
	r.acked.mu.Unlock()
	if moved && r.draining.Load() {
		r.poke()
	}
}

func (r *Region) ackedBy(region string) (record.Seq, bool) {
	r.acked.mu.Lock()
	defer r.acked.mu.Unlock()
	s, ok := r.acked.by[region]
	return s, ok
}

// CatalogFor returns the table descriptions that a region must know and that changed after since.
func (r *Region) CatalogFor(region string, since uint64) ([][]byte, uint64) {
	return r.catalog.For(region, since)
}

// WaitCatalog returns when the catalog's version is above since.
func (r *Region) WaitCatalog(ctx context.Context, since uint64) error {
	return r.catalog.WaitChange(ctx, since)
}

// Copy reads one table as it was at one moment. It is for one goroutine.
type Copy struct {
	id        record.TableID
	snap      storage.Snapshot
	it        storage.Iter
	started   bool
	positions map[crdt.Origin]record.Seq
	items     int64
	bytes     int64
}

// Snapshot begins a copy of a table for a new replica elsewhere. It shows durable state only.
func (r *Region) Snapshot(ctx context.Context, id record.TableID) (*Copy, error) {
	e := r.catalog.ByID(id)
	if e == nil || !e.Holds(r.name) || !e.Local.Ready {
		return nil, errors.New("this region holds no complete replica of table " + id.String())
	}
	own := r.log.Durable() // everything up to here is visible below
	c := &Copy{id: id, snap: r.store.Snapshot()}
	last := r.log.Last() // nothing above here is visible
	err := c.open(r.origin, own)
	if err == nil {
		err = r.log.WaitDurable(ctx, last)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	n := r.engine.Count(id)
	c.items, c.bytes = n.Items, n.Bytes
	return c, nil
}

func (c *Copy) open(origin crdt.Origin, own record.Seq) error {
	c.positions = map[crdt.Origin]record.Seq{origin: own}
	it, err := c.snap.NewIter(storage.IterOptions{Lower: []byte{storage.KindCursor}, Upper: []byte{storage.KindCursor + 1}})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		o, err := crdt.ParseOrigin(string(it.Key()[1:]))
		if err != nil {
			return errors.Join(err, it.Close())
		}
		c.positions[o] = record.Seq(binary.BigEndian.Uint64(it.Value()))
	}
	if err := errors.Join(it.Err(), it.Close()); err != nil {
		return err
	}
	lo := append([]byte{storage.KindItem}, c.id[:]...)
	hi := append(append([]byte(nil), lo...), 0xff, 0xff, 0xff, 0xff, 0xff) // above any hash32 and key
	c.it, err = c.snap.NewIter(storage.IterOptions{Lower: lo, Upper: hi})
	return err
}

// Positions says, for each origin, up to where in its log the copy includes everything.
func (c *Copy) Positions() map[crdt.Origin]record.Seq { return c.positions }

// Estimate is about how much the copy will carry.
func (c *Copy) Estimate() (items, bytes int64) { return c.items, c.bytes }

// Next returns about maxBytes of items, deletes still remembered among them; more is false at the end.
func (c *Copy) Next(maxBytes int) (changes []record.Change, more bool, err error) {
	ok := false
	if c.started {
		ok = c.it.Valid()
	} else {
		c.started, ok = true, c.it.First()
	}
	size := 0
	for ; ok && size < maxBytes; ok = c.it.Next() {
		key := append([]byte(nil), c.it.Key()[1+len(c.id):]...)
		state := append([]byte(nil), c.it.Value()...)
		size += len(key) + len(state)
		changes = append(changes, record.Change{
			Table: c.id, Shard: record.ShardOf(binary.BigEndian.Uint32(key)), Key: key,
			Base: conflict.TrustedState(state).Stamp(), State: state,
		})
	}
	return changes, ok, c.it.Err()
}

// Close ends the copy.
func (c *Copy) Close() error {
	var err error
	if c.it != nil {
		err = c.it.Close()
	}
	return errors.Join(err, c.snap.Close())
}
