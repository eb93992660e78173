package repltest

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/stream/record"
)

// feedPatience is how long regions get until repair has made their feeds the same: it leaves alone for a minute what may be on
// its way.
const feedPatience = 5 * time.Minute

// conflicts is a region's feed, by item and loser.
func (l *life) conflicts(t *tableInfo) map[string]string {
	all := map[string]string{}
	for q := (region.ConflictQuery{Table: t.name, Limit: 1000}); ; {
		page, next, err := l.region.Conflicts(context.Background(), q)
		if err != nil {
			l.n.w.fail("%s lists no conflicts: %v", l.n.name, err)
			return nil
		}
		for _, c := range page {
			all[fmt.Sprintf("%s %s", c.Key.AppendJSON(nil), c.Loser)] = string(c.Append(nil))
		}
		if q.From = next; next == "" {
			return all
		}
	}
}

// notes is all that a region's store has of a feed, by key: what was superseded, too.
func (l *life) notes(id record.TableID) map[string]string {
	all := map[string]string{}
	prefix := table.FeedPrefix(id)
	l.walk(prefix, func(k, v string) {
		ch, ok, err := table.FeedChange(append(slices.Clone(prefix), k...), []byte(v), l.region.Origin())
		if err != nil {
			l.n.w.fail("%s: note %q: %v", l.n.name, k, err)
		}
		if ok {
			all[k] = fmt.Sprint(ch.Base.Time) + string(ch.State)
		}
	})
	return all
}

// sameFeeds says which feeds differ, or have cells that are not theirs.
func (w *world) sameFeeds(t *tableInfo) string {
	var first map[string]string
	for _, n := range w.nodes {
		l := n.at()
		if v, err := l.region.DescribeTable(t.name); err != nil || v.ID != t.id {
			continue // it has no replica
		}
		have, err := table.Cells(context.Background(), l.store, t.id.Feed())
		want, err2 := table.RecomputeFeedCells(context.Background(), l.store, t.id)
		if err != nil || err2 != nil || !maps.Equal(have, want) {
			w.fail("hash cells: those of the feed in %s are not those of its notes (%v, %v)", n.name, err, err2)
		}
		notes := l.notes(t.id)
		if first == nil {
			first = notes
		}
		if !maps.Equal(notes, first) {
			return fmt.Sprintf("%s has %d notes, the first region %d, or others", n.name, len(notes), len(first))
		}
	}
	return ""
}

