package region

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Repair compares this region's copy of a table with another's (package replication drives it). What the comparison rests on
// is a vector: for each origin whose log is followed the time up to which the copy has everything. It is read before the
// copy's snapshot is taken, so that the copy has that much at least.

// RepairCopy is a table as it was at one moment, as a hash tree. It is for one goroutine.
type RepairCopy struct {
	*table.Tree
	snap     storage.Snapshot
	region   *Region
	id       record.TableID
	filling  uint64
	held     map[crdt.Origin]crdt.Time
	have     map[crdt.Origin]crdt.Time
	retired  []crdt.Origin // that write to the table no more
	floor    crdt.Time
	through  crdt.Time
	position record.Seq
}

// Held says, for each live origin, up to which time the copy has everything.
func (c *RepairCopy) Held() map[crdt.Origin]crdt.Time { return c.held }

// Have says, for each origin of which anything is known, up to which time the copy has everything: of those that are gone, too.
func (c *RepairCopy) Have() map[crdt.Origin]crdt.Time { return c.have }

// Through is the time up to which the copy has everything of all origins.
func (c *RepairCopy) Through() crdt.Time { return c.through }

// Ended notes at the end of a round with a region that the table has, besides what the copy has, everything of some origins up to
// a time, and of those that are gone all that the other region had.
func (c *RepairCopy) Ended(peer string, up map[crdt.Origin]crdt.Time) error {
	c.region.inbound.compared(c, peer)
	if len(up) == 0 { // of a feed nothing is known
		return nil
	}
	return c.region.fail(c.region.inbound.raise(c.id, c.filling, up))
}

// Floor is the table's floor when the copy was made.
func (c *RepairCopy) Floor() crdt.Time { return c.floor }

// Position is up to where in this region's own log the copy has everything.
func (c *RepairCopy) Position() record.Seq { return c.position }

// Close ends the copy.
func (c *RepairCopy) Close() error { return c.snap.Close() }

// RepairTables names the tables that this region and a peer both serve, and their conflict feeds; with no peer all that this
// region does.
func (r *Region) RepairTables(peer string) map[record.TableID]string {
	tables := map[record.TableID]string{}
	for _, e := range r.catalog.Entries() {
		m := e.Member(peer)
		shared := m != nil && m.State == catalog.MemberActive && peer != r.name
		if (shared || peer == "") && e.Holds(r.name) && e.Local.Ready {
			tables[e.ID] = e.Name
			if e.Shared() {
				tables[e.ID.Feed()] = e.Name + FeedSuffix
			}
		}
	}
	return tables
}

// OpenCopy begins a copy of a table for a comparison, without deletes of whole hours at or below forgotten. Live are the
// origins whose logs are followed, this one among them. It shows durable state only.
func (r *Region) OpenCopy(ctx context.Context, id record.TableID, forgotten crdt.Time, live []crdt.Origin) (*RepairCopy, error) {
	e := r.catalog.ByID(id)
	if src, ok := r.sourceOf(id); ok && src.feed {
		return r.openFeedCopy(ctx, src.entry, forgotten)
	}
	for {
		if !r.complete(e) || !e.Holds(r.name) { // logs are not read for one that is being left
			return nil, fault.New(fault.Unavailable, "region %s holds no complete replica of table %s", r.name, id)
		}
		c := &RepairCopy{region: r, id: id, filling: r.inbound.filling(id)}
		c.retired, c.through = r.through(e)
		r.inbound.end(c.retired)
		c.held, c.have = r.held(e, live)
		c.position, _ = r.End()
		c.snap = r.store.Snapshot()
		last := r.log.Last()
		c.floor = r.tableFloor(id)
		// The vector holds for the members whose logs were followed for the table when it was read.
		if now := r.catalog.ByID(id); now != e {
			e = now
			if err := c.Close(); err != nil {
				return nil, r.fail(err)
			}
			continue
		}
		err := r.log.WaitDurable(ctx, last)
		if err == nil {
			c.Tree, err = table.OpenTree(ctx, c.snap, id, forgotten)
		}
		if err != nil {
			return nil, r.fail(errors.Join(err, c.Close()))
		}
		return c, nil
	}
}

// held is the vector of a table: of the origins whose logs are followed, and of all. Of a region that was rebuilt, which its links
// may know later than its tables do, the new log is still to be followed, and nothing more comes by the old one.
func (r *Region) held(e *catalog.Entry, live []crdt.Origin) (held, have map[crdt.Origin]crdt.Time) {
	held = map[crdt.Origin]crdt.Time{}
	in := r.inbound
	in.mu.Lock()
	for _, o := range live {
		o.Incarnation = max(o.Incarnation, in.over[o.Region], in.newest[o.Region])
		held[o] = in.upToLocked(e, o)
	}
	have = in.haveLocked(e)
	in.mu.Unlock()
	_, held[r.origin] = r.End()
	have[r.origin] = held[r.origin]
	return held, have
}

