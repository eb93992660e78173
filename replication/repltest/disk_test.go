package repltest

import (
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// disk is a region's disk during one life. It can lose power at a sync, just before that takes effect: of what was not
// synced until then nothing, some or all survives.
type disk struct {
	mem  *vfs.MemFS
	rnd  *rand.Rand // under mu
	slow int        // how often a sync lets others go ahead, at most

	mu    sync.Mutex
	syncs int
	at    int        // power is cut at this sync; 0: at none
	cut   func()     // called once, at that moment
	left  *vfs.MemFS // what the cut left
}

func (d *disk) fs() vfs.FS { return errorfs.Wrap(d.mem, errorfs.InjectorFunc(d.op)) }

func (d *disk) op(o errorfs.Op) error {
	switch o.Kind {
	case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
	default:
		return nil
	}
	d.mu.Lock()
	d.syncs++
	n, cut := d.syncs, d.at > 0 && d.syncs >= d.at
	if cut {
		d.at = 0
	}
	d.mu.Unlock()
	if cut {
		d.cut()
	}
	// A sync lets others go ahead, but takes no virtual time: some wait for it with a lock, and who waits for a lock keeps
	// virtual time from passing.
	for range n * 7919 % (d.slow + 1) {
		runtime.Gosched()
	}
	return nil
}

// count is how many syncs there were.
func (d *disk) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.syncs
}

// arm has the power cut at the k-th sync from now, k > 0.
func (d *disk) arm(k int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = d.syncs + k
}

// clone is what a power cut leaves now.
func (d *disk) clone() *vfs.MemFS {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mem.CrashClone(vfs.CrashCloneCfg{
		UnsyncedDataPercent: []int{0, 30, 70, 100}[d.rnd.IntN(4)], RNG: rand.New(rand.NewPCG(d.rnd.Uint64(), 1)),
	})
}
