package repltest

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/replication"
	"github.com/meridiandb/meridian/replication/member"
	"github.com/meridiandb/meridian/replication/repltest/fakenet"
)

// world is all regions and what is between them.
type world struct {
	seed    uint64
	net     *fakenet.Net
	nodes   []*node
	history *history
	began   time.Time
	clients atomic.Pointer[clients]
	steady  atomic.Bool  // nothing moves cursors back
	trimmed atomic.Bool  // some log was cut off: what is mended is mended item by item, and feeds are not
	left    atomic.Bool  // a region has left a table, or was rebuilt: it may have seen a loss and not what the loser became
	resting atomic.Bool  // nothing is on its way
	ahead   atomic.Bool  // a region was a day ahead
	batches atomic.Int64 // that were applied
	age     atomic.Int64 // by how much all clocks were set forward, as if nothing had been on for so long

	mu       sync.Mutex
	trace    []string
	problems []string
	present  map[string]member.Peer
	rosters  map[string]*roster // the newest of each region
	tables   []*tableInfo
	named    map[string]bool // names of tables that were made under way
	expelled map[string]bool // regions that were expelled once
}

var names = []string{"us-east-1", "eu-west-1", "ap-south-1", "sa-east-1", "af-south-1"}

func newWorld(seed uint64) *world {
	w := &world{seed: seed, began: time.Now(), present: map[string]member.Peer{}, rosters: map[string]*roster{}}
	w.history = newHistory(w)
	rnd := w.chance("world")
	w.net = fakenet.New(seed, w.usual())
	count := []int{3, 3, 3, 3, 3, 3, 4, 5}[rnd.IntN(8)]
	for _, name := range names[:count] {
		n := &node{w: w, name: name, busy: make(chan struct{}, 1), mem: vfs.NewCrashableMem()}
		n.slowDisk = []int{0, 20, 200}[rnd.IntN(3)]
		w.nodes = append(w.nodes, n)
	}
	for _, n := range w.nodes {
		n.start()
	}
	return w
}

// chance is a source of randomness of its own for each use, so that one does not move the others.
func (w *world) chance(of ...any) *rand.Rand {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, of...)
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

func (w *world) usual() fakenet.Path {
	rnd := w.chance("paths")
	d := []time.Duration{time.Millisecond, 10 * time.Millisecond, 40 * time.Millisecond}[rnd.IntN(3)]
	return fakenet.Path{Delay: d, Jitter: d / 2}
}

// repairEvery is how often tables are compared: in some worlds never before the end, so that repair hides nothing there.
func (w *world) repairEvery() time.Duration {
	return []time.Duration{-1, 2 * time.Second, 8 * time.Second}[w.chance("repair").IntN(3)]
}

// memTable is small in some worlds, so that there are flushes and compactions; they cost a third of the time.
func (w *world) memTable() uint64 {
	if w.chance("memory").IntN(4) == 0 {
		return 64 << 10
	}
	return 1 << 20
}

// load is for how long clients and faults go on: mostly short, since more worlds find more than longer ones, now and then long.
func (w *world) load() time.Duration {
	if *load > 0 {
		return *load
	}
	rnd := w.chance("load")
	if rnd.IntN(16) == 0 {
		return 15 * time.Second
	}
	return 2*time.Second + time.Duration(rnd.Int64N(int64(4*time.Second)))
}

// floorStep is how soon deletes are forgotten: in a quarter of the worlds never.
func (w *world) floorStep() time.Duration {
	return []time.Duration{200 * time.Millisecond, time.Second, 3 * time.Second, time.Hour}[w.chance("floors").IntN(4)]
}

func (w *world) say(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, fmt.Sprintf("%8.3f ", time.Since(w.began).Seconds())+fmt.Sprintf(format, args...))
}

// maxProblems is how many are kept: the first ones tell the most.
const maxProblems = 20

func (w *world) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.say("PROBLEM: %s", text)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.problems) < maxProblems {
		w.problems = append(w.problems, text)
	}
}

func (w *world) failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.problems) > 0
}

// close ends all that live.
func (w *world) close() {
	for _, n := range w.nodes {
		n.busy <- struct{}{}
		if l := n.at(); l != nil {
			l.end()
		}
		<-n.busy
	}
}

// pause sleeps for a random time below d.
func pause(rnd *rand.Rand, d time.Duration) { time.Sleep(time.Duration(rnd.Int64N(int64(d)))) }

// roster is membership as one life sees it: what happens reaches it a while later.
type roster struct {
	w    *world
	self string

	mu      sync.Mutex
	peers   []member.Peer
	changed chan struct{}
}

var _ replication.Membership = (*roster)(nil)

func (w *world) roster(self string) *roster {
	r := &roster{w: w, self: self, changed: make(chan struct{})}
	w.mu.Lock()
	w.rosters[self] = r
	w.mu.Unlock()
	r.learn()
	return r
}

// announce says how a region is, to each other after a delay of its own.
func (w *world) announce(p member.Peer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.present[p.Region] = p
	rnd := w.chance("announce", p.Region, len(w.trace))
	for _, n := range w.nodes {
		time.AfterFunc(time.Duration(rnd.Int64N(int64(800*time.Millisecond))), func() {
			w.mu.Lock()
			r := w.rosters[n.name]
			w.mu.Unlock()
			if r != nil {
				r.learn()
			}
		})
	}
}

func (r *roster) learn() {
	var now []member.Peer
	r.w.mu.Lock()
	for name, p := range r.w.present {
		if name != r.self {
			now = append(now, p)
		}
	}
	r.w.mu.Unlock()
	slices.SortFunc(now, func(a, b member.Peer) int { return strings.Compare(a.Region, b.Region) })
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(now, r.peers) {
		r.peers = now
		close(r.changed)
		r.changed = make(chan struct{})
	}
}

func (r *roster) Peers() []member.Peer {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.peers)
}

func (r *roster) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

func (r *roster) Close() error { return nil }
