package region

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/stream/record"
)

const (
	us = "us-east-1"
	eu = "eu-west-1"
	ap = "ap-south-1"
)

// orphaned makes a world of three regions in which us wrote a transaction over two tables that only eu has heard of, and is gone.
func orphaned(t *testing.T, before func(w *world)) *world {
	w := newWorld(t, newSeed(t), true, us, eu, ap)
	for _, name := range []string{"things", "others"} {
		w.create(us, name)
		w.addReplica(us, name, eu)
		w.addReplica(us, name, ap)
	}
	w.mustPut(us, "things", "before", 1)
	w.eventually("all have it", func() bool { return w.get(ap, "things", "before") == 1 && w.get(eu, "things", "before") == 1 })
	time.Sleep(2 * time.Second)
	w.setCut(us, ap, true)
	if before != nil {
		before(w)
	}
	w.transact(us, "x", "things", "others")
	w.eventually("eu has it", func() bool { return w.get(eu, "others", "x") == 1 })
	w.stop(us)
	return w
}

// TestRelay: what a region had sent to one survivor only reaches the other whole, under its author's stamp; cursors stay; and when
// the region is back nothing happens twice.
func TestRelay(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := orphaned(t, nil)
		defer w.close()
		gone := w.at(us).Origin()
		cursor := w.at(ap).Cursor(gone)
		w.eventually("it is relayed", func() bool { return w.get(ap, "things", "x") == 1 && w.get(ap, "others", "x") == 1 })
		r := w.at(ap)
		if at := r.Cursor(gone); at != cursor {
			t.Errorf("the cursor moved from %d to %d", cursor, at)
		}
		find := func() (n, whole int) {
			_, _, err := r.log.Read(0, 1<<30, func(o *record.Order) bool {
				if o.Stamp.Origin == gone && len(o.Parts) == 2 {
					whole++
				}
				if o.Stamp.Origin == gone {
					n++
				}
				return false
			})
			if err != nil {
				t.Error(err)
			}
			return n, whole
		}
		if n, whole := find(); n != 2 || whole != 1 {
			t.Errorf("ap's log has %d commits of us, %d of them whole", n, whole)
		}
		for _, at := range []string{eu, ap} {
			if err := w.await(at, w.seenOf(at, "others", "x"), time.Second); err != nil {
				t.Errorf("a session that has seen it is refused by %s: %v", at, err)
			}
		}
		w.crash(ap)
		w.start(ap)
		if err := w.await(ap, w.seenOf(ap, "others", "x"), 0); err != nil || w.get(ap, "things", "x") != 1 {
			t.Errorf("after a power cut: %v", err)
		}
		if of := w.at(ap).Partial(); len(of) > 0 {
			t.Errorf("after a power cut transactions of %v may be seen in part", of)
		}
		w.setCut(us, ap, false)
		w.start(us)
		w.mustPut(us, "things", "after", 1)
		w.eventually("all are level", func() bool {
			return w.get(ap, "things", "after") == 1 && w.equal("things", us, eu, ap) && w.equal("others", us, eu, ap)
		})
		r = w.at(ap)
		if n, whole := find(); n != 3 || whole != 1 {
			t.Errorf("afterwards ap's log has %d commits of us, %d of them whole", n, whole)
		}
	})
}

// TestRelayIsHeld: what a region relays is joined with what it wrote itself. If its own clock was ahead that is held, as its own
// commits are; and the answer says that it rests on them, also in the first second, when the region's log is closed up to before
// its last writes only (simulator, seed 125).
func TestRelayIsHeld(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := orphaned(t, func(w *world) {
			w.setCut(eu, ap, true)
			w.stop(eu)
			w.set(func() { w.skew[eu] = 24 * time.Hour })
			w.start(eu)
			w.mustPut(eu, "things", "x", 2)
		})
		defer w.close()
		gone, r := w.at(us).Origin(), w.at(ap)
		things, others := w.id(ap, "things"), w.id(ap, "others")
		q := &question{tables: []record.TableID{things, others}, fillings: []uint64{r.inbound.filling(things), r.inbound.filling(others)}, origins: []crdt.Origin{gone}}
		r.inbound.mu.Lock()
		ask := relayAsk{Tables: q.tables, After: r.inbound.afterLocked(q)}
		r.inbound.mu.Unlock()
		a, err := w.at(eu).relay(context.Background(), ask)
		if err != nil || len(a.Commits) != 1 {
			t.Fatalf("%d commits, %v", len(a.Commits), err)
		}
		if last := w.at(eu).clock.Last(); a.Before[things][w.at(eu).Origin()] < last {
			t.Errorf("it rests on %v, and eu has written up to %v", a.Before[things], last)
		}
		if _, err := r.takeRelayed(eu, q, &a); !errors.Is(err, ErrHeld) || w.get(ap, "others", "x") != -1 {
			t.Errorf("ap takes what rests on a write from tomorrow: %v", err)
		}
	})
}

