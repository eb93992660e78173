package pebblestore_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/pebblestore"
)

// TestNoRoomToFlush fills the disk for everything but the log: commits are refused with ErrFull and nobody waits for ever,
// reads go on, and when there is room again writes resume and nothing is missing.
func TestNoRoomToFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewCrashableMem()
		f := &fault{kinds: []errorfs.OpKind{errorfs.OpCreate, errorfs.OpFileWrite}, file: "*.sst", err: syscall.ENOSPC}
		s := open(t, breakable(fs, f), "data", pebblestore.Options{MemTableBytes: 16 << 10})
		n := &numbered{s: s, weight: 1000}
		must(t, n.commit())
		f.armed.Store(true)
		var users sync.WaitGroup
		for range 6 {
			users.Go(func() {
				for {
					time.Sleep(time.Millisecond)
					if err := n.commit(); errors.Is(err, storage.ErrFull) && !errors.Is(err, storage.ErrFailed) {
						return
					} else if err != nil {
						t.Errorf("Commit: %v, want ErrFull", err)
						return
					}
				}
			})
		}
		users.Wait()
		time.Sleep(10 * time.Second) // refused as long as it lasts, give or take a breath
		if count, err := check(s); err != nil || count < n.acknowledged() {
			t.Errorf("reads on a full disk: %d, %v", count, err)
		}
		must(t, s.Err())
		f.armed.Store(false)
		time.Sleep(time.Second)
		for range 100 {
			must(t, n.commit())
		}
		must(t, s.Close())
		recovered(t, fs.CrashClone(vfs.CrashCloneCfg{}), n.acknowledged())
	})
}

// TestReserve refuses commits while less than the reserve is free.
func TestReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30, TotalBytes: 10 << 30})
		s := open(t, fs, "data", pebblestore.Options{})
		n := &numbered{s: s}
		must(t, n.commit())
		fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 200 << 20, TotalBytes: 10 << 30})
		time.Sleep(2 * time.Second)
		sealed := false
		x, err := s.Begin(context.Background(), []byte("a"))
		must(t, err)
		_, err = x.Commit(func(storage.Writer) error { sealed = true; return nil })
		if !errors.Is(err, storage.ErrFull) || errors.Is(err, storage.ErrFailed) || sealed {
			t.Errorf("Commit: %v, sealed %v, want ErrFull", err, sealed)
		}
		if err == nil || !strings.HasSuffix(err.Error(), "200 MB free, 256 MB are kept in reserve") {
			t.Errorf("Commit says %v", err)
		}
		if _, err := check(s); err != nil {
			t.Errorf("reads: %v", err)
		}
		fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 300 << 20, TotalBytes: 10 << 30})
		must(t, n.commit()) // at once: while it refuses, it measures every time
		must(t, s.Close())
	})
}

// TestPressure holds flushes back: commits wait before memory is full, without end, and go on when flushes do; or they end
// with the store's failure.
func TestPressure(t *testing.T) {
	for _, fails := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			fs := vfs.NewCrashableMem()
			hold := &gateFS{FS: fs, open: make(chan struct{})}
			s := open(t, hold, "data", pebblestore.Options{MemTableBytes: 64 << 10})
			n := &numbered{s: s, weight: 1000}
			const each = 200
			var users sync.WaitGroup
			done, failed := 0, 0
			var mu sync.Mutex
			for range 4 {
				users.Go(func() {
					for range each {
						err := n.commit()
						mu.Lock()
						if done++; err != nil {
							failed++
						}
						mu.Unlock()
						if err != nil {
							if !errors.Is(err, storage.ErrFailed) {
								t.Errorf("Commit: %v", err)
							}
							return
						}
					}
				})
			}
			synctest.Wait()
			mu.Lock()
			if done < 100 || done > 400 {
				t.Errorf("%d commits of 1 KB fit in memory tables of 4 × 64 KB", done)
			}
			mu.Unlock()
			if _, err := check(s); err != nil {
				t.Errorf("reads while writes wait: %v", err)
			}
			if fails {
				hold.err = syscall.EIO
			}
			close(hold.open)
			users.Wait()
			if fails != (failed == 4) || !fails && done != 4*each {
				t.Errorf("%d commits, %d failed", done, failed)
			}
			must(t, s.Close())
			recovered(t, fs.CrashClone(vfs.CrashCloneCfg{}), n.acknowledged())
		})
	}
}

// gateFS makes the creation of sorted files wait, and then perhaps fail.
type gateFS struct {
	vfs.FS
	open chan struct{}
	err  error // set before open is closed
}

func (g *gateFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasSuffix(name, ".sst") {
		if <-g.open; g.err != nil {
			return nil, g.err
		}
	}
	return g.FS.Create(name, c)
}
