package storagetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/meridiandb/meridian/storage"
)

func testGet(t *testing.T, open Open) {
	s := opened(t, open)
	wantNone(t, s, "a")
	set(t, s, "a", "1", "b", "")
	wantGet(t, s, "a", "1")
	wantGet(t, s, "b", "")
	v, err := s.Get([]byte("a"))
	must(t, err)
	v[0] = 'x' // a fresh copy: it is the caller's
	wantGet(t, s, "a", "1")
	commit(t, s, func(x storage.Txn) { must(t, x.Delete([]byte("a"))) })
	wantNone(t, s, "a")
	commit(t, s, func(x storage.Txn) { must(t, x.Delete([]byte("a"))) })
	wantNone(t, s, "a")
}

// testGetEach looks keys up together and one by one, among few and among many, next to each other and apart.
func testGetEach(t *testing.T, open Open) {
	s := opened(t, open)
	rnd := rand.New(rand.NewPCG(1, 1))
	key := func(i int) []byte { return fmt.Appendf(nil, "k%04d", i) }
	for round := range 20 {
		commit(t, s, func(x storage.Txn) {
			must(t, x.DeleteRange([]byte("k"), []byte("l")))
			for range 1 << (round / 2) {
				must(t, x.Set(key(rnd.IntN(1000)), fmt.Appendf(nil, "v%d", rnd.Int())))
			}
			must(t, x.Delete(key(rnd.IntN(1000))))
			must(t, x.Merge(key(rnd.IntN(1000)), []byte("operand")))
		})
		x := begin(t, s)
		for _, step := range []int{1, 1 + rnd.IntN(5), 100, 1000} {
			var keys [][]byte
			for i := rnd.IntN(1000); i < 1000; i += step {
				keys = append(keys, key(i))
			}
			found := make([]int, len(keys))
			must(t, x.GetEach(keys, func(i int, value []byte) error {
				wantGet(t, x, string(keys[i]), string(value))
				found[i]++
				return nil
			}))
			for i, n := range found {
				if n == 0 {
					wantNone(t, x, string(keys[i]))
				} else if n > 1 {
					t.Errorf("%s was found %d times", keys[i], n)
				}
			}
		}
		x.Discard()
	}
	set(t, s, "k1", "1", "k2", "2")
	x := begin(t, s)
	stop := fmt.Errorf("stop")
	calls := 0
	err := x.GetEach(byteKeys([]string{"k1", "k2"}), func(int, []byte) error { calls++; return stop })
	wantErr(t, "GetEach that is stopped", err, stop)
	if calls != 1 {
		t.Errorf("called %d times after an error", calls)
	}
	must(t, x.GetEach(nil, nil))
	x.Discard()
	wantErr(t, "GetEach of a transaction that has ended", x.GetEach(byteKeys([]string{"k1"}), nil), storage.ErrTxnDone)
}

func testArgumentsAreCopied(t *testing.T, open Open) {
	s := opened(t, open)
	k, v := []byte("key"), []byte("value")
	commit(t, s, func(x storage.Txn) {
		must(t, x.Set(k, v))
		copy(k, "kk2")
		copy(v, "VALUE")
		must(t, x.Merge(k, v))
		copy(k, "zzz")
		copy(v, "zzzzz")
	})
	wantAll(t, s, "key=value", "kk2=VALUE")
	lo, hi := []byte("key"), []byte("kez")
	commit(t, s, func(x storage.Txn) {
		must(t, x.DeleteRange(lo, hi))
		copy(lo, "kk0")
		copy(hi, "kk9")
	})
	wantAll(t, s, "kk2=VALUE")
}

func testReadsSeeCommittedState(t *testing.T, open Open) {
	s := opened(t, open)
	set(t, s, "a", "1")
	x := begin(t, s, "a")
	defer x.Discard()
	must(t, x.Set([]byte("a"), []byte("2")))
	must(t, x.Set([]byte("b"), []byte("2")))
	wantAll(t, x, "a=1") // not its own writes
	wantGet(t, x, "a", "1")
	wantNone(t, x, "b")
	wantAll(t, s, "a=1")
	x.Discard()
	wantAll(t, s, "a=1")
}

