package region

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
)

// lonely makes a world in which us keeps a table, has written things that nobody else has, one of them before a third region
// missed it, and is dead. It has a table of its own, too. Seen is what a session saw there last.
func lonely(t *testing.T) (w *world, seen []Seen) {
	w = lonelyOf(t)
	seen = w.seenOf(us, "things", "alone")
	w.crash(us)
	return w, seen
}

func lonelyOf(t *testing.T) *world {
	w := forgetful(t, us, eu, ap)
	w.create(us, "own")
	w.mustPut(us, "own", "mine", 1)
	for _, k := range []string{"a", "b"} {
		w.mustPut(us, "things", k, 1)
		w.eventually("all have "+k, func() bool { return w.get(ap, "things", k) == 1 && w.get(eu, "things", k) == 1 })
	}
	w.setCut(us, ap, true)
	w.mustPut(us, "things", "half", 1)
	w.eventually("eu has half of it", func() bool { return w.get(eu, "things", "half") == 1 })
	w.setCut(us, eu, true)
	w.mustPut(us, "things", "alone", 5)
	w.mustPut(us, "things", "alone", 6)
	w.mustRemove(us, "things", "b")
	return w
}

func (w *world) expel(at, region string, force bool) {
	w.t.Helper()
	done, err := w.at(at).Expel(context.Background(), region, force)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range done {
		if e.Err != nil {
			w.t.Fatalf("table %s: %v", e.Table, e.Err)
		}
	}
}

// rounds compares a table between all of some regions.
func (w *world) rounds(name string, among ...string) {
	w.t.Helper()
	for _, to := range among {
		for _, from := range among {
			if to != from {
				w.mended(to, from, name)
			}
		}
	}
}

// reborn waits until a region has ended its incarnation, and opens it again.
func (w *world) reborn(name string) {
	w.t.Helper()
	old := w.at(name).Origin()
	w.eventually(name+" ends its incarnation", func() bool { return w.at(name).Err() != nil })
	if err := w.at(name).Err(); !errors.Is(err, ErrRebuild) {
		w.t.Fatalf("%s stops: %v", name, err)
	}
	w.stop(name)
	w.start(name)
	if now := w.at(name).Origin(); now.Incarnation <= old.Incarnation {
		w.t.Fatalf("%v became %v", old, now)
	}
}

