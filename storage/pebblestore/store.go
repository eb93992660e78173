package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
)

// Store is a storage.Store on Pebble.
type Store struct {
	db      *pebble.DB
	logger  *slog.Logger
	health  *health
	fence   *fence
	space   *space
	watch   io.Closer // of slow disks
	gate    storage.Gate
	latches *storage.Latches

	// commit is the lock that fixes commit order, as a channel so that waiting for it can end with the store. Its holder
	// alone seals and applies, and uses what space keeps under it.
	commit chan struct{}
}

var _ storage.Store = (*Store)(nil)

// slowDisk is how long a write may take before it is reported.
const slowDisk = 5 * time.Second

// Open opens the store in a folder, or makes it. The folder must not be open elsewhere, nor written by a newer program.
func Open(dir string, o Options) (*Store, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Store{
		logger: o.Logger, health: newHealth(o.Logger), latches: storage.NewLatches(),
		watch: io.NopCloser(nil), commit: make(chan struct{}, 1),
	}
	if o.FS == nil {
		o.FS, s.watch = vfs.WithDiskHealthChecks(vfs.Default, slowDisk, nil, func(i vfs.DiskSlowInfo) {
			o.Logger.Warn("the disk is slow", "detail", i.String())
		})
	}
	s.space = &space{fs: o.FS, dir: dir, reserve: o.ReserveBytes}
	s.fence = &fence{FS: o.FS, health: s.health, space: s.space, closing: make(chan struct{})}
	if err := s.openPebble(dir, o); err != nil {
		return nil, errors.Join(fmt.Errorf("open store in %s: %w", dir, err), s.watch.Close())
	}
	s.fence.opened.Store(true)
	return s, nil
}

func (s *Store) openPebble(dir string, o Options) error {
	if err := makeDir(o.FS, dir); err != nil {
		return err
	}
	lock, err := pebble.LockDirectory(dir, o.FS)
	if err != nil {
		if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
			return fmt.Errorf("another process has it open (%w)", err)
		}
		return fmt.Errorf("lock: %w", err)
	}
	err = checkFormat(o.FS, dir)
	if err == nil {
		cache := pebble.NewCache(o.CacheBytes)
		defer cache.Unref()
		options := s.pebbleOptions(o, cache)
		options.Lock = lock
		s.db, err = pebble.Open(dir, options)
	}
	// Pebble holds the lock from here on by its own reference, if it opened.
	err = errors.Join(classify("store", err), lock.Close())
	if failure := s.health.Err(); err == nil && failure != nil { // behind the fence Open seemed to succeed
		return errors.Join(failure, s.db.Close())
	}
	return err
}

// makeDir makes a folder, durably if its parent was there.
func makeDir(f vfs.FS, dir string) error {
	if _, err := f.Stat(dir); err == nil {
		return nil
	}
	if err := f.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return syncDir(f, f.PathDir(dir))
}

// enter lets a call in; gate.Leave lets it out.
func (s *Store) enter() error {
	if !s.gate.Enter() {
		return storage.ErrClosed
	}
	if err := s.health.Err(); err != nil {
		s.gate.Leave()
		return err
	}
	return nil
}

// Begin waits for the keys' latches.
func (s *Store) Begin(ctx context.Context, keys ...[]byte) (storage.Txn, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	held, err := s.latches.Acquire(ctx, s.health.Done(), keys)
	if err != nil {
		s.gate.Leave()
		if failure := s.health.Err(); failure != nil {
			err = failure
		}
		return nil, err
	}
	return &txn{store: s, held: held, batch: s.db.NewBatch()}, nil
}

// Checkpoint writes a copy of the store into a new folder, sharing files where the file system can link them.
func (s *Store) Checkpoint(dir string) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	if err := s.db.Checkpoint(dir, pebble.WithFlushedWAL()); err != nil {
		return fmt.Errorf("checkpoint to %s: %w", dir, classify("checkpoint", err))
	}
	return writeFormat(s.fence, dir)
}

// DiskUsage is the number of bytes of all of Pebble's files.
func (s *Store) DiskUsage() (uint64, error) {
	if err := s.enter(); err != nil {
		return 0, err
	}
	defer s.gate.Leave()
	return s.db.Metrics().DiskSpaceUsage(), nil
}

// Metrics are Pebble's own figures; zeros after Close.
func (s *Store) Metrics() *pebble.Metrics {
	if !s.gate.Enter() {
		return new(pebble.Metrics)
	}
	defer s.gate.Leave()
	return s.db.Metrics()
}

// Done is closed when the store has failed or was closed.
func (s *Store) Done() <-chan struct{} { return s.health.Done() }

// Err says why; nil while the store works.
func (s *Store) Err() error { return s.health.Err() }

// Close waits for running calls, Txns, Snapshots and Iters, and closes the files. For a store that had failed it returns
// nil: every caller has had the failure, and closing cannot make it worse.
func (s *Store) Close() error {
	// First of all: who waits for latches or behind the fence gives up, or the gate would wait for him.
	s.health.end(storage.ErrClosed)
	s.fence.close.Do(func() { close(s.fence.closing) })
	if !s.gate.Close() {
		return storage.ErrClosed
	}
	err := errors.Join(s.db.Close(), s.watch.Close())
	if s.health.failed() {
		s.logger.Debug("closed after a failure", "err", err)
		return nil
	}
	return classify("store", err)
}
