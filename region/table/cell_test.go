package table

import (
	"maps"
	"slices"
	"testing"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage"
)

// Scrub finds what a disk may have done: a changed state, a lost item, a changed cell.
func TestScrubFinds(t *testing.T) {
	r := newRig(t, engines["pebblestore"](t), "a")
	defer r.close()
	tab := r.describe(narrow(true))
	for i := range 20 {
		id := item.Field{Name: "id", Value: item.Bin([]byte{byte(i)})}
		must(tab.Write(bg, Write{Op: Put, Item: item.NewItem([]item.Field{id})}))
		if i%4 == 0 {
			must(tab.Write(bg, Write{Op: Delete, Key: item.Key{Hash: []item.Value{id.Value}}}))
		}
	}
	states := contents(t, r.store, storage.KindItem, tab.entry.ID)
	keys := slices.Sorted(maps.Keys(states))
	swap := func(w storage.Writer, a, b string) error { return w.Set([]byte(a), []byte(states[b])) }
	for name, damage := range map[string]func(storage.Writer) error{
		"another state": func(w storage.Writer) error { return swap(w, keys[0], keys[1]) },
		"no state":      func(w storage.Writer) error { return w.Delete([]byte(keys[2])) },
		"another cell": func(w storage.Writer) error {
			var buf cellBuffer
			return tab.cells.merge(w, &buf, Cell{Bucket: 7}, Digest{1})
		},
	} {
		if bad, err := r.engine.Scrub(bg, tab.entry.ID); err != nil || len(bad) != 0 {
			t.Fatalf("before %s: %v %v", name, bad, err)
		}
		commit(t, r.store, damage)
		if bad, err := r.engine.Scrub(bg, tab.entry.ID); err != nil || len(bad) == 0 {
			t.Errorf("%s: not found, error %v", name, err)
		}
		commit(t, r.store, func(w storage.Writer) error { // mend
			for k, v := range states {
				if err := w.Set([]byte(k), []byte(v)); err != nil {
					return err
				}
			}
			if name == "another cell" {
				return damage(w)
			}
			return nil
		})
	}
}

func commit(t testing.TB, s storage.Store, fn func(storage.Writer) error) {
	t.Helper()
	tx := must(s.Begin(bg))
	defer tx.Discard()
	if err := must(tx.Commit(fn)).Wait(); err != nil {
		t.Fatal(err)
	}
}

// Deletes stand in cells of their hour, and leave those of items.
func TestTombstoneCells(t *testing.T) {
	r := newRig(t, engines["memstore"](t), "a")
	defer r.close()
	tab := r.describe(narrow(true))
	k := item.Key{Hash: []item.Value{item.Bin([]byte{1})}}
	bucket := uint16(k.Hash32() >> 16)
	cells := func() []Cell {
		return slices.Collect(maps.Keys(must(Cells(bg, r.store, tab.entry.ID))))
	}
	put, del := Write{Op: Put, Item: js(`{"id":{"B":"AQ=="}}`)}, Write{Op: Delete, Key: k}
	must(tab.Write(bg, put))
	if c := cells(); !slices.Equal(c, []Cell{{0, bucket}}) {
		t.Errorf("after a put: %v", c)
	}
	hour := uint32(r.now / 3_600_000)
	must(tab.Write(bg, del))
	if c := cells(); !slices.Equal(c, []Cell{{hour, bucket}}) {
		t.Errorf("after a delete: %v", c)
	}
	r.pass(3_600_000)
	must(tab.Write(bg, put))
	must(tab.Write(bg, del))
	if c := cells(); !slices.Equal(c, []Cell{{hour + 1, bucket}}) {
		t.Errorf("after another delete an hour later: %v", c)
	}
	r.check()
}

// A table of one region forgets its deletes, and their cells with them.
func TestForgottenDeletes(t *testing.T) {
	r := newRig(t, engines["memstore"](t), "a")
	defer r.close()
	tab := r.describe(narrow(false))
	must(tab.Write(bg, Write{Op: Put, Item: js(`{"id":{"B":"AQ=="}}`)}))
	must(tab.Write(bg, Write{Op: Delete, Key: item.Key{Hash: []item.Value{item.Bin([]byte{1})}}}))
	if n, c := len(r.states(tab.entry.ID, true)), must(Cells(bg, r.store, tab.entry.ID)); n != 0 || len(c) != 0 {
		t.Errorf("%d states, cells %v", n, c)
	}
	r.check()
	r.checkLog()
}
