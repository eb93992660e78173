package table

import (
	"bytes"
	"context"
	"errors"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// buildStep is how many items one step of a backfill holds latched: few, so that writers hardly notice.
const buildStep = 64

// BuildIndex enters every item of a table into an index. Writers have kept the index since its descriptor became visible
// (a commit under an older descriptor is done again), so each item is entered as it is when its latch is held. Doing it
// again after a crash is harmless.
func (e *Engine) BuildIndex(ctx context.Context, id record.TableID, index uint32) error {
	t := e.resolve(id)
	if t == nil {
		return errors.New("table: the table went away")
	}
	ix := t.indexByID(index)
	if ix == nil {
		return nil // dropped meanwhile
	}
	from := t.prefix
	for from != nil {
		keys, next, err := e.keysFrom(from, after(t.prefix))
		if err != nil {
			return err
		}
		if err := e.enter(ctx, t, ix, keys); err != nil {
			return err
		}
		from = next
	}
	return nil
}

func (t *Table) indexByID(id uint32) *catalog.Index {
	for i := range t.entry.Indexes {
		if t.entry.Indexes[i].ID == id {
			return &t.entry.Indexes[i]
		}
	}
	return nil
}

// keysFrom lists the next items' keys; next is nil at the end.
func (e *Engine) keysFrom(lo, hi []byte) (keys [][]byte, next []byte, err error) {
	it, err := e.store.NewIter(storage.IterOptions{Lower: lo, Upper: hi})
	if err != nil {
		return nil, nil, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		if len(keys) == buildStep {
			next = bytes.Clone(it.Key())
			break
		}
		keys = append(keys, bytes.Clone(it.Key()))
	}
	return keys, next, errors.Join(it.Err(), it.Close())
}

func (e *Engine) enter(ctx context.Context, t *Table, ix *catalog.Index, keys [][]byte) error {
	if len(keys) == 0 {
		return nil
	}
	tx, err := e.store.Begin(ctx, keys...)
	if err != nil {
		return err
	}
	defer tx.Discard()
	for _, k := range keys {
		raw, err := tx.Get(k)
		if storage.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		key, val, ok := indexEntry(t.entry.Descriptor, ix, k[len(t.prefix):], conflict.TrustedState(raw).Item())
		if !ok {
			continue
		}
		if err := tx.Set(key, val.Encoded()); err != nil {
			return err
		}
	}
	durable, err := tx.Commit(func(storage.Writer) error { return nil })
	if err != nil {
		return err
	}
	return durable.Wait()
}

// RemoveIndex deletes all entries of an index that its table no longer has.
func (e *Engine) RemoveIndex(id record.TableID, index uint32) error {
	lo := indexPrefix(&catalog.Descriptor{ID: id}, &catalog.Index{ID: index})
	tx, err := e.store.Begin(context.Background())
	if err != nil {
		return err
	}
	defer tx.Discard()
	if err := tx.DeleteRange(lo, after(lo)); err != nil {
		return err
	}
	durable, err := tx.Commit(func(storage.Writer) error { return nil })
	if err != nil {
		return err
	}
	return durable.Wait()
}
