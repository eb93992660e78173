package table

import (
	"sync"
	"sync/atomic"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/stream/record"
)

// Count is how much a table holds. DynamoDB refreshes these figures every few hours; ours are kept as we go, saved from
// time to time by package region, and may be a little off after a crash.
type Count struct {
	Items int64 `json:"items"`
	Bytes int64 `json:"bytes"`
}

type counts struct {
	byTable sync.Map // record.TableID -> *tableCount; as many as there are tables
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

// Count tells a table's size.
func (e *Engine) Count(id record.TableID) Count {
	n := e.counts.of(id)
	return Count{Items: max(0, n.items.Load()), Bytes: max(0, n.bytes.Load())}
}

// SetCount starts a table's count from what was saved.
func (e *Engine) SetCount(id record.TableID, c Count) {
	n := e.counts.of(id)
	n.items.Store(c.Items)
	n.bytes.Store(c.Bytes)
}

// Forget drops the figures of a table that is gone.
func (e *Engine) Forget(id record.TableID) {
	e.counts.byTable.Delete(id)
	e.meters.Delete(id)
}
