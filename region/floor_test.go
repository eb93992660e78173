package region

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// forgetful makes a world of us, eu and ap whose regions forget deletes within seconds, with a table that some of them share.
func forgetful(t *testing.T, members ...string) *world {
	w := newWorld(t, newSeed(t), true)
	w.options = func(o *Options) { o.FloorStep = time.Second }
	w.names = []string{us, eu, ap}
	for _, n := range w.names {
		w.down[n] = true
		w.disks[n] = vfs.NewCrashableMem()
	}
	for _, n := range w.names {
		w.start(n)
	}
	w.create(members[0], "things")
	for _, n := range members[1:] {
		w.addReplica(members[0], "things", n)
	}
	return w
}

func (w *world) id(at, name string) record.TableID { return w.at(at).catalog.Lookup(name).ID }

// forgotten waits until no region remembers anything of an item.
func (w *world) forgotten(name, key string, at ...string) {
	w.t.Helper()
	w.eventually("nobody remembers "+key, func() bool {
		return !slices.ContainsFunc(at, func(n string) bool {
			_, there := w.dump(n, name)[string(keyOf(key).Append(nil))]
			return there || w.at(n).Floor(w.id(n, name)) == 0
		})
	})
}

func (w *world) mustRemove(at, name, key string) {
	w.t.Helper()
	if err := w.remove(at, name, key); err != nil {
		w.t.Fatal(err)
	}
}

// TestDeletesAreForgotten: once all members hold a delete, and only then, nothing of it is left anywhere; a member that is away
// holds that back, by name. What is written afterwards is the same everywhere.
func TestDeletesAreForgotten(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := forgetful(t, us, eu, ap)
		defer w.close()
		w.mustPut(us, "things", "a", 1)
		w.eventually("ap has it", func() bool { return w.get(ap, "things", "a") == 1 })
		w.stop(ap)
		w.mustRemove(eu, "things", "a")
		time.Sleep(time.Minute)
		for _, n := range []string{us, eu} {
			if len(w.dump(n, "things")) != 1 {
				t.Errorf("%s has forgotten what ap has not heard of", n)
			}
			s := w.at(n).Stats().Floors
			if len(s) != 1 || !slices.ContainsFunc(s[0].HeldBack, func(h HoldingBack) bool { return h.Region == ap }) {
				t.Errorf("%s does not blame ap: %+v", n, s)
			}
		}
		w.start(ap)
		w.forgotten("things", "a", us, eu, ap)
		w.eventually("no cells either", func() bool {
			it, err := w.at(us).store.NewIter(storage.PrefixRange(storage.AppendTable(nil, storage.KindHashCell, w.id(us, "things"))))
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for ok := it.First(); ok; ok = it.Next() {
				if v := crdt.Time(0); !slices.Equal(it.Value(), make([]byte, 16)) && v == 0 {
					n++
				}
			}
			return it.Close() == nil && n == 0
		})
		before := w.at(eu).Floor(w.id(eu, "things"))
		w.crash(eu)
		w.start(eu)
		if now := w.at(eu).Floor(w.id(eu, "things")); now < before {
			t.Errorf("a power cut took the floor from %s to %s", before, now)
		}
		w.mustPut(ap, "things", "a", 7)
		w.eventually("all have it", func() bool { return w.get(us, "things", "a") == 7 && w.equal("things", us, eu, ap) })
		s, err := conflict.DecodeState(w.dump(us, "things")[string(keyOf("a").Append(nil))])
		if err != nil || s.Context().Floor() < before || s.Context().Len() != 1 {
			t.Errorf("it has seen %s, %v", s.Context(), err)
		}
		w.checkTables()
	})
}

// TestLogsReadAgain (1): a put that is read a second time after its delete was forgotten is not let in.
func TestLogsReadAgain(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := forgetful(t, us, eu)
		defer w.close()
		w.mustPut(us, "things", "a", 1)
		w.eventually("eu has it", func() bool { return w.get(eu, "things", "a") == 1 })
		w.mustRemove(eu, "things", "a")
		w.forgotten("things", "a", us, eu)
		id, from := w.id(us, "things"), w.at(us)
		commits, next, err := from.Read(0, map[record.TableID]bool{id: true}, 1<<20)
		if err != nil || len(commits) != 1 {
			t.Fatalf("%d commits, %v", len(commits), err)
		}
		w.setCut(us, eu, true)
		time.Sleep(100 * time.Millisecond)
		if err := w.at(eu).Apply(context.Background(), from.Origin(), onTheWire(t, commits), next, 0); err != nil {
			t.Fatal(err)
		}
		if n := w.get(eu, "things", "a"); n != -1 {
			t.Errorf("it is back: %d", n)
		}
	})
}