func testLaterWritesWin(t *testing.T, open Open) {
	for _, c := range []struct {
		name  string
		write func(w storage.Writer) error
		want  []string
	}{
		{"set set", do(wSet("a", "1"), wSet("a", "2")), []string{"a=2", "b=B", "c=C"}},
		{"set delete", do(wSet("a", "1"), wDelete("a")), []string{"b=B", "c=C"}},
		{"delete set", do(wDelete("b"), wSet("b", "1")), []string{"b=1", "c=C"}},
		{"set range", do(wSet("a", "1"), wRange("a", "c")), []string{"c=C"}},
		{"range set", do(wRange("a", "c"), wSet("b", "1")), []string{"b=1", "c=C"}},
		{"range is half open", do(wRange("b", "c")), []string{"c=C"}},
		{"range of nothing", do(wRange("b", "b")), []string{"b=B", "c=C"}},
		{"range upside down", do(wRange("c", "b")), []string{"b=B", "c=C"}},
		{"range from the start", do(wRange("\x00", "c")), []string{"c=C"}},
		{"merge range", do(wMerge("b", "\x01"), wRange("a", "c")), []string{"c=C"}},
		{"range merge", do(wRange("a", "c"), wMerge("b", "x")), []string{"b=x", "c=C"}},
		{"set merge", do(wSet("b", "\x01"), wMerge("b", "\x03")), []string{"b=\x02", "c=C"}},
		{"delete merge", do(wDelete("b"), wMerge("b", "x")), []string{"b=x", "c=C"}},
		{"merge set", do(wMerge("b", "\x01"), wSet("b", "1")), []string{"b=1", "c=C"}},
		{"merge delete", do(wMerge("b", "\x01"), wDelete("b")), []string{"c=C"}},
		{"merge stored", do(wMerge("b", " ")), []string{"b=b", "c=C"}},
		{"range set range set", do(wRange("a", "z"), wSet("b", "1"), wRange("a", "z"), wSet("c", "2")), []string{"c=2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := opened(t, open)
			set(t, s, "b", "B", "c", "C")
			commit(t, s, func(x storage.Txn) { must(t, c.write(x)) })
			wantAll(t, s, c.want...)
		})
	}
}

type writeFunc = func(storage.Writer) error

func do(writes ...writeFunc) writeFunc {
	return func(w storage.Writer) error {
		for _, f := range writes {
			if err := f(w); err != nil {
				return err
			}
		}
		return nil
	}
}

func wSet(k, v string) writeFunc {
	return func(w storage.Writer) error { return w.Set([]byte(k), []byte(v)) }
}

func wDelete(k string) writeFunc {
	return func(w storage.Writer) error { return w.Delete([]byte(k)) }
}

func wRange(lo, hi string) writeFunc {
	return func(w storage.Writer) error { return w.DeleteRange([]byte(lo), []byte(hi)) }
}

func wMerge(k, v string) writeFunc {
	return func(w storage.Writer) error { return w.Merge([]byte(k), []byte(v)) }
}

func testMerge(t *testing.T, open Open) {
	s := opened(t, open)
	merge := func(operand string) {
		t.Helper()
		commit(t, s, func(x storage.Txn) { must(t, x.Merge([]byte("k"), []byte(operand))) })
	}
	merge("\x0f\x0f") // absent: the operand is the value
	wantGet(t, s, "k", "\x0f\x0f")
	merge("\x0f\x0f") // zeros still exist
	wantGet(t, s, "k", "\x00\x00")
	wantAll(t, s, "k=\x00\x00")
	merge("\x01") // the shorter counts as followed by zeros
	wantGet(t, s, "k", "\x01\x00")
	merge("\x01\x02\x03")
	wantGet(t, s, "k", "\x00\x02\x03")
	merge("")
	wantGet(t, s, "k", "\x00\x02\x03")
}