func (w *world) asides(at string) (all []string) {
	w.t.Helper()
	err := w.at(at).Asides(context.Background(), func(a Aside) error {
		all = append(all, a.Table+" "+string(a.Key)+" "+string(a.Item))
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// TestExpelled: a region that is dead is expelled. The survivors settle what they have of it, and hold nothing back for its sake.
// When it comes back nobody takes what it alone has; it sets that aside, keeps what is its own, and can be a member again.
func TestExpelled(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w, seen := lonely(t)
		defer w.close()
		gone := w.at(us).Origin()
		w.mustRemove(eu, "things", "a")
		w.expel(eu, us, false)
		if e := w.at(eu).catalog.Lookup("things"); e.Keeper != eu || e.Member(us).State != catalog.MemberRemoved {
			t.Fatalf("kept by %s, members %v", e.Keeper, e.Members)
		}
		w.eventually("ap knows", func() bool { return w.at(ap).catalog.Lookup("things").IsGone(gone) })
		for _, n := range []string{eu, ap} {
			if s := w.at(n).Stats().Floors; len(s) == 1 && s[0].Floor > w.floorBefore(n) {
				t.Errorf("%s: floor %s before the survivors have compared", n, s[0].Floor)
			}
		}
		w.eventually("ap has the half of it by relay", func() bool { return w.get(ap, "things", "half") == 1 })
		w.rounds("things", eu, ap)
		w.forgotten("things", "a", eu, ap)
		if err := w.await(eu, seen, 0); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("a session that has seen what is void: %v", err)
		}
		for _, n := range []string{eu, ap} {
			if of := w.at(n).Partial(); len(of) > 0 {
				t.Errorf("%s: transactions of %v may be seen in part", n, of)
			}
		}

		w.setCut(us, eu, false)
		w.setCut(us, ap, false)
		w.start(us)
		w.reborn(us)
		want := []string{
			`things {"pk":{"S":"alone"}} {"g":{"S":"g2"},"n":{"N":"5"},"pk":{"S":"alone"}}`,
			`things {"pk":{"S":"alone"}} {"g":{"S":"g0"},"n":{"N":"6"},"pk":{"S":"alone"}}`,
			`things {"pk":{"S":"b"}} `,
		}
		if got := w.asides(us); !slices.Equal(got, want) {
			t.Errorf("set aside: %q", got)
		}
		w.eventually("us has no replica", func() bool { _, err := w.at(us).DescribeTable("things"); return fault.KindOf(err) == fault.NotFound })
		if n := w.get(us, "own", "mine"); n != 1 {
			t.Errorf("its own table has %d", n)
		}
		w.mustPut(us, "own", "new", 2)
		for _, n := range []string{eu, ap} {
			if w.get(n, "things", "alone") != -1 || w.get(n, "things", "b") != 1 || w.get(n, "things", "a") != -1 {
				t.Errorf("%s has taken something: %d %d %d", n, w.get(n, "things", "alone"), w.get(n, "things", "b"), w.get(n, "things", "a"))
			}
		}

		w.eventually("its replica is gone", func() bool { return w.at(us).catalog.ByID(w.id(eu, "things")).Local.Dropped })
		w.addReplica(eu, "things", us)
		w.mustPut(us, "things", "alone", 7)
		w.mustRemove(us, "things", "half")
		w.eventually("all are level", func() bool {
			return w.get(ap, "things", "alone") == 7 && w.get(ap, "things", "half") == -1 && w.equal("things", us, eu, ap)
		})
		w.rounds("things", us, eu, ap)
		w.forgotten("things", "half", us, eu, ap)
		w.crash(us)
		w.start(us)
		if got := w.asides(us); !slices.Equal(got, want) {
			t.Errorf("after a power cut: %q", got)
		}
		if err := w.at(us).DiscardAsides(); err != nil || len(w.asides(us)) > 0 {
			t.Errorf("they stay: %v", err)
		}
		w.checkTables()
	})
}

// TestSessionsAfterReturn: a region that was expelled is a member again. What the first life wrote and the others have is not void:
// a session that has seen it is served everywhere, by the others, which read the log of the second life from its beginning, and by
// the region itself, be it of a table that it never shared.
func TestSessionsAfterReturn(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w, void := lonely(t)
		defer w.close()
		w.expel(eu, us, false)
		w.eventually("ap has the half of it by relay", func() bool { return w.get(ap, "things", "half") == 1 })
		w.setCut(us, eu, false)
		w.setCut(us, ap, false)
		w.start(us)
		w.reborn(us)
		w.eventually("its replica is gone", func() bool { return w.at(us).catalog.ByID(w.id(eu, "things")).Local.Dropped })
		w.addReplica(eu, "things", us)
		w.eventually("us has it", func() bool { return w.active(us, "things") && w.get(us, "things", "half") == 1 })
		half, own := w.seenOf(us, "things", "half"), w.seenOf(us, "own", "mine")
		check := func() {
			t.Helper()
			for _, n := range []string{us, eu, ap} {
				if err := w.await(n, half, time.Minute); err != nil {
					t.Errorf("%s has it: %v", n, err)
				}
				if err := w.await(n, void, 0); fault.KindOf(err) != fault.Unavailable {
					t.Errorf("%s: a session that has seen what is void: %v", n, err)
				}
			}
			if err := w.await(us, own, time.Minute); err != nil {
				t.Errorf("us has what is its own: %v", err)
			}
		}
		check()
		for _, n := range []string{us, eu} {
			w.crash(n)
			w.start(n)
		}
		check()
	})
}

// floorBefore is a time that no floor may reach while what us wrote last is not settled: the floor rests on all that it wrote.
func (w *world) floorBefore(at string) crdt.Time {
	in := w.at(at).inbound
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.closed[w.at(us).Origin()]
}

