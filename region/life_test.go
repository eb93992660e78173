package region

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

const (
	east  = "us-east-1"
	west  = "eu-west-1"
	north = "ap-northeast-1"
)

// on runs a test on memory and on a disk.
func on(t *testing.T, fn func(t *testing.T, disk bool)) {
	for _, disk := range []bool{false, true} {
		t.Run(map[bool]string{false: "memory", true: "disk"}[disk], func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T) { fn(t, disk) })
		})
	}
}

// TestReplicaIsFilledWhileWritesGoOn is the life of a replica: added to a table with data, filled under writes in both
// directions, equal, removed, added again.
func TestReplicaIsFilledWhileWritesGoOn(t *testing.T) {
	seed := newSeed(t)
	on(t, func(t *testing.T, disk bool) {
		w := newWorld(t, seed, disk, east, west, north)
		defer w.close()
		w.create(east, "T")
		for i := range 200 {
			w.mustPut(east, "T", fmt.Sprint("old", i), i)
		}
		var pieces atomic.Int64
		w.set(func() {
			w.onChunk = func(to, from string) {
				n := int(pieces.Add(1))
				w.mustPut(east, "T", fmt.Sprint("old", n%60), 1000+n)
				w.mustPut(east, "T", fmt.Sprint("new", n), n)
				if n == 4 { // the first attempt is cut off in the middle
					w.setCut(east, west, true)
				}
				if n%3 == 0 {
					if err := w.remove(east, "T", fmt.Sprint("old", (7*n)%60)); err != nil {
						t.Error(err)
					}
				}
			}
		})
		w.update(east, "T", catalog.Change{CreateReplica: west})
		w.eventually("the copy is cut off", func() bool { return pieces.Load() >= 4 })
		time.Sleep(time.Second)
		w.setCut(east, west, false)
		w.eventually("west is filled", func() bool { return w.active(west, "T") && w.active(east, "T") })
		if n := pieces.Load(); n < 8 {
			t.Errorf("only %d writes came in while the copy was made", n)
		}
		w.mustPut(west, "T", "from west", 1)
		w.addReplica(west, "T", north) // any member may ask
		w.mustPut(north, "T", "from north", 1)
		w.eventually("all equal", func() bool {
			return w.get(east, "T", "from north") == 1 && w.equal("T", east, west, north)
		})
		for _, at := range w.names {
			items := int64(0)
			for _, state := range w.dump(at, "T") {
				if conflict.TrustedState(state).Visible() {
					items++
				}
			}
			if v, _ := w.at(at).DescribeTable("T"); v.Items != items {
				t.Errorf("%s counts %d items of %d", at, v.Items, items)
			}
		}
		w.update(east, "T", catalog.Change{DeleteReplica: west})
		w.eventually("west has left", func() bool { _, err := w.at(west).DescribeTable("T"); return err != nil })
		w.mustPut(east, "T", "without west", 1)
		w.eventually("the name is free again", func() bool {
			_, err := w.at(east).UpdateTable(context.Background(), "T", catalog.Change{CreateReplica: west})
			return err == nil
		})
		w.eventually("west is back", func() bool { return w.active(west, "T") })
		w.mustPut(west, "T", "west again", 1)
		w.eventually("all equal again", func() bool {
			return w.get(north, "T", "west again") == 1 && w.equal("T", east, west, north)
		})
		w.checkTables()
	})
}

// TestMemberHeardOfLate: a third region reads the log of a new member for another table before it hears that the two share
// this one. What the new member wrote to it meanwhile must not be missed.
func TestMemberHeardOfLate(t *testing.T) {
	seed := newSeed(t)
	for _, again := range []bool{false, true} { // whether it has been a member before
		t.Run(fmt.Sprint("again ", again), func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T) { memberHeardOfLate(t, seed, again) })
		})
	}
}

