package region

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Copy reads one table as it was at one moment. It is for one goroutine.
type Copy struct {
	id        record.TableID
	origin    crdt.Origin // of this region
	snap      storage.Snapshot
	it        storage.Iter
	feed      bool // it is over the conflict feed, which comes last
	started   bool
	positions map[crdt.Origin]record.Seq
	items     int64
	bytes     int64
}

// Snapshot begins a copy of a table for a new replica elsewhere. It shows durable state only.
func (r *Region) Snapshot(ctx context.Context, id record.TableID) (*Copy, error) {
	e := r.catalog.ByID(id)
	for {
		if !r.complete(e) {
			return nil, fault.New(fault.Unavailable, "region %s holds no complete replica of table %s", r.name, id)
		}
		own := r.log.Durable() // everything up to here is visible below
		c := &Copy{id: id, origin: r.origin, snap: r.store.Snapshot()}
		last := r.log.Last() // nothing above here is visible
		// The positions say what the copy includes only if these were the members whose logs were read for the table.
		now := r.catalog.ByID(id)
		if now != e {
			e = now
			if err := c.Close(); err != nil {
				return nil, r.fail(err)
			}
			continue
		}
		err := c.open(r.origin, own, e.Local.Sources)
		if err == nil {
			err = r.log.WaitDurable(ctx, last)
		}
		if err != nil {
			return nil, r.fail(errors.Join(err, c.Close()))
		}
		n := r.engine.Count(id)
		c.items, c.bytes = n.Items, n.Bytes
		return c, nil
	}
}

// complete reports whether this region has all of a table's data. A region that leaves has it until it is drained.
func (r *Region) complete(e *catalog.Entry) bool {
	if e == nil || e.Deleted || !e.Local.Ready || e.Local.Dropped {
		return false
	}
	m := e.Member(r.name)
	return m != nil && m.State != catalog.MemberRemoved
}

func (c *Copy) open(origin crdt.Origin, own record.Seq, sources []string) error {
	cursors, err := readCursors(c.snap)
	if err != nil {
		return err
	}
	c.positions = map[crdt.Origin]record.Seq{origin: own}
	for o, at := range cursors {
		if slices.Contains(sources, o.Region) {
			c.positions[o] = at
		}
	}
	c.it, err = c.snap.NewIter(storage.PrefixRange(storage.AppendTable(nil, storage.KindItem, c.id)))
	return err
}

// Positions says, for each origin whose log is read for the table, up to where in that log the copy includes everything.
func (c *Copy) Positions() map[crdt.Origin]record.Seq { return c.positions }

// Estimate is about how much the copy will carry.
func (c *Copy) Estimate() (items, bytes int64) { return c.items, c.bytes }

// Next returns about maxBytes of items, deletes still remembered among them, and after the last of them of notes of the
// conflict feed; more is false at the end.
func (c *Copy) Next(maxBytes int) (changes []record.Change, more bool, err error) {
	ok := false
	if c.started {
		ok = c.it.Valid()
	} else {
		c.started, ok = true, c.it.First()
	}
	for size := 0; ok && size < maxBytes; ok = c.it.Next() {
		ch, known, err := c.change()
		if err != nil {
			return nil, false, err
		}
		if known {
			size += len(ch.Key) + len(ch.State)
			changes = append(changes, ch)
		}
	}
	if err := c.it.Err(); err != nil {
		return nil, false, err
	}
	if !ok && !c.feed {
		return changes, true, c.turnToFeed()
	}
	return changes, ok, nil
}

// change is what the iterator stands on; known is false for what others need not know.
func (c *Copy) change() (ch record.Change, known bool, err error) {
	if c.feed {
		return table.FeedChange(c.it.Key(), c.it.Value(), c.origin)
	}
	key, state := bytes.Clone(c.it.Key()[1+len(c.id):]), bytes.Clone(c.it.Value())
	if len(key) < 4 {
		return ch, false, storage.Corruptf("item key", "%x is too short", c.it.Key())
	}
	return record.Change{
		Table: c.id, Shard: record.ShardOf(binary.BigEndian.Uint32(key)), Key: key,
		Base: conflict.TrustedState(state).Stamp(), State: state,
	}, true, nil
}

func (c *Copy) turnToFeed() error {
	err := c.it.Close()
	c.it, c.feed, c.started = nil, true, false
	if err == nil {
		c.it, err = c.snap.NewIter(storage.PrefixRange(table.FeedPrefix(c.id)))
	}
	return err
}

// Close ends the copy.
func (c *Copy) Close() error {
	var err error
	if c.it != nil {
		err = c.it.Close()
	}
	return errors.Join(err, c.snap.Close())
}