// TestExpelRefused: a region that answers is not gone, and neither is one that nobody knows.
func TestExpelRefused(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := forgetful(t, us, eu, ap)
		defer w.close()
		if _, err := w.at(eu).Expel(context.Background(), us, false); fault.KindOf(err) != fault.InUse {
			t.Errorf("a region that answers: %v", err)
		}
		if _, err := w.at(eu).Expel(context.Background(), eu, true); fault.KindOf(err) != fault.Invalid {
			t.Errorf("itself: %v", err)
		}
		if _, err := w.at(eu).Expel(context.Background(), north, true); fault.KindOf(err) != fault.NotFound {
			t.Errorf("one that shares nothing: %v", err)
		}
		w.stop(us)
		w.stop(ap)
		done, err := w.at(eu).Expel(context.Background(), us, false)
		if err != nil || len(done) != 1 || fault.KindOf(done[0].Err) != fault.Unavailable {
			t.Errorf("ap may know a newer description: %v %v", done, err)
		}
		w.expel(eu, us, true)
		w.expel(eu, us, false) // again
	})
}

// TestExpelledAlive: a region that was cut off is expelled by mistake, and serves all the while. What it acknowledges after that is
// set aside, too; a power cut in between takes nothing of it.
func TestExpelledAlive(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := forgetful(t, eu, us, ap)
		defer w.close()
		w.mustPut(us, "things", "a", 1)
		w.eventually("all have it", func() bool { return w.get(ap, "things", "a") == 1 && w.get(eu, "things", "a") == 1 })
		w.setCut(us, eu, true)
		w.setCut(us, ap, true)
		w.expel(ap, us, false)
		w.eventually("eu knows", func() bool { return w.at(eu).catalog.Lookup("things").IsGone(w.at(us).Origin()) })
		time.Sleep(5 * time.Second)
		w.mustPut(us, "things", "late", 1)
		w.setCut(us, eu, false)
		w.eventually("us knows", func() bool { return w.at(us).Stats().Ended })
		if err := w.put(us, "things", "later", 1); err == nil {
			t.Error("it takes writes that nobody will have")
		}
		before := w.at(us).Origin()
		w.crash(us)
		w.start(us)
		if w.at(us).Origin() == before { // else all was done when the power went
			w.reborn(us)
		}
		w.eventually("what it alone had is set aside", func() bool { return len(w.asides(us)) == 1 })
		if w.get(eu, "things", "late") != -1 {
			t.Error("eu has taken it")
		}
		w.addReplica(eu, "things", us)
		w.eventually("all are level", func() bool { return w.equal("things", us, eu, ap) })
	})
}

// TestOldDiskReturns: a region was rebuilt, and then its old disk comes back. What only that has is set aside.
func TestOldDiskReturns(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := forgetful(t, eu, us, ap)
		defer w.close()
		w.setCut(us, eu, true)
		w.setCut(us, ap, true)
		w.mustPut(us, "things", "alone", 1)
		w.crash(us)
		old := w.disks[us]
		w.setCut(us, eu, false)
		w.setCut(us, ap, false)
		w.lose2(us)
		w.eventually("it is rebuilt", func() bool { return w.active(us, "things") && w.get(us, "things", "alone") == -1 })
		w.mustPut(us, "things", "new", 1)
		w.eventually("all have it", func() bool { return w.get(ap, "things", "new") == 1 && w.get(eu, "things", "new") == 1 })
		w.stop(us)
		w.disks[us] = old
		w.start(us)
		w.reborn(us)
		w.eventually("it is filled again", func() bool { return w.active(us, "things") && w.get(us, "things", "new") == 1 })
		if got := w.asides(us); len(got) != 1 || w.get(eu, "things", "alone") != -1 {
			t.Errorf("set aside %q, eu has %d", got, w.get(eu, "things", "alone"))
		}
		w.eventually("all are level", func() bool { return w.equal("things", us, eu, ap) })
	})
}

