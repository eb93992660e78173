package table

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage"
)

// TestTreeIsThatOfTheItems compares random nodes at all depths with what the table's items say, some deletes left out.
func TestTreeIsThatOfTheItems(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	g := rand.New(rand.NewPCG(seed, 1))
	for name, engine := range engines {
		r := newRig(t, engine(t), "a")
		tab := r.describe(narrow(true))
		for i := range 300 {
			id := item.Field{Name: "id", Value: item.Bin(binary.BigEndian.AppendUint16(nil, uint16(g.IntN(200))))}
			if i%100 == 0 {
				r.pass(3_600_000)
			}
			if g.IntN(3) == 0 {
				must(tab.Write(bg, Write{Op: Delete, Key: item.Key{Hash: []item.Value{id.Value}}}))
				continue
			}
			must(tab.Write(bg, Write{Op: Put, Item: item.NewItem([]item.Field{id})}))
		}
		for _, back := range []int64{0, 1, 2, 5} {
			cut := crdt.TimeFromMillis(r.now - back*3_600_000)
			checkTree(t, g, r, tab, cut)
		}
		r.close()
		if t.Failed() {
			t.Fatalf("on %s", name)
		}
	}
}

type listedItem struct {
	path  Path
	key   string
	sum   Digest
	state string
}

func checkTree(t *testing.T, g *rand.Rand, r *rig, tab *Table, cut crdt.Time) {
	t.Helper()
	var all []listedItem
	for k, v := range contents(t, r.store, storage.KindItem, tab.entry.ID) {
		key := k[len(tab.prefix):]
		s := must(conflict.DecodeState([]byte(v)))
		if end := (s.Stamp().Time.Millis()/3_600_000 + 1) * 3_600_000; !s.Visible() && end <= cut.Millis() {
			continue
		}
		all = append(all, listedItem{tab.cells.path([]byte(key)), key, tab.cells.digest([]byte(key + v)), v})
	}
	slices.SortFunc(all, func(a, b listedItem) int { return bytes.Compare(a.path[:], b.path[:]) })
	tree := must(OpenTree(bg, r.store, tab.entry.ID, cut))
	for range 300 {
		depth, few := g.IntN(25), g.IntN(4)
		node := all[g.IntN(len(all))].path
		if g.IntN(8) == 0 {
			binary.BigEndian.PutUint64(node[:], g.Uint64())
		}
		for i := depth; i < 24; i++ {
			node[i/2] &= 15 << (4 * (i % 2))
			if i%2 == 0 {
				node[i/2] = 0
			}
		}
		isFew, children, paths, sums, err := tree.Look(node, depth, few)
		if err != nil {
			t.Fatal(err)
		}
		var in []listedItem
		var want [16][16]byte
		for _, l := range all {
			same := true
			for i := range depth {
				same = same && nibble(l.path, i) == nibble(node, i)
			}
			if !same {
				continue
			}
			in = append(in, l)
			if depth < 24 {
				(*Digest)(&want[nibble(l.path, depth)]).XOR(l.sum)
			}
		}
		if wantFew := depth >= 4 && len(in) <= few || depth == 24; isFew != wantFew {
			t.Fatalf("node %x/%d of %d items: few %v of at most %d", node, depth, len(in), isFew, few)
		}
		if !isFew {
			if children != want {
				t.Fatalf("node %x/%d: other digests than its %d items'", node, depth, len(in))
			}
			continue
		}
		if len(paths) != len(in) || len(sums) != len(in) {
			t.Fatalf("node %x/%d: %d of %d items", node, depth, len(paths), len(in))
		}
		for i, l := range in {
			key, state, err := tree.State(paths[i])
			if err != nil || paths[i] != l.path || sums[i] != l.sum || string(key) != l.key || string(state) != l.state {
				t.Fatalf("node %x/%d: item %d is %x, want %x (%v)", node, depth, i, paths[i], l.path, err)
			}
		}
	}
	for _, l := range all[:1] { // found without having been listed
		fresh := must(OpenTree(bg, r.store, tab.entry.ID, cut))
		c, ok, _, err := fresh.Context(l.path)
		if err != nil || !ok || !c.Equal(must(conflict.DecodeState([]byte(l.state))).Context()) {
			t.Fatalf("context of %x: %v %v %v", l.path, c, ok, err)
		}
	}
	if _, ok, _, err := tree.Context(Path{1}); ok || err != nil {
		t.Fatalf("an item that is not there: %v %v", ok, err)
	}
}

// TestMendCells: cells that a disk spoilt are mended while writes go on.
func TestMendCells(t *testing.T) {
	r := newRig(t, engines["pebblestore"](t), "a")
	defer r.close()
	tab := r.describe(narrow(true))
	put := func(n uint16) {
		id := item.Field{Name: "id", Value: item.Bin(binary.BigEndian.AppendUint16(nil, n))}
		must(tab.Write(bg, Write{Op: Put, Item: item.NewItem([]item.Field{id})}))
	}
	for n := range uint16(50) {
		put(n)
	}
	commit(t, r.store, func(w storage.Writer) error {
		var buf cellBuffer
		for b := range uint16(40) {
			if err := tab.cells.merge(w, &buf, Cell{Hour: uint32(b % 3), Bucket: b * 1000}, Digest{byte(b), 1}); err != nil {
				return err
			}
		}
		return nil
	})
	var writing sync.WaitGroup
	writing.Go(func() {
		for n := range uint16(200) {
			put(n)
		}
	})
	bad := 0
	var mending sync.WaitGroup
	var mu sync.Mutex
	for range 3 { // at the same time
		mending.Go(func() {
			n := must(r.engine.MendCells(bg, tab.entry.ID))
			mu.Lock()
			defer mu.Unlock()
			bad += n
		})
	}
	mending.Wait()
	writing.Wait()
	if bad != 40 {
		t.Errorf("%d cells mended, want 40", bad)
	}
	if left := must(r.engine.Scrub(bg, tab.entry.ID)); len(left) > 0 {
		t.Errorf("still wrong: %v", left)
	}
}
