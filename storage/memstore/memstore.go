package memstore

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/meridiandb/meridian/storage"
)

// Store is an in-memory storage.Store.
type Store struct {
	latches *storage.Latches
	gate    storage.Gate
	done    chan struct{} // closed by Close, first
	close   sync.Once

	commit sync.Mutex // held over seal and what it seals: commit order

	mu     sync.RWMutex // guards the two below
	data   entries
	shared bool // someone reads the slice without mu: copy it before the next change
}

var _ storage.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store { return &Store{latches: storage.NewLatches(), done: make(chan struct{})} }

// entries is sorted by key, each key once. Keys and values are never changed in place.
type entries []entry

type entry struct{ key, value []byte }

func (e entries) search(key []byte) (int, bool) {
	return slices.BinarySearchFunc(e, key, func(x entry, k []byte) int { return bytes.Compare(x.key, k) })
}

func (e entries) get(key []byte) ([]byte, error) {
	i, ok := e.search(key)
	if !ok {
		return nil, storage.ErrNotFound
	}
	return append([]byte{}, e[i].value...), nil
}

// Get returns a copy of a key's value.
func (s *Store) Get(key []byte) ([]byte, error) {
	if !s.gate.Enter() {
		return nil, storage.ErrClosed
	}
	defer s.gate.Leave()
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.data.get(key)
}

// view returns the contents as they are now, never to change.
func (s *Store) view() entries {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shared = true
	return s.data
}

// NewIter iterates over the contents as they are now.
func (s *Store) NewIter(o storage.IterOptions) (storage.Iter, error) {
	if !s.gate.Enter() {
		return nil, storage.ErrClosed
	}
	return newIter(s.view(), o, s.gate.Leave), nil
}

// Snapshot is the contents as they are now.
func (s *Store) Snapshot() storage.Snapshot {
	if !s.gate.Enter() {
		return &snapshot{err: storage.ErrClosed}
	}
	return &snapshot{store: s, data: s.view()}
}

// Begin waits for the keys' latches.
func (s *Store) Begin(ctx context.Context, keys ...[]byte) (storage.Txn, error) {
	if !s.gate.Enter() {
		return nil, storage.ErrClosed
	}
	held, err := s.latches.Acquire(ctx, s.done, keys)
	if err != nil {
		s.gate.Leave()
		return nil, err
	}
	return &txn{Store: s, held: held}, nil
}

// Checkpoint writes one file with the contents, for people to look at: key and value in Go syntax, one pair a line.
func (s *Store) Checkpoint(dir string) error {
	if !s.gate.Enter() {
		return storage.ErrClosed
	}
	defer s.gate.Leave()
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "contents"), s.view().dump(), 0o644)
}

// DiskUsage is the number of bytes of all keys and values.
func (s *Store) DiskUsage() (uint64, error) {
	if !s.gate.Enter() {
		return 0, storage.ErrClosed
	}
	defer s.gate.Leave()
	n := uint64(0)
	for _, e := range s.view() {
		n += uint64(len(e.key) + len(e.value))
	}
	return n, nil
}

// Done is closed by Close.
func (s *Store) Done() <-chan struct{} { return s.done }

// Err is ErrClosed after Close.
func (s *Store) Err() error {
	select {
	case <-s.done:
		return storage.ErrClosed
	default:
		return nil
	}
}

// Close waits for running calls, Txns, Snapshots and Iters.
func (s *Store) Close() error {
	s.close.Do(func() { close(s.done) }) // first: whoever waits for latches gives up
	if !s.gate.Close() {
		return storage.ErrClosed
	}
	return nil
}

type snapshot struct {
	store *Store
	data  entries
	err   error // there was none to take
	ended atomic.Bool
}

func (s *snapshot) usable() error {
	if s.err == nil && s.ended.Load() {
		return storage.ErrClosed
	}
	return s.err
}

func (s *snapshot) Get(key []byte) ([]byte, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	return s.data.get(key)
}

func (s *snapshot) NewIter(o storage.IterOptions) (storage.Iter, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	s.store.gate.Again()
	return newIter(s.data, o, s.store.gate.Leave), nil
}

// Close ends the snapshot; iterators made from it may go on. Again, it does nothing.
func (s *snapshot) Close() error {
	if s.err == nil && !s.ended.Swap(true) {
		s.store.gate.Leave()
	}
	return nil
}