func memberHeardOfLate(t *testing.T, seed uint64, again bool) {
	w := newWorld(t, seed, false, east, west, north)
	defer w.close()
	w.create(west, "other")
	w.addReplica(west, "other", north) // north reads west's log from now on
	w.create(east, "T")
	w.addReplica(east, "T", north)
	if again {
		w.addReplica(east, "T", west)
		w.update(east, "T", catalog.Change{DeleteReplica: west})
		id := w.at(east).catalog.Lookup("T").ID
		w.eventually("west has left, and north knows", func() bool {
			return w.at(west).catalog.ByID(id).Local.Dropped && w.at(north).catalog.ByID(id).Member(west).State == catalog.MemberRemoved
		})
	}
	w.setCut(east, north, true)                            // north does not hear what the keeper decides
	w.set(func() { w.cut[[2]string{north, west}] = true }) // nor, for now, from west
	w.addReplica(east, "T", west)
	w.mustPut(west, "T", "early", 1)
	// Now north reads west's log, but catalogs are under way still.
	n, p := w.at(north), w.at(west)
	tables, _ := n.Wanted(west)
	if len(tables) != 1 {
		t.Fatalf("north wants %v from west", tables)
	}
	commits, next, err := p.Read(n.Cursor(p.Origin()), map[record.TableID]bool{tables[0]: true}, 1<<20)
	if err != nil || len(commits) != 0 {
		t.Fatalf("%d commits, %v", len(commits), err)
	}
	if err := n.Apply(context.Background(), p.Origin(), nil, next, 0); err != nil {
		t.Fatal(err)
	}
	w.setCut(east, north, false)
	w.setCut(west, north, false)
	w.eventually("north has what west wrote early", func() bool { return w.get(north, "T", "early") == 1 })
	w.checkTables()
}

// TestJoinMovesCursorsBack: north has read east's log further than west has, for another table, when it copies T from west.
// What east wrote to T in between is in no copy: north must read that stretch again, and a batch of it that was read
// without T, before the join, must not move the cursor over it.
func TestJoinMovesCursorsBack(t *testing.T) {
	for _, when := range []string{"applied before", "under way"} {
		t.Run(when, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T) {
				w := newWorld(t, newSeed(t), false, east, west, north)
				defer w.close()
				w.create(east, "other")
				w.addReplica(east, "other", north)
				w.create(east, "T")
				w.addReplica(east, "T", west)
				w.mustPut(east, "T", "old", 1)
				w.eventually("west is level", func() bool { return w.get(west, "T", "old") == 1 })
				id := w.at(east).catalog.Lookup("T").ID
				w.set(func() { w.noCopy = func(to, from string) bool { return from == east } })
				w.setCut(east, west, true)
				w.setCut(east, north, true)
				w.mustPut(east, "T", "between", 1)
				w.mustPut(east, "other", "x", 1)
				blocked, first := false, true
				if when == "under way" {
					w.set(func() {
						w.beforeApply = func(to, from string) {
							mine := false
							w.set(func() {
								mine = to == north && from == east && first
								first = first && !mine
								blocked = blocked || mine
							})
							begun := func() bool { // the join may be over when we look
								e := w.at(north).catalog.ByID(id)
								return w.at(north).inbound.joining(id) || e != nil && e.Local.Ready
							}
							for mine && !begun() {
								time.Sleep(time.Millisecond)
							}
						}
					})
				}
				w.setCut(east, north, false)
				w.eventually("north is further than west", func() bool {
					w.mu.Lock()
					defer w.mu.Unlock()
					return blocked || w.regions[north].Cursor(w.regions[east].Origin()) >= w.regions[east].log.Durable()
				})
				w.addReplica(east, "T", north)
				w.eventually("north has what was written in between", func() bool {
					return w.get(north, "T", "between") == 1 && w.get(north, "T", "old") == 1 && w.get(north, "other", "x") == 1
				})
				if w.get(west, "T", "between") != -1 {
					t.Error("west has it too: the test shows nothing")
				}
			})
		})
	}
}

