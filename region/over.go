package region

import (
	"errors"
	"maps"

	"github.com/meridiandb/meridian/crdt"
)

// An origin is over when its region was rebuilt since, or was removed while it was dead: the survivors settle among themselves what
// they have of it (floorleast.go), and nothing more is taken of its log, should it come back. What it alone has it sets aside
// (fence.go).

// ErrOver says that nothing is taken of an origin any more.
var ErrOver = errors.New("this incarnation is over: its region was rebuilt since, or was removed while it was dead")

// learnGoneLocked takes note of what tables' descriptions say of regions that are gone, or were rebuilt: whatever has a region end
// an incarnation (catalog.Entry.Expelled) has the others take nothing of it, also where nobody has met the later one yet.
func (in *inbound) learnGoneLocked() {
	for _, e := range in.region.catalog.Entries() {
		for region, upTo := range e.Gone {
			in.over[region] = max(in.over[region], upTo+1)
		}
		for i := range e.Members {
			o := e.Members[i].Origin
			in.over[o.Region] = max(in.over[o.Region], o.Incarnation)
		}
	}
}

func (in *inbound) isOver(o crdt.Origin) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.isOverLocked(o)
}

func (in *inbound) isOverLocked(o crdt.Origin) bool {
	return o.Incarnation < max(in.over[o.Region], in.newest[o.Region])
}

// end sees to it that nothing of some origins' logs is merged after it returns.
func (in *inbound) end(origins []crdt.Origin) {
	if len(origins) == 0 {
		return
	}
	in.mu.Lock()
	for _, o := range origins {
		in.over[o.Region] = max(in.over[o.Region], o.Incarnation+1)
	}
	in.mu.Unlock()
	in.gate.Lock() // batches that were let in before have ended
	defer in.gate.Unlock()
}

// newestOf is the newest incarnation of an origin's region that is known here, itself or a later one.
func (in *inbound) newestOf(o crdt.Origin) crdt.Origin {
	in.mu.Lock()
	defer in.mu.Unlock()
	o.Incarnation = max(o.Incarnation, in.newest[o.Region])
	for _, known := range []map[crdt.Origin]crdt.Time{in.closed, in.region.engine.SeenOthers()} {
		for other := range maps.Keys(known) {
			if other.Region == o.Region {
				o.Incarnation = max(o.Incarnation, other.Incarnation)
			}
		}
	}
	return o
}
