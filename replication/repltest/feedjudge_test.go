package repltest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/region/table"
)

// feed is a table's conflict feed in one region.
type feed struct {
	at    string
	raw   map[string]string          // all notes and the floor
	notes map[string][]conflict.Note // all of an item, by its ordered key
}

func (l *life) feed(t *tableInfo) *feed {
	f := &feed{at: l.n.name, raw: map[string]string{}, notes: map[string][]conflict.Note{}}
	prefix := table.FeedPrefix(t.id)
	l.walk(prefix, func(k, v string) {
		ch, ok, err := table.FeedChange(append(slices.Clone(prefix), k...), []byte(v), l.region.Origin())
		if ok {
			f.raw[k] = fmt.Sprint(ch.Base.Time) + string(ch.State)
		}
		if err == nil && ok && len(ch.Key) > 0 {
			var n conflict.Note
			n, err = conflict.DecodeNote(ch.State)
			f.notes[string(ch.Key)] = append(f.notes[string(ch.Key)], n)
		}
		if err != nil {
			l.n.w.fail("%s: conflict feed of %s, key %q: %v", l.n.name, t.name, k, err)
		}
	})
	return f
}

func showNote(n *conflict.Note) string {
	return fmt.Sprintf("%v lost %v whole %v to %v, superseded by %v, base %v", n.Loser, n.Lost, n.All, n.Winner, n.Superseded, n.Base)
}

// judgeFeeds: the feeds are the same everywhere, have what lost with its image, and nothing else.
func (w *world) judgeFeeds(t *tableInfo, states map[string]conflict.State, feeds []*feed) {
	for _, f := range feeds[1:] {
		if w.loose() {
			break
		}
		w.judgeSameFeed(t, feeds[0], f)
	}
	h := w.history
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range feeds {
		for k, notes := range f.notes {
			for _, n := range conflict.Standing(notes) {
				if why := h.wrongLocked(t, itemID{t.id, k}, states[k], &n); why != "" && !w.failed() {
					w.fail("conflict feed: of item %q of %s in %s it has %s: %s", k, t.name, f.at, showNote(&n), why)
					w.tell(itemID{t.id, k}, feeds)
				}
			}
		}
	}
	if t.plain() && !w.failed() {
		h.judgeLosersLocked(t, states, feeds)
	}
}

// loose reports whether feeds need not be the same yet: a log was cut off, and there is no repair. What lost stands in one of them
// all the same.
func (w *world) loose() bool { return w.trimmed.Load() && w.repairEvery() <= 0 }

// settleFeeds waits until repair has made feeds the same, if logs cannot have done it.
func (w *world) settleFeeds() {
	if !w.trimmed.Load() || w.loose() {
		return
	}
	why := ""
	for end := time.Now().Add(feedPatience); time.Now().Before(end) && !w.failed(); time.Sleep(10 * time.Second) { // looking is dear
		why = ""
		for _, t := range w.tables {
			if why == "" {
				why = w.sameFeeds(t)
			}
		}
		if why == "" {
			return
		}
	}
	if !w.failed() {
		w.fail("conflict feed: after %v feeds differ: %s", feedPatience, why)
	}
}

func (w *world) judgeSameFeed(t *tableInfo, a, b *feed) {
	for _, k := range slices.Sorted(maps.Keys(a.raw)) {
		if _, ok := b.raw[k]; !ok {
			w.fail("conflict feed: an entry of %s in %s is missing in %s: %q", t.name, a.at, b.at, k)
			return
		}
	}
	for k, v := range b.raw {
		if was, ok := a.raw[k]; !ok {
			w.fail("conflict feed: an entry of %s in %s is missing in %s: %q", t.name, b.at, a.at, k)
		} else if was != v {
			w.fail("conflict feed: %s and %s have different entries of %s: %x and %x", a.at, b.at, t.name, was, v)
		} else {
			continue
		}
		return
	}
}

