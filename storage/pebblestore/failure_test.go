package pebblestore_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/pebblestore"
)

// fault is what a disk does wrong: to operations of some kinds on files of a name.
type fault struct {
	kinds []errorfs.OpKind
	file  string // pattern of path.Match on the base name
	err   error
	once  bool // the disk works again at once: the store must not believe it

	armed atomic.Bool
	hits  atomic.Int32
}

func (f *fault) String() string { return f.file }

// MaybeError makes the fault an errorfs.Injector.
func (f *fault) MaybeError(op errorfs.Op) error {
	if !f.armed.Load() {
		return nil
	}
	for _, k := range f.kinds {
		if ok, _ := path.Match(f.file, path.Base(op.Path)); ok && k == op.Kind {
			if f.hits.Add(1) > 1 && f.once {
				return nil
			}
			return f.err
		}
	}
	return nil
}

// breakable is a file system with a fault. errorfs forgets files that are used again, as logs are.
func breakable(fs vfs.FS, f *fault) vfs.FS { return &breakableFS{errorfs.Wrap(fs, f), f} }

type breakableFS struct {
	*errorfs.FS
	fault *fault
}

func (b *breakableFS) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := b.FS.ReuseForWrite(old, name, c)
	if err != nil {
		return nil, err
	}
	named := errorfs.InjectorFunc(func(op errorfs.Op) error {
		op.Path = name
		return b.fault.MaybeError(op)
	})
	return errorfs.WrapFile(file, named), nil
}

// failures counts how often the store says that it has failed.
type failures struct {
	slog.Handler
	n *atomic.Int32
}

func (h failures) Enabled(context.Context, slog.Level) bool { return true }
func (h failures) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "the store has failed" {
		h.n.Add(1)
	}
	return nil
}

var (
	creates = []errorfs.OpKind{errorfs.OpCreate, errorfs.OpReuseForWrite}
	writes  = []errorfs.OpKind{errorfs.OpFileWrite, errorfs.OpFileWriteAt}
	syncs   = []errorfs.OpKind{errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo}
	reads   = []errorfs.OpKind{errorfs.OpFileReadAt, errorfs.OpFileRead}
)

// TestDiskFails breaks the disk in every place that matters while goroutines commit and read. The store fails once and for
// good, nobody hangs (the bubble would say so), nothing panics, and what was acknowledged survives.
func TestDiskFails(t *testing.T) {
	eio := syscall.EIO
	for _, c := range []struct {
		name  string
		kinds []errorfs.OpKind
		file  string
		err   error
	}{
		{"WAL write", writes, "*.log", eio},
		{"WAL sync", syncs, "*.log", eio},
		{"WAL create", creates, "*.log", eio},
		{"WAL write, disk full", writes, "*.log", syscall.ENOSPC},
		{"folder sync", syncs, "data", eio},
		{"table create", creates, "*.sst", eio},
		{"table write", writes, "*.sst", eio},
		{"table sync", syncs, "*.sst", eio},
		{"table read", reads, "*.sst", eio},
		{"MANIFEST write", writes, "MANIFEST-*", eio},
		{"MANIFEST sync", syncs, "MANIFEST-*", eio},
	} {
		for _, once := range []bool{false, true} {
			if once && c.name == "table read" {
				continue // a reader may be the one who meets it: he gets the error, and the store goes on
			}
			t.Run(fmt.Sprintf("%s, once %v", c.name, once), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					diskFails(t, &fault{kinds: c.kinds, file: c.file, err: c.err, once: once})
				})
			})
		}
	}
}

