package region

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/stream"
	"github.com/meridiandb/meridian/stream/record"
)

// ErrTrimmed says that a position is before what the log still has.
var ErrTrimmed = stream.ErrTrimmed

// Read returns this region's own commits after from, reduced to the tables in wanted, and the position to go on from,
// which also moves over what was left out. It never reads past the durable end. It fails with ErrTrimmed if the log no
// longer reaches back to from; the peer is to be told, so that it calls Trimmed.
func (r *Region) Read(from record.Seq, wanted map[record.TableID]bool, maxBytes int) ([]record.Commit, record.Seq, error) {
	if end := r.log.Durable(); from > end {
		return nil, 0, fmt.Errorf("region: a peer reads from %d, the log ends at %d", from, end)
	}
	from = max(from, min(r.begins, r.log.Durable())) // what stands before is an earlier incarnation's
	if len(wanted) == 0 {                            // whatever was trimmed, it was nothing wanted
		return nil, max(from, r.log.Durable()), nil
	}
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

// End is the log's durable end and a time at or below which no own commit will still appear past it, not even after a
// crash.
func (r *Region) End() (record.Seq, crdt.Time) {
	end, closed := r.engine.End()
	return end, min(closed, r.clock.Settled())
}

// Between counts the commits of the log in (from, to], those of other regions too: how far a peer at from is behind to.
func (r *Region) Between(from, to record.Seq) uint64 { return r.log.Between(from, to) }

// RolledBack stops the region: a peer holds more of this origin's log than there is. The disk was rolled back, or copied
// while the original lives on; whatever this region would write now, it has written before, differently. Its store must be
// removed: a new one is a new incarnation, and fills itself from the others.
func (r *Region) RolledBack(peer crdt.Origin, cursor record.Seq) {
	if end := r.log.Durable(); cursor > end {
		r.stop(fmt.Errorf("%w: %s holds this region's log up to %d, which ends at %d: the disk was rolled back or copied; "+
			"remove the data folder, and the region fills itself from the others", errFenced, peer.Region, cursor, end))
	}
}

var errFenced = errors.New("this store must not be used any more")

// ackedPositions is how far each peer holds this region's log, as it said since this process started.
type ackedPositions struct {
	mu sync.Mutex
	by map[string]record.Seq // by region name
}

// Acked notes that a peer holds everything that it wants of this log up to a position.
func (r *Region) Acked(peer crdt.Origin, upTo record.Seq) {
	r.acked.mu.Lock()
	defer r.acked.mu.Unlock()
	if r.acked.by == nil {
		r.acked.by = map[string]record.Seq{}
	}
	r.acked.by[peer.Region] = upTo // may go back: a rebuilt peer starts again
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
