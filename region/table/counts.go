package table

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Count is how much a table holds. DynamoDB refreshes these figures every few hours; ours are kept as we go.
type Count struct {
	Items int64 `json:"items"`
	Bytes int64 `json:"bytes"`
}

type counts struct {
	byTable sync.Map // record.TableID -> *tableCount; as many as there are tables

	// moving is held for reading from before a commit takes its place until what it changed is counted. Who holds it for
	// writing sees counts that are those of the store.
	moving sync.RWMutex
}

type tableCount struct{ items, bytes atomic.Int64 }

func (c *counts) of(id record.TableID) *tableCount {
	if v, ok := c.byTable.Load(id); ok {
		return v.(*tableCount)
	}
	v, _ := c.byTable.LoadOrStore(id, new(tableCount))
	return v.(*tableCount)
}

func (c *counts) add(id record.TableID, old, new item.Item) {
	n := c.of(id)
	switch {
	case old.IsZero() && !new.IsZero():
		n.items.Add(1)
	case !old.IsZero() && new.IsZero():
		n.items.Add(-1)
	}
	n.bytes.Add(int64(new.Size() - old.Size()))
}

func (n *tableCount) get() Count {
	return Count{Items: max(0, n.items.Load()), Bytes: max(0, n.bytes.Load())}
}

// Count tells a table's size.
func (e *Engine) Count(id record.TableID) Count { return e.counts.of(id).get() }

// Counts tells the tables' sizes as they are after all commits of the log up to a position.
func (e *Engine) Counts(ids []record.TableID) (at record.Seq, all []Count) {
	e.counts.moving.Lock()
	defer e.counts.moving.Unlock()
	for _, id := range ids {
		all = append(all, e.Count(id))
	}
	return e.log.Last(), all
}

// SetCount starts a table's count. A Recount under way does not touch it.
func (e *Engine) SetCount(id record.TableID, c Count) {
	n := new(tableCount)
	n.items.Store(c.Items)
	n.bytes.Store(c.Bytes)
	e.counts.byTable.Store(id, n)
}

// Pace of Recount: about 20 MB/s at most, for it must not be felt.
const (
	recountStep  = 1 << 20
	recountPause = 50 * time.Millisecond
)

// Recount makes a table's count right again by reading the whole table, slowly, while it is written.
func (e *Engine) Recount(ctx context.Context, id record.TableID) error {
	e.counts.moving.Lock()
	n, snap := e.counts.of(id), e.store.Snapshot()
	items, bytes := n.items.Load(), n.bytes.Load()
	e.counts.moving.Unlock()
	found, err := countItems(ctx, snap, storage.AppendTable(nil, storage.KindItem, id))
	if err := errors.Join(err, snap.Close()); err != nil {
		return err
	}
	n.items.Add(found.Items - items) // what was written since the snapshot stays counted
	n.bytes.Add(found.Bytes - bytes)
	return nil
}

func countItems(ctx context.Context, from storage.Reader, prefix []byte) (c Count, err error) {
	it, err := from.NewIter(storage.PrefixRange(prefix))
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, it.Err(), it.Close()) }()
	pause := time.NewTimer(0)
	defer pause.Stop()
	read := recountStep
	for ok := it.First(); ok; ok = it.Next() {
		if read >= recountStep {
			select {
			case <-ctx.Done():
				return c, context.Cause(ctx)
			case <-pause.C:
			}
			pause.Reset(recountPause)
			read = 0
		}
		read += len(it.Key()) + len(it.Value())
		if x := conflict.TrustedState(it.Value()).Item(); !x.IsZero() {
			c.Items++
			c.Bytes += int64(x.Size())
		}
	}
	return c, nil
}

// Forget drops the figures of a table that is gone.
func (e *Engine) Forget(id record.TableID) {
	e.counts.byTable.Delete(id)
	e.meters.Delete(id)
}
