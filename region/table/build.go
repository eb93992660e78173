package table

import (
	"bytes"
	"context"
	"errors"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// buildStep is how many items one step of a backfill holds latched: few, so that writers hardly notice.
const buildStep = 64

// BuildIndex enters every item of a table into an index. Writers keep the index since its description became visible (a
// commit under an older one is done again, and the barrier waits for those that were past that), so each item is entered as
// it is when its latch is held. It may be cut off at any time and done again. If the index is dropped meanwhile there is
// nothing to build; if the table is, the error is a fault.NotFound.
func (e *Engine) BuildIndex(ctx context.Context, id record.TableID, index uint32) error {
	if err := e.Barrier(ctx); err != nil {
		return err
	}
	t, err := e.current(id)
	if err != nil {
		return err
	}
	from := t.prefix
	for from != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		keys, next, err := e.keysFrom(from, after(t.prefix))
		if err != nil {
			return err
		}
		err = e.enter(ctx, id, index, keys)
		if errors.Is(err, errStale) {
			continue
		}
		if errors.Is(err, errNoIndex) {
			return nil
		}
		if err != nil {
			return err
		}
		from = next
	}
	return nil
}

// errNoIndex says that an index was dropped.
var errNoIndex = errors.New("table: no such index")

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
	return keys, next, joined(nil, it)
}

// enter enters some items. The index must still be wanted when the entries get their place in the order of commits: after
// RemoveIndex nothing may come that nobody would remove any more.
func (e *Engine) enter(ctx context.Context, id record.TableID, index uint32, keys [][]byte) error {
	tx, err := e.store.Begin(ctx, keys...)
	if err != nil {
		return err
	}
	defer tx.Discard()
	t, err := e.current(id)
	if err != nil {
		return err
	}
	x := t.indexByID(index)
	if x == nil {
		return errNoIndex
	}
	for _, k := range keys {
		raw, err := tx.Get(k)
		if storage.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		key, val, ok := x.entry(k[len(t.prefix):], conflict.TrustedState(raw).Item())
		if !ok {
			continue
		}
		if err := tx.Set(key, val.Encoded()); err != nil {
			return err
		}
	}
	durable, err := tx.Commit(func(storage.Writer) error { return t.standing() })
	if err != nil {
		return err
	}
	return durable.Wait()
}

// RemoveIndex deletes all entries of an index that its table no longer has.
func (e *Engine) RemoveIndex(ctx context.Context, id record.TableID, index uint32) error {
	return e.removeRanges(ctx, indexPrefix(id, index))
}
