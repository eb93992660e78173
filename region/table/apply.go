package table

import (
	"context"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Batch is what one region sent of another's writes, to be merged together.
type Batch struct {
	Commits []record.Commit
	// Silent leaves the changes out of this region's log: a backfill is no news to anybody.
	Silent bool
	// Seal adds to the same batch what must move with it, the cursor; nil for nothing.
	Seal func(storage.Writer) error
}

// merging is the state of a batch while it is merged: the newest state of each key so far.
type merging struct {
	engine *Engine
	tx     storage.Txn
	states map[string]conflict.State
	newest crdt.Time
	out    []record.Commit // what changed something here
	lost   map[record.TableID]int
	deltas []delta
}

type delta struct {
	id       record.TableID
	old, new item.Item
}

// Apply merges a batch into the tables that this region holds and returns when it is durable. Merging again, in another
// order or in other batches, changes nothing (package conflict). Changes of tables that are not held are dropped.
func (e *Engine) Apply(ctx context.Context, b Batch) error {
	tx, err := e.store.Begin(ctx, e.keysOf(b.Commits)...)
	if err != nil {
		return err
	}
	defer tx.Discard()
	m := merging{engine: e, tx: tx, states: map[string]conflict.State{}, lost: map[record.TableID]int{}}
	for i := range b.Commits {
		if err := m.commit(&b.Commits[i]); err != nil {
			return err
		}
	}
	if len(m.out) == 0 && b.Seal == nil {
		return nil
	}
	var last record.Seq
	durable, err := tx.Commit(func(w storage.Writer) error {
		last, err = e.sealApplied(w, &m, b)
		return err
	})
	if err != nil {
		return err
	}
	if err := durable.Wait(); err != nil {
		return err
	}
	if last > 0 {
		e.log.Committed(last)
	}
	e.account(&m)
	return nil
}

func (e *Engine) keysOf(cs []record.Commit) [][]byte {
	var keys [][]byte
	for i := range cs {
		for j := range cs[i].Changes {
			keys = append(keys, storeKey(&cs[i].Changes[j]))
		}
	}
	return keys
}

func storeKey(ch *record.Change) []byte {
	k := make([]byte, 0, 1+len(ch.Table)+len(ch.Key))
	return append(append(append(k, storage.KindItem), ch.Table[:]...), ch.Key...)
}

// commit merges one arriving commit and notes what of it changed anything.
func (m *merging) commit(c *record.Commit) error {
	m.newest = max(m.newest, c.Stamp.Time)
	out := record.Commit{Stamp: c.Stamp, Wall: c.Wall}
	for i := range c.Changes {
		ch := &c.Changes[i]
		t := m.engine.resolve(ch.Table)
		if t == nil {
			continue
		}
		merged, err := m.change(t, ch)
		if err != nil {
			return err
		}
		if merged != nil {
			out.Changes = append(out.Changes, *merged)
		}
	}
	if len(out.Changes) > 0 {
		m.out = append(m.out, out)
	}
	return nil
}

// change merges one item's arriving state; nil means that everything in it was known.
func (m *merging) change(t *Table, ch *record.Change) (*record.Change, error) {
	arriving, err := conflict.DecodeState(ch.State)
	if err != nil {
		return nil, err
	}
	key := storeKey(ch)
	stored, ok := m.states[string(key)]
	if !ok {
		raw, err := m.tx.Get(key)
		if err != nil && !storage.IsNotFound(err) {
			return nil, err
		}
		if err == nil {
			stored = conflict.TrustedState(raw)
		}
	}
	joined := conflict.Merge(stored, arriving)
	m.lost[ch.Table] += len(joined.Lost)
	if !joined.Changed {
		return nil, nil
	}
	state := joined.State.Append(nil)
	m.states[string(key)] = joined.State
	if err := m.tx.Set(key, state); err != nil {
		return nil, err
	}
	old, new := stored.Item(), joined.State.Item()
	if _, err := t.writeIndexes(m.tx, ch.Key, old, new); err != nil {
		return nil, err
	}
	m.deltas = append(m.deltas, delta{ch.Table, old, new})
	merged := &record.Change{Table: ch.Table, Shard: ch.Shard, Key: ch.Key, Base: ch.Base, State: state}
	if t.entry.Stream.Enabled && !old.IsZero() {
		merged.Old, merged.HasOld = old.Encoded(), true
	}
	return merged, nil
}

// sealApplied logs the merged commits under their authors' stamps and lets the caller's cursor move with them.
func (e *Engine) sealApplied(w storage.Writer, m *merging, b Batch) (record.Seq, error) {
	e.order.Lock()
	defer e.order.Unlock()
	if err := e.clock.Observe(w, m.newest); err != nil {
		return 0, err
	}
	if b.Seal != nil {
		if err := b.Seal(w); err != nil {
			return 0, err
		}
	}
	if b.Silent {
		return 0, nil
	}
	var last record.Seq
	for i := range m.out {
		if err := e.log.Append(w, &m.out[i]); err != nil {
			return 0, err
		}
		last = m.out[i].Seq
		for j := range m.out[i].Changes {
			e.inflight.mark(storeKey(&m.out[i].Changes[j]), last)
		}
	}
	return last, nil
}

func (e *Engine) account(m *merging) {
	for _, d := range m.deltas {
		e.counts.add(d.id, d.old, d.new)
	}
	for id, n := range m.lost {
		e.conflicts.add(id, n)
	}
	e.applied.Add(uint64(len(m.out)))
}
