package table

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/stream/record"
)

// gated is a store whose commits stop where a test wants to do something.
type gated struct {
	storage.Store
	before func()        // between a transaction's reads and its seal
	after  func()        // between its seal and its effect
	disk   chan struct{} // syncs wait until it is closed; nil: they do not
}

// once runs a hook that is spent by it: what it does may commit too.
func once(hook *func()) {
	if fn := *hook; fn != nil {
		*hook = nil
		fn()
	}
}

func (s *gated) Begin(ctx context.Context, keys ...[]byte) (storage.Txn, error) {
	tx, err := s.Store.Begin(ctx, keys...)
	return &gatedTxn{tx, s}, err
}

type gatedTxn struct {
	storage.Txn
	store *gated
}

func (t *gatedTxn) Commit(seal func(storage.Writer) error) (storage.Durable, error) {
	once(&t.store.before)
	d, err := t.Txn.Commit(func(w storage.Writer) error {
		if seal == nil {
			return nil
		}
		err := seal(w)
		once(&t.store.after)
		return err
	})
	return slowly{d, t.store.disk}, err
}

type slowly struct {
	storage.Durable
	disk chan struct{}
}

func (d slowly) Wait() error {
	if d.disk != nil {
		<-d.disk
	}
	return d.Durable.Wait()
}

// indexed adds an index to a description.
func indexed(d *catalog.Descriptor, ix catalog.Index) *catalog.Descriptor {
	n := *d
	n.Indexes = append(append([]catalog.Index(nil), d.Indexes...), ix)
	return &n
}

// An index is added and built while a commit is between its reads and its seal: it is done again, with the index.
func TestDoneAgainUnderTheNewDescription(t *testing.T) {
	for name, write := range map[string]func(r *rig, tab *Table) error{
		"a client's": func(_ *rig, tab *Table) error {
			_, err := tab.Write(bg, Write{Op: Put, Item: js(`{"pk":{"S":"p"},"sk":{"N":"1"},"g":{"S":"g"}}`)})
			return err
		},
		"a peer's": func(r *rig, tab *Table) error {
			src := newRig(r.t, memstore.New(), "b")
			defer src.close()
			must(src.describe(tab.entry.Descriptor).Write(bg, Write{Op: Put, Item: js(`{"pk":{"S":"p"},"sk":{"N":"1"},"g":{"S":"g"}}`)}))
			return r.engine.Apply(bg, Batch{Commits: src.commits()})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &gated{Store: memstore.New()}
			r := newRig(t, s, "a")
			defer r.close()
			d := wide(true)
			all := d.Indexes
			d.Indexes = nil
			tab := r.describe(d)
			s.before = func() {
				d := indexed(d, all[2])
				r.describe(d, all[2].ID)
				if err := r.engine.BuildIndex(bg, d.ID, all[2].ID); err != nil {
					t.Error(err)
				}
				r.describe(d)
			}
			if err := write(r, tab); err != nil || len(r.states(d.ID, true)) != 1 {
				t.Fatal("not written", err)
			}
			r.check()
			r.checkLog()
		})
	}
}

// An index is added while a commit is past its seal but not yet to be seen: the building waits for it.
func TestBuildWaitsForOlderCommits(t *testing.T) {
	s := &gated{Store: memstore.New()}
	r := newRig(t, s, "a")
	defer r.close()
	d := wide(true)
	all := d.Indexes
	d.Indexes = nil
	tab := r.describe(d)
	built := make(chan error, 1)
	s.after = func() {
		d := indexed(d, all[2])
		r.describe(d)
		go func() { built <- r.engine.BuildIndex(bg, d.ID, all[2].ID) }()
		for range 10_000 { // until it has looked, were it not to wait
			runtime.Gosched()
		}
	}
	must(tab.Write(bg, Write{Op: Put, Item: js(`{"pk":{"S":"p"},"sk":{"N":"1"},"g":{"S":"g"}}`)}))
	if err := <-built; err != nil {
		t.Error(err)
	}
	r.check()
}

// DESIGN section 1, promise 9, and section 3: whatever is told, a failed condition too, is durable.
func TestNothingIsToldBeforeItIsDurable(t *testing.T) {
	key := item.Key{Hash: []item.Value{item.Str("p")}, Range: []item.Value{num(1)}}
	put := Write{Op: Put, Item: js(`{"pk":{"S":"p"},"sk":{"N":"1"},"g":{"S":"g"}}`)}
	asks := map[string]func(r *rig, tab *Table) error{
		"get":          func(_ *rig, tab *Table) error { _, err := tab.Get(bg, key, true); return err },
		"eventual get": func(_ *rig, tab *Table) error { _, err := tab.Get(bg, key, false); return err },
		"query": func(_ *rig, tab *Table) error {
			_, err := tab.Query(bg, Query{Range: keyRange(tab.Schema(), "pk = :p", values{":p": item.Str("p")})})
			return err
		},
		"scan of an index": func(_ *rig, tab *Table) error {
			_, err := tab.Scan(bg, Scan{Reading: Reading{Index: "global-all"}})
			return err
		},
		"transaction of reads": func(r *rig, tab *Table) error {
			_, err := r.engine.TransactGet(bg, []TableKey{{tab, key}})
			return err
		},
		"failed condition": func(_ *rig, tab *Table) error {
			_, err := tab.Write(bg, Write{Op: Delete, Key: key, Condition: cond("attribute_not_exists(pk)", nil)})
			if !isOutcome(err) {
				return err
			}
			return nil
		},
		"check": func(r *rig, tab *Table) error {
			_, err := r.engine.Transact(bg, nil, []TableWrite{{tab, Write{Op: Check, Key: key, Condition: cond("attribute_exists(pk)", nil)}}})
			return err
		},
		"replayed token": func(r *rig, tab *Table) error {
			_, err := r.engine.Transact(bg, token("t", ""), []TableWrite{{tab, put}})
			return err
		},
		"an empty batch": func(r *rig, _ *Table) error {
			return r.engine.Apply(bg, Batch{Commits: []record.Commit{}})
		},
		"closed time": nil,
	}
	for name, ask := range asks {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &gated{Store: memstore.New()}
				r := newRig(t, s, "a")
				tab := r.describe(wide(true))
				s.disk = make(chan struct{})
				done := make(chan error, 2)
				go func() {
					_, err := r.engine.Transact(bg, token("t", ""), []TableWrite{{tab, put}})
					done <- err
				}()
				synctest.Wait()
				if len(r.states(tab.entry.ID, true)) != 1 || len(done) != 0 {
					t.Fatal("the write should be visible and not acknowledged")
				}
				if ask == nil {
					if seq, at := r.engine.End(); seq != 0 || at != 0 {
						t.Errorf("the log ends at %d, closed %s", seq, at)
					}
					done <- nil
				} else {
					go func() { done <- ask(r, tab) }()
					synctest.Wait()
					if len(done) != 0 {
						t.Error("answered before the write is on disk")
					}
				}
				close(s.disk)
				for range 2 {
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
				r.close()
			})
		})
	}
}
