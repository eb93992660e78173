package repltest

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/replication/member"
	"github.com/meridiandb/meridian/replication/repltest/fakenet"
)

// trios lives through a story with so many seeds, side by side, from -seed on if that is given.
func trios(t *testing.T, runs int, policy string, story func(w *world, tab *tableInfo)) {
	first := 1
	if *seed >= 0 {
		first = *seed
	}
	for s := first; s < first+runs; s++ {
		t.Run(fmt.Sprint("seed ", s), func(t *testing.T) {
			t.Parallel()
			trio(t, uint64(s), policy, story)
		})
	}
}

// trio lives through a story of three regions that share one table; the story says what happens, not chance alone.
func trio(t *testing.T, seed uint64, policy string, story func(w *world, tab *tableInfo)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{seed: seed, began: time.Now(), present: map[string]member.Peer{}, rosters: map[string]*roster{}}
		w.history = newHistory(w)
		w.net = fakenet.New(seed, w.usual())
		for _, name := range names[:3] {
			w.nodes = append(w.nodes, &node{w: w, name: name, busy: make(chan struct{}, 1), mem: vfs.NewCrashableMem()})
		}
		for _, n := range w.nodes {
			n.start()
		}
		time.Sleep(2 * time.Second)
		if err := w.create(w.nodes[0], "t", policy, w.nodes...); err != nil {
			w.fail("no table: %v", err)
		}
		if w.settle(); !w.failed() {
			story(w, w.tables[0])
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
	})
}

// apart cuts regions off from all others, or lets them have them again.
func (w *world) apart(cut bool, nodes ...*node) {
	for _, a := range nodes {
		for _, b := range w.nodes {
			if a != b {
				w.net.Cut(a.name, b.name, cut)
			}
		}
	}
	w.say("%d regions are cut off: %v", len(nodes), cut)
}

// eventually waits, in virtual time, until nothing keeps ok from being empty.
func (w *world) eventually(what string, patience time.Duration, ok func() string) {
	why := ""
	for end := time.Now().Add(patience); time.Now().Before(end) && !w.failed(); time.Sleep(100 * time.Millisecond) {
		if why = ok(); why == "" {
			return
		}
	}
	if !w.failed() {
		w.fail("never: %s: %s", what, why)
	}
}