// testMergeOrder merges operands of all lengths in two orders, split over commits at random: the results are equal.
func testMergeOrder(t *testing.T, open Open) {
	s := opened(t, open)
	r := rand.New(rand.NewPCG(1, 2))
	operands := make([][]byte, 60)
	var want []byte
	for i := range operands {
		operands[i] = make([]byte, r.IntN(40))
		for j := range operands[i] {
			operands[i][j] = byte(r.Uint32())
		}
		want = storage.XOR(want, operands[i])
	}
	for _, key := range []string{"one", "two"} {
		for rest := operands; len(rest) > 0; {
			n := 1 + r.IntN(len(rest))
			commit(t, s, func(x storage.Txn) {
				for _, o := range rest[:n] {
					must(t, x.Merge([]byte(key), o))
				}
			})
			rest = rest[n:]
		}
		wantGet(t, s, key, string(want))
		r.Shuffle(len(operands), func(i, j int) { operands[i], operands[j] = operands[j], operands[i] })
	}
}

func testTxnDone(t *testing.T, open Open) {
	s := opened(t, open)
	ends := map[string]func(storage.Txn){
		"commit":  func(x storage.Txn) { _, err := x.Commit(nil); must(t, err) },
		"discard": func(x storage.Txn) { x.Discard() },
		"failure": func(x storage.Txn) { _, _ = x.Commit(func(storage.Writer) error { return fmt.Errorf("no") }) },
	}
	for name, end := range ends {
		x := begin(t, s, "a")
		end(x)
		_, err := x.Get([]byte("a"))
		wantErr(t, name+", Get", err, storage.ErrTxnDone)
		_, err = x.NewIter(storage.IterOptions{})
		wantErr(t, name+", NewIter", err, storage.ErrTxnDone)
		wantErr(t, name+", Set", x.Set([]byte("a"), nil), storage.ErrTxnDone)
		wantErr(t, name+", Delete", x.Delete([]byte("a")), storage.ErrTxnDone)
		wantErr(t, name+", DeleteRange", x.DeleteRange([]byte("a"), []byte("b")), storage.ErrTxnDone)
		wantErr(t, name+", Merge", x.Merge([]byte("a"), nil), storage.ErrTxnDone)
		_, err = x.Commit(func(storage.Writer) error { t.Errorf("%s: sealed again", name); return nil })
		wantErr(t, name+", Commit", err, storage.ErrTxnDone)
		x.Discard()
		x.Discard()
		wantAll(t, s)
	}
}

// testDurable leaves many Waits to other goroutines, empty commits among them.
func testDurable(t *testing.T, open Open) {
	s := opened(t, open)
	var waits sync.WaitGroup
	for i := range 2000 { // more than Pebble syncs at once
		x := begin(t, s)
		if i%3 > 0 {
			must(t, x.Set(fmt.Appendf(nil, "%04d", i), nil))
		}
		d, err := x.Commit(nil)
		must(t, err)
		waits.Go(func() {
			if err := d.Wait(); err != nil {
				t.Errorf("Wait: %v", err)
			}
		})
	}
	waits.Wait()
}

// testLargeBatch commits more at once than memory tables usually hold, and reads it back.
func testLargeBatch(t *testing.T, open Open) {
	s := opened(t, open)
	value := bytes.Repeat([]byte("0123456789abcdef"), 1<<12) // 64 KB
	commit(t, s, func(x storage.Txn) {
		for i := range 64 {
			must(t, x.Set(fmt.Appendf(nil, "%02d", i), value))
		}
	})
	for i := range 64 {
		if v, err := s.Get(fmt.Appendf(nil, "%02d", i)); err != nil || !bytes.Equal(v, value) {
			t.Fatalf("key %02d: %d bytes, %v", i, len(v), err)
		}
	}
}

func testCheckpointAndUsage(t *testing.T, open Open) {
	s := opened(t, open)
	set(t, s, "a", "1")
	if _, err := s.DiskUsage(); err != nil {
		t.Errorf("DiskUsage: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "copy")
	must(t, s.Checkpoint(dir))
	if err := s.Checkpoint(dir); err == nil {
		t.Error("Checkpoint into a folder that exists succeeded")
	}
	set(t, s, "b", "2") // a refused checkpoint harms nothing
	wantAll(t, s, "a=1", "b=2")
}

// sortedKeys returns a map's keys in order.
func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
