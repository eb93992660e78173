package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/meridiandb/meridian/storage"
)

// Open opens a new, empty store. The suite closes it. It may be called inside a synctest bubble.
type Open func(t testing.TB) storage.Store

// Test runs the suite.
func Test(t *testing.T, open Open) {
	Promises(t, open)
	t.Run("History", func(t *testing.T) { testHistory(t, open) })
}

// Promises runs the suite without the random histories, which open a store a hundred times.
func Promises(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Open)
	}{
		{"Get", testGet},
		{"GetEach", testGetEach},
		{"ArgumentsAreCopied", testArgumentsAreCopied},
		{"ReadsSeeCommittedState", testReadsSeeCommittedState},
		{"LaterWritesWin", testLaterWritesWin},
		{"Merge", testMerge},
		{"MergeOrder", testMergeOrder},
		{"TxnDone", testTxnDone},
		{"Durable", testDurable},
		{"LargeBatch", testLargeBatch},
		{"CheckpointAndUsage", testCheckpointAndUsage},

		{"SealIsAtomic", testSealIsAtomic},
		{"SealError", testSealError},
		{"SealPanic", testSealPanic},
		{"SealOrder", testSealOrder},
		{"OnAbort", testOnAbort},
		{"OnAbortOrder", testOnAbortOrder},

		{"Iter", testIter},
		{"IterBounds", testIterBounds},
		{"IterIsAPoint", testIterIsAPoint},
		{"IterRandomWalk", testIterRandomWalk},
		{"Snapshot", testSnapshot},

		{"LatchExcludes", testLatchExcludes},
		{"LatchFIFO", testLatchFIFO},
		{"LatchNoKeys", testLatchNoKeys},
		{"LatchNoDeadlock", testLatchNoDeadlock},
		{"LatchCancel", testLatchCancel},
		{"LatchReleased", testLatchReleased},

		{"CloseWaits", testCloseWaits},
		{"CloseEndsWaiting", testCloseEndsWaiting},
		{"Closed", testClosed},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open) })
	}
}

// opened opens a store and closes it at the end of the test.
func opened(t testing.TB, open Open) storage.Store {
	t.Helper()
	s := open(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, storage.ErrClosed) {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func begin(t testing.TB, s storage.Store, keys ...string) storage.Txn {
	t.Helper()
	x, err := s.Begin(context.Background(), byteKeys(keys)...)
	if err != nil {
		t.Fatalf("Begin(%q): %v", keys, err)
	}
	return x
}

func byteKeys(keys []string) [][]byte {
	b := make([][]byte, len(keys))
	for i, k := range keys {
		b[i] = []byte(k)
	}
	return b
}

// commit commits what write writes, and waits for the disk.
func commit(t testing.TB, s storage.Store, write func(storage.Txn)) {
	t.Helper()
	x := begin(t, s)
	write(x)
	d, err := x.Commit(nil)
	if err != nil {
		t.Fatalf("Commit: %v", err)
	}
	if err := d.Wait(); err != nil {
		t.Fatalf("Wait: %v", err)
	}
}

// set commits pairs of key and value.
func set(t testing.TB, s storage.Store, pairs ...string) {
	t.Helper()
	commit(t, s, func(x storage.Txn) {
		for i := 0; i < len(pairs); i += 2 {
			must(t, x.Set([]byte(pairs[i]), []byte(pairs[i+1])))
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantGet checks a key's value.
func wantGet(t testing.TB, r storage.Reader, key, want string) {
	t.Helper()
	v, err := r.Get([]byte(key))
	if err != nil || string(v) != want {
		t.Errorf("Get(%q) = %q, %v, want %q", key, v, err, want)
	}
}

func wantNone(t testing.TB, r storage.Reader, key string) {
	t.Helper()
	if v, err := r.Get([]byte(key)); !errors.Is(err, storage.ErrNotFound) || !storage.IsNotFound(err) {
		t.Errorf("Get(%q) = %q, %v, want ErrNotFound", key, v, err)
	}
}

func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

// dump reads everything within bounds, in order, as key=value.
func dump(r storage.Reader, o storage.IterOptions) ([]string, error) {
	it, err := r.NewIter(o)
	if err != nil {
		return nil, err
	}
	var all []string
	for ok := it.First(); ok; ok = it.Next() {
		all = append(all, fmt.Sprintf("%s=%s", it.Key(), it.Value()))
	}
	return all, errors.Join(it.Err(), it.Close())
}

func wantAll(t testing.TB, r storage.Reader, want ...string) {
	t.Helper()
	got, err := dump(r, storage.IterOptions{})
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("contents are %q, %v, want %q", got, err, want)
	}
}
