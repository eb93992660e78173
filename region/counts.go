package region

import (
	"encoding/json"
	"maps"
	"sync"

	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Tables' sizes are kept in memory and saved from time to time, with the position of the log that they belong to. A start that
// finds the log further on, after a crash, goes on from what was saved and counts the tables anew in the background.

var countsKey = storage.MetaKey("table-counts")

// savedCounts is what stands under countsKey, as JSON.
type savedCounts struct {
	At     record.Seq            `json:"at"` // newest commit of the log then
	Tables map[string]savedCount `json:"tables"`
}

type savedCount struct {
	table.Count
	Estimate bool `json:"estimate,omitempty"` // not counted anew yet
}

// loadCounts starts the tables' sizes from what was saved last, and lists those that this leaves in doubt.
func (r *Region) loadCounts() error {
	var saved savedCounts
	v, err := r.store.Get(countsKey)
	if err != nil && !storage.IsNotFound(err) {
		return err
	}
	if err == nil {
		if err := json.Unmarshal(v, &saved); err != nil {
			return &storage.CorruptionError{Where: "table counts", Err: err}
		}
	}
	r.uncounted.tables = map[record.TableID]bool{}
	for _, e := range r.catalog.Entries() {
		c, ok := saved.Tables[e.ID.String()]
		r.engine.SetCount(e.ID, c.Count)
		if !ok || c.Estimate || saved.At != r.log.Last() {
			r.uncounted.tables[e.ID] = true
		}
	}
	return nil
}

func (r *Region) saveCounts() error {
	var ids []record.TableID
	for _, e := range r.catalog.Entries() {
		if !e.Deleted && !e.Local.Dropped {
			ids = append(ids, e.ID)
		}
	}
	doubtful := r.uncounted.list() // before: what leaves it meanwhile is counted once more after a restart, at worst
	at, counts := r.engine.Counts(ids)
	saved := savedCounts{At: at, Tables: map[string]savedCount{}}
	for i, id := range ids {
		saved.Tables[id.String()] = savedCount{counts[i], doubtful[id]}
	}
	b, err := json.Marshal(saved)
	if err != nil {
		return err
	}
	return put(r.store, countsKey, b)
}

// recount counts the tables anew whose sizes are in doubt, one after the other.
func (r *Region) recount() {
	for id := range r.uncounted.list() {
		e := r.catalog.ByID(id)
		if e != nil && e.Holds(r.name) && e.Local.Ready { // of others the count begins with their copy
			before := r.engine.Count(id)
			if err := r.engine.Recount(r.ctx, id); err != nil {
				if r.ctx.Err() == nil {
					r.logger.Error("count a table", "table", e.Name, "err", err)
					_ = r.fail(err)
				}
				return
			}
			if after := r.engine.Count(id); after != before {
				r.logger.Info("table counted", "table", e.Name, "items", after.Items, "bytes", after.Bytes)
			}
		}
		r.uncounted.done(id)
	}
}

// uncounted are the tables whose sizes are in doubt.
type uncounted struct {
	mu     sync.Mutex
	tables map[record.TableID]bool
}

func (u *uncounted) list() map[record.TableID]bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return maps.Clone(u.tables)
}

func (u *uncounted) done(id record.TableID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.tables, id)
}