// TestStreamsOfNextLife: a region that begins anew, and is a member still, begins its streams anew, too: what was void is in the old
// ones, and nothing in them takes it back.
func TestStreamsOfNextLife(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), true, eu, us)
		defer w.close()
		w.createStreamed(eu, "things")
		w.addReplica(eu, "things", us)
		w.eventually("us is a member", func() bool { return w.active(us, "things") })
		w.setCut(us, eu, true)
		w.mustPut(us, "things", "alone", 1)
		old := w.streamOf(us, "things")
		w.crash(us)
		disk := w.disks[us]
		w.setCut(us, eu, false)
		w.lose2(us)
		w.eventually("it is rebuilt", func() bool { return w.active(us, "things") && w.get(us, "things", "alone") == -1 })
		w.stop(us)
		w.disks[us] = disk
		w.start(us)
		w.reborn(us)
		w.eventually("it is filled again", func() bool { return w.active(us, "things") })
		w.mustPut(us, "things", "alone", 2)
		if now := w.streamOf(us, "things"); now == old || len(w.records(us, "things")) != 1 {
			t.Errorf("the stream %v goes on as %v with %d records", old, now, len(w.records(us, "things")))
		}
		if v, err := w.at(us).DescribeStream(old); err != nil || v.Status != "DISABLED" || len(w.recordsOf(us, old)) != 1 {
			t.Errorf("the old one: %+v %v", v, err)
		}
		if all := w.at(us).catalog.Lookup("things").Local.Feeds; len(all) != 2 || all[0].Closed == 0 || all[1].Closed != 0 {
			t.Errorf("streams of the feed: %+v", all)
		}
	})
}

// TestOldDiskIsNotHeard: a region that has only read of the later life, and not met it, takes nothing of the old disk either: else
// it might drop as forgotten what the old one then believes to be held.
func TestOldDiskIsNotHeard(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := forgetful(t, eu, us, ap)
		defer w.close()
		old := w.at(us).Origin()
		w.crash(us)
		w.set(func() { w.cut[[2]string{us, ap}], w.cut[[2]string{ap, us}] = true, true })
		w.lose2(us)
		w.eventually("ap reads of it", func() bool {
			return w.at(ap).catalog.Lookup("things").Member(us).Origin.Incarnation > old.Incarnation
		})
		w.crash(ap)
		w.start(ap)
		err := w.at(ap).applyAs(old)
		if !errors.Is(err, ErrOver) {
			t.Errorf("a batch of the old disk: %v", err)
		}
	})
}

// applyAs takes an empty batch.
func (r *Region) applyAs(o crdt.Origin) error {
	r.Wanted(o.Region)
	return r.Apply(context.Background(), o, nil, 0, 0)
}

// lose2 begins anew on an empty disk, where a region is down.
func (w *world) lose2(name string) {
	w.disks[name] = nil
	w.start(name)
}

// TestRebuiltWhileLeaving: a region that leaves a table loses its disk, and so has drained nothing of what it wrote before: floors
// do not rise before the survivors have compared what they have of it.
func TestRebuiltWhileLeaving(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := forgetful(t, eu, us, ap)
		defer w.close()
		w.mustPut(us, "things", "a", 1)
		w.eventually("all have it", func() bool { return w.get(ap, "things", "a") == 1 && w.get(eu, "things", "a") == 1 })
		w.setCut(us, ap, true)
		w.mustRemove(us, "things", "a")
		w.eventually("eu knows that it is deleted", func() bool { return w.get(eu, "things", "a") == -1 })
		gone := w.at(us).Origin()
		w.stop(us)
		w.set(func() { w.cut[[2]string{ap, eu}] = true }) // ap asks eu for nothing
		w.update(eu, "things", catalog.Change{DeleteReplica: us})
		w.setCut(us, eu, true)
		w.lose2(us)
		w.setCut(us, eu, false)
		w.setCut(us, ap, false)
		w.eventually("us has left", func() bool { return w.at(eu).catalog.Lookup("things").Member(us).State == catalog.MemberRemoved })
		w.set(func() { w.cut[[2]string{ap, eu}] = false })
		w.eventually("ap knows", func() bool { return w.at(ap).catalog.Lookup("things").IsGone(gone) })
		w.eventually("ap knows by relay that it is deleted", func() bool { return w.get(ap, "things", "a") == -1 })
		time.Sleep(5 * time.Second)
		for _, n := range []string{eu, ap} {
			s := w.at(n).Stats().Floors
			if !slices.ContainsFunc(s[0].HeldBack, func(h HoldingBack) bool { return h.Origin == gone }) {
				t.Errorf("%s does not blame the old life: %+v", n, s)
			}
		}
		w.rounds("things", eu, ap)
		w.forgotten("things", "a", eu, ap)
		if w.get(eu, "things", "a") != -1 || w.get(ap, "things", "a") != -1 {
			t.Error("it is back")
		}
	})
}