// TestJoinerReadsOldLogs (2): ap joins after a delete was forgotten, and its place in the log of us is before the put.
func TestJoinerReadsOldLogs(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := forgetful(t, eu, us)
		defer w.close()
		w.create(us, "others")
		w.addReplica(us, "others", eu)
		w.addReplica(us, "others", ap)
		w.mustPut(us, "others", "x", 1)
		w.eventually("ap reads us", func() bool { return w.get(ap, "others", "x") == 1 })
		w.setCut(us, ap, true)
		w.mustPut(us, "things", "a", 1)
		w.eventually("eu has it", func() bool { return w.get(eu, "things", "a") == 1 })
		w.mustRemove(eu, "things", "a")
		w.mustPut(eu, "others", "y", 1)
		w.eventually("ap reads eu past the delete", func() bool { return w.get(ap, "others", "y") == 1 })
		w.forgotten("things", "a", us, eu)
		w.update(eu, "things", catalog.Change{CreateReplica: ap})
		w.eventually("ap serves it", func() bool { _, err := w.at(ap).Table("things"); return err == nil })
		if n := w.get(ap, "things", "a"); n != -1 {
			t.Errorf("the copy brought it back: %d", n)
		}
		w.setCut(us, ap, false)
		w.mustPut(us, "things", "b", 1)
		w.eventually("ap has read us", func() bool { return w.get(ap, "things", "b") == 1 })
		if n := w.get(ap, "things", "a"); n != -1 {
			t.Errorf("the log brought it back: %d", n)
		}
	})
}

// TestLostIsNotForgotten (3): an item that a region has lost is mended, although its absence is covered by the floor; what a
// comparison from before the floor rose brings is not taken.
func TestLostIsNotForgotten(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := forgetful(t, us, eu)
		defer w.close()
		w.mustPut(us, "things", "a", 1)
		key := keyOf("a").Append(nil)
		w.eventually("eu has it", func() bool { return w.get(eu, "things", "a") == 1 })
		state := w.dump(us, "things")[string(key)]
		s, err := conflict.DecodeState(state)
		if err != nil {
			t.Fatal(err)
		}
		id, r := w.id(eu, "things"), w.at(eu)
		w.eventually("the floor is above it", func() bool { return r.Floor(id) > s.Stamp().Time })
		stale := r.Floor(id) - 1
		lose := func() {
			err := write(r.store, func(b storage.Writer) error {
				return b.Delete(append(storage.AppendTable(nil, storage.KindItem, id), key...))
			})
			if err != nil || w.get(eu, "things", "a") != -1 {
				t.Fatal("it is not lost", err)
			}
		}
		lose()
		if n, err := r.Mend(context.Background(), us, id, stale, [][]byte{key}, [][]byte{state}); n != 0 || err != nil || w.get(eu, "things", "a") != -1 {
			t.Errorf("of an older round: %d, %v", n, err)
		}
		for floor := crdt.Time(0); w.get(eu, "things", "a") == -1; { // the floor may rise between the two
			floor = r.Floor(id)
			if n, err := r.Mend(context.Background(), us, id, floor, [][]byte{key}, [][]byte{state}); err != nil || n == 0 && floor == r.Floor(id) {
				t.Fatalf("it is not mended: %d, %v", n, err)
			}
		}
	})
}

