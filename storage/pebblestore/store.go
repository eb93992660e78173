package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
)

// Store is a storage.Store on Pebble.
type Store struct {
	db       *pebble.DB
	logger   *slog.Logger
	health   *health
	fence    *fence
	space    *space
	pressure *pressure // from flushing and compacting
	rows     *rows
	watch    io.Closer // of slow disks
	gate     storage.Gate
	latches  *storage.Latches

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
		rows:  newRows(o.CacheBytes/rowShare, o.RowKind),
		watch: io.NopCloser(nil), commit: make(chan struct{}, 1),
	}
	if o.FS == nil {
		o.FS, s.watch = vfs.WithDiskHealthChecks(vfs.Default, slowDisk, nil, func(i vfs.DiskSlowInfo) {
			o.Logger.Warn("the disk is slow", "detail", i.String())
		})
	}
	s.space = &space{fs: o.FS, dir: dir, reserve: o.ReserveBytes, full: o.Full}
	s.fence = newFence(o.FS, dir, s.health, s.space)
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
	if o.MemTableBytes == 0 {
		o.MemTableBytes = s.space.memTable()
	}
	s.pressure = newPressure(o.MemTableBytes)
	err = checkFormat(o.FS, dir)
	if err == nil {
		cache := pebble.NewCache(o.CacheBytes - o.CacheBytes/rowShare + cachedTables*int64(o.MemTableBytes)) //nolint:gosec // below 4 GB
		defer cache.Unref()
		options := s.pebbleOptions(o, cache)
		options.Lock = lock
		s.db, err = pebble.Open(dir, options)
	}
	if failure := s.health.failure(); failure != nil { // behind the fence Open may have seemed to succeed
		if err == nil {
			_ = s.db.Close() // cannot make it worse
		}
		err = failure
	}
	where := "store"
	if s.fence.replays != "" {
		where = s.fence.replays
	}
	// Pebble holds the lock from here on by its own reference, if it opened.
	return errors.Join(classify(where, err), lock.Close())
}

// makeDir makes a folder and those above it, durably.
func makeDir(f vfs.FS, dir string) error {
	_, err := f.Stat(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := f.PathDir(dir)
	if parent != dir {
		if err := makeDir(f, parent); err != nil {
			return err
		}
	}
	if err := f.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return syncDir(f, parent)
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
	err := s.db.Checkpoint(dir, pebble.WithFlushedWAL())
	if err == nil {
		err = writeFormat(s.fence, dir) // last: without it nobody takes the folder for a store
	}
	if err != nil {
		return fmt.Errorf("checkpoint to %s: %w", dir, s.because("checkpoint", err))
	}
	return s.health.failure() // the WAL that was to be flushed may have failed
}

// because is the store's failure, if it has failed, or else err with its kind.
func (s *Store) because(where string, err error) error {
	if failure := s.health.failure(); err != nil && failure != nil {
		return failure
	}
	return classify(where, err)
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
// nil: every caller has had the failure, and closing cannot make it worse. A failure since then is returned.
func (s *Store) Close() error {
	// First of all: who waits for latches or behind the fence gives up, or the gate would wait for him.
	failed := s.health.closing()
	s.fence.close.Do(func() { close(s.fence.closing) })
	if !s.gate.Close() {
		return storage.ErrClosed
	}
	s.flush()
	err := errors.Join(s.db.Close(), s.watch.Close())
	switch {
	case failed:
		s.logger.Debug("closed after a failure", "err", err)
		return nil
	case s.health.failed():
		return s.health.Err()
	}
	return classify("store", err)
}
