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
