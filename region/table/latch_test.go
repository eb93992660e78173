package table

import (
	"runtime"
	"testing"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/stream/record"
)

func narrowKey(n int) item.Key { return item.Key{Hash: []item.Value{item.Bin([]byte{byte(n)})}} }

func narrowItem(n, v int) item.Item {
	return item.NewItem([]item.Field{{Name: "id", Value: narrowKey(n).Hash[0]}, {Name: "v", Value: num(v)}})
}

// While a commit is between its reads and its seal, nobody changes what it has read: not the items that it only checks,
// nor those that it merges into, nor its token.
func TestWhatWasReadIsHeld(t *testing.T) {
	put := func(tab *Table, n, v int) error {
		_, err := tab.Write(bg, Write{Op: Put, Item: narrowItem(n, v)})
		return err
	}
	fromPeer := func(tab *Table, n, v int) error {
		at := crdt.Stamp{Time: crdt.TimeFromMillis(1_764_000_000_000 - 1), Origin: crdt.Origin{Region: "b", Incarnation: 1}}
		state := conflict.Write(conflict.LastWriterWins, conflict.State{}, conflict.Local{Stamp: at, Op: conflict.Put, New: narrowItem(n, v)})
		k := narrowKey(n).Append(nil)
		return tab.engine.Apply(bg, Batch{Commits: []record.Commit{{Stamp: at, Changes: []record.Change{
			{Table: tab.entry.ID, Shard: shardOf(k), Key: k, State: state.Append(nil)},
		}}}})
	}
	checkAndPut := func(tab *Table, check, n int, tok *Token) error {
		c := cond("attribute_not_exists(id)", nil)
		done, err := tab.engine.Transact(bg, tok, []TableWrite{
			{tab, Write{Op: Check, Key: narrowKey(check), Condition: c}}, {tab, Write{Op: Put, Item: narrowItem(n, 1)}},
		})
		if err == nil && done.Reasons != nil {
			err = errStale // any error
		}
		return err
	}
	for name, c := range map[string]struct{ first, second, after func(tab *Table) error }{
		"what a transaction checks": {
			func(tab *Table) error { return checkAndPut(tab, 1, 2, nil) },
			func(tab *Table) error {
				if checkAndPut(tab, 2, 1, nil) == nil {
					t.Error("both saw the other's item missing")
				}
				return nil
			},
			func(*Table) error { return nil },
		},
		"what a peer's change is merged into": {
			func(tab *Table) error { return fromPeer(tab, 1, 7) },
			func(tab *Table) error { return put(tab, 1, 8) },
			func(tab *Table) error {
				s := must(tab.State(bg, narrowKey(1)))
				if show(s.Item()) != show(narrowItem(1, 8)) || s.Context().Of(crdt.Origin{Region: "b", Incarnation: 1}) == 0 {
					t.Errorf("%s, which has seen %v", show(s.Item()), s.Context())
				}
				return nil
			},
		},
		"what a client's write replaces": {
			func(tab *Table) error { return put(tab, 1, 8) },
			func(tab *Table) error { return fromPeer(tab, 1, 7) },
			func(tab *Table) error {
				if it := must(tab.Get(bg, narrowKey(1), true)).Item; show(it) != show(narrowItem(1, 8)) {
					t.Errorf("%s", show(it))
				}
				return nil
			},
		},
		"a token": {
			func(tab *Table) error { return checkAndPut(tab, 1, 2, token("t", "one")) },
			func(tab *Table) error {
				if err := checkAndPut(tab, 3, 4, token("t", "two")); fault.KindOf(err) != fault.IdempotentMismatch {
					t.Errorf("the other request with the token: %v", err)
				}
				return nil
			},
			func(*Table) error { return nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &gated{Store: memstore.New()}
			r := newRig(t, s, "a")
			defer r.close()
			tab := r.describe(narrow(true))
			done := make(chan error, 1)
			s.before = func() {
				go func() { done <- c.second(tab) }()
				for range 10_000 { // until it is through, were it not to wait
					runtime.Gosched()
				}
			}
			if err := c.first(tab); err != nil {
				t.Error(err)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := c.after(tab); err != nil {
				t.Error(err)
			}
			r.check()
			r.checkLog()
		})
	}
}

// DESIGN section 5: under the policy crdt, ADD and DELETE of different regions come together.
func TestAddsComeTogether(t *testing.T) {
	g := newGen(seed(t))
	rigs := ring(t, g)
	for _, r := range rigs {
		d := narrow(true)
		d.Policy = "crdt"
		r.describe(d)
	}
	write := func(r *rig, text string, vs values) {
		t.Helper()
		must(r.table(tableID(2)).Write(bg, Write{Op: Update, Key: narrowKey(1), Update: update(text, vs)}))
	}
	exchange := func() {
		for _, r := range rigs {
			for _, from := range rigs {
				apply(t, r, from.commits())
			}
		}
	}
	set := func(members ...string) item.Value {
		var ms []item.Value
		for _, m := range members {
			ms = append(ms, item.Str(m))
		}
		return must(item.NewSet(item.StringSet, ms))
	}
	for i, r := range rigs { // of nothing: each creates it
		write(r, "ADD n :n, s :s", values{":n": num(1 + i), ":s": set("all", r.engine.origin.Region)})
	}
	exchange()
	write(rigs[0], "ADD n :n DELETE s :s", values{":n": num(10), ":s": set("b")})
	write(rigs[1], "ADD n :n, s :s", values{":n": num(100), ":s": set("new")})
	exchange()
	want := show(js(`{"id":{"B":"AQ=="},"n":{"N":"116"},"s":{"SS":["a","all","c","new"]}}`))
	for _, r := range rigs {
		if it := must(r.table(tableID(2)).Get(bg, narrowKey(1), true)).Item; show(it) != want {
			t.Errorf("region %s has %s, want %s", r.engine.origin.Region, show(it), want)
		}
		r.check()
	}
}
