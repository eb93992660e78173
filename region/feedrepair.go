package region

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/stream/record"
)

// A conflict feed is compared and mended like a table, under its own id (region/table, feedtree.go): what a region did not hear
// because a log was lost, or no longer reached back, it gets from whoever has it. The higher of the two floors holds for both.

// feedPatience is how old news may be that count as on their way to another region: nobody knows by which log it will hear. One
// that is longer behind may get them twice.
const feedPatience = time.Minute

// feedFloor is a feed's floor here; 0 if the store fails, which stops the region.
func (r *Region) feedFloor(e *catalog.Entry) crdt.Time {
	f, err := r.handle(e).Feed()
	_ = r.fail(err)
	return f.Floor
}

// openFeedCopy begins a copy of a table's feed. Floor is the other region's, or above.
func (r *Region) openFeedCopy(ctx context.Context, e *catalog.Entry, floor crdt.Time) (*RepairCopy, error) {
	if !r.complete(e) {
		return nil, fault.New(fault.Unavailable, "region %s holds no complete replica of table %s", r.name, e.ID)
	}
	if err := r.engine.RaiseFeedFloor(ctx, e.ID, floor); err != nil {
		return nil, r.fail(err)
	}
	c := &RepairCopy{region: r, id: e.ID.Feed(), held: table.FeedHeld(), snap: r.store.Snapshot()}
	last := r.log.Last()
	c.position = r.log.Durable()
	err := r.log.WaitDurable(ctx, last)
	if err == nil {
		c.Tree, err = table.OpenFeedTree(ctx, c.snap, e.ID, r.clock.Hybrid()-feedPatience.Milliseconds())
	}
	c.floor = r.feedFloor(e)
	if err != nil {
		return nil, r.fail(errors.Join(err, c.Close()))
	}
	return c, nil
}

// mendFeed joins notes that another region's feed has to this one's.
func (r *Region) mendFeed(ctx context.Context, from string, e *catalog.Entry, keys, notes [][]byte) (news int, err error) {
	if !r.complete(e) {
		return 0, fault.New(fault.Unavailable, "region %s holds no complete replica of table %s", r.name, e.ID)
	}
	t := r.handle(e)
	var commits []record.Commit
	for i := range keys {
		ch, known, err := t.MendedNote(keys[i], notes[i])
		if err != nil {
			return 0, fmt.Errorf("conflict %x of table %s from %s: %w", keys[i], e.ID, from, r.fail(err))
		}
		if !known { // without a stamp, as mended items are
			commits = append(commits, record.Commit{Wall: ch.Base.Time.Millis(), Changes: []record.Change{ch}})
		}
	}
	if len(commits) == 0 {
		return 0, r.fail(r.log.WaitDurable(ctx, r.log.Last()))
	}
	if err := r.engine.Apply(ctx, table.Batch{Commits: commits}); err != nil {
		return 0, r.fail(err)
	}
	return len(commits), nil
}
