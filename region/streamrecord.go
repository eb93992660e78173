package region

import (
	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/stream"
)

// streamRecord is what a stream shows of a change. Nothing, if the item is deeply what it was: such a write is a new version
// for the merge, which is about who has seen what, and none for those who look at items. That is decided here and not by
// the writer, whom it would cost a comparison of each item also where nobody reads.
func (r *Region) streamRecord(sh *openShard, e *stream.Entry) (rec StreamRecord, ok bool) {
	state := conflict.TrustedState(e.Change.State)
	var old item.Item
	if e.Change.HasOld {
		old = item.TrustedItem(e.Change.Old)
	}
	new := state.Item()
	if old.Equal(new) {
		return rec, false
	}
	rec = StreamRecord{
		EventID: eventID(r.origin.String(), sh.entry.ID, e.Position), Event: eventOf(old, new),
		Sequence: sequence(e.Position), Created: e.Wall, View: sh.stream.View, Expired: r.expiredHere(state, e),
	}
	key := old
	if key.IsZero() {
		key = new
	}
	rec.Keys = key.Project(sh.keys)
	rec.Size = rec.Keys.Size()
	if rec.View == "OLD_IMAGE" || rec.View == "NEW_AND_OLD_IMAGES" {
		rec.Old = old
		rec.Size += old.Size()
	}
	if rec.View == "NEW_IMAGE" || rec.View == "NEW_AND_OLD_IMAGES" {
		rec.New = new
		rec.Size += new.Size()
	}
	return rec, true
}

func eventOf(old, new item.Item) string {
	switch {
	case old.IsZero():
		return "INSERT"
	case new.IsZero():
		return "REMOVE"
	}
	return "MODIFY"
}

// expiredHere reports whether this region's expiry made the change. To the others it is an ordinary delete (DYNAMODB.md
// 10.4).
func (r *Region) expiredHere(state conflict.State, e *stream.Entry) bool {
	if e.Stamp.Origin != r.origin || state.Visible() {
		return false
	}
	by, ok := state.Expired()
	return ok && by == e.Stamp
}
