package region

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/region/table"
)

// TestCountsAreRightAgain after crashes, while writes go on; and after a stop in good order they are right from the start.
func TestCountsAreRightAgain(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		seed := newSeed(t)
		w := newWorld(t, seed, true, east, west)
		defer w.close()
		w.create(east, "T")
		w.addReplica(east, "T", west)
		w.create(west, "own")
		for round := range 4 {
			end := writeHere(w, east, "T", seed+uint64(round))
			time.Sleep(time.Duration(w.intN(1000)) * time.Millisecond)
			if w.intN(2) == 0 {
				if err := w.at(west).saveCounts(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Duration(w.intN(500)) * time.Millisecond)
			}
			w.crash(west)
			w.start(west)
			w.eventually("west counts anew under writes", func() bool { return len(w.at(west).uncounted.list()) == 0 })
			end()
			w.eventually("equal", func() bool { return w.equal("T", east, west) })
			for _, at := range []string{east, west} {
				if got, want := tableCount(w, at, "T"), counted(w, at, "T"); got != want {
					t.Errorf("round %d: %s counts %+v and has %+v", round, at, got, want)
				}
			}
		}
		want := counted(w, west, "T")
		w.stop(west)
		w.start(west)
		if got, doubtful := tableCount(w, west, "T"), w.at(west).uncounted.list(); got != want || len(doubtful) > 0 {
			t.Errorf("after a stop in good order: %+v and not %+v, in doubt %v", got, want, doubtful)
		}
	})
}

// writeHere puts and removes things at random until it is told to end.
func writeHere(w *world, at, name string, seed uint64) (end func()) {
	var writers sync.WaitGroup
	done := make(chan struct{})
	for i := range 3 {
		g := rand.New(rand.NewPCG(seed, uint64(i)))
		writers.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Duration(1+g.IntN(100)) * time.Millisecond):
				}
				key, err := fmt.Sprint("k", g.IntN(300)), error(nil)
				if g.IntN(3) == 0 {
					err = w.remove(at, name, key)
				} else {
					err = w.put(at, name, key, g.IntN(1_000_000))
				}
				if err != nil {
					w.t.Error(err)
				}
			}
		})
	}
	return func() {
		close(done)
		writers.Wait()
	}
}

func tableCount(w *world, at, name string) table.Count {
	r := w.at(at)
	return r.engine.Count(r.catalog.Lookup(name).ID)
}

// counted reads the whole table.
func counted(w *world, at, name string) (c table.Count) {
	for _, state := range w.dump(at, name) {
		if x := conflict.TrustedState(state).Item(); !x.IsZero() {
			c.Items++
			c.Bytes += int64(x.Size())
		}
	}
	return c
}
