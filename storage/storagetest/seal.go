package storagetest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/meridiandb/meridian/storage"
)

// testSealIsAtomic has readers look for a commit of which they see a part.
func testSealIsAtomic(t *testing.T, open Open) {
	s := opened(t, open)
	set(t, s, "a", "", "m", "", "z", "")
	done := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				snap := s.Snapshot()
				all, err := dump(snap, storage.IterOptions{})
				if err != nil || len(all) != 3 || all[0][2:] != all[1][2:] || all[0][2:] != all[2][2:] {
					t.Errorf("a snapshot shows %q, %v", all, err)
				}
				if err := snap.Close(); err != nil {
					t.Error(err)
				}
				if all, err := dump(s, storage.IterOptions{}); err != nil || len(all) != 3 || all[0][2:] != all[2][2:] {
					t.Errorf("an iterator shows %q, %v", all, err)
				}
			}
		})
	}
	for w := range 4 {
		writers.Go(func() {
			for i := range 200 {
				v := fmt.Appendf(nil, "%d/%d", w, i)
				x := begin(t, s)
				_ = x.Set([]byte("a"), v)
				_ = x.Set([]byte("m"), v)
				_, err := x.Commit(func(w storage.Writer) error { return w.Set([]byte("z"), v) })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
}

func testSealError(t *testing.T, open Open) {
	s := opened(t, open)
	set(t, s, "a", "1")
	refusal := errors.New("refused")
	x := begin(t, s, "a")
	must(t, x.Set([]byte("a"), []byte("2")))
	d, err := x.Commit(func(w storage.Writer) error {
		must(t, w.Set([]byte("b"), []byte("2")))
		return refusal
	})
	if err != refusal || d != nil {
		t.Errorf("Commit = %v, %v, want nil and the seal's error as it is", d, err)
	}
	wantAll(t, s, "a=1")
	begin(t, s, "a").Discard() // the key is free
}

func testSealPanic(t *testing.T, open Open) {
	s := opened(t, open)
	undone := false
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		x := begin(t, s, "a")
		must(t, x.Set([]byte("a"), []byte("2")))
		_, _ = x.Commit(func(w storage.Writer) error {
			w.(storage.Sealer).OnAbort(func() { undone = true })
			panic("bug above")
		})
	}()
	if !undone {
		t.Error("OnAbort was not called")
	}
	set(t, s, "b", "1") // neither the key nor the commit order is held for ever
	begin(t, s, "a").Discard()
	wantAll(t, s, "b=1")
}

// testSealOrder numbers commits inside seal, without a lock of its own: the race detector sees if two seals overlap. Whoever
// looks sees numbers without a gap, from the first.
func testSealOrder(t *testing.T, open Open) {
	s := opened(t, open)
	const writers, each = 8, 100
	next := uint64(0)
	done := make(chan struct{})
	var readers, wg sync.WaitGroup
	readers.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				wantNoGap(t, s)
			}
		}
	})
	for range writers {
		wg.Go(func() {
			for range each {
				x := begin(t, s)
				mine := uint64(0)
				d, err := x.Commit(func(w storage.Writer) error {
					next++
					mine = next
					return w.Set(binary.BigEndian.AppendUint64(nil, mine), nil)
				})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := s.Get(binary.BigEndian.AppendUint64(nil, mine)); err != nil {
					t.Errorf("commit %d is not visible after Commit: %v", mine, err)
				}
				if err := d.Wait(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	close(done)
	readers.Wait()
	if n := wantNoGap(t, s); n != writers*each {
		t.Errorf("%d commits, want %d", n, writers*each)
	}
}

func wantNoGap(t testing.TB, s storage.Store) (n uint64) {
	snap := s.Snapshot()
	defer snap.Close()
	it, err := snap.NewIter(storage.IterOptions{})
	if err != nil {
		t.Error(err)
		return 0
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		if n++; binary.BigEndian.Uint64(it.Key()) != n {
			t.Errorf("a snapshot shows number %d after %d", binary.BigEndian.Uint64(it.Key()), n-1)
		}
	}
	if err := it.Err(); err != nil {
		t.Error(err)
	}
	return n
}

func testOnAbort(t *testing.T, open Open) {
	s := opened(t, open)
	for _, fails := range []bool{true, false} {
		var undone []int
		x := begin(t, s)
		_, err := x.Commit(func(w storage.Writer) error {
			for i := range 3 {
				w.(storage.Sealer).OnAbort(func() { undone = append(undone, i) })
			}
			if fails {
				return errors.New("refused")
			}
			return nil
		})
		if fails && (err == nil || !slices.Equal(undone, []int{2, 1, 0})) {
			t.Errorf("after %v undone %v, want the latest first", err, undone)
		}
		if !fails && (err != nil || undone != nil) {
			t.Errorf("a commit that happened (%v) was undone: %v", err, undone)
		}
	}
}

// testOnAbortOrder takes numbers and gives some back: no other seal runs in between, so none is skipped or given twice.
func testOnAbortOrder(t *testing.T, open Open) {
	s := opened(t, open)
	next := uint64(0)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 3))
			for range 100 {
				fails := r.IntN(2) == 0
				x := begin(t, s)
				_, err := x.Commit(func(w storage.Writer) error {
					next++
					w.(storage.Sealer).OnAbort(func() { next-- })
					if err := w.Set(binary.BigEndian.AppendUint64(nil, next), nil); err != nil || !fails {
						return err
					}
					return errors.New("refused")
				})
				if (err != nil) != fails {
					t.Errorf("Commit: %v, want a failure: %v", err, fails)
				}
			}
		})
	}
	wg.Wait()
	if n := wantNoGap(t, s); n != next {
		t.Errorf("%d commits, %d numbers", n, next)
	}
}