// TestRebuiltFromNothing: a region loses its disk and starts again empty under its old name. It gets all its tables back,
// its own writes among them, and what it writes then travels; it keeps the tables that it kept.
func TestRebuiltFromNothing(t *testing.T) {
	seed := newSeed(t)
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, seed, true, east, west, north)
		defer w.close()
		w.create(east, "own") // so that its log is long before it has anything to share
		for i := range 40 {
			w.mustPut(east, "own", fmt.Sprint("k", i), i)
		}
		w.create(east, "kept")
		w.create(west, "held")
		for _, name := range []string{"kept", "held"} {
			at := map[string]string{"kept": east, "held": west}[name]
			for _, o := range w.names {
				if o != at {
					w.addReplica(at, name, o)
				}
			}
			for i := range 30 {
				w.mustPut(w.names[i%3], name, fmt.Sprint("k", i), i)
			}
		}
		w.eventually("equal before", func() bool { return w.equal("kept", w.names...) && w.equal("held", w.names...) })
		before := w.at(east).Origin()
		w.lose(east)
		w.mustPut(west, "kept", "while away", 1)
		w.start(east)
		if w.at(east).Origin() == before {
			t.Fatal("a new store has the old incarnation")
		}
		w.eventually("filled again", func() bool { return w.active(east, "kept") && w.active(east, "held") })
		if n := w.get(east, "kept", "k0"); n != 0 {
			t.Errorf("what the region wrote in its first life is %d", n)
		}
		w.mustPut(east, "kept", "second life", 2)
		w.mustPut(east, "held", "second life", 2)
		w.eventually("its new writes travel", func() bool {
			return w.get(north, "kept", "second life") == 2 && w.get(west, "held", "second life") == 2 &&
				w.equal("kept", w.names...) && w.equal("held", w.names...)
		})
		w.eventually("the others know its new life", func() bool {
			return w.at(north).catalog.Lookup("held").Member(east).Origin == w.at(east).Origin()
		})
		// It is still the keeper, and its decisions are newer than those of its first life.
		w.update(north, "kept", catalog.Change{CreateIndex: gIndex(), Attributes: gAttributes()})
		w.eventually("the index is everywhere", func() bool {
			for _, n := range w.names {
				if e := w.at(n).catalog.Lookup("kept"); len(e.Indexes) != 1 || !w.active(n, "kept") {
					return false
				}
			}
			return true
		})
		w.checkTables()
	})
}

// TestLeavingShipsEverything: a region deletes its replica while another is cut off; its last writes reach everybody before
// its data goes. It kept the table, so another keeps it then.
func TestLeavingShipsEverything(t *testing.T) {
	seed := newSeed(t)
	on(t, func(t *testing.T, disk bool) {
		w := newWorld(t, seed, disk, east, west, north)
		defer w.close()
		w.create(east, "T")
		w.addReplica(east, "T", west)
		w.addReplica(east, "T", north)
		w.setCut(east, north, true)
		w.mustPut(east, "T", "last words", 1)
		if _, err := w.at(east).DeleteTable(context.Background(), "T"); err != nil {
			t.Fatal(err)
		}
		if err := w.put(east, "T", "too late", 1); !isKind(err, fault.NotFound) {
			t.Errorf("a write into a table that is being deleted: %v", err)
		}
		time.Sleep(5 * time.Second)
		if v, err := w.at(east).DescribeTable("T"); err != nil || v.Status != "DELETING" {
			t.Errorf("while north has not heard the last words: %v, %v", v.Status, err)
		}
		w.setCut(east, north, false)
		w.eventually("east has left", func() bool { _, err := w.at(east).DescribeTable("T"); return err != nil })
		if n := w.get(north, "T", "last words"); n != 1 {
			t.Errorf("north has %d", n)
		}
		w.eventually("another keeps the table", func() bool {
			a, b := w.at(west).catalog.Lookup("T"), w.at(north).catalog.Lookup("T")
			return a.Keeper == b.Keeper && a.Keeper != east && a.Epoch == 2 && a.Member(east).State == catalog.MemberRemoved
		})
		w.update(north, "T", catalog.Change{CreateIndex: gIndex(), Attributes: gAttributes()})
		w.eventually("active", func() bool { return w.active(west, "T") && w.active(north, "T") })
		w.create(east, "T") // the name is free here
		w.checkTables()
		for _, n := range []string{west, north} {
			if _, err := w.at(n).DeleteTable(context.Background(), "T"); err != nil {
				t.Fatal(err)
			}
			w.eventually(n+" has left", func() bool { _, err := w.at(n).DescribeTable("T"); return err != nil })
		}
		w.eventually("the last one deletes the table", func() bool {
			gone := 0
			for _, e := range w.at(north).catalog.Entries() {
				if e.Deleted && e.Local.Dropped {
					gone++
				}
			}
			return gone == 1
		})
		w.checkTables()
	})
}

