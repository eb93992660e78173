package region

import (
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/stream/record"
)

// Floor is the time up to which every member of a table holds everything, as far as that is proven here. It is 0 as yet:
// nothing is forgotten, and docs/decisions/0005 says what must be settled before.
func (r *Region) Floor(id record.TableID) crdt.Time {
	if src, ok := r.sourceOf(id); ok && src.feed {
		return r.feedFloor(src.entry)
	}
	return 0
}
