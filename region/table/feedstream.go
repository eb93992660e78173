package table

import (
	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// The feed's stream: what came into the feed and what went, in the order in which this region heard of it. It stands in the log
// under the feed's own id (record.TableID.Feed), with the note as State and what it was before as Old, in commits without a
// stamp: it is this region's own, made anew from the notes wherever they arrive, and nobody is to be sent it.
//
// A batch shows of each note only what became of it: a conflict that is none any more by its end was never seen.

// shown is a note as a batch finds it and as it leaves it.
type shown struct {
	table  record.TableID
	item   []byte // its ordered key
	before conflict.Note
	after  conflict.Note
}

// show keeps what the stream may show of a note's change.
func (m *merging) show(t *Table, key, itemKey []byte, before, after *conflict.Note) {
	f := &m.feed
	if i, ok := f.shownAt[string(key)]; ok {
		f.shown[i].after = *after
		return
	}
	if !before.Lost && !after.Lost {
		return
	}
	if f.shownAt == nil {
		f.shownAt = map[string]int{}
	}
	f.shownAt[string(key)] = len(f.shown)
	f.shown = append(f.shown, shown{t.entry.ID, itemKey, *before, *after})
}

// change is what the log holds of it; ok is false if there is nothing to show. When a conflict was first seen, and by what way
// its image came, is no news by itself: each region that saw it says so a little differently.
func (s *shown) change() (ch record.Change, ok bool) {
	if !s.before.Lost && !s.after.Lost {
		return ch, false
	}
	ch = record.Change{Table: s.table.Feed(), Shard: shardOf(s.item), Key: s.item, Base: s.after.Loser, State: s.after.Append(nil)}
	if s.before.Lost {
		ch.Old, ch.HasOld = s.before.Append(nil), true
		same := s.after
		same.Noted, same.Direct = s.before.Noted, s.before.Direct
		if s.after.Lost && string(same.Append(nil)) == string(ch.Old) {
			return ch, false
		}
	}
	return ch, true
}

// logShown logs what the feeds' streams show of a batch. The caller holds order.
func (e *Engine) logShown(w storage.Writer, all []shown) (last record.Seq, err error) {
	var changes []record.Change
	size := 0
	flush := func() error {
		if len(changes) == 0 {
			return nil
		}
		c := record.Commit{Wall: e.clock.Now(), Changes: changes}
		err := e.log.Append(w, &c)
		last, changes, size = c.Seq, nil, 0
		return err
	}
	for i := range all {
		ch, ok := all[i].change()
		if !ok {
			continue
		}
		changes = append(changes, ch)
		if size += len(ch.State) + len(ch.Old); size > tellBytes {
			if err := flush(); err != nil {
				return 0, err
			}
		}
	}
	return last, flush()
}

// ShownConflict reads an entry of the feed's stream: what stood in the feed before and what stands there since; a note that is
// not Lost stands for nothing.
func ShownConflict(ch *record.Change) (before, after conflict.Note, err error) {
	if ch.HasOld {
		if before, err = conflict.DecodeNote(ch.Old); err != nil {
			return before, after, err
		}
	}
	after, err = conflict.DecodeNote(ch.State)
	return before, after, err
}
