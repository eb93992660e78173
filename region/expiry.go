package region

import (
	"slices"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/stream/record"
)

// The expiry job deletes items whose time is over. Of a table with several replicas the region that wrote an item's current
// version does it, because it is the first to see a refresh of its own, and so the delete travels once. If it does not, the
// others take turns, each a grace period later than the one before it, in the order of their names after its.
//
// Whoever does it, a refresh that it had not seen wins (conflict.Expire), and two that do it by chance at once lose nothing:
// a delete against a delete is no conflict.

const (
	// expireEvery is how often the job looks at what has come due since it looked last.
	expireEvery = 200 * time.Millisecond
	// expireSweep is at how many looks the job looks at everything that is due: what was written with a time that is over, or
	// was left for another region, which may be away. It is not each look, because what others are to expire, and what the
	// store has not yet compacted of what is gone, is walked over each time.
	expireSweep = 10
	// expireMost is how many items of all tables a look expires: 10,000 a second, which foreground writes hardly feel.
	expireMost = 2000
	// expireGrace is how long the next in turn waits: longer than a restart, or the silence of a link, mostly take.
	expireGrace = 30 * time.Second
)

// overdue is since when the oldest expired item of each table is due, in unix milliseconds; tables without one are not in it.
type overdue struct {
	mu sync.Mutex
	at map[record.TableID]int64
}

func (o *overdue) set(id record.TableID, at int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if at == 0 {
		delete(o.at, id)
		return
	}
	if o.at == nil {
		o.at = map[record.TableID]int64{}
	}
	o.at[id] = at
}

func (o *overdue) get(id record.TableID) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.at[id]
}

// lookedAt is the job's memory: up to which time, in unix milliseconds, it has looked at each table's entries.
type lookedAt map[record.TableID]int64

func (r *Region) expire() {
	looked := lookedAt{}
	tick := time.NewTicker(expireEvery) // one that comes late is left out
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-r.ctx.Done():
			return
		case <-tick.C:
		}
		if n%expireSweep == 0 {
			clear(looked)
		}
		left := expireMost
		for _, e := range r.catalog.Entries() {
			done, err := r.expireTable(e, looked, left)
			if left -= done; left <= 0 {
				break // the entries come in another order next time
			}
			if err != nil && r.ctx.Err() == nil && r.fail(err) != nil && fault.KindOf(err) != fault.NotFound {
				r.logger.Debug("expiry to be tried again", "table", e.Name, "err", err)
			}
		}
	}
}

// expireTable expires at most left items of a table.
func (r *Region) expireTable(e *catalog.Entry, looked lookedAt, left int) (int, error) {
	if !e.TTL.Enabled || !e.Local.Ready || !e.Holds(r.name) || e.Local.Expiry != e.TTL.ChangedAt {
		r.overdue.set(e.ID, 0)
		return 0, nil
	}
	from, now := looked[e.ID], r.clock.Now()
	graces := map[string]int64{}
	done, err := r.engine.Expire(r.ctx, e.ID, from, now, left, func(owner string, at int64) bool {
		grace, known := graces[owner]
		if !known {
			grace = graceOf(e, owner, r.name).Milliseconds()
			graces[owner] = grace
		}
		return now-at > grace
	})
	if err != nil {
		return done.Items, err
	}
	if !done.More {
		looked[e.ID] = now
	}
	if from == 0 || done.Oldest > 0 {
		r.overdue.set(e.ID, done.Oldest)
	}
	return done.Items, nil
}

// graceOf is how long a region waits before it expires what owner wrote.
func graceOf(e *catalog.Entry, owner, region string) time.Duration {
	turn := []string{}
	for _, m := range e.Members {
		if e.Holds(m.Region) {
			turn = append(turn, m.Region)
		}
	}
	slices.Sort(turn)
	first, _ := slices.BinarySearch(turn, owner) // if it has left, the one whose name is next
	own := slices.Index(turn, region)
	return expireGrace * time.Duration((own-first+len(turn))%len(turn))
}

// settleExpiry indexes the items' times, or removes them, as a table's setting asks for.
func (r *Region) settleExpiry(e *catalog.Entry) error {
	at, err := r.engine.SettleExpiry(r.ctx, e.ID)
	if err != nil {
		return err
	}
	_, err = r.catalog.SetLocal(e.ID, func(l *catalog.Local) error {
		l.Expiry = at
		return nil
	})
	return err
}