// TestRebuiltRegionsHoldFloorsBack (4): what a region wrote in an earlier life holds floors back until all members have compared
// their tables since.
func TestRebuiltRegionsHoldFloorsBack(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := forgetful(t, us, eu, ap)
		defer w.close()
		w.mustPut(us, "things", "a", 1)
		w.eventually("all have it", func() bool { return w.get(ap, "things", "a") == 1 && w.get(eu, "things", "a") == 1 })
		old := w.at(us).Origin()
		w.lose(us)
		w.start(us)
		w.eventually("us is back", func() bool { return w.active(us, "things") && w.get(us, "things", "a") == 1 })
		w.mustRemove(us, "things", "a")
		time.Sleep(30 * time.Second)
		for _, n := range []string{us, eu, ap} {
			if len(w.dump(n, "things")) != 1 {
				t.Errorf("%s has forgotten", n)
			}
			if s := w.at(n).Stats().Floors; !slices.ContainsFunc(s[0].HeldBack, func(h HoldingBack) bool { return h.Origin == old }) {
				t.Errorf("%s does not blame the old life: %+v", n, s)
			}
		}
		for _, to := range []string{us, eu, ap} {
			for _, from := range []string{us, eu, ap} {
				if to != from {
					w.mended(to, from, "things")
				}
			}
		}
		w.forgotten("things", "a", us, eu, ap)
	})
}

// TestReportsThatDoNotFit (5): reports of members that go by different descriptions of the table, or of an earlier life, or that
// their authors' logs do not bear out yet, raise no floor.
func TestReportsThatDoNotFit(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := forgetful(t, us, eu)
		defer w.close()
		w.mustPut(us, "things", "a", 1)
		r := w.at(us)
		id := w.id(us, "things")
		w.eventually("the floor has risen", func() bool { return r.Floor(id) > 0 })
		e, in := r.catalog.ByID(id), r.inbound
		with := func(what string, want bool, change func(rep *report)) {
			t.Helper()
			rep := w.at(eu).report(us)
			change(rep)
			in.mu.Lock()
			in.reports[eu] = &reports{next: rep}
			in.mu.Unlock()
			if l := r.leastHeld(e); (l.floor > 0) != want || !want && (len(l.by) != 1 || l.by[0].Region != eu) {
				t.Errorf("%s: %+v", what, l)
			}
		}
		old := func(rep *report) { // as of what us has read of eu's log
			in.mu.Lock()
			defer in.mu.Unlock()
			rep.At = in.upToLocked(e, rep.Origin)
		}
		with("as it is", true, old)
		with("not borne out", false, func(rep *report) { rep.At += 1 << 40 })
		with("another description", false, func(rep *report) { old(rep); rep.Tables[0].Revision.Time++ })
		with("another epoch", false, func(rep *report) { old(rep); rep.Tables[0].Epoch++ })
		with("no such table", false, func(rep *report) { old(rep); rep.Tables = nil })
		with("a later life was met", false, func(rep *report) { old(rep); rep.Newest = map[string]uint64{eu: rep.Origin.Incarnation + 1} })
		with("less of an origin", true, func(rep *report) { old(rep); rep.Tables[0].Have[r.origin] = 5 })
		if l := r.leastHeld(e); l.floor != 5 {
			t.Errorf("floor %d", l.floor)
		}
		in.mu.Lock()
		delete(in.reports, eu)
		in.mu.Unlock()
		if l := r.leastHeld(e); l.floor != 0 {
			t.Errorf("without a report: %+v", l)
		}
	})
}

// TestRegistersAreRemembered (6): a delete that keeps attributes, so that an update that had not seen it revives the whole item,
// is not forgotten.
func TestRegistersAreRemembered(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := forgetful(t, us, eu)
		defer w.close()
		attribute := "attribute"
		w.update(us, "things", catalog.Change{Policy: &attribute})
		w.eventually("eu knows", func() bool { return w.at(eu).catalog.Lookup("things").Policy == attribute })
		w.mustPut(us, "things", "a", 1)
		w.eventually("eu has it", func() bool { return w.get(eu, "things", "a") == 1 })
		w.mustRemove(us, "things", "a")
		at := crdt.TimeFromMillis(w.at(us).clock.Now())
		w.eventually("the floor is above it", func() bool {
			return w.at(us).Floor(w.id(us, "things")) > at && w.at(eu).Floor(w.id(eu, "things")) > at
		})
		time.Sleep(5 * time.Second)
		if len(w.dump(us, "things")) != 1 || len(w.dump(eu, "things")) != 1 {
			t.Error("it is forgotten")
		}
		w.update(us, "things", catalog.Change{CreateReplica: ap})
		w.eventually("ap serves it", func() bool { _, err := w.at(ap).Table("things"); return err == nil })
		if !w.equal("things", us, eu, ap) {
			t.Error("a copy has left it out")
		}
	})
}
