package table

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Remembered deletes go when a table's floor has passed them (docs/decisions/0011). The region raises the floor first, durably
// and with nothing that merges under way: from then on what comes to an absent key and is covered by the floor is old, and a
// write to an absent key says that it has seen all up to the floor.

// forgotten reports whether a state that comes to an absent key is one that has been there, and was deleted since. What a copy
// or repair brings is different: it has been seen to be there, and is kept unless it could be forgotten there too.
func (m *merging) forgotten(t *Table, arriving *conflict.State) bool {
	floor := m.engine.floor(t.entry.ID)
	return floor > 0 && arriving.Context().Newest() <= floor && (!m.keep || mayForget(*arriving, floor))
}

// mayForget reports whether a stored state is a remembered delete that a floor has passed. One that keeps registers stays: a
// counter's sums must not be lost in one region and kept in another.
func mayForget(s conflict.State, floor crdt.Time) bool {
	return !s.Visible() && !s.Registers() && s.Context().Newest() <= floor
}

// Remembered is what a table remembers of deletes, as found by a collection.
type Remembered struct {
	Forgotten int       // went now
	Kept      int       // stay
	Bytes     int64     // of keys and states that stay
	Oldest    crdt.Time // of these; 0 if none stays
}

// collectStep is how many deletes are forgotten at once. Their keys are held meanwhile.
const collectStep = 128

// Collect forgets the deletes of a table that its floor has passed, and says what stays. Only what can hold any is read: the
// ranges of keys of which some cell of remembered deletes is not empty.
func (e *Engine) Collect(ctx context.Context, id record.TableID) (r Remembered, err error) {
	floor := e.floor(id)
	h := newCellHash(id)
	var buckets [Buckets]bool
	var empty []Cell
	err = readCells(ctx, e.store, h, func(c Cell, d Digest) {
		switch {
		case c.Hour == 0:
		case d != (Digest{}):
			buckets[c.Bucket] = true
		case c.Hour < wholeHours(floor):
			empty = append(empty, c)
		}
	})
	if err != nil {
		return r, err
	}
	for b, some := range buckets {
		if !some {
			continue
		}
		if err := e.collectBucket(ctx, h, uint16(b), floor, &r); err != nil {
			return r, err
		}
	}
	return r, e.dropCells(ctx, h, empty)
}

func (e *Engine) collectBucket(ctx context.Context, h cellHash, bucket uint16, floor crdt.Time, r *Remembered) error {
	prefix := storage.AppendTable(nil, storage.KindItem, h.id)
	from := binary.BigEndian.AppendUint16(bytes.Clone(prefix), bucket)
	var old [][]byte
	err := walk(ctx, e.store, from, func(key, value []byte) error {
		if len(value) > 2 && conflict.TrustedState(value).Visible() {
			return nil
		}
		s, err := conflict.DecodeState(value)
		if err != nil {
			return &storage.CorruptionError{Where: "remembered delete", Err: err}
		}
		if mayForget(s, floor) {
			old = append(old, bytes.Clone(key))
			return nil
		}
		r.Kept++
		r.Bytes += int64(len(key) + len(value))
		if t := s.Stamp().Time; r.Oldest == 0 || t < r.Oldest {
			r.Oldest = t
		}
		return nil
	})
	for len(old) > 0 && err == nil {
		n := min(len(old), collectStep)
		var gone int
		gone, err = e.forget(ctx, h, len(prefix), old[:n], floor)
		r.Forgotten += gone
		old = old[n:]
	}
	return err
}

// forget removes deletes, if they still are what they were.
func (e *Engine) forget(ctx context.Context, h cellHash, prefix int, keys [][]byte, floor crdt.Time) (n int, err error) {
	tx, err := e.store.Begin(ctx, keys...)
	if err != nil {
		return 0, err
	}
	defer tx.Discard()
	var buf cellBuffer
	for _, key := range keys {
		value, err := tx.Get(key)
		if storage.IsNotFound(err) {
			continue
		}
		if err != nil {
			return 0, err
		}
		s, err := conflict.DecodeState(value)
		if err != nil {
			return 0, &storage.CorruptionError{Where: "remembered delete", Err: err}
		}
		if !mayForget(s, floor) {
			continue // it was written meanwhile
		}
		itemKey := key[prefix:]
		if err := h.move(tx, &buf, len(itemKey), append(bytes.Clone(itemKey), value...), nil); err != nil {
			return 0, err
		}
		if err := tx.Delete(key); err != nil {
			return 0, err
		}
		n++
	}
	durable, err := tx.Commit(func(storage.Writer) error {
		if e.floor(h.id) < floor {
			return errStale // the table went, and came anew: these are another copy's deletes
		}
		_, err := e.current(h.id) // a table that went has no cells
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, durable.Wait()
}

// dropCells removes cells that are empty and stay so: nothing is in them, and what could come is covered by the floor.
func (e *Engine) dropCells(ctx context.Context, h cellHash, cells []Cell) error {
	for len(cells) > 0 {
		tx, err := e.store.Begin(ctx)
		if err != nil {
			return err
		}
		n := min(len(cells), 1000)
		for _, c := range cells[:n] {
			if err := tx.Delete(h.key(nil, c)); err != nil {
				tx.Discard()
				return err
			}
		}
		durable, err := tx.Commit(nil)
		tx.Discard()
		if err == nil {
			err = durable.Wait()
		}
		if err != nil {
			return err
		}
		cells = cells[n:]
	}
	return nil
}