// wrongLocked says why an entry is wrong; empty if it is right.
func (h *history) wrongLocked(t *tableInfo, id itemID, s conflict.State, n *conflict.Note) string {
	x, y := h.writes[id][n.Loser], h.writes[id][n.Winner]
	switch {
	case x == nil || y == nil:
		return "no log has these writes"
	case y.ctx.Covers(x.stamp):
		return "the winner had seen the loser"
	case n.Direct && !n.Image.Equal(x.item):
		return fmt.Sprintf("the image is %s, and %s was written", n.Image.AppendJSON(nil), x.item.AppendJSON(nil))
	}
	for _, f := range n.Fields {
		if f.Name == "n" && !t.plain() { // it may be a counter, with others' additions in it
			continue
		}
		if x.visible && !x.item.Get(f.Name).Equal(f.Value) {
			return fmt.Sprintf("attribute %s is %v, and %v was written", f.Name, f.Value, x.item.Get(f.Name))
		}
	}
	if !t.plain() {
		return ""
	}
	switch {
	case s.Stamp() == x.stamp:
		return "it is current"
	case y.stamp.Less(x.stamp):
		return "the winner is the earlier one"
	case h.replacedLocked(t, id, x) && !h.w.trimmed.Load() && !h.w.left.Load():
		return "somebody who saw it replaced it"
	case !n.All || !n.Item().Equal(x.item) || !n.Beaten.Equal(y.item):
		return fmt.Sprintf("the images are %s and %s; what was written are %s and %s",
			n.Item().AppendJSON(nil), n.Beaten.AppendJSON(nil), x.item.AppendJSON(nil), y.item.AppendJSON(nil))
	}
	return ""
}

// judgeLosersLocked: what nobody went on from, and is not current, lost, acknowledged or not.
func (h *history) judgeLosersLocked(t *tableInfo, states map[string]conflict.State, feeds []*feed) {
	for id, all := range h.writes {
		s := states[id.key]
		if id.table != t.id || s.IsZero() {
			continue
		}
		for _, x := range all {
			gone := h.replacedLocked(t, id, x) || h.forgottenLocked(id, x) || h.deletedTooLocked(id, x)
			if s.Stamp() != x.stamp && !gone && !inFeeds(feeds, id.key, x) {
				h.w.fail("conflict feed: write %v (%q) of item %q of %s lost, and is not listed", x.stamp, x.marks, id.key, t.name)
				h.w.tell(id, feeds)
				return
			}
		}
	}
}

// replacedLocked reports whether somebody who saw a write replaced it. Under last-writer-wins a write replaces its base and
// nothing else; with attributes of their own it is enough that its author had seen the other.
func (h *history) replacedLocked(t *tableInfo, id itemID, x *written) bool {
	for _, z := range h.writes[id] {
		if z.base == x.stamp || !t.plain() && z != x && z.ctx.Covers(x.stamp) {
			return true
		}
	}
	return false
}

// forgottenLocked reports whether a write is a delete that a later write's author no longer knew as its base; he knew that all
// before some time is gone. It may have lost to another write before that.
func (h *history) forgottenLocked(id itemID, x *written) bool {
	for _, z := range h.writes[id] {
		if !x.visible && x.stamp.Time <= z.ctx.Floor() {
			return true
		}
	}
	return false
}

// deletedTooLocked reports whether a write is a delete, beside which there was another: of those neither loses.
func (h *history) deletedTooLocked(id itemID, x *written) bool {
	for _, z := range h.writes[id] {
		if !x.visible && !z.visible && x.stamp.Less(z.stamp) && !z.ctx.Covers(x.stamp) {
			return true
		}
	}
	return false
}

// inFeeds reports whether a region lists a write as lost.
func inFeeds(feeds []*feed, key string, x *written) bool {
	for _, f := range feeds {
		if slices.ContainsFunc(f.notes[key], func(n conflict.Note) bool { return n.Lost && n.Loser == x.stamp }) {
			return true
		}
	}
	return false
}
