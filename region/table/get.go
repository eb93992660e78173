package table

import (
	"context"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/capacity"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
)

// Schema is the table's own key.
func (t *Table) Schema() item.KeySchema { return t.entry.Schema }

// Index finds an index by name.
func (t *Table) Index(name string) (*catalog.Index, bool) {
	ix := t.entry.Index(name)
	return ix, ix != nil
}

// Get reads one item. An eventually consistent read is answered from the same place as a consistent one and costs half.
func (t *Table) Get(ctx context.Context, k item.Key, consistent bool) (GetResult, error) {
	state, err := t.State(ctx, k)
	if err != nil {
		return GetResult{}, err
	}
	it := state.Item()
	cost := Cost{Table: capacity.ReadUnits(it.Size(), consistent)}
	if err := t.read(cost); err != nil {
		return GetResult{}, err
	}
	return GetResult{Item: it, Cost: cost}, nil
}

// State reads an item with its versions: the zero State if nothing was ever written there.
func (t *Table) State(ctx context.Context, k item.Key) (conflict.State, error) {
	key := t.storeKey(k)
	raw, err := t.engine.store.Get(key)
	if err != nil && !storage.IsNotFound(err) {
		return conflict.State{}, err
	}
	if err := t.held(); err != nil {
		return conflict.State{}, err
	}
	if err := t.engine.settle(ctx, key); err != nil {
		return conflict.State{}, err
	}
	return conflict.TrustedState(raw), nil
}

// TableKey names an item of a table.
type TableKey struct {
	Table *Table
	Key   item.Key
}

// TransactGet reads items as they were together at one moment; *Canceled says which of them their tables had no capacity
// left for.
func (e *Engine) TransactGet(ctx context.Context, keys []TableKey) ([]GetResult, error) {
	snap := e.store.Snapshot()
	defer snap.Close() //nolint:errcheck // a snapshot holds nothing that could fail to be written
	out := make([]GetResult, len(keys))
	for i, k := range keys {
		raw, err := snap.Get(k.Table.storeKey(k.Key))
		if err != nil && !storage.IsNotFound(err) {
			return nil, err
		}
		if err := k.Table.held(); err != nil {
			return nil, err
		}
		out[i].Item = conflict.TrustedState(raw).Item()
		out[i].Cost.Table = capacity.ReadUnits(out[i].Item.Size(), true)
	}
	reasons := make([]error, len(keys))
	if !e.admitParts(capacity.Read, len(keys),
		func(i int) (*Table, Cost) { return keys[i].Table, out[i].Cost.Doubled() },
		func(i int, err error) { reasons[i] = err }) {
		return nil, &Canceled{Reasons: reasons}
	}
	return out, e.settleAll(ctx)
}
