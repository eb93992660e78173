package pebblestore

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/meridiandb/meridian/storage"
)

// Get returns a copy of a key's value.
func (s *Store) Get(key []byte) ([]byte, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.Leave()
	return s.latest(key)
}

// latest returns a copy of a key's value as it is now.
func (s *Store) latest(key []byte) ([]byte, error) {
	if !s.rows.keeps(key) {
		return s.get(s.db, key)
	}
	value, ok, before := s.rows.get(key)
	if ok {
		return value, nil
	}
	value, err := s.get(s.db, key)
	if err == nil {
		s.rows.offer(before, key, value)
	}
	return value, err
}

func (s *Store) get(r pebble.Reader, key []byte) ([]byte, error) {
	v, closer, err := r.Get(key)
	if err != nil {
		if errors.Is(err, pebble.ErrNotFound) {
			return nil, storage.ErrNotFound
		}
		return nil, s.because(fmt.Sprintf("key %x", key), err)
	}
	value := append(make([]byte, 0, len(v)), v...)
	return value, closer.Close()
}

// NewIter iterates over the contents as they are now.
func (s *Store) NewIter(o storage.IterOptions) (storage.Iter, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	return s.newIter(s.db, o)
}

// newIter takes over one place inside the gate.
func (s *Store) newIter(r pebble.Reader, o storage.IterOptions) (storage.Iter, error) {
	if o.Lower != nil && o.Upper != nil && bytes.Compare(o.Lower, o.Upper) > 0 {
		o.Lower = o.Upper // no keys either, but Pebble would seek beyond its own bounds
	}
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: o.Lower, UpperBound: o.Upper})
	if err != nil {
		s.gate.Leave()
		return nil, s.because("iterator", err)
	}
	return &iter{it: it, store: s}, nil
}

// iter is a Pebble iterator that stays beyond an end once it is there, looks up values when asked, and ends when the store
// fails: what it shows could be a commit that is not on the disk and never will be.
type iter struct {
	it    *pebble.Iterator
	store *Store
	err   error // of reading a value
}

func (i *iter) First() bool          { i.it.First(); return i.Valid() }
func (i *iter) Last() bool           { i.it.Last(); return i.Valid() }
func (i *iter) Next() bool           { return i.Valid() && i.it.Next() }
func (i *iter) Prev() bool           { return i.Valid() && i.it.Prev() }
func (i *iter) SeekGE(k []byte) bool { i.it.SeekGE(k); return i.Valid() }
func (i *iter) SeekLT(k []byte) bool { i.it.SeekLT(k); return i.Valid() }
func (i *iter) Key() []byte          { return i.it.Key() }

func (i *iter) Valid() bool { return i.err == nil && i.it.Valid() && !i.store.health.failed() }

func (i *iter) Value() []byte {
	v, err := i.it.ValueAndErr()
	if err != nil {
		i.err = err // ends the walk: the next move is false and Err says why
	}
	return v
}

func (i *iter) Err() error {
	if err := i.store.health.failure(); err != nil {
		return err
	}
	return classify("iterator", errors.Join(i.err, i.it.Error()))
}

func (i *iter) Close() error {
	if i.it == nil {
		return nil
	}
	defer i.store.gate.Leave()
	err := i.it.Close()
	i.it = nil
	return i.store.because("iterator", err)
}

// Snapshot is the contents as they are now. If the store has failed or was closed, the snapshot's reads say so.
func (s *Store) Snapshot() storage.Snapshot {
	if err := s.enter(); err != nil {
		return &snapshot{err: err}
	}
	return &snapshot{store: s, snap: s.db.NewSnapshot()}
}

type snapshot struct {
	store  *Store
	snap   *pebble.Snapshot
	err    error // there was none to take
	closed atomic.Bool
}

// usable reports what stands against reading; a Close of the store, which waits for us, does not.
func (s *snapshot) usable() error {
	switch {
	case s.err != nil:
		return s.err
	case s.closed.Load():
		return storage.ErrClosed
	}
	return s.store.health.failure()
}

func (s *snapshot) Get(key []byte) ([]byte, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	return s.store.get(s.snap, key)
}

func (s *snapshot) NewIter(o storage.IterOptions) (storage.Iter, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	s.store.gate.Again()
	return s.store.newIter(s.snap, o)
}

// Close ends the snapshot; iterators made from it may go on. Again, it does nothing.
func (s *snapshot) Close() error {
	if s.err != nil || s.closed.Swap(true) {
		return nil
	}
	defer s.store.gate.Leave()
	return s.store.because("snapshot", s.snap.Close())
}
