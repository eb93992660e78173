package repltest

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seeds = flag.Int("seeds", 0, "how many seeds are run; 0: as many as a test may take")
	from  = flag.Int("from", 0, "the first seed")
	seed  = flag.Int("seed", -1, "only this seed")
	runs  = flag.Int("runs", 1, "how often each seed is run")
	load  = flag.Duration("load", 0, "for how long, in virtual time, clients and faults go on; 0: as the seed says")
	logs  = flag.Bool("logs", false, "print what regions log")
	tell  = flag.Bool("trace", false, "print the trace of seeds that pass, too")
)

// TestSeeds runs whole regions through random lives and judges what becomes of them; see doc.go.
func TestSeeds(t *testing.T) {
	if *seeds == 0 {
		*seeds = 16
		if raceDetector {
			*seeds = 4
		}
	}
	first, last := *from, *from+*seeds
	if *seed >= 0 {
		first, last = *seed, *seed+1
	}
	for s := first; s < last; s++ {
		for range *runs {
			t.Run(fmt.Sprint("seed ", s), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { play(t, uint64(s)) })
			})
		}
	}
}

// play is one world from its beginning to its end.
func play(t *testing.T, seed uint64) {
	w := newWorld(seed)
	if !w.failed() {
		w.live()
	}
	w.close()
	if w.failed() || *tell {
		for _, line := range w.trace {
			t.Log(line)
		}
	}
	for _, p := range w.problems {
		t.Errorf("seed %d: %s", seed, p)
	}
	if w.failed() {
		t.Logf("again: go test ./replication/repltest -seed=%d -runs=20", seed)
	}
}

func (w *world) live() {
	time.Sleep(2 * time.Second) // all have heard of all
	rnd := w.chance("policies")
	for i := range 4 {
		policy := []string{lastWriter, attribute, counting}[rnd.IntN(3)]
		at, others := w.nodes[i%len(w.nodes)], w.nodes
		switch i {
		case 1:
			policy = counting // of the counter
		case 3: // one begins with two replicas
			others = w.nodes[:2]
		}
		if err := w.create(at, fmt.Sprint("table", i), policy, others...); err != nil {
			w.fail("%s makes no table: %v", at.name, err)
			return
		}
	}
	w.quiet()
	cs := w.startClients()
	w.clients.Store(cs)
	f := w.startFaults(cs)
	time.Sleep(w.load())
	f.end()
	w.say("all is well from now on")
	if w.ahead.Load() {
		w.aDayPasses()
	}
	time.Sleep(time.Second)
	cs.end()
	w.settle()
	if !w.failed() {
		w.judge(cs)
	}
}
