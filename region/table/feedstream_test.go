package table

import (
	"bytes"
	"testing"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/stream/record"
)

// shownEntry is what the feed's stream says of one conflict.
type shownEntry struct {
	note  conflict.Note
	begun int // how often it came in
}

// streamed reads the feed's stream from the log and checks that each entry goes on from the one before.
func (r *rig) streamed(id record.TableID) map[string]*shownEntry {
	r.t.Helper()
	all := map[string]*shownEntry{}
	for _, c := range r.commits() {
		for i := range c.Changes {
			ch := &c.Changes[i]
			if ch.Table != id.Feed() {
				continue
			}
			if !c.Stamp.IsZero() || ch.Note || ch.Shard != shardOf(ch.Key) {
				r.t.Errorf("commit %d has stamp %s, note %t, shard %d", c.Seq, c.Stamp, ch.Note, ch.Shard)
			}
			before, after := must2(ShownConflict(ch))
			e := all[string(feedKey(id, ch.Key, ch.Base))]
			if e == nil {
				e = &shownEntry{}
				all[string(feedKey(id, ch.Key, ch.Base))] = e
			}
			if !sameShown(before, e.note) || sameShown(before, after) || after.Loser != ch.Base {
				r.t.Errorf("commit %d: %+v\nbecame %+v\nafter %+v", c.Seq, before, after, e.note)
			}
			if after.Lost && !before.Lost {
				e.begun++
			}
			e.note = after
		}
	}
	return all
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}

// sameShown compares what a stream shows of two notes.
func sameShown(a, b conflict.Note) bool {
	if !a.Lost || !b.Lost {
		return a.Lost == b.Lost
	}
	a.Noted, a.Direct = b.Noted, b.Direct
	return bytes.Equal(a.Append(nil), b.Append(nil))
}

// checkStream: what the stream says in the end is what is listed, and each conflict came in once.
func (w *feedWorld) checkStream(r *rig, list []Conflict) {
	w.t.Helper()
	id := tableID(2)
	shown := r.streamed(id)
	for key, e := range shown {
		if e.begun != 1 {
			w.t.Errorf("region %s: conflict %x came in %d times", r.engine.origin.Region, key, e.begun)
		}
		if !e.note.Lost {
			delete(shown, key)
		}
	}
	for i := range list {
		key := string(feedKey(id, list[i].Key.Append(nil), list[i].Loser))
		if e := shown[key]; e == nil || !sameShown(e.note, list[i].Note) {
			w.t.Errorf("region %s lists %+v, its stream says %+v", r.engine.origin.Region, list[i], e)
		}
		delete(shown, key)
	}
	for key := range shown {
		w.t.Errorf("region %s: the stream shows %x, which is not listed", r.engine.origin.Region, key)
	}
}

// A region that writes one item again and again while it is cut off loses its last write only: the others, which it had seen,
// go out of the stream as soon as that is known.
func TestFeedStreamOfOneCutOff(t *testing.T) {
	w := newFeedWorld(t, newGen(1), "")
	a, b := w.rigs[0], w.rigs[1]
	var last crdt.Stamp
	for i := range 10 {
		a.pass(1)
		last = put(a, 0, string(rune('a'+i)))
	}
	b.pass(1000)
	put(b, 0, "won")
	for _, c := range a.commits() { // one by one
		apply(t, b, []record.Commit{c})
	}
	standing := 0
	for _, e := range b.streamed(tableID(2)) {
		if e.note.Lost {
			if standing++; e.note.Loser != last {
				t.Errorf("%s stands in the stream", e.note.Loser)
			}
		}
	}
	if standing != 1 {
		t.Errorf("%d stand", standing)
	}
	apply(t, a, b.commits())
	shown := a.streamed(tableID(2))
	if len(shown) != 1 {
		t.Errorf("the loser's region, which heard of all at once, was shown %d", len(shown))
	}
	w.rest()
	for _, r := range w.rigs {
		w.checkStream(r, r.conflicts(tableID(2), ConflictQuery{}))
	}
}

// A copy of a table is no news: its conflicts are listed, and not shown.
func TestFeedStreamOfCopy(t *testing.T) {
	w := newFeedWorld(t, newGen(1), "")
	a, b, c := w.rigs[0], w.rigs[1], w.rigs[2]
	put(a, 0, "lost")
	b.pass(100)
	put(b, 0, "won")
	apply(t, b, a.commits())
	for _, cm := range b.commits() {
		if err := c.engine.Apply(bg, Batch{Commits: []record.Commit{cm}, Silent: true}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(c.conflicts(tableID(2), ConflictQuery{})); n != 1 {
		t.Errorf("%d are listed", n)
	}
	if n := len(c.streamed(tableID(2))); n != 0 {
		t.Errorf("%d are shown", n)
	}
}
