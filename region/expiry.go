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
//
// Times are whole seconds, as a rule, so what expires within a second comes due at one instant, in all regions at once. Expired at
// once it kept two cores busy for a third of each second, and foreground writes waited. So what a look finds is expired evenly
// over a second.

const (
	// expireEvery is how often the job looks at what has come due since it looked last, if it has nothing else to do.
	expireEvery = 200 * time.Millisecond
	// expireSpread is over how long what a look found is expired, a step each expirePace. Longer, and items are late; shorter, and
	// writers feel it. At a slower pace the steps are felt (at 100 ms the foreground's p95 was five times what it is without, at
	// 50 ms three times, at 30 ms one and a half), at 10 ms the commits and syncs of very few items, in all regions.
	expireSpread = time.Second
	expirePace   = 25 * time.Millisecond
	// expireLeast is how many items a step expires at least, so that few do not take the whole time.
	expireLeast = 8
	// expireMost is how many items of all tables a look finds at most, and hence how many are expired a second.
	expireMost = 10_000
	// expireSweep is how often the job looks again at what was left for another region, which may be away, and each expireWhole-th
	// time at everything: what was written with a time that is over stands where the job has been. It is not each look, because
	// what the store has not yet compacted of what is gone is walked over each time; nor is it more than a tenth of the
	// time, however long it takes.
	expireSweep = 2 * time.Second
	expireWhole = 5
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

// expiryJob is the job and what it remembers.
type expiryJob struct {
	*Region
	looked map[record.TableID]lookedAt
	sweeps int
	sweep  time.Time // when the next is due
}

// lookedAt is how far a table's entries were looked at, in unix milliseconds.
type lookedAt struct {
	setting int64 // by whose order: its ChangedAt
	upTo    int64 // all before it are gone, or were listed, or left
	left    int64 // the oldest that was left; 0: none was
}

// dueItems are what a look found of a table.
type dueItems struct {
	id      record.TableID
	now     int64
	entries [][]byte
	may     func(owner string, at int64) bool
}

func (r *Region) expire() {
	j := expiryJob{Region: r, looked: map[record.TableID]lookedAt{}}
	tick := time.NewTicker(expireEvery) // one that comes late is left out
	defer tick.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-tick.C:
		}
		if found := j.look(); len(found) > 0 {
			j.evenly(found)
		}
	}
}

// look finds what is to be expired, at most expireMost items.
func (j *expiryJob) look() (found []dueItems) {
	began := time.Now()
	sweep := !began.Before(j.sweep)
	whole := sweep && j.sweeps%expireWhole == 0
	if whole {
		clear(j.looked)
	}
	left := expireMost
	for _, e := range j.catalog.Entries() { // in another order next time
		if !j.expires(e) {
			delete(j.looked, e.ID)
			j.overdue.set(e.ID, 0)
			continue
		}
		at := j.looked[e.ID]
		if at.setting != e.TTL.ChangedAt {
			at = lookedAt{setting: e.TTL.ChangedAt}
			j.looked[e.ID] = at
		}
		from := at.upTo
		if sweep && at.left > 0 {
			from = at.left
		}
		due, err := j.lookAt(e, from, left)
		if err != nil {
			j.failed(e.ID, err)
			continue
		}
		if len(due.entries) > 0 {
			found = append(found, due)
		}
		if left -= len(due.entries); left <= 0 {
			break
		}
	}
	if sweep {
		j.sweeps++
		j.sweep = time.Now().Add(max(expireSweep, 10*time.Since(began)))
	}
	return found
}

// expires reports whether items of a table expire, here and now.
func (r *Region) expires(e *catalog.Entry) bool {
	return e != nil && e.TTL.Enabled && e.Local.Ready && e.Holds(r.name) && e.Local.Expiry == e.TTL.ChangedAt
}

// lookAt finds at most most items of a table whose time was not before from.
func (j *expiryJob) lookAt(e *catalog.Entry, from int64, most int) (dueItems, error) {
	now := j.clock.Now()
	graces := map[string]int64{}
	may := func(owner string, at int64) bool {
		grace, known := graces[owner]
		if !known {
			grace = graceOf(e, owner, j.name).Milliseconds()
			graces[owner] = grace
		}
		return now-at > grace
	}
	due, err := j.engine.Due(e.ID, from, now, most, may)
	if err != nil {
		return dueItems{}, err
	}
	at := j.looked[e.ID]
	at.upTo = due.UpTo
	if at.left == 0 || from <= at.left {
		at.left = due.Oldest
	}
	j.looked[e.ID] = at
	j.overdue.set(e.ID, at.left)
	return dueItems{e.ID, now, due.Entries, may}, nil
}

// evenly expires what was found, in equal steps.
func (j *expiryJob) evenly(found []dueItems) {
	items := 0
	for i := range found {
		items += len(found[i].entries)
	}
	const steps = int(expireSpread / expirePace)
	size := max(expireLeast, (items+steps-1)/steps)
	tick := time.NewTicker(expirePace)
	defer tick.Stop()
	for {
		if found = j.step(found, size); len(found) == 0 {
			return
		}
		select {
		case <-j.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// step expires some of what was found and returns the rest.
func (j *expiryJob) step(found []dueItems, size int) []dueItems {
	for size > 0 && len(found) > 0 {
		d := &found[0]
		n := min(size, len(d.entries))
		if !j.expires(j.catalog.ByID(d.id)) {
			delete(j.looked, d.id)
			n = len(d.entries) // no longer
		} else if err := j.engine.Expire(j.ctx, d.id, d.now, d.entries[:n], d.may); err != nil {
			j.failed(d.id, err)
			n = len(d.entries)
		}
		size -= n
		if d.entries = d.entries[n:]; len(d.entries) == 0 {
			found = found[1:]
		}
	}
	return found
}

// failed has the job look at all of a table again.
func (j *expiryJob) failed(id record.TableID, err error) {
	delete(j.looked, id)
	if j.ctx.Err() == nil && j.fail(err) != nil && fault.KindOf(err) != fault.NotFound {
		j.logger.Debug("expiry to be tried again", "table", id, "err", err)
	}
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
