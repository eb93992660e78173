package table

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/stream/record"
)

// TestLookAhead reads what is stored of each item of a batch, ahead of the merge or, where that would be too much at once, when
// it is asked for.
func TestLookAhead(t *testing.T) {
	r := newRig(t, memstore.New(), "a")
	defer r.close()
	tab := r.describe(narrow(true))
	for _, c := range []struct{ items, size int }{{1, 10}, {aheadLeast, 10}, {500, 10}, {3*aheadBytes/(256<<10) + 1, 256 << 10}} {
		t.Run(fmt.Sprint(c.items, " of ", c.size), func(t *testing.T) {
			value := func(i int) string { return fmt.Sprint(i, string(bytes.Repeat([]byte{'v'}, c.size))) }
			var changes []record.Change
			for i := range c.items {
				id := item.Bin(fmt.Append(nil, c.size, " ", i))
				if i%3 != 0 {
					put := item.NewItem([]item.Field{{Name: "id", Value: id}, {Name: "v", Value: item.Str(value(i))}})
					if _, err := tab.Write(bg, Write{Op: Put, Item: put}); err != nil {
						t.Fatal(err)
					}
				}
				key := item.Key{Hash: []item.Value{id}}.Append(nil)
				changes = append(changes, record.Change{Table: tab.entry.ID, Key: key})
			}
			order := rand.Perm(len(changes))
			var cs []record.Commit
			for _, i := range order { // each twice
				cs = append(cs, record.Commit{Changes: []record.Change{changes[i], changes[i]}})
			}
			m := merging{engine: r.engine}
			keys := m.prepare(cs)
			if len(keys) != c.items || len(m.places) != 2*c.items {
				t.Fatalf("%d keys, %d places", len(keys), len(m.places))
			}
			tx, err := r.engine.store.Begin(bg, keys...)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Discard()
			m.tx = tx
			if err := m.look(); err != nil {
				t.Fatal(err)
			}
			ahead := 0
			for i := range m.slots {
				ahead += len(m.slots[i].before)
			}
			if most := aheadBytes + runtime.GOMAXPROCS(0)*(c.size+1000) + len(keys)*100; ahead > most {
				t.Errorf("%d bytes were read ahead, %d at most are to be", ahead, most)
			}
			for n, at := range m.places {
				i, s := order[n/2], &m.slots[at]
				if err := m.find(s); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(s.key[len(tab.prefix):], changes[i].Key) {
					t.Fatalf("change %d has the place of %x", n, s.key)
				}
				if i%3 == 0 && s.before != nil || i%3 != 0 && s.state.Item().Get("v").Text() != value(i) {
					t.Fatalf("item %d: %d bytes are stored", i, len(s.before))
				}
			}
		})
	}
}

// TestApplyManyAtOnce merges a batch in which items come several times, and one commit after the other, to the same end.
func TestApplyManyAtOnce(t *testing.T) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Log("seed", seed)
			rnd := rand.New(rand.NewPCG(seed, 1))
			whole, single := newRig(t, open(t), "a"), newRig(t, open(t), "a")
			defer whole.close()
			defer single.close()
			tab := whole.describe(narrow(true))
			single.describe(narrow(true))
			cs := manyCommits(rnd, tab, whole.now)
			for len(cs) > 0 {
				n := min(len(cs), 1+rnd.IntN(400))
				if err := whole.engine.Apply(bg, Batch{Commits: cs[:n]}); err != nil {
					t.Fatal(err)
				}
				for i := range cs[:n] {
					if err := single.engine.Apply(bg, Batch{Commits: cs[i : i+1]}); err != nil {
						t.Fatal(err)
					}
				}
				cs = cs[n:]
			}
			if bad, err := whole.engine.Scrub(bg, tab.entry.ID); err != nil || len(bad) > 0 {
				t.Errorf("cells %v are not those of the items: %v", bad, err)
			}
			if w, s := logOf(t, whole), logOf(t, single); !reflect.DeepEqual(w, s) {
				t.Errorf("the logs differ:\n%v\n%v", w, s)
			}
			for _, kind := range []byte{storage.KindItem, storage.KindOrder, storage.KindLogPart} {
				if w, s := standsUnder(t, whole.store, kind), standsUnder(t, single.store, kind); !reflect.DeepEqual(w, s) {
					t.Errorf("what stands under %c differs:\n%q\n%q", kind, w, s)
				}
			}
		})
	}
}

// manyCommits are another region's, of up to three of a few items each.
func manyCommits(rnd *rand.Rand, tab *Table, now int64) (cs []record.Commit) {
	for n := range 600 {
		stamp := crdt.Stamp{Time: crdt.TimeFromMillis(now) + crdt.Time(n), Origin: crdt.Origin{Region: "c", Incarnation: 1}}
		c := record.Commit{Stamp: stamp}
		for i := range 1 + rnd.IntN(3) {
			id := 3*rnd.IntN(20) + i
			l := conflict.Local{Stamp: stamp, Op: conflict.Put, New: narrowItem(id, n)}
			if rnd.IntN(4) == 0 {
				l.Op, l.New = conflict.Delete, item.Item{}
			}
			s := conflict.Write(conflict.LastWriterWins, conflict.State{}, l)
			key := narrowKey(id).Append(nil)
			c.Changes = append(c.Changes, record.Change{Table: tab.entry.ID, Shard: shardOf(key), Key: key, Base: s.Base(), State: s.Append(nil)})
		}
		cs = append(cs, c)
	}
	return cs
}

func logOf(t *testing.T, r *rig) []record.Commit {
	t.Helper()
	cs, next, err := r.engine.log.Read(0, 1<<30, func(*record.Order) bool { return true })
	if err != nil || next != r.engine.log.Durable() || len(cs) == 0 {
		t.Fatalf("%d commits up to %d, %v", len(cs), next, err)
	}
	return cs
}

func standsUnder(t *testing.T, s storage.Store, kind byte) (all []string) {
	t.Helper()
	err := walk(bg, s, []byte{kind}, func(key, value []byte) error {
		all = append(all, string(key), string(value))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