// TestRelayedNoteIsHeld: a commit that has nothing but notes is as new as its stamp, whatever it tells of.
func TestRelayedNoteIsHeld(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), false, eu, ap)
		defer w.close()
		r := w.at(ap)
		c := record.Commit{
			Seq: 1, Stamp: crdt.Stamp{Time: crdt.TimeFromMillis(time.Now().Add(24 * time.Hour).UnixMilli()), Origin: crdt.Origin{Region: us, Incarnation: 1}},
			Changes: []record.Change{{Table: record.TableID{1}, Note: true, Key: []byte("note"), State: []byte{1}}},
		}
		if _, err := r.takeRelayed(eu, &question{}, &relayAnswer{Commits: [][]byte{record.AppendCommit(nil, &c)}}); !errors.Is(err, ErrHeld) {
			t.Errorf("a note from tomorrow: %v", err)
		}
	})
}

// TestRelayRefused: a survivor that cannot be sure to have whole commits relays nothing, and neither is anything taken that
// rests on what is not here.
func TestRelayRefused(t *testing.T) {
	id := func(w *world, at, name string) record.TableID { return w.at(at).catalog.Lookup(name).ID }
	for what, hinder := range map[string]struct{ before, after func(w *world) }{
		"an item came by repair": {after: func(w *world) {
			w.mustPut(ap, "things", "z", 1)
			for k, s := range w.dump(ap, "things") {
				if _, err := w.at(eu).Mend(context.Background(), ap, id(w, eu, "things"), 0, [][]byte{[]byte(k)}, [][]byte{s}); err != nil {
					w.t.Fatal(err)
				}
			}
			if n := w.get(eu, "things", "z"); n != 1 {
				w.t.Fatal("nothing was mended")
			}
		}},
		"the survivor has lost a table": {after: func(w *world) {
			w.set(func() { w.noCopy = func(string, string) bool { return true } })
			_, err := w.at(eu).catalog.SetLocal(id(w, eu, "others"), func(l *catalog.Local) error { l.Ready = false; return nil })
			if err != nil {
				w.t.Fatal(err)
			}
		}},
		"the log was trimmed": {after: func(w *world) {
			r := w.at(eu)
			w.mustPut(eu, "things", "y", 1)
			if err := r.log.Trim(context.Background(), r.log.Durable(), func(record.TableID) bool { return false }); err != nil {
				w.t.Fatal(err)
			}
		}},
	} {
		t.Run(what, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T) {
				w := orphaned(t, hinder.before)
				defer w.close()
				w.setCut(eu, ap, true)
				hinder.after(w)
				w.setCut(eu, ap, false)
				time.Sleep(20 * time.Second)
				if n := w.get(ap, "things", "x"); n != -1 {
					t.Errorf("it was relayed: %d", n)
				}
			})
		})
	}
}

// TestRelayRests: eu has joined a write of af's into the item that us wrote, and ap does not hear af. What is relayed is taken
// with af's writes or not at all, and shows no part of af's transaction.
func TestRelayRests(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		const af = "af-south-1"
		w := newWorld(t, newSeed(t), true, us, eu, ap, af)
		defer w.close()
		for _, name := range []string{"things", "others"} {
			w.create(us, name)
			for _, to := range []string{eu, ap, af} {
				w.addReplica(us, name, to)
			}
		}
		time.Sleep(2 * time.Second)
		w.setCut(us, ap, true)
		w.setCut(af, ap, true)
		w.transact(af, "x", "things", "others")
		w.eventually("us has it", func() bool { return w.get(us, "others", "x") == 1 && w.get(eu, "others", "x") == 1 })
		w.mustPut(us, "things", "x", 2)
		w.eventually("eu has it", func() bool { return w.get(eu, "things", "x") == 2 })
		w.stop(us)
		for w.get(ap, "things", "x") != 2 {
			if a, b := w.get(ap, "things", "x"), w.get(ap, "others", "x"); a > 0 != (b > 0) {
				t.Fatalf("x is %d and %d", a, b)
			}
			time.Sleep(time.Millisecond)
		}
		if n := w.get(ap, "others", "x"); n != 1 {
			t.Errorf("the other part is %d", n)
		}
	})
}

// TestRelayOfUnlikeTables: af has one of the tables that us, who is gone, had written to, and is heard. It has nothing to do with
// the other, so nothing of it is waited for there.
func TestRelayOfUnlikeTables(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		const af = "af-south-1"
		w := newWorld(t, newSeed(t), true, us, eu, ap, af)
		defer w.close()
		for name, members := range map[string][]string{"things": {eu, ap, af}, "others": {eu, ap}} {
			w.create(us, name)
			for _, to := range members {
				w.addReplica(us, name, to)
			}
		}
		w.mustPut(af, "things", "y", 1)
		w.eventually("all have it", func() bool { return w.get(ap, "things", "y") == 1 && w.get(eu, "things", "y") == 1 })
		time.Sleep(2 * time.Second)
		w.setCut(us, ap, true)
		w.transact(us, "x", "things", "others")
		w.eventually("eu has it", func() bool { return w.get(eu, "others", "x") == 1 })
		w.stop(us)
		w.eventually("it is relayed", func() bool { return w.get(ap, "things", "x") == 1 && w.get(ap, "others", "x") == 1 })
	})
}
