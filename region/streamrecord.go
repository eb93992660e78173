package region

import (
	"fmt"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream"
)

// streamRecord is what a stream shows of a change, if anything.
func (r *Region) streamRecord(sh *openShard, e *stream.Entry) (rec StreamRecord, ok bool, err error) {
	if sh.feed {
		before, after, err := table.ShownConflict(&e.Change)
		if err != nil {
			return rec, false, &storage.CorruptionError{Where: fmt.Sprintf("commit %s, the stream of %s", e.Seq, sh.name()), Err: err}
		}
		old, err := feedItem(sh.entry, e.Change.Key, &before)
		if err != nil {
			return rec, false, err
		}
		new, err := feedItem(sh.entry, e.Change.Key, &after)
		return r.recordOf(sh, e, old, new), err == nil && !old.Equal(new), err
	}
	rec, ok = r.itemRecord(sh, e)
	return rec, ok, nil
}

// itemRecord is what a table's stream shows. Nothing, if the item is deeply what it was: such a write is a new version
// for the merge, which is about who has seen what, and none for those who look at items. That is decided here and not by
// the writer, whom it would cost a comparison of each item also where nobody reads.
func (r *Region) itemRecord(sh *openShard, e *stream.Entry) (rec StreamRecord, ok bool) {
	state := conflict.TrustedState(e.Change.State)
	var old item.Item
	if e.Change.HasOld {
		old = item.TrustedItem(e.Change.Old)
	}
	new := state.Item()
	if old.Equal(new) {
		return rec, false
	}
	rec = r.recordOf(sh, e, old, new)
	rec.Expired = r.expiredHere(state, e)
	return rec, true
}

// recordOf makes the record of an item that was old and is new.
func (r *Region) recordOf(sh *openShard, e *stream.Entry, old, new item.Item) StreamRecord {
	rec := StreamRecord{
		EventID: eventID(r.origin.String(), sh.id(), e.Position), Event: eventOf(old, new),
		Sequence: sequence(e.Position), Created: e.Wall, View: sh.stream.View, Stamp: e.Stamp,
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
	return rec
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
