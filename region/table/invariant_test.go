package table

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/stream/record"
)

// contents reads all keys of a kind under a table.
func contents(t testing.TB, r storage.Reader, kind byte, id record.TableID) map[string]string {
	t.Helper()
	m := map[string]string{}
	err := walk(bg, r, storage.AppendTable(nil, kind, id), func(k, v []byte) error {
		m[string(k)] = string(v)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// states reads a table's states by item key, the tombstones only if asked for.
func (r *rig) states(id record.TableID, tombstones bool) map[string]string {
	r.t.Helper()
	m := map[string]string{}
	for k, v := range contents(r.t, r.store, storage.KindItem, id) {
		if s := must(conflict.DecodeState([]byte(v))); tombstones || s.Visible() {
			m[k[17:]] = v
		}
	}
	return m
}

// check judges what is stored of all tables: each index is what a full recomputation gives, so are the cells, and there is
// nothing else.
func (r *rig) check() {
	r.t.Helper()
	for id, tab := range r.tables {
		r.checkIndexes(tab)
		bad, err := r.engine.Scrub(bg, id)
		if err != nil || len(bad) > 0 {
			r.t.Errorf("table %s: cells differ from the data: %v %v", tab.entry.Name, bad, err)
		}
	}
}

func (r *rig) checkIndexes(tab *Table) {
	r.t.Helper()
	want := map[string]string{}
	for k, v := range contents(r.t, r.store, storage.KindItem, tab.entry.ID) {
		it := conflict.TrustedState([]byte(v)).Item()
		for i := range tab.entry.Indexes {
			ix := &tab.entry.Indexes[i]
			if p, ok := projected(tab.entry.Descriptor, ix, it); ok && tab.entry.IndexBuilt(ix.ID) {
				key, _ := ix.Schema.IndexKey(it)
				want[string(key.Append(indexPrefix(tab.entry.ID, ix.ID)))+k[17:]] = string(p.Encoded())
			}
		}
	}
	have := contents(r.t, r.store, storage.KindIndex, tab.entry.ID)
	if !maps.Equal(have, want) {
		r.t.Errorf("table %s: indexes differ from the data:\n%s", tab.entry.Name, difference(have, want))
	}
}

func difference(have, want map[string]string) string {
	var b bytes.Buffer
	for _, k := range slices.Sorted(maps.Keys(have)) {
		if w, ok := want[k]; !ok {
			fmt.Fprintf(&b, "too much: %x\n", k)
		} else if w != have[k] {
			fmt.Fprintf(&b, "other:    %x is %x, not %x\n", k, have[k], w)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if _, ok := have[k]; !ok {
			fmt.Fprintf(&b, "missing:  %x\n", k)
		}
	}
	return b.String()
}

// commits reads the whole log.
func (r *rig) commits() []record.Commit {
	r.t.Helper()
	all, next, err := r.log.Read(0, 1<<40, func(*record.Order) bool { return true })
	if err != nil || next != r.log.Durable() {
		r.t.Fatalf("log read to %d of %d: %v", next, r.log.Durable(), err)
	}
	return all
}

// checkLog applies the whole log to an empty region: the states must be the same.
func (r *rig) checkLog() {
	r.t.Helper()
	o := newRig(r.t, memstore.New(), "z")
	defer o.close()
	for _, tab := range r.tables {
		o.describe(tab.entry.Descriptor)
	}
	for cs := range slices.Chunk(r.commits(), 50) {
		if err := o.engine.Apply(bg, Batch{Commits: cs}); err != nil {
			r.t.Fatal(err)
		}
	}
	o.check()
	for id, tab := range r.tables {
		shared := tab.entry.Shared() // else deletes are forgotten here, but not in the log
		if have, want := o.states(id, shared), r.states(id, shared); !maps.Equal(have, want) {
			r.t.Errorf("table %s: the log gives other states than the table has:\n%s", tab.entry.Name, difference(have, want))
		}
	}
}