// through lists the origins that write to a table no more, and says up to when it has everything of all.
func (r *Region) through(e *catalog.Entry) ([]crdt.Origin, crdt.Time) {
	in := r.inbound
	_, own := r.End()
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.retiredLocked(e), leastOf([]holding{{r.name, in.allHeldLocked(e, own)}}).floor
}

// Mend merges items that another region's copy has, and returns when they are durable. News is how many were not known here.
//
// Floor is that of this region's copy in the round. The other side has looked whether what the floor covers is missing for
// another reason than that its delete was forgotten. If the floor has risen since, nobody knows.
func (r *Region) Mend(ctx context.Context, from string, id record.TableID, floor crdt.Time, keys, states [][]byte) (news int, err error) {
	if src, ok := r.sourceOf(id); ok && src.feed {
		if err := r.mayMend(from, src.entry.ID); err != nil {
			return 0, err
		}
		return r.mendFeed(ctx, from, src.entry, keys, states)
	}
	r.inbound.gate.RLock() // the floor stays, and whoever is gone is heard of before or after
	defer r.inbound.gate.RUnlock()
	if err := r.mayMend(from, id); err != nil {
		return 0, err
	}
	keep := floor == r.tableFloor(id)
	var commits []record.Commit
	for i := range keys {
		ch, known, err := r.mending(id, keep, keys[i], states[i])
		if err != nil {
			return 0, fmt.Errorf("item %x of table %s from %s: %w", keys[i], id, from, r.fail(err))
		}
		if known {
			continue
		}
		// No stamp: it is nobody's commit, but a piece of one at best. Nobody is to be given it as such.
		commits = append(commits, record.Commit{Wall: ch.Base.Time.Millis(), Changes: []record.Change{ch}})
	}
	if len(commits) == 0 {
		return 0, r.fail(r.log.WaitDurable(ctx, r.log.Last())) // what made it known may not be on disk yet
	}
	mixed := func(w storage.Writer) error { return r.inbound.mixed(w, id) }
	if err := r.engine.Apply(ctx, table.Batch{Commits: commits, Keep: keep, Seal: mixed}); err != nil {
		return 0, r.fail(err)
	}
	return len(commits), nil
}

// mayMend says why nothing is taken of a table that another region sends: this one has no replica, or the other has none any more.
func (r *Region) mayMend(from string, id record.TableID) error {
	e := r.catalog.ByID(id)
	if !r.complete(e) || !e.Holds(r.name) {
		return fault.New(fault.Unavailable, "region %s holds no complete replica of table %s", r.name, id)
	}
	if m := e.Member(from); m != nil && m.State == catalog.MemberRemoved {
		return fault.New(fault.Unavailable, "region %s is no member of table %s any more", from, id)
	}
	return nil
}

// mending makes a change of an item; known says that everything in it has been seen here.
func (r *Region) mending(id record.TableID, keep bool, key, state []byte) (ch record.Change, known bool, err error) {
	if len(key) < 4 {
		return ch, false, fmt.Errorf("%w: the key is too short", record.ErrMalformed)
	}
	arriving, err := conflict.DecodeState(state)
	if err != nil {
		return ch, false, err
	}
	stored, err := r.store.Get(append(storage.AppendTable(nil, storage.KindItem, id), key...))
	if err != nil && !storage.IsNotFound(err) {
		return ch, false, err
	}
	if err != nil && arriving.Context().Newest() <= r.tableFloor(id) && !(keep && arriving.Visible()) {
		return ch, true, nil // and forgotten
	}
	if err == nil {
		have, err := conflict.DecodeState(stored)
		if err != nil {
			return ch, false, &storage.CorruptionError{Where: fmt.Sprintf("item %x", key), Err: err}
		}
		if arriving.Context().SubsetOf(have.Context()) {
			return ch, true, nil
		}
	}
	// All that it has seen counts: the clock goes above that when it is merged.
	if ahead, hold := r.clock.Holds(arriving.Context().Newest()); hold {
		return ch, false, fmt.Errorf("%w: by %v", ErrHeld, ahead)
	}
	return record.Change{Table: id, Shard: record.ShardOf(binary.BigEndian.Uint32(key)), Key: key, Base: arriving.Stamp(), State: state}, false, nil
}

// Scrub works out from a table's items what its hash tree should be and mends it. Bad is how many cells were wrong: any but
// none is the work of a failing disk, or of a bug.
func (r *Region) Scrub(ctx context.Context, id record.TableID) (bad int, err error) {
	bad, err = r.mendCells(ctx, id)
	if bad > 0 {
		r.logger.Error("the hash tree of a table was wrong and is mended", "table", id.String(), "cells", bad)
	}
	return bad, r.fail(err)
}

func (r *Region) mendCells(ctx context.Context, id record.TableID) (bad int, err error) {
	src, ok := r.sourceOf(id)
	switch {
	case !ok || !r.complete(src.entry):
		return 0, fault.New(fault.Unavailable, "region %s holds no complete replica of table %s", r.name, id)
	case src.feed:
		return r.engine.MendFeedCells(ctx, src.entry.ID)
	}
	return r.engine.MendCells(ctx, id)
}
