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
	// expireEvery is how often the job looks.
	expireEvery = 200 * time.Millisecond
	// expireMost is how many items of all tables a look expires: 10,000 a second, which foreground writes hardly feel.
	expireMost = 2000
	// expireGrace is how long the next in turn waits: longer than a restart, or the silence of a link, mostly take.
	expireGrace = 30 * time.Second
	// expireRest is by how much longer the job rests than it looked in vain, up to expireRestMost. Entries that are another
	// region's are walked past at each look, and many of them, while that region is away, must not keep a processor busy.
	expireRest     = 10
	expireRestMost = 5 * time.Second
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

func (r *Region) expire() {
	rest := time.NewTimer(expireEvery)
	defer rest.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-rest.C:
		}
		began := time.Now()
		left := expireMost
		for _, e := range r.catalog.Entries() {
			if n, err := r.expireTable(e, left); err == nil {
				left -= n
			} else if r.ctx.Err() == nil && r.fail(err) != nil && fault.KindOf(err) != fault.NotFound {
				r.logger.Debug("expiry to be tried again", "region", r.name, "table", e.Name, "err", err)
			}
		}
		pause := expireEvery
		if took := time.Since(began); left == expireMost {
			pause = min(max(pause, expireRest*took), expireRestMost)
		} else {
			pause = max(pause-took, 0)
		}
		rest.Reset(pause)
	}
}

// expireTable expires at most left items of a table.
func (r *Region) expireTable(e *catalog.Entry, left int) (int, error) {
	if !e.TTL.Enabled || !e.Local.Ready || !e.Holds(r.name) || e.Local.Expiry != e.TTL.ChangedAt {
		r.overdue.set(e.ID, 0)
		return 0, nil
	}
	now := r.clock.Now()
	done, err := r.engine.Expire(r.ctx, e.ID, now, left, func(owner string, at int64) bool {
		return now-at > graceOf(e, owner, r.name).Milliseconds()
	})
	if err != nil {
		return 0, err
	}
	r.overdue.set(e.ID, done.Oldest)
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
