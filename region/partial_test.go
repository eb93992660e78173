package region

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
)

// TestFilledTableIsWhole: north has read its part of a transaction of east from east's log when it gets a replica of the other
// table, from west, who has not heard of the transaction. It must not serve the table before it has read that log again; or
// say so, if east cannot be reached (found by simulation, repltest -across).
func TestFilledTableIsWhole(t *testing.T) {
	for _, reachable := range []bool{true, false} {
		inVirtualTime(t, func(t *testing.T) {
			w := newWorld(t, newSeed(t), false, east, west, north)
			defer w.close()
			w.create(east, "other")
			w.addReplica(east, "other", north)
			w.create(east, "T")
			w.addReplica(east, "T", west)
			w.set(func() { w.noCopy = func(to, from string) bool { return from == east } })
			w.setCut(east, west, true)
			w.transact(east, "x", "T", "other")
			w.eventually("north has its part", func() bool { return w.get(north, "other", "x") == 1 })
			w.set(func() { w.pause = 40 * time.Millisecond })
			if !reachable {
				w.set(func() { w.onChunk = func(string, string) { w.setCut(east, north, true) } })
			}
			w.update(east, "T", catalog.Change{CreateReplica: north})
			w.eventually("north serves T", func() bool { _, err := w.at(north).Table("T"); return err == nil })
			whole, partial := w.get(north, "T", "x") == 1, slices.Contains(w.at(north).Partial(), w.at(east).Origin())
			// The cut may come too late to keep it from reading that log.
			if whole == partial || reachable && !whole {
				t.Errorf("east can be reached: %v; its transaction is seen whole: %v; said to be partial: %v", reachable, whole, partial)
			}
			w.setCut(east, north, false)
			w.eventually("it is whole", func() bool { return w.get(north, "T", "x") == 1 && len(w.at(north).Partial()) == 0 })
		})
	}
}

// TestAdoptedMemberIsPartial: while north was down, west got a replica of T and wrote to it and another table at once. North reads
// west's log for the other table before it hears of the new member, and then again for T; until that is done it says so (found by
// simulation, seed 2185).
func TestAdoptedMemberIsPartial(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), true, east, west, north)
		defer w.close()
		w.create(east, "other")
		w.addReplica(east, "other", north)
		w.addReplica(east, "other", west)
		w.create(east, "T")
		w.addReplica(east, "T", north)
		w.stop(north)
		w.addReplica(east, "T", west)
		w.transact(west, "x", "T", "other")
		w.set(func() { w.names = []string{north} })
		w.start(north)
		r, wire := w.at(north), w.wires[north]
		wire.work.Go(func() { w.follow(wire.ctx, r, west) })
		w.eventually("north has one part", func() bool { return w.get(north, "other", "x") == 1 })
		w.set(func() { w.pause = 40 * time.Millisecond })
		wire.work.Go(func() { w.learn(wire.ctx, r, west) })
		w.eventually("it hears of the member", func() bool { return r.catalog.Lookup("T").Member(west) != nil })
		torn := 0
		for ; w.get(north, "T", "x") != 1; torn++ {
			if !slices.Contains(r.Partial(), w.at(west).Origin()) && w.get(north, "T", "x") != 1 {
				t.Fatal("the transaction shows in part, and nothing says so")
			}
			time.Sleep(time.Millisecond)
		}
		if torn == 0 {
			t.Error("it was whole at once: the test tests nothing")
		}
		w.eventually("nothing is in parts any more", func() bool { return len(r.Partial()) == 0 })
		w.set(func() { w.names = []string{east, west, north} })
	})
}

// transact puts an item into several tables at once.
func (w *world) transact(at, key string, tables ...string) {
	w.t.Helper()
	var ws []TableWrite
	for _, name := range tables {
		tab, err := w.at(at).Table(name)
		if err != nil {
			w.t.Fatal(err)
		}
		ws = append(ws, TableWrite{Table: tab, Write: table.Write{Op: table.Put, Item: thing(key, 1)}})
	}
	if _, err := w.at(at).Transact(context.Background(), nil, ws); err != nil {
		w.t.Fatal(err)
	}
}
