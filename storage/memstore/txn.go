package memstore

import (
	"slices"

	"github.com/meridiandb/meridian/storage"
)

// txn is a transaction: latches and a list of writes to do.
type txn struct {
	*Store // reads: committed state
	held   storage.Held
	writes []write
	undo   []func()
	ended  bool
}

type write struct {
	op   byte // one of the below
	a, b []byte
}

const (
	opSet         = 's'
	opDelete      = 'd'
	opDeleteRange = 'r'
	opMerge       = 'm'
)

func (t *txn) add(op byte, a, b []byte) error {
	if t.ended {
		return storage.ErrTxnDone
	}
	t.writes = append(t.writes, write{op, append([]byte{}, a...), append([]byte{}, b...)})
	return nil
}

func (t *txn) Set(k, v []byte) error           { return t.add(opSet, k, v) }
func (t *txn) Delete(k []byte) error           { return t.add(opDelete, k, nil) }
func (t *txn) DeleteRange(lo, hi []byte) error { return t.add(opDeleteRange, lo, hi) }
func (t *txn) Merge(k, operand []byte) error   { return t.add(opMerge, k, operand) }

func (t *txn) Get(key []byte) ([]byte, error) {
	if t.ended {
		return nil, storage.ErrTxnDone
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.data.get(key)
}

func (t *txn) NewIter(o storage.IterOptions) (storage.Iter, error) {
	if t.ended {
		return nil, storage.ErrTxnDone
	}
	t.gate.Again()
	return newIter(t.view(), o, t.gate.Leave), nil
}

func (t *txn) GetEach(keys [][]byte, found func(i int, value []byte) error) error {
	for i, k := range keys {
		v, err := t.Get(k)
		if storage.IsNotFound(err) {
			continue
		}
		if err == nil {
			err = found(i, v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// OnAbort makes the txn the Sealer that seal gets.
func (t *txn) OnAbort(undo func()) { t.undo = append(t.undo, undo) }

func (t *txn) Commit(seal func(storage.Writer) error) (storage.Durable, error) {
	if t.ended {
		return nil, storage.ErrTxnDone
	}
	defer t.Discard()
	t.commit.Lock()
	defer t.commit.Unlock()
	happened := false
	defer func() {
		for i := len(t.undo) - 1; i >= 0 && !happened; i-- {
			t.undo[i]()
		}
	}()
	if seal != nil {
		if err := seal(t); err != nil {
			return nil, err
		}
	}
	t.apply(t.writes)
	happened = true
	return new(durable), nil
}

func (t *txn) Discard() {
	if t.ended {
		return
	}
	t.ended = true
	t.held.Release()
	t.gate.Leave()
}

type durable struct{ waited bool }

func (d *durable) Wait() error {
	if d.waited {
		panic("memstore: Durable.Wait called twice")
	}
	d.waited = true
	return nil
}

func (s *Store) apply(writes []write) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shared {
		s.data, s.shared = slices.Clone(s.data), false
	}
	for _, w := range writes {
		s.data = s.data.apply(w)
	}
}

func (e entries) apply(w write) entries {
	i, found := e.search(w.a)
	switch {
	case w.op == opDeleteRange:
		if j, _ := e.search(w.b); i < j {
			return slices.Delete(e, i, j)
		}
		return e
	case w.op == opDelete:
		if found {
			return slices.Delete(e, i, i+1)
		}
		return e
	case w.op == opMerge && found:
		w.b = storage.XOR(slices.Clone(e[i].value), w.b)
	}
	if found {
		e[i].value = w.b
		return e
	}
	return slices.Insert(e, i, entry{w.a, w.b})
}