// TestLeavingWaitsForTheRebuilt: the only other member was rebuilt from nothing and has acknowledged, wanting nothing yet,
// all of a log that it never read. Leaving then would lose the table.
func TestLeavingWaitsForTheRebuilt(t *testing.T) {
	seed := newSeed(t)
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, seed, true, east, west)
		defer w.close()
		w.create(east, "T")
		w.addReplica(east, "T", west)
		w.mustPut(east, "T", "k", 1)
		w.eventually("equal", func() bool { return w.equal("T", east, west) })
		w.lose(west)
		if _, err := w.at(east).DeleteTable(context.Background(), "T"); err != nil {
			t.Fatal(err)
		}
		w.setCut(east, west, true)
		w.start(west)
		for range 5 {
			w.at(east).Acked(w.at(west).Origin(), w.at(east).log.Durable())
			time.Sleep(time.Second)
		}
		if len(w.dump(east, "T")) != 1 {
			t.Fatal("the last copy of the table is gone")
		}
		w.setCut(east, west, false) // west fills from the one that leaves
		w.eventually("east has left", func() bool { _, err := w.at(east).DescribeTable("T"); return err != nil })
		if n := w.get(west, "T", "k"); n != 1 {
			t.Errorf("the rebuilt region has %d", n)
		}
		w.eventually("west keeps the table", func() bool {
			e := w.at(west).catalog.Lookup("T")
			return e.Keeper == west && e.Replicas() == 1
		})
		w.checkTables()
	})
}

// TestNamesBelongToARegion: a region's own table keeps its name from a global one, and the other way round.
func TestNamesBelongToARegion(t *testing.T) {
	seed := newSeed(t)
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, seed, false, east, west)
		defer w.close()
		w.create(east, "T")
		w.create(west, "T")
		_, err := w.at(east).UpdateTable(context.Background(), "T", catalog.Change{CreateReplica: west})
		if !isKind(err, fault.Invalid) {
			t.Errorf("a replica beside a table of that name: %v", err)
		}
		w.mustPut(west, "T", "own", 1)
		if _, err := w.at(west).DeleteTable(context.Background(), "T"); err != nil {
			t.Fatal(err)
		}
		w.eventually("west's own is gone", func() bool { _, err := w.at(west).DescribeTable("T"); return err != nil })
		w.addReplica(east, "T", west)
		if _, err := w.at(west).CreateTable(context.Background(), spec("T")); !isKind(err, fault.Exists) {
			t.Errorf("a table beside a replica of that name: %v", err)
		}
		if n := w.get(west, "T", "own"); n != -1 {
			t.Errorf("the deleted table's item is in the global one: %d", n)
		}
	})
}

// TestTrimmed: a peer's log was trimmed past this region's cursor. That shows, and the region catches up by copy while it
// serves.
func TestTrimmed(t *testing.T) {
	seed := newSeed(t)
	on(t, func(t *testing.T, disk bool) {
		w := newWorld(t, seed, disk, east, west)
		defer w.close()
		w.create(east, "T")
		w.addReplica(east, "T", west)
		w.setCut(east, west, true)
		for i := range 20 {
			w.mustPut(east, "T", fmt.Sprint("k", i), i)
		}
		w.mustPut(west, "T", "mine", 1)
		r := w.at(east)
		if err := r.log.Trim(context.Background(), r.log.Durable(), func(record.TableID) bool { return false }); err != nil {
			t.Fatal(err)
		}
		w.mustPut(east, "T", "after", 1)
		seen := false
		w.set(func() {
			w.onChunk = func(to, from string) {
				behind := len(w.at(west).Stats().Behind) == 1
				w.set(func() { seen = seen || behind })
			}
		})
		w.setCut(east, west, false)
		w.eventually("caught up", func() bool {
			return w.get(west, "T", "after") == 1 && w.equal("T", east, west) && len(w.at(west).Stats().Behind) == 0
		})
		if !seen {
			t.Error("nothing said that west was behind")
		}
		w.mustPut(east, "T", "later", 1)
		w.eventually("the log is followed again", func() bool { return w.get(west, "T", "later") == 1 })
		w.checkTables()
	})
}

