package conflict

import (
	"maps"
	"slices"
	"testing"

	"github.com/meridiandb/meridian/crdt"
	"pgregory.net/rapid"
)

// TestNoSilentLoss: every value written is the current one, or was reported, or was seen by somebody who replaced it
// (DESIGN section 1, promise 4), attribute by attribute.
func TestNoSilentLoss(t *testing.T) {
	for name, policy := range policies {
		t.Run(name, func(t *testing.T) {
			checkHistories(t, policy, func(h *history) {
				h.settle()
				for i := range h.oracle.writes {
					for _, name := range []string{"x", "y"} { // whose values are all different
						h.checkKept(i, name)
					}
				}
			})
		})
	}
}

func (h *history) checkKept(i int, name string) {
	w := &h.oracle.writes[i]
	fresh := value("v" + short(w.v.Dot)) // as opposed to one that it carried along, which was lost with equal values if at all
	if !w.claims(name) || !w.values[name].Equal(fresh) || h.states[0].Item().Get(name).Equal(w.values[name]) {
		return
	}
	for k := range h.oracle.writes {
		if x := &h.oracle.writes[k]; x.seen[i] && (x.claims(name) || x.hides) {
			return
		}
	}
	for _, l := range h.lost {
		if l.Stamp == w.v.Dot && (len(l.Attributes) == 0 || slices.Contains(l.Attributes, name)) {
			if !l.Image.Get(name).Equal(w.values[name]) {
				h.t.Fatalf("%s lost %s, but its image is %s\n%s", short(w.v.Dot), name, shortItem(l.Image), h)
			}
			return
		}
	}
	h.t.Fatalf("%s of %s is gone in silence; reported: %s\n%s", name, short(w.v.Dot), shortLosses(h.lost), h)
}

// TestNoFalseLoss: what is reported lost to a write had not been seen by its author.
func TestNoFalseLoss(t *testing.T) {
	for name, policy := range policies {
		t.Run(name, func(t *testing.T) {
			checkHistories(t, policy, func(h *history) {
				h.settle()
				for _, l := range h.lost {
					if h.oracle.writes[h.dots[l.Winner]].seen[h.dots[l.Stamp]] {
						h.t.Fatalf("%s had seen %s\n%s", short(l.Winner), short(l.Stamp), h)
					}
				}
			})
		})
	}
}

// TestFeed is models/feed.py: under last-writer-wins, what was reported lost anywhere and not replaced by somebody who saw
// it is exactly the writes that nobody built on, but the winner. (That the regions' feeds are equal is their log's doing.)
func TestFeed(t *testing.T) {
	checkFeed := func(rt *rapid.T) {
		h := newHistory(rt, fixed(LastWriterWins))
		h.unique = true
		for range rapid.IntRange(2, 14).Draw(rt, "steps") {
			h.step()
		}
		h.settle()
		if len(h.oracle.writes) == 0 {
			return
		}
		feed := map[crdt.Stamp]bool{}
		for _, l := range h.lost {
			if feed[l.Stamp] = true; l.Base != h.baseOf(l.Stamp) {
				rt.Fatalf("%s has base %s, reported %s\n%s", short(l.Stamp), short(h.baseOf(l.Stamp)), short(l.Base), h)
			}
		}
		leaves := map[crdt.Stamp]bool{}
		for i := range h.oracle.writes {
			leaves[h.oracle.writes[i].v.Dot] = true
		}
		for i := range h.oracle.writes {
			base := h.baseOf(h.oracle.writes[i].v.Dot)
			delete(leaves, base)
			delete(feed, base) // superseded
		}
		delete(leaves, h.states[0].Stamp())
		for i := range h.oracle.writes {
			if h.oracle.writes[i].hides { // a delete lost to a delete is no conflict, an expiry never is
				delete(leaves, h.oracle.writes[i].v.Dot)
				delete(feed, h.oracle.writes[i].v.Dot)
			}
		}
		if !maps.Equal(feed, leaves) {
			rt.Fatalf("feed %v, lost in truth %v\n%s", feed, leaves, h)
		}
	}
	rapid.Check(t, checkFeed)
}

// baseOf is the stamp of what a write replaced.
func (h *history) baseOf(dot crdt.Stamp) crdt.Stamp {
	newest, _ := h.oracle.best(h.oracle.writes[h.dots[dot]].seen, func(*write) bool { return true })
	if newest == nil {
		return crdt.Stamp{}
	}
	return newest.v.Dot
}
