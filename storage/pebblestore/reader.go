package pebblestore

import (
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/meridiandb/meridian/storage"
)

// Get returns a copy of a key's value.
func (s *Store) Get(key []byte) ([]byte, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.Leave()
	return get(s.db, key)
}

func get(r pebble.Reader, key []byte) ([]byte, error) {
	v, closer, err := r.Get(key)
	if err != nil {
		if errors.Is(err, pebble.ErrNotFound) {
			return nil, storage.ErrNotFound
		}
		return nil, classify(fmt.Sprintf("key %x", key), err)
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
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: o.Lower, UpperBound: o.Upper})
	if err != nil {
		s.gate.Leave()
		return nil, classify("iterator", err)
	}
	return &iter{it: it, store: s}, nil
}

// iter is a Pebble iterator that stays beyond an end once it is there, and looks up values when asked.
type iter struct {
	it    *pebble.Iterator
	store *Store
	err   error // of reading a value
}

func (i *iter) First() bool          { return i.it.First() }
func (i *iter) Last() bool           { return i.it.Last() }
func (i *iter) Next() bool           { return i.Valid() && i.it.Next() }
func (i *iter) Prev() bool           { return i.Valid() && i.it.Prev() }
func (i *iter) SeekGE(k []byte) bool { return i.it.SeekGE(k) }
func (i *iter) SeekLT(k []byte) bool { return i.it.SeekLT(k) }
func (i *iter) Valid() bool          { return i.err == nil && i.it.Valid() }
func (i *iter) Key() []byte          { return i.it.Key() }

func (i *iter) Value() []byte {
	v, err := i.it.ValueAndErr()
	if err != nil {
		i.err = err // ends the walk: the next move is false and Err says why
	}
	return v
}

func (i *iter) Err() error {
	return classify("iterator", errors.Join(i.err, i.it.Error()))
}

func (i *iter) Close() error {
	if i.it == nil {
		return nil
	}
	defer i.store.gate.Leave()
	err := i.it.Close()
	i.it = nil
	return classify("iterator", err)
}

// Snapshot is the contents as they are now. If the store has failed or was closed, the snapshot's reads say so.
func (s *Store) Snapshot() storage.Snapshot {
	if err := s.enter(); err != nil {
		return &snapshot{err: err}
	}
	return &snapshot{store: s, snap: s.db.NewSnapshot()}
}

type snapshot struct {
	store *Store
	snap  *pebble.Snapshot
	err   error
	close sync.Once
}

func (s *snapshot) Get(key []byte) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	return get(s.snap, key)
}

func (s *snapshot) NewIter(o storage.IterOptions) (storage.Iter, error) {
	if s.err != nil {
		return nil, s.err
	}
	s.store.gate.Again()
	return s.store.newIter(s.snap, o)
}

func (s *snapshot) Close() (err error) {
	if s.err == nil {
		s.close.Do(func() {
			err = s.snap.Close()
			s.store.gate.Leave()
		})
	}
	return err
}
