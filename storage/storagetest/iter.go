package storagetest

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/meridiandb/meridian/storage"
)

// moves are checked one by one: what was done, and the key that the iterator then stands on, "" for none.
type move struct {
	what string
	do   func(storage.Iter) bool
	want string
}

func first(want string) move { return move{"First", storage.Iter.First, want} }
func last(want string) move  { return move{"Last", storage.Iter.Last, want} }
func next(want string) move  { return move{"Next", storage.Iter.Next, want} }
func prev(want string) move  { return move{"Prev", storage.Iter.Prev, want} }
func seekGE(k, want string) move {
	return move{"SeekGE " + k, func(it storage.Iter) bool { return it.SeekGE([]byte(k)) }, want}
}
func seekLT(k, want string) move {
	return move{"SeekLT " + k, func(it storage.Iter) bool { return it.SeekLT([]byte(k)) }, want}
}

func walk(t *testing.T, r storage.Reader, o storage.IterOptions, moves ...move) {
	t.Helper()
	it, err := r.NewIter(o)
	must(t, err)
	defer it.Close() // if a check or the engine gives up in between
	if it.Valid() {
		t.Error("a new iterator is valid before its first move")
	}
	for i, m := range moves {
		ok := m.do(it)
		if ok != (m.want != "") || it.Valid() != ok {
			t.Fatalf("move %d, %s: %v, Valid %v, want to stand on %q", i, m.what, ok, it.Valid(), m.want)
		}
		if ok && (string(it.Key()) != m.want || string(it.Value()) != "v"+m.want) {
			t.Fatalf("move %d, %s: stands on %q=%q, want %q", i, m.what, it.Key(), it.Value(), m.want)
		}
		must(t, it.Err())
	}
	must(t, it.Close())
	must(t, it.Close())
}

func fill(t *testing.T, s storage.Store, keys ...string) {
	t.Helper()
	for _, k := range keys { // each its own commit
		set(t, s, k, "v"+k)
	}
}

func testIter(t *testing.T, open Open) {
	s := opened(t, open)
	all := storage.IterOptions{}
	walk(t, s, all, first(""), last(""), next(""), prev(""), seekGE("a", ""), seekLT("z", ""))
	fill(t, s, "d", "b", "f")
	walk(t, s, all, first("b"), next("d"), next("f"), next(""), next(""), prev(""))
	walk(t, s, all, last("f"), prev("d"), prev("b"), prev(""), prev(""), next(""))
	walk(t, s, all, next("")) // the first move must be another
	walk(t, s, all, prev(""))
	walk(t, s, all, first("b"), next("d"), prev("b"), next("d"), next("f"), prev("d"), prev("b"), prev(""), first("b"))
	walk(t, s, all, seekGE("d", "d"), next("f"), seekGE("c", "d"), prev("b"), seekGE("g", ""), prev(""), last("f"))
	walk(t, s, all, seekLT("d", "b"), next("d"), seekLT("e", "d"), next("f"), seekLT("b", ""), next(""), first("b"))
	walk(t, s, all, seekLT("z", "f"), seekGE("a", "b"), seekLT("a", ""), seekGE("f", "f"), next(""))
}

func testIterBounds(t *testing.T, open Open) {
	s := opened(t, open)
	fill(t, s, "b", "d", "f", "h")
	in := storage.IterOptions{Lower: []byte("c"), Upper: []byte("h")}
	walk(t, s, in, first("d"), next("f"), next(""))
	walk(t, s, in, last("f"), prev("d"), prev(""))
	walk(t, s, in, seekGE("a", "d"), seekGE("g", ""), seekGE("z", ""), seekLT("z", "f"), seekLT("d", ""), seekLT("a", ""))
	walk(t, s, storage.IterOptions{Lower: []byte("d")}, first("d"), last("h"), seekGE("a", "d"), seekLT("d", ""))
	walk(t, s, storage.IterOptions{Upper: []byte("d")}, first("b"), last("b"), seekGE("d", ""), seekLT("z", "b"))
	walk(t, s, storage.IterOptions{Lower: []byte("d"), Upper: []byte("d")}, first(""), last(""), seekGE("d", ""), seekLT("z", ""))
	walk(t, s, storage.IterOptions{Lower: []byte("f"), Upper: []byte("d")}, first(""), last(""), seekGE("e", ""), seekLT("e", ""))

	lower, upper := []byte("c"), []byte("h")
	it, err := s.NewIter(storage.IterOptions{Lower: lower, Upper: upper})
	must(t, err)
	copy(lower, "a") // the slices may be reused
	copy(upper, "z")
	if !it.First() || string(it.Key()) != "d" || !it.Last() || string(it.Key()) != "f" {
		t.Error("bounds were not copied")
	}
	must(t, it.Close())
}

