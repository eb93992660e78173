package storagetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/meridiandb/meridian/storage"
)

// testLatchExcludes adds up under latches, by reading and writing: nothing is lost.
func testLatchExcludes(t *testing.T, open Open) {
	s := opened(t, open)
	const writers, each = 8, 100
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				x := begin(t, s, "sum")
				n := 0
				if v, err := x.Get([]byte("sum")); err == nil {
					n, _ = strconv.Atoi(string(v))
				}
				_ = x.Set([]byte("sum"), []byte(strconv.Itoa(n+1)))
				if _, err := x.Commit(nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	wantGet(t, s, "sum", strconv.Itoa(writers*each))
}

func testLatchFIFO(t *testing.T, open Open) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, open)
		holder := begin(t, s, "k")
		var order []int
		for i := range 10 {
			go func() {
				x := begin(t, s, "k")
				order = append(order, i) // under the latch
				x.Discard()
			}()
			synctest.Wait() // it waits, or has passed by
		}
		if len(order) > 0 {
			t.Errorf("%v got a latch that is held", order)
		}
		holder.Discard()
		synctest.Wait()
		if !slices.IsSorted(order) || len(order) != 10 {
			t.Errorf("latches were given in the order %v", order)
		}
	})
}

func testLatchNoKeys(t *testing.T, open Open) {
	s := opened(t, open)
	held := begin(t, s, "a", "b")
	defer held.Discard()
	set(t, s, "a", "1") // without keys nobody waits; whoever writes undeclared keys knows why
	x := begin(t, s, "c", "c", "c")
	x.Discard()
}

// testLatchNoDeadlock takes random sets of few keys, repeats among them, in random order. A deadlock would hang the test.
func testLatchNoDeadlock(t *testing.T, open Open) {
	s := opened(t, open)
	var wg sync.WaitGroup
	var holders [6]int // by key, under its latch
	for g := range 16 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 11))
			for range 300 {
				var keys []string
				held := map[int]bool{}
				for range 1 + r.IntN(4) {
					k := r.IntN(len(holders))
					keys, held[k] = append(keys, strconv.Itoa(k)), true
				}
				x := begin(t, s, keys...)
				for k := range held {
					if holders[k]++; holders[k] != 1 {
						t.Errorf("key %d has %d holders", k, holders[k])
					}
				}
				for k := range held {
					holders[k]--
				}
				if r.IntN(2) == 0 {
					x.Discard()
				} else if _, err := x.Commit(nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// testLatchCancel gives up while waiting for the second of two keys: the first is free again, those behind move up.
func testLatchCancel(t *testing.T, open Open) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, open)
		a, b := begin(t, s, "a"), begin(t, s, "b")
		reason := errors.New("gave up")
		ctx, cancel := context.WithCancelCause(context.Background())
		var canceled error
		go func() { _, canceled = s.Begin(ctx, []byte("a"), []byte("b")) }()
		synctest.Wait()
		behind := 0
		for _, k := range []string{"a", "b"} {
			go func() {
				begin(t, s, k).Discard()
				behind++
			}()
			synctest.Wait()
		}
		cancel(reason)
		synctest.Wait()
		if !errors.Is(canceled, reason) {
			t.Errorf("Begin: %v, want the context's cause", canceled)
		}
		if behind != 0 {
			t.Errorf("%d got a latch that is held", behind)
		}
		a.Discard()
		synctest.Wait()
		b.Discard()
		synctest.Wait()
		if behind != 2 {
			t.Errorf("%d of 2 who waited behind got their latch", behind)
		}
		// An ended context does not refuse what needs no wait.
		x, err := s.Begin(ctx, []byte("a"), []byte("b"))
		must(t, err)
		x.Discard()
	})
}

func testLatchReleased(t *testing.T, open Open) {
	s := opened(t, open)
	for name, end := range map[string]func(storage.Txn){
		"commit":     func(x storage.Txn) { _, err := x.Commit(nil); must(t, err) },
		"discard":    func(x storage.Txn) { x.Discard() },
		"seal error": func(x storage.Txn) { _, _ = x.Commit(func(storage.Writer) error { return fmt.Errorf("no") }) },
	} {
		end(begin(t, s, "a", "b"))
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		x, err := s.Begin(ctx, []byte("b"), []byte("a"))
		if err != nil {
			t.Errorf("after %s the keys are held", name)
			continue
		}
		x.Discard()
	}
}
