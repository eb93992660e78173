package table

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/stream/record"
)

// ring is three regions with the same tables, under policies that they need not agree about.
func ring(t testing.TB, g *gen) []*rig {
	var rigs []*rig
	for i, name := range []string{"a", "b", "c"} {
		store := storage.Store(memstore.New())
		if i == 0 {
			store = engines["pebblestore"](t)
		}
		r := newRig(t, store, name)
		t.Cleanup(r.close)
		r.pass(int64(g.IntN(5)))
		for _, d := range []*catalog.Descriptor{wide(true), narrow(true)} {
			d.Policy = pick(g, "", "attribute", "crdt")
			d.Stream.Enabled = g.one(2)
			r.describe(d)
		}
		rigs = append(rigs, r)
	}
	return rigs
}

// TestConvergence: three regions write and receive each other's commits, in any order, in any batches, more than once,
// first hand or relayed; in the end all have the same states and cells, indexes fit, and each log tells its region's data.
func TestConvergence(t *testing.T) {
	first := seed(t)
	runs := 12
	if *historyOps > 0 {
		runs = *historyOps / 200
	}
	for i := range uint64(runs) {
		g := newGen(first + i)
		rigs := ring(t, g)
		for range 60 + g.IntN(100) {
			r := pick(g, rigs...)
			r.pass(int64(g.IntN(3)))
			switch tab := r.table(tableID(byte(1 + g.IntN(2)))); g.IntN(4) {
			case 0:
				from := pick(g, rigs...)
				deliver(t, g, r, from.commits())
			case 1:
				d := tab.entry.Descriptor
				_, _ = r.engine.Transact(bg, nil, []TableWrite{{tab, g.write(d, Put, Delete)}, {r.table(tableID(2)), g.write(narrow(true), Update)}})
			default:
				_, _ = tab.Write(bg, g.write(tab.entry.Descriptor, Put, Update, Update, Delete)) // refused ones change nothing
			}
		}
		for _, r := range rigs {
			for _, from := range rigs {
				all := from.commits()
				g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
				for batch := range slices.Chunk(all, 1+g.IntN(40)) {
					apply(t, r, batch)
				}
			}
		}
		for _, r := range rigs {
			r.check()
			r.checkLog()
			for id := range r.tables {
				if have, want := r.states(id, true), rigs[0].states(id, true); !maps.Equal(have, want) {
					t.Errorf("seed %d: region %s has another table %s than a:\n%s", first+i, r.engine.origin.Region, id, difference(have, want))
				}
				have, want := must(Cells(bg, r.store, id)), must(Cells(bg, rigs[0].store, id))
				if !maps.Equal(have, want) {
					t.Errorf("seed %d: region %s has other cells of table %s than a", first+i, r.engine.origin.Region, id)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
}

// deliver applies some of another region's log: a piece of it, with duplicates.
func deliver(t testing.TB, g *gen, r *rig, log []record.Commit) {
	t.Helper()
	if len(log) == 0 {
		return
	}
	from := g.IntN(len(log))
	batch := slices.Clone(log[from:min(len(log), from+1+g.IntN(30))])
	for range g.IntN(4) {
		batch = append(batch, pick(g, batch...))
	}
	if g.one(3) {
		g.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	}
	apply(t, r, batch)
}

// apply hands commits over as they come from the wire.
func apply(t testing.TB, r *rig, cs []record.Commit) {
	t.Helper()
	wired := make([]record.Commit, len(cs))
	for i := range cs {
		wired[i] = must(record.DecodeCommit(record.AppendCommit(nil, &cs[i])))
	}
	if err := r.engine.Apply(bg, Batch{Commits: wired}); err != nil {
		t.Fatal(err)
	}
}

// A write after something was merged is above all that the merged state has seen, not only above its commit's stamp.
func TestWriteAboveWhatWasSeen(t *testing.T) {
	r := newRig(t, memstore.New(), "a")
	defer r.close()
	tab := r.describe(narrow(true))
	k := item.Key{Hash: []item.Value{item.Bin([]byte("k"))}}
	later := crdt.Stamp{Time: crdt.TimeFromMillis(r.now + 60_000), Origin: crdt.Origin{Region: "b", Incarnation: 1}}
	state := conflict.Write(conflict.LastWriterWins, conflict.State{}, conflict.Local{Stamp: later, Op: conflict.Put, New: js(`{"id":{"B":"aw=="}}`)})
	itemKey := k.Append(nil)
	err := r.engine.Apply(bg, Batch{Commits: []record.Commit{{
		Stamp:   crdt.Stamp{Time: crdt.TimeFromMillis(r.now), Origin: later.Origin},
		Changes: []record.Change{{Table: tab.entry.ID, Shard: shardOf(itemKey), Key: itemKey, State: state.Append(nil)}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	must(tab.Write(bg, Write{Op: Put, Item: js(`{"id":{"B":"aw=="},"v":{"N":"1"}}`)}))
	s := must(tab.State(bg, k))
	if out := conflict.Merge(state, s); !out.State.Equal(s) || len(out.Lost) > 0 {
		t.Errorf("the write %s does not replace %s that it saw", s.Stamp(), later)
	}
}

// Bytes that no region writes are an error and change nothing, wherever in a batch they stand.
func TestApplyRefusesMalformed(t *testing.T) {
	src := newRig(t, memstore.New(), "b")
	defer src.close()
	tab := src.describe(wide(true))
	must(tab.Write(bg, Write{Op: Put, Item: js(`{"pk":{"S":"p"},"sk":{"N":"1"},"g":{"S":"g"}}`)}))
	good := src.commits()[0]
	other := item.Key{Hash: []item.Value{item.Str("q")}, Range: []item.Value{num(1)}}.Append(nil)
	for name, break_ := range map[string]func(ch *record.Change){
		"empty key":          func(ch *record.Change) { ch.Key = nil },
		"short key":          func(ch *record.Change) { ch.Key = ch.Key[:3] },
		"key with a tail":    func(ch *record.Change) { ch.Key = append(slices.Clone(ch.Key), 0) },
		"key of wrong hash":  func(ch *record.Change) { ch.Key = slices.Clone(ch.Key); ch.Key[0]++ },
		"another item's key": func(ch *record.Change) { ch.Key = other },
		"empty state":        func(ch *record.Change) { ch.State = nil },
		"cut state":          func(ch *record.Change) { ch.State = ch.State[:len(ch.State)-1] },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, memstore.New(), "a")
			defer r.close()
			r.describe(wide(true))
			bad := good
			bad.Changes = slices.Clone(good.Changes)
			break_(&bad.Changes[0])
			err := r.engine.Apply(bg, Batch{Commits: []record.Commit{good, bad}})
			if !errors.Is(err, record.ErrMalformed) && !errors.Is(err, conflict.ErrEncoding) {
				t.Errorf("error %v", err)
			}
			if r.log.Last() != 0 || len(r.states(tab.entry.ID, true)) > 0 {
				t.Error("something was changed all the same")
			}
			r.check()
		})
	}
}

// The cursor moves with the batch or not at all, and a silent batch leaves the log alone.
func TestApplySeal(t *testing.T) {
	onEngines(t, func(t *testing.T, s storage.Store) {
		src := newRig(t, memstore.New(), "b")
		defer src.close()
		tab := src.describe(narrow(true))
		for i := range 3 {
			must(tab.Write(bg, Write{Op: Put, Item: item.NewItem([]item.Field{{Name: "id", Value: item.Bin([]byte{byte(i)})}})}))
		}
		r := newRig(t, s, "a")
		r.describe(narrow(true))
		cursor := []byte{storage.KindCursor, 'x'}
		failure := errors.New("no")
		err := r.engine.Apply(bg, Batch{Commits: src.commits(), Seal: func(w storage.Writer) error {
			return errors.Join(w.Set(cursor, []byte("1")), failure)
		}})
		if !errors.Is(err, failure) || r.log.Last() != 0 || len(r.states(tab.entry.ID, true)) != 0 {
			t.Errorf("a batch whose seal failed: %v, log at %d", err, r.log.Last())
		}
		err = r.engine.Apply(bg, Batch{Silent: true, Commits: src.commits()[:2], Seal: func(w storage.Writer) error { return w.Set(cursor, []byte("2")) }})
		if v := must(s.Get(cursor)); err != nil || string(v) != "2" || r.log.Last() != 0 || len(r.states(tab.entry.ID, true)) != 2 {
			t.Errorf("silent batch: %v, cursor %s, log at %d", err, v, r.log.Last())
		}
		if err := r.engine.Apply(bg, Batch{Commits: src.commits()}); err != nil || r.log.Durable() == 0 {
			t.Errorf("third: %v, log at %d", err, r.log.Durable())
		}
		if n := r.engine.Counters(); n.Applied != 3 || r.engine.Count(tab.entry.ID).Items != 3 {
			t.Errorf("counters %+v, count %+v", n, r.engine.Count(tab.entry.ID))
		}
		r.check()
	})
}

// What was lost is counted once, whoever delivers it again.
func TestApplyCountsConflicts(t *testing.T) {
	g := newGen(1)
	rigs := ring(t, g)
	for _, r := range rigs {
		must(r.table(tableID(2)).Write(bg, Write{Op: Put, Item: js(fmt.Sprintf(`{"id":{"B":"AA=="},"r":{"S":%q}}`, r.engine.origin.Region))}))
	}
	for range 3 {
		for _, r := range rigs {
			for _, from := range rigs {
				apply(t, r, from.commits())
			}
		}
	}
	for _, r := range rigs {
		if n := r.engine.Counters().Conflicts[tableID(2)]; n < 1 || n > 2 {
			t.Errorf("region %s counts %d conflicts of three writes", r.engine.origin.Region, n)
		}
	}
}