// collide has regions write the same items while they do not hear of each other.
func (w *world) collide(t *tableInfo, round int, nodes ...*node) {
	for i := range 12 {
		for _, n := range nodes {
			k := fmt.Sprint("k", i)
			tab, err := n.at().region.Table(t.name)
			if err == nil {
				_, err = tab.Write(context.Background(), table.Write{Op: table.Put, Item: thing(k, fmt.Sprintf("%s/%d.%d", n.name, round, i), i)})
			}
			if err != nil {
				w.fail("%s: %v", n.name, err)
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// repairSeed is a seed at which tables are compared.
func repairSeed() uint64 {
	for seed := uint64(1); ; seed++ {
		if (&world{seed: seed}).repairEvery() > 0 {
			return seed
		}
	}
}

// TestFeedsAreMended: what a region's disk lost of its feed it gets from the others, each something else.
func TestFeedsAreMended(t *testing.T) {
	trio(t, repairSeed(), lastWriter, func(w *world, tab *tableInfo) {
		for round := range 3 {
			w.apart(true, w.nodes...)
			time.Sleep(2 * time.Second)
			w.collide(tab, round, w.nodes...)
			w.apart(false, w.nodes...)
			w.settle()
		}
		w.eventually("all hear of all", feedPatience, func() string { return w.sameFeeds(tab) })
		whole := w.nodes[0].at().notes(tab.id)
		if n := len(w.nodes[0].at().conflicts(tab)); n != 3*12*2 {
			w.fail("%d conflicts are listed", n)
		}
		for i, n := range w.nodes {
			n.at().copying.Store(true) // from now on repair has something to do
			w.loseNotes(n, tab, func(j int) bool { return j%3 == i })
		}
		if w.sameFeeds(tab) == "" {
			w.fail("nothing is missing")
		}
		w.eventually("all have all again", feedPatience, func() string { return w.sameFeeds(tab) })
		now := w.nodes[1].at().notes(tab.id)
		for k, v := range whole {
			if now[k] != v {
				w.fail("note %q was %q and is %q", k, v, now[k])
			}
		}
		for k, v := range now {
			if _, ok := whole[k]; !ok {
				w.fail("note %q is new: %q", k, v)
			}
		}
	})
}

// loseNotes removes notes from a region, as a bug or a disk might, and has the hash tree worked out anew.
func (w *world) loseNotes(n *node, t *tableInfo, which func(int) bool) {
	l := n.at()
	tx, err := l.store.Begin(context.Background())
	if err != nil {
		w.fail("%v", err)
		return
	}
	defer tx.Discard()
	for i, k := range slices.Sorted(maps.Keys(l.notes(t.id))) {
		if which(i) {
			if err := tx.Delete(append(table.FeedPrefix(t.id), k...)); err != nil {
				w.fail("%v", err)
			}
		}
	}
	durable, err := tx.Commit(nil)
	if err == nil {
		err = durable.Wait()
	}
	if err != nil {
		w.fail("%v", err)
	}
	if bad, err := l.region.Scrub(context.Background(), t.id.Feed()); err != nil || bad == 0 {
		w.fail("scrub: %d cells, %v", bad, err)
	}
}

// TestFeedOutlivesItsTeller: a region sees conflicts, tells one of the others and loses its disk. The third one, which had not
// heard of them, hears of them all the same.
func TestFeedOutlivesItsTeller(t *testing.T) {
	trio(t, repairSeed(), lastWriter, func(w *world, tab *tableInfo) {
		a, b, c := w.nodes[0], w.nodes[1], w.nodes[2]
		w.apart(true, w.nodes...)
		time.Sleep(2 * time.Second)
		w.collide(tab, 0, a, b)
		w.net.Cut(a.name, b.name, false)
		w.eventually("both list what was lost", time.Minute, func() string {
			x, y := a.at().conflicts(tab), b.at().conflicts(tab)
			if len(x) == 12 && maps.Equal(x, y) {
				return ""
			}
			return fmt.Sprintf("%d and %d", len(x), len(y))
		})
		for _, n := range w.nodes {
			n.at().copying.Store(true)
		}
		a.at().end()
		a.mem = vfs.NewCrashableMem()
		time.Sleep(time.Minute)
		w.apart(false, b, c)
		w.eventually("the third lists it", feedPatience, func() string {
			if n := len(c.at().conflicts(tab)); n != 12 {
				return fmt.Sprint(n)
			}
			return ""
		})
		a.start()
		a.at().copying.Store(true)
		w.settle()
		w.eventually("all have all", feedPatience, func() string { return w.sameFeeds(tab) })
		if n := len(a.at().conflicts(tab)); n != 12 {
			w.fail("%d conflicts are listed", n)
		}
	})
}

// TestCatchingUpTakesTheFeed: a region sees conflicts, and its log ends behind what another has read of it. That one catches up by
// comparing the tables, where the winners stand that it need not merge, and says that it holds everything; then the first region
// loses its disk. What lost is listed all the same (found by simulation).
func TestCatchingUpTakesTheFeed(t *testing.T) {
	trio(t, repairSeed(), lastWriter, func(w *world, tab *tableInfo) {
		a, b, c := w.nodes[0], w.nodes[1], w.nodes[2]
		w.trimmed.Store(true)
		w.apart(true, c)
		slow := w.usual()
		slow.Delay = 5 * time.Second
		w.net.Set(b.name, a.name, slow)
		w.collide(tab, 0, a, b)
		w.eventually("one lists what was lost", time.Second, func() string {
			if x, y := a.at().conflicts(tab), b.at().conflicts(tab); len(x) > 0 || len(y) != 12 {
				return fmt.Sprintf("%d and %d", len(x), len(y))
			}
			return ""
		})
		w.apart(true, a)
		time.Sleep(2 * slow.Delay) // what is under way is lost
		origin := b.at().region.Origin()
		end, _ := b.at().region.End()
		b.horizon.Store(uint64(end))
		w.net.Set(b.name, a.name, w.usual())
		w.net.Set(a.name, b.name, w.usual())
		w.eventually("the other has caught up", feedPatience, func() string {
			if at := a.at().region.Cursor(origin); at < end {
				return fmt.Sprintf("it stands at %d, before %d", at, end)
			}
			return ""
		})
		b.at().end()
		b.mem = vfs.NewCrashableMem()
		b.horizon.Store(0)
		if n := len(a.at().conflicts(tab)); n != 12 {
			w.fail("%d conflicts are listed", n)
		}
		b.start()
		w.apart(false, w.nodes...)
		w.settle()
		w.eventually("all have all", feedPatience, func() string { return w.sameFeeds(tab) })
		if n := len(b.at().conflicts(tab)); n != 12 {
			w.fail("%d conflicts are listed", n)
		}
	})
}

// TestFeedFloorsAreMended: a region that did not hear how far the others dropped their feeds drops as much, and gives nothing of
// it back to them.
func TestFeedFloorsAreMended(t *testing.T) {
	trio(t, repairSeed(), lastWriter, func(w *world, tab *tableInfo) {
		w.apart(true, w.nodes...)
		time.Sleep(2 * time.Second)
		w.collide(tab, 0, w.nodes...)
		w.apart(false, w.nodes...)
		w.settle()
		w.eventually("all hear of all", feedPatience, func() string { return w.sameFeeds(tab) })
		for _, n := range w.nodes {
			n.at().copying.Store(true)
		}
		l := w.nodes[1].at()
		before := l.notes(tab.id)
		w.raiseFloor(l, tab)
		w.eventually("all have dropped as much", 3*feedPatience, func() string {
			if n := len(l.notes(tab.id)); n >= len(before) {
				return fmt.Sprintf("%d notes of %d are there", n, len(before))
			}
			return w.sameFeeds(tab)
		})
	})
}

// raiseFloor raises a feed's floor to the middle of what it has, and tells nobody.
func (w *world) raiseFloor(l *life, t *tableInfo) {
	var times []crdt.Time
	for _, c := range must2(l.region.Conflicts(context.Background(), region.ConflictQuery{Table: t.name, Limit: 1000})) {
		times = append(times, c.Loser.Time)
	}
	slices.Sort(times)
	tx, err := l.store.Begin(context.Background())
	if err != nil {
		w.fail("%v", err)
		return
	}
	defer tx.Discard()
	floor := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(times[len(times)/2])), 0)
	if err := tx.Set(table.FeedPrefix(t.id), floor); err != nil {
		w.fail("%v", err)
	}
	durable, err := tx.Commit(nil)
	if err == nil {
		err = durable.Wait()
	}
	if err != nil {
		w.fail("%v", err)
	}
}

func must2[T any](v T, _ string, err error) T { return must(v, err) }