// TestTrimKeeps: nothing goes that a member has not acknowledged since this process started, nor what is younger than the
// slack.
func TestTrimKeeps(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, 1, false, east, west)
		defer w.close()
		w.create(east, "T")
		w.addReplica(east, "T", west)
		r := w.at(east)
		for i := range 10 {
			w.mustPut(east, "T", fmt.Sprint("k", i), i)
		}
		w.eventually("read", func() bool { return w.equal("T", east, west) })
		time.Sleep((trimEvery + 1) * time.Second) // the slack's first mark
		w.pass(slackFor - time.Minute)
		time.Sleep((trimEvery + 1) * time.Second)
		if r.log.First() != 1 {
			t.Errorf("the log begins at %d before the slack is over", r.log.First())
		}
		w.setCut(east, west, true)
		r.Acked(w.at(west).Origin(), 3)
		w.pass(2 * time.Minute)
		time.Sleep((2*trimEvery + 1) * time.Second)
		if r.log.First() != 4 {
			t.Errorf("the log begins at %d, west holds up to 3", r.log.First())
		}
		w.setCut(east, west, false)
		time.Sleep((2*trimEvery + 1) * time.Second)
		w.pass(slackFor)
		time.Sleep((2*trimEvery + 1) * time.Second)
		if r.log.First() <= 5 {
			t.Errorf("the log begins at %d, west holds all", r.log.First())
		}
		if s := r.Stats(); s.LogBytes == 0 && s.LogLast == 0 {
			t.Error("no size")
		}
	})
}

// TestStreamsKeepTheirParts for a day after they were written, also those of a table that was deleted meanwhile; the rest
// of the log goes when its time has come.
func TestStreamsKeepTheirParts(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, 1, false, east)
		defer w.close()
		streamed := spec("streamed")
		streamed.Stream = catalog.StreamSpec{Enabled: true, View: "KEYS_ONLY"}
		if _, err := w.at(east).CreateTable(context.Background(), streamed); err != nil {
			t.Fatal(err)
		}
		w.create(east, "plain")
		w.mustPut(east, "streamed", "k", 1)
		w.mustPut(east, "plain", "k", 1)
		w.mustPut(east, "plain", "k", 2) // the newest commit always stays
		r := w.at(east)
		parts := func(name string) int {
			n := 0
			for _, e := range r.catalog.Entries() {
				it, err := r.store.NewIter(storage.PrefixRange(storage.AppendTable(nil, storage.KindLogPart, e.ID)))
				if err != nil {
					t.Fatal(err)
				}
				for ok := it.First(); ok; ok = it.Next() {
					if e.Name == name {
						n++
					}
				}
				if err := it.Close(); err != nil {
					t.Fatal(err)
				}
			}
			return n
		}
		time.Sleep((trimEvery + 1) * time.Second)
		w.pass(slackFor)
		time.Sleep((2*trimEvery + 1) * time.Second)
		if a, b := parts("streamed"), parts("plain"); a != 1 || b != 1 {
			t.Errorf("after the slack there are %d parts of the table with a stream, %d of the other", a, b)
		}
		if _, err := r.DeleteTable(context.Background(), "streamed"); err != nil {
			t.Fatal(err)
		}
		w.pass(23 * time.Hour)
		time.Sleep((streamEvery + 1) * time.Second)
		if parts("streamed") != 1 {
			t.Error("the deleted table's stream is gone before its day is over")
		}
		w.pass(time.Hour)
		time.Sleep((streamEvery + 1) * time.Second)
		if parts("streamed") != 0 {
			t.Error("a stream's parts stay for ever")
		}
		if s := r.Stats(); s.LogBytes == 0 || s.LogFirst == 1 {
			t.Errorf("log %d..%d, %d bytes", s.LogFirst, s.LogLast, s.LogBytes)
		}
	})
}

// TestIndexes: made and dropped under writes everywhere, also before they are complete.
func TestIndexes(t *testing.T) {
	seed := newSeed(t)
	on(t, func(t *testing.T, disk bool) {
		w := newWorld(t, seed, disk, east, west)
		defer w.close()
		w.create(east, "T")
		w.addReplica(east, "T", west)
		for i := range 200 {
			w.mustPut(w.names[i%2], "T", fmt.Sprint("k", i), i)
		}
		w.update(west, "T", catalog.Change{CreateIndex: gIndex(), Attributes: gAttributes()})
		_, err := w.at(west).UpdateTable(context.Background(), "T", catalog.Change{CreateIndex: &catalog.Index{Name: "second", Schema: gIndex().Schema}})
		if err != nil && !isKind(err, fault.Limit) && !isKind(err, fault.InUse) {
			t.Errorf("a second index meanwhile: %v", err)
		}
		if err == nil { // the first was complete already; none may be dropped while another is made
			w.eventually("the second is made", func() bool { return w.active(east, "T") && w.active(west, "T") })
		}
		w.update(west, "T", catalog.Change{DeleteIndex: "byG"})
		w.eventually("dropped", func() bool { return w.active(east, "T") && w.active(west, "T") })
		w.update(east, "T", catalog.Change{CreateIndex: gIndex(), Attributes: gAttributes()})
		for i := range 50 {
			w.mustPut(w.names[i%2], "T", fmt.Sprint("n", i), i)
		}
		w.eventually("active and equal", func() bool {
			return w.active(east, "T") && w.active(west, "T") && w.equal("T", east, west) && len(w.at(west).catalog.Lookup("T").Indexes) > 0
		})
		w.checkTables()
	})
}

