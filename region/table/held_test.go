package table

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// busy has some goroutines write through whatever handles they got hold of, until the test is over. An error ends one.
func busy(t *testing.T, r *rig, id record.TableID, onError func(error)) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	s := seed(t)
	for w := range uint64(4) {
		g := newGen(s + w)
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				tab := r.table(id)
				if tab == nil {
					return
				}
				wr := g.write(tab.entry.Descriptor, Put, Update, Delete)
				var err error
				if n%3 == 0 {
					var done Transacted
					done, err = r.engine.Transact(bg, nil, []TableWrite{{tab, wr}})
					if err == nil && done.Reasons != nil {
						err = done.Reasons[0]
					}
				} else {
					_, err = tab.Write(bg, wr)
				}
				if err != nil && !isOutcome(err) {
					onError(err)
					return
				}
			}
		})
	}
	return func() { close(done); wg.Wait() }
}

// Indexes come and go under load; in the end each that stands is what the data say, and the others have left nothing.
func TestIndexesUnderLoad(t *testing.T) {
	onEngines(t, func(t *testing.T, s storage.Store) {
		r := newRig(t, s, "a")
		d := wide(false)
		all := d.Indexes
		d.Indexes = nil
		r.describe(d)
		stop := busy(t, r, d.ID, func(err error) { t.Error(err) })
		next := uint32(10)
		for round := range 12 {
			n := *d
			ix := all[round%len(all)]
			next++
			ix.ID, ix.Name = next, fmt.Sprint("ix", next)
			n.Indexes = append(slices.Clone(d.Indexes), ix)
			r.describe(&n, ix.ID)
			if err := r.engine.BuildIndex(bg, d.ID, ix.ID); err != nil {
				t.Fatal(err)
			}
			r.describe(&n)
			d = &n
			if len(d.Indexes) > 3 {
				gone := d.Indexes[0].ID
				n := *d
				n.Indexes = slices.Clone(d.Indexes[1:])
				r.describe(&n)
				if err := r.engine.RemoveIndex(bg, d.ID, gone); err != nil {
					t.Fatal(err)
				}
				d = &n
			}
		}
		stop()
		r.check()
	})
}

// An index that is dropped while it is built leaves nothing.
func TestIndexDroppedWhileBuilt(t *testing.T) {
	onEngines(t, func(t *testing.T, s storage.Store) {
		r := newRig(t, s, "a")
		full := wide(false)
		none := *full
		none.Indexes = nil
		tab := r.describe(&none)
		g := newGen(seed(t))
		for range 300 {
			_, _ = tab.Write(bg, g.write(&none, Put))
		}
		for range 10 {
			r.describe(full, 1, 2, 3, 4, 5)
			var wg sync.WaitGroup
			for _, ix := range full.Indexes {
				wg.Go(func() {
					if err := r.engine.BuildIndex(bg, full.ID, ix.ID); err != nil {
						t.Error(err)
					}
				})
			}
			again := none // a description of its own
			r.describe(&again)
			for _, ix := range full.Indexes {
				if err := r.engine.RemoveIndex(bg, full.ID, ix.ID); err != nil {
					t.Error(err)
				}
			}
			wg.Wait()
			r.check()
		}
	})
}

// After a table is gone nobody writes into it any more, clients and peers alike, and nothing of it is left but the log.
func TestTableDroppedUnderLoad(t *testing.T) {
	onEngines(t, func(t *testing.T, s storage.Store) {
		r := newRig(t, s, "a")
		other := newRig(t, engines["memstore"](t), "b")
		defer other.close()
		from := other.describe(wide(true))
		g := newGen(seed(t))
		for range 200 {
			_, _ = from.Write(bg, g.write(from.entry.Descriptor, Put, Delete))
		}
		commits := other.commits()
		for range 5 {
			tab := r.describe(wide(true))
			stop := busy(t, r, tab.entry.ID, func(err error) {
				if fault.KindOf(err) != fault.NotFound {
					t.Error(err)
				}
			})
			var peer sync.WaitGroup
			peer.Go(func() {
				for c := range slices.Chunk(commits, 10) {
					if err := r.engine.Apply(bg, Batch{Commits: c}); err != nil {
						t.Error(err)
					}
				}
			})
			for range 20 {
				must(tab.Scan(bg, Scan{}))
			}
			r.drop(tab.entry.ID)
			if err := r.engine.RemoveTable(bg, tab.entry.ID); err != nil {
				t.Fatal(err)
			}
			last := r.log.Last()
			stop()
			peer.Wait()
			if r.log.Last() != last {
				t.Errorf("a commit came after the table was gone: %d, %d", last, r.log.Last())
			}
			for _, kind := range []byte{storage.KindItem, storage.KindIndex, storage.KindHashCell} {
				if left := contents(t, s, kind, tab.entry.ID); len(left) > 0 {
					t.Errorf("%d keys of kind %c are left", len(left), kind)
				}
			}
			if _, err := tab.Write(bg, Write{Op: Put, Item: js(`{"pk":{"S":"p"},"sk":{"N":"1"}}`)}); fault.KindOf(err) != fault.NotFound {
				t.Errorf("a write through an old handle: %v", err)
			}
			if _, err := tab.Get(bg, g.key(tab.entry.Descriptor), true); fault.KindOf(err) != fault.NotFound {
				t.Errorf("a read through an old handle: %v", err)
			}
			if _, err := tab.Query(bg, Query{Range: keyRange(tab.Schema(), "pk = :p", values{":p": item.Str("p")})}); fault.KindOf(err) != fault.NotFound {
				t.Errorf("a query through an old handle: %v", err)
			}
		}
	})
}

// A delete under the description of a table that has just got a second replica is remembered.
func TestDescriptionDecidesAtTheSeal(t *testing.T) {
	r := newRig(t, engines["memstore"](t), "a")
	defer r.close()
	old := r.describe(narrow(false))
	put := Write{Op: Put, Item: js(`{"id":{"B":"AA=="}}`)}
	must(old.Write(bg, put))
	r.describe(narrow(true))
	k := item.Key{Hash: []item.Value{item.Bin([]byte{0})}}
	must(old.Write(bg, Write{Op: Delete, Key: k}))
	if n := len(r.states(tableID(2), true)); n != 1 {
		t.Errorf("%d states instead of a tombstone", n)
	}
	r.check()
}
