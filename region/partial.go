package region

import (
	"slices"
	"sync"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/catalog"
)

// Tables are filled and members adopted one by one, and then logs are read again for the sake of one table. What is read of a
// log for some tables and not yet for others shows transactions over them in part. A table that is filled waits for that to
// be over before it serves, for a while; what is left then is shown by Partial. A table that a new member writes to serves already
// when its region hears of the member: Partial shows that, too.

// othersPatience is how long a filled table waits for the logs. An origin that is gone, or cannot be reached, never gets
// there, and must not keep the replica from serving.
const othersPatience = 3 * time.Second

// awaitOthers waits until of all logs so much has been read, with the filled table in it, as items here may show. The copy
// has its part of transactions whose other parts, in tables that are served here already, are still on their way; and the
// tables here have their part of others that the copy's source did not have yet, from before the cursors moved back.
func (r *Region) awaitOthers() {
	r.shown.note(r.engine.SeenOthers())
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for until := time.Now().Add(othersPatience); time.Now().Before(until) && len(r.Partial()) > 0; {
		select {
		case <-tick.C:
		case <-r.ctx.Done():
			return
		}
	}
}

// shown is what items showed of others when a table was filled, a member adopted, or at the start.
type shown struct {
	mu sync.Mutex
	by map[crdt.Origin]crdt.Time
}

func (s *shown) note(seen map[crdt.Origin]crdt.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by = seen // never less than before
}

// Partial lists the origins whose transactions may be seen in part here: a table was filled, a member adopted, or this region
// started, and since then their logs have not been read as far as items showed of them at that time, nor have the tables so much by
// relay or repair; or the origin is of a member that is still to be adopted.
func (r *Region) Partial() []crdt.Origin {
	r.shown.mu.Lock()
	defer r.shown.mu.Unlock()
	in := r.inbound
	in.mu.Lock()
	defer in.mu.Unlock()
	var all []crdt.Origin
	for o, t := range r.shown.by {
		if in.closed[o] < t && !in.replacedLocked(o) && in.unlikeLocked(o, t) {
			all = append(all, o)
		}
	}
	for o := range in.cursors {
		if !slices.Contains(all, o) && !in.replacedLocked(o) && in.adoptsLocked(o.Region) {
			all = append(all, o)
		}
	}
	return all
}

// adoptsLocked reports whether a region is a member of a table that does not read its log yet.
func (in *inbound) adoptsLocked(region string) bool {
	return slices.ContainsFunc(in.region.catalog.Entries(), func(e *catalog.Entry) bool {
		return e.Holds(in.region.name) && e.Local.Ready && slices.Contains(in.sources(e), region) &&
			!slices.Contains(e.Local.Sources, region)
	})
}

// unlikeLocked reports whether there are several tables with changes of an origin, and one of them does not have all up to a time
// by another way than the log. A table that is being filled has nothing by such ways. One of an origin that is gone has all when
// nothing more can come.
func (in *inbound) unlikeLocked(o crdt.Origin, t crdt.Time) bool {
	tables, less := 0, false
	for _, e := range in.region.catalog.Entries() {
		gone := e.IsGone(o) && e.Holds(in.region.name) && e.Local.Ready
		if !gone && !in.wantedLocked(e, o.Region) {
			continue
		}
		tables++
		if in.mended[e.ID][o] < t && !(gone && in.finalLocked(e, o, in.newestLocked(e))) {
			less = true
		}
	}
	return tables > 1 && less
}

// replacedLocked reports whether the log of a later incarnation is read: the older one's will not be read on.
func (in *inbound) replacedLocked(o crdt.Origin) bool {
	for other := range in.cursors {
		if other.Region == o.Region && other.Incarnation > o.Incarnation {
			return true
		}
	}
	return false
}