// TestProtectionIsAsked: a replica with deletion protection, which does not travel, is not removed from elsewhere.
func TestProtectionIsAsked(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, 1, false, east, west)
		defer w.close()
		w.create(east, "T")
		w.addReplica(east, "T", west)
		on := true
		w.update(west, "T", catalog.Change{DeletionProtection: &on})
		if v, _ := w.at(east).DescribeTable("T"); v.Local.DeletionProtection {
			t.Error("protection has travelled")
		}
		_, err := w.at(east).UpdateTable(context.Background(), "T", catalog.Change{DeleteReplica: west})
		if !isKind(err, fault.Invalid) {
			t.Errorf("removed although protected: %v", err)
		}
		if _, err := w.at(west).DeleteTable(context.Background(), "T"); !isKind(err, fault.Invalid) {
			t.Errorf("deleted although protected: %v", err)
		}
	})
}

// TestGuard: a region whose clock is ahead refuses writes once it knows the others' clocks, what it wrote before is held by
// the others and not lost, and everything goes on when the clocks agree.
func TestGuard(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, 1, false, east)
		defer w.close()
		w.names = []string{east, west}
		w.skew[west] = 10 * time.Second
		w.down[west] = true
		w.start(west)
		e := w.wires[east]
		e.work.Go(func() { w.follow(e.ctx, w.at(east), west) })
		e.work.Go(func() { w.learn(e.ctx, w.at(east), west) })
		w.create(east, "T")
		w.mustPut(east, "T", "a", 1)
		w.addReplica(east, "T", west)
		w.mustPut(west, "T", "ahead", 1)
		time.Sleep(2 * time.Second)
		if n := w.get(east, "T", "ahead"); n != -1 || len(w.at(east).Stats().Held) != 1 {
			t.Errorf("a write from ten seconds ahead was not held: %d, %v", n, w.at(east).Stats().Held)
		}
		w.at(west).ReportOffsets(map[string]time.Duration{east: -10 * time.Second})
		w.at(east).ReportOffsets(map[string]time.Duration{west: 10 * time.Second})
		if err := w.put(west, "T", "refused", 1); !isKind(err, fault.Unavailable) {
			t.Errorf("a write from ten seconds ahead: %v", err)
		}
		w.mustPut(east, "T", "fine", 1)
		w.eventually("the region that is ahead still reads", func() bool { return w.get(west, "T", "fine") == 1 })
		time.Sleep(10 * time.Second)
		w.eventually("held until its time has come", func() bool { return w.get(east, "T", "ahead") == 1 })
		w.at(west).ReportOffsets(nil)
		w.mustPut(west, "T", "alone", 1) // nobody to compare with: it serves
		if s := w.at(east).Stats(); len(s.Held) != 0 && w.get(east, "T", "alone") == 1 {
			t.Errorf("still held: %v", s.Held)
		}
	})
}

// TestCloseAndFailure: a closed region has no error; one whose peer holds more than its disk stops with one.
func TestCloseAndFailure(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, 1, false, east, west)
		r := w.at(west)
		r.RolledBack(w.at(east).Origin(), r.log.Durable())
		if r.Err() != nil {
			t.Errorf("stopped for nothing: %v", r.Err())
		}
		r.RolledBack(w.at(east).Origin(), r.log.Durable()+1)
		<-r.Failed()
		if r.Err() == nil {
			t.Error("a fenced region has no error")
		}
		w.close()
		<-w.at(east).Failed()
		if err := w.at(east).Err(); err != nil {
			t.Errorf("after Close: %v", err)
		}
		if _, err := w.at(east).CreateTable(context.Background(), spec("T")); err == nil {
			t.Error("a closed region makes tables")
		}
	})
}
