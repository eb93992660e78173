package repltest

import (
	"math/rand/v2"
	"path"
	"runtime"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// disk is a region's disk during one life. It can lose power at a sync, just before that takes effect: of what was not
// synced until then nothing, some or all survives. It can break, and be full.
type disk struct {
	mem  *vfs.MemFS
	rnd  *rand.Rand // under mu
	slow int        // how often a sync lets others go ahead, at most

	mu     sync.Mutex
	syncs  int
	at     int        // power is cut at this sync; 0: at none
	cut    func()     // called once, at that moment
	left   *vfs.MemFS // what the cut left
	ill    illness
	broken bool // an operation has failed
	full   bool
}

// illness is what goes wrong with a disk: all operations of some kinds on files of a name fail, after some that do not.
type illness struct {
	kinds []errorfs.OpKind
	file  string // pattern of path.Match on the base name; empty: all is well
	after int
	once  bool // it works again at once: the store must not believe it
}

var (
	diskWrites = []errorfs.OpKind{errorfs.OpFileWrite, errorfs.OpFileWriteAt}
	diskSyncs  = []errorfs.OpKind{errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo}

	// illnesses are those that a store must not survive.
	illnesses = []illness{{kinds: diskWrites, file: "*.log"}, {kinds: diskSyncs, file: "*.log"}}
)

func (d *disk) fs() vfs.FS { return &diskFS{errorfs.Wrap(d.mem, errorfs.InjectorFunc(d.op)), d} }

// diskFS is errorfs with the names of files that are used again, as logs are, and with a size.
type diskFS struct {
	*errorfs.FS
	d *disk
}

func (f *diskFS) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(old, name, c)
	if err != nil {
		return nil, err
	}
	return errorfs.WrapFile(file, errorfs.InjectorFunc(func(o errorfs.Op) error {
		o.Path = name
		return f.d.op(o)
	})), nil
}

// reserve is what a store keeps free.
const reserve = 1 << 20

func (f *diskFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	u := vfs.DiskUsage{TotalBytes: 1 << 30, AvailBytes: 1 << 29}
	if f.d.full {
		u.AvailBytes = reserve / 2
	}
	u.UsedBytes = u.TotalBytes - u.AvailBytes
	return u, nil
}

func (d *disk) op(o errorfs.Op) error {
	if d.fails(o) {
		return syscall.EIO
	}
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

// fails reports whether an operation meets the illness.
func (d *disk) fails(o errorfs.Op) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ill.file == "" || d.ill.once && d.broken {
		return false
	}
	for _, k := range d.ill.kinds {
		if ok, _ := path.Match(d.ill.file, path.Base(o.Path)); ok && k == o.Kind {
			d.ill.after--
			d.broken = d.broken || d.ill.after < 0
			return d.ill.after < 0
		}
	}
	return false
}

// sicken has the disk break soon.
func (d *disk) sicken(i illness) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ill = i
}

// failing reports whether an error has to do with what the disk does to the store.
func (d *disk) failing() (broken, full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.broken, d.full
}

func (d *disk) fill(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
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