func diskFails(t *testing.T, f *fault) {
	fs := vfs.NewCrashableMem()
	said := new(atomic.Int32)
	s := open(t, breakable(fs, f), "data", pebblestore.Options{
		MemTableBytes: 16 << 10, Logger: slog.New(failures{slog.DiscardHandler, said}),
	})
	n := &numbered{s: s, weight: 1000}
	it, err := s.NewIter(storage.IterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var users sync.WaitGroup
	user := func(use func() error) {
		users.Go(func() {
			for {
				time.Sleep(time.Millisecond) // all wake together; and nobody hogs a mutex while the bubble's clock stands
				err := use()
				if errors.Is(err, storage.ErrFailed) && errors.Is(err, f.err) {
					return
				}
				if err != nil && !errors.Is(err, f.err) { // the first read that meets the disk has the bare error
					t.Errorf("%v matches neither ErrFailed nor %v", err, f.err)
					return
				}
			}
		})
	}
	var commits atomic.Int32
	for range 6 {
		user(func() error {
			if commits.Add(1) == 100 {
				f.armed.Store(true)
			}
			return n.commit()
		})
	}
	user(func() error {
		snap := s.Snapshot()
		defer snap.Close()
		_, err := check(snap)
		return err
	})
	user(func() error {
		snap := s.Snapshot()
		defer snap.Close()
		_, err := snap.Get([]byte("no such key"))
		if storage.IsNotFound(err) {
			err = nil
		}
		return err
	})
	users.Wait()
	<-s.Done()
	time.Sleep(10 * time.Second) // what Pebble tries again and again must not bring it down
	allFail(t, s, it)
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := s.Close(); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	if got := said.Load(); got != 1 {
		t.Errorf("the store failed %d times", got)
	}
	for _, percent := range []int{0, 100} {
		recovered(t, fs.CrashClone(crashConfig(percent)), n.acknowledged())
	}
}

// allFail wants every call to return the failure; it is an iterator from before.
func allFail(t *testing.T, s *pebblestore.Store, it storage.Iter) {
	t.Helper()
	if it.First() || it.Last() || it.SeekGE([]byte("a")) || it.SeekLT([]byte("z")) || it.Valid() {
		t.Error("an iterator goes on")
	}
	snap := s.Snapshot()
	for what, call := range map[string]func() error{
		"Err":          s.Err,
		"Get":          func() error { _, err := s.Get([]byte("a")); return err },
		"NewIter":      func() error { _, err := s.NewIter(storage.IterOptions{}); return err },
		"Begin":        func() error { _, err := s.Begin(context.Background(), []byte("a")); return err },
		"Checkpoint":   func() error { return s.Checkpoint("copy") },
		"DiskUsage":    func() error { _, err := s.DiskUsage(); return err },
		"Snapshot.Get": func() error { _, err := snap.Get([]byte("a")); return err },
		"Iter.Err":     it.Err,
		"Iter.Close":   func() error { err := it.Err(); _ = it.Close(); return err },
	} {
		if err := call(); !errors.Is(err, storage.ErrFailed) {
			t.Errorf("%s: %v, want ErrFailed", what, err)
		}
	}
	_ = snap.Close()
	_ = s.Metrics()
}

// TestSyncFailsWhileClosing has the sync of a commit fail after Close began: it must not pass for durable.
func TestSyncFailsWhileClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fault{kinds: syncs, file: "*.log", err: syscall.EIO}
		s := open(t, breakable(vfs.NewCrashableMem(), f), "data", pebblestore.Options{})
		x, err := s.Begin(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		closed := make(chan error, 1)
		go func() { closed <- s.Close() }()
		synctest.Wait()
		f.armed.Store(true)
		if err := x.Set([]byte("a"), nil); err != nil {
			t.Fatal(err)
		}
		d, err := x.Commit(nil)
		if err == nil {
			err = d.Wait()
		}
		if !errors.Is(err, storage.ErrFailed) {
			t.Errorf("Wait: %v, want ErrFailed", err)
		}
		if err := <-closed; !errors.Is(err, storage.ErrFailed) {
			t.Errorf("Close: %v, want the failure that nobody else would hear of", err)
		}
	})
}

// TestOpenFails breaks the disk under Open: it says why and leaves no lock behind. (Pebble 2.1.7 leaves a
// goroutine behind, the granter of its compaction scheduler.)
func TestOpenFails(t *testing.T) {
	for _, f := range []*fault{
		{kinds: creates, file: "*", err: syscall.EIO},
		{kinds: creates, file: "*.log", err: syscall.EIO},
		{kinds: syncs, file: "data", err: syscall.EIO},
		{kinds: writes, file: "MANIFEST-*", err: syscall.ENOSPC},
		{kinds: syncs, file: "MANIFEST-*", err: syscall.EIO},
		{kinds: []errorfs.OpKind{errorfs.OpMkdirAll}, file: "data", err: syscall.EACCES},
	} {
		fs := vfs.NewCrashableMem()
		f.armed.Store(true)
		_, err := pebblestore.Open("data", pebblestore.Options{FS: breakable(fs, f)})
		if !errors.Is(err, f.err) || !strings.HasPrefix(err.Error(), "open store in data: ") {
			t.Errorf("Open with a broken %s: %v, want %v", f, err, f.err)
		}
		f.armed.Store(false)
		recovered(t, breakable(fs, f), 0)
	}
}

// TestCheckpointFails breaks the disk that a checkpoint goes to, which is not the store's.
func TestCheckpointFails(t *testing.T) {
	for _, kinds := range [][]errorfs.OpKind{creates, writes, syncs} {
		fs := vfs.NewMem()
		f := &fault{kinds: kinds, file: "*", err: syscall.EIO}
		s := open(t, onlyUnder{breakable(fs, f), fs}, "data", pebblestore.Options{})
		n := &numbered{s: s}
		if err := n.commit(); err != nil {
			t.Fatal(err)
		}
		f.armed.Store(true)
		if err := s.Checkpoint("elsewhere/copy"); !errors.Is(err, syscall.EIO) {
			t.Errorf("Checkpoint: %v, want the disk's error", err)
		}
		if err := errors.Join(s.Err(), n.commit()); err != nil {
			t.Errorf("a checkpoint's disk failed the store: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// onlyUnder breaks what lies under elsewhere and nothing else.
type onlyUnder struct {
	vfs.FS // broken
	whole  vfs.FS
}

func (o onlyUnder) of(name string) vfs.FS {
	if strings.HasPrefix(name, "elsewhere/") {
		return o.FS
	}
	return o.whole
}

func (o onlyUnder) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return o.of(name).Create(name, c)
}
func (o onlyUnder) OpenDir(name string) (vfs.File, error) { return o.of(name).OpenDir(name) }