func testIterIsAPoint(t *testing.T, open Open) {
	s := opened(t, open)
	fill(t, s, "b", "d")
	it, err := s.NewIter(storage.IterOptions{})
	must(t, err)
	if !it.First() {
		t.Fatal("First is false")
	}
	set(t, s, "a", "new", "c", "new", "d", "new")
	commit(t, s, func(x storage.Txn) { must(t, x.Delete([]byte("b"))) })
	if string(it.Key()) != "b" || !it.Next() || string(it.Key()) != "d" || string(it.Value()) != "vd" || it.Next() {
		t.Error("later commits show in an iterator")
	}
	must(t, it.Close())
	wantAll(t, s, "a=new", "c=new", "d=new")
}

// testIterRandomWalk compares random moves with positions in a sorted slice, over data that lies in many layers: written,
// overwritten, merged, deleted one by one and by range.
func testIterRandomWalk(t *testing.T, open Open) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, 0))
	s := opened(t, open)
	model := map[string]string{}
	key := func() string { return fmt.Sprintf("%03d", r.IntN(400)) }
	for range 60 {
		commit(t, s, func(x storage.Txn) {
			for range 20 {
				k := key()
				must(t, x.Set([]byte(k), []byte("v"+k)))
				model[k] = "v" + k
			}
			k := key()
			must(t, x.Delete([]byte(k)))
			delete(model, k)
			lo := key()
			hi := lo + "~"
			must(t, x.DeleteRange([]byte(lo), []byte(hi)))
			delete(model, lo)
			k = key()
			must(t, x.Delete([]byte(k)))
			must(t, x.Merge([]byte(k), []byte("v"+k)))
			model[k] = "v" + k
		})
	}
	keys := sortedKeys(model)
	for range 30 {
		lo, hi := 0, len(keys)
		var o storage.IterOptions
		if r.IntN(2) == 0 {
			o.Lower = []byte(key())
			lo = sort.SearchStrings(keys, string(o.Lower))
		}
		if r.IntN(2) == 0 {
			o.Upper = []byte(key())
			hi = max(lo, sort.SearchStrings(keys, string(o.Upper)))
		}
		walk(t, s, o, randomMoves(r, keys[lo:hi], key)...)
	}
	if t.Failed() {
		t.Logf("seed %d", seed)
	}
}

// randomMoves plans moves over keys and what they must lead to.
func randomMoves(r *rand.Rand, keys []string, key func() string) []move {
	at := -1
	to := func(i int) string {
		if at = min(max(i, -1), len(keys)); at < 0 || at == len(keys) {
			at = -1
			return ""
		}
		return keys[at]
	}
	moves := make([]move, 0, 60)
	for range cap(moves) {
		switch k := key(); r.IntN(8) {
		case 0:
			moves = append(moves, first(to(0)))
		case 1:
			moves = append(moves, last(to(len(keys)-1)))
		case 2:
			moves = append(moves, seekGE(k, to(sort.SearchStrings(keys, k))))
		case 3:
			moves = append(moves, seekLT(k, to(sort.SearchStrings(keys, k)-1)))
		case 4, 5:
			if at < 0 {
				moves = append(moves, next(""))
			} else {
				moves = append(moves, next(to(at+1)))
			}
		default:
			if at < 0 {
				moves = append(moves, prev(""))
			} else {
				moves = append(moves, prev(to(at-1)))
			}
		}
	}
	return moves
}

func testSnapshot(t *testing.T, open Open) {
	s := opened(t, open)
	set(t, s, "a", "1", "b", "1")
	snap := s.Snapshot()
	set(t, s, "a", "2", "c", "2")
	commit(t, s, func(x storage.Txn) { must(t, x.DeleteRange([]byte("b"), []byte("c"))) })
	wantGet(t, snap, "a", "1")
	wantGet(t, snap, "b", "1")
	wantNone(t, snap, "c")
	wantAll(t, snap, "a=1", "b=1")
	wantAll(t, s, "a=2", "c=2")
	it, err := snap.NewIter(storage.IterOptions{})
	must(t, err)
	must(t, snap.Close())
	if !it.First() || string(it.Value()) != "1" || !it.Next() || string(it.Key()) != "b" {
		t.Error("an iterator ended with its snapshot")
	}
	must(t, it.Close())
	must(t, snap.Close())
	_, err = snap.Get([]byte("a"))
	wantErr(t, "Get of a closed snapshot", err, storage.ErrClosed)
	_, err = snap.NewIter(storage.IterOptions{})
	wantErr(t, "NewIter of a closed snapshot", err, storage.ErrClosed)
}
