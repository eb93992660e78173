package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/capacity"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Batch is what one region sent of another's writes, to be merged together.
type Batch struct {
	Commits []record.Commit
	// Silent leaves the changes out of this region's log: a backfill of a table that nobody reads yet is no news to anybody.
	Silent bool
	// Keep takes items, and deletes that keep registers, also where the floor covers them and nothing is stored: who sends them
	// has seen that they are there.
	Keep bool
	// Relayed says that the states are what another region had joined them to, not as their authors sent them.
	Relayed bool
	// Seal adds to the same batch what must move with it, the cursor; nil for nothing.
	Seal func(storage.Writer) error
}

// Apply merges a batch into the tables that this region holds and returns when it is durable. Merging again, in another
// order or in other batches, changes nothing (package conflict). Changes of tables that are not held are dropped. Bytes
// that no region writes are an error that matches record.ErrMalformed or conflict.ErrEncoding; nothing has changed then.
func (e *Engine) Apply(ctx context.Context, b Batch) error {
	for {
		err := e.applyOnce(ctx, &b)
		if !errors.Is(err, errStale) {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

func (e *Engine) applyOnce(ctx context.Context, b *Batch) error {
	m := merging{engine: e, keep: b.Keep, relayed: b.Relayed}
	keys := m.prepare(b.Commits)
	tx, err := e.store.Begin(ctx, keys...)
	if err != nil {
		return err
	}
	defer tx.Discard()
	m.tx = tx
	if err := m.look(); err != nil {
		return err
	}
	for i := range b.Commits {
		if err := m.commit(&b.Commits[i]); err != nil {
			return err
		}
	}
	if err := m.write(); err != nil {
		return err
	}
	var last record.Seq
	// A batch that brings nothing new is committed too: what made it old may not be on disk yet.
	durable, err := m.commitAll(func(w storage.Writer) error {
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
	m.account(b.Silent)
	return nil
}

// commitAll commits the batch and counts what it holds.
func (m *merging) commitAll(seal func(storage.Writer) error) (storage.Durable, error) {
	m.engine.counts.moving.RLock()
	defer m.engine.counts.moving.RUnlock()
	durable, err := m.tx.Commit(seal)
	if err == nil {
		for _, d := range m.deltas {
			m.engine.counts.add(d.table.entry.ID, d.old, d.new)
		}
	}
	return durable, err
}

// merging is the state of a batch while it is merged.
type merging struct {
	engine  *Engine
	keep    bool // Batch.Keep
	relayed bool
	tx      storage.Txn
	tables  []heldTable
	slots   []slot // by store key
	places  []int  // in slots, of the changes of held tables
	at      int    // in places, of the change that is merged next
	newest  crdt.Time
	seen    []crdt.Stamp    // the newest write of each other origin that the arriving states have seen
	out     []record.Commit // what changed something here
	marks   [][]byte        // store keys of their changes, in order
	feed    feeding
	deltas  []delta
	key     []byte // buffer
	cell    cellBuffer
}

// heldTable is what resolve said of a table when the batch began; table is nil if it is not held.
type heldTable struct {
	id    record.TableID
	table *Table
}

type delta struct {
	table    *Table
	old, new item.Item
	indexes  []IndexCost
}

// prepare looks up the tables and lists the keys to be held.
func (m *merging) prepare(cs []record.Commit) [][]byte {
	n, size := 0, 0
	for i := range cs {
		for j := range cs[i].Changes {
			n, size = n+1, size+1+16+len(cs[i].Changes[j].Key)
		}
	}
	buf := make([]byte, 0, size)
	all := make([]slot, 0, n)
	for i := range cs {
		for j := range cs[i].Changes {
			ch := &cs[i].Changes[j]
			t := m.table(ch.Table)
			if t == nil {
				continue
			}
			from := len(buf)
			buf = append(storage.AppendTable(buf, storage.KindItem, ch.Table), ch.Key...)
			all = append(all, slot{table: t, key: buf[from:len(buf):len(buf)], read: ch.Note})
		}
	}
	m.places = make([]int, len(all))
	m.slots = sorted(all, m.places)
	keys := make([][]byte, len(m.slots))
	for i := range m.slots {
		keys[i] = m.slots[i].key
	}
	return keys
}

func (m *merging) table(id record.TableID) *Table {
	for i := range m.tables {
		if m.tables[i].id == id {
			return m.tables[i].table
		}
	}
	t := m.engine.resolve(id)
	m.tables = append(m.tables, heldTable{id, t})
	return t
}

// standing fails if a table came, went or changed since the batch began.
func (m *merging) standing() error {
	for _, h := range m.tables {
		now := m.engine.resolve(h.id)
		if (now == nil) != (h.table == nil) || now != nil && now.entry.Descriptor != h.table.entry.Descriptor {
			return errStale
		}
	}
	return nil
}

// commit merges one arriving commit and notes what of it changed anything.
func (m *merging) commit(c *record.Commit) error {
	m.newest = max(m.newest, c.Stamp.Time)
	out := record.Commit{Stamp: c.Stamp, Wall: c.Wall}
	for i := range c.Changes {
		ch := &c.Changes[i]
		t := m.table(ch.Table)
		if t == nil {
			continue
		}
		s := &m.slots[m.places[m.at]]
		news, changed, err := m.take(s, c, ch)
		m.at++
		if err != nil {
			return fmt.Errorf("commit %s: item %x of table %s: %w", c.Stamp, ch.Key, ch.Table, err)
		}
		if changed {
			out.Changes = append(out.Changes, news)
			if !news.Note {
				m.marks = append(m.marks, s.key)
			}
		}
	}
	if len(out.Changes) > 0 {
		m.out = append(m.out, out)
	}
	return nil
}

func (m *merging) take(s *slot, c *record.Commit, ch *record.Change) (news record.Change, changed bool, err error) {
	if ch.Note {
		return m.arrivingNote(s.table, ch)
	}
	return m.change(s, c, ch)
}

// change merges one item's arriving state. It is not changed if everything in it was known.
func (m *merging) change(s *slot, c *record.Commit, ch *record.Change) (news record.Change, changed bool, err error) {
	t := s.table
	arriving, err := m.arriving(t, ch)
	if err != nil {
		return news, false, err
	}
	if err := m.find(s); err != nil {
		return news, false, err
	}
	if s.state.IsZero() && m.forgotten(t, &arriving) {
		return news, false, nil
	}
	joined := conflict.Merge(s.state, arriving)
	if err := m.noteMerge(t, c, ch, s.state, arriving, &joined); err != nil {
		return news, false, err
	}
	if !joined.Changed {
		return news, false, nil
	}
	n := len(ch.Key)
	old, new := s.state.Item(), joined.State.Item()
	s.state = joined.State
	s.after = joined.State.Append(append(make([]byte, 0, n+len(ch.State)+64), ch.Key...))
	indexes, err := t.writeIndexes(m.tx, ch.Key, old, new)
	if err != nil {
		return news, false, err
	}
	if err := t.writeExpiry(m.tx, ch.Key, old, new, joined.State.Stamp().Origin.Region); err != nil {
		return news, false, err
	}
	m.deltas = append(m.deltas, delta{t, old, new, indexes})
	news = record.Change{Table: ch.Table, Shard: shardOf(ch.Key), Key: ch.Key, Base: ch.Base, State: s.after[n:]}
	if t.entry.Stream.Enabled && !old.IsZero() {
		news.Old, news.HasOld = old.Encoded(), true
	}
	return news, true, nil
}

// arriving reads a state and makes sure that it is one of the item whose key it came with.
func (m *merging) arriving(t *Table, ch *record.Change) (conflict.State, error) {
	if err := t.entry.Schema.CheckKey(ch.Key); err != nil {
		return conflict.State{}, fmt.Errorf("%w: %w", record.ErrMalformed, err)
	}
	s, err := conflict.DecodeState(ch.State)
	if err != nil {
		return s, err
	}
	if it := s.Item(); !it.IsZero() {
		var ok bool
		if m.key, ok = t.entry.Schema.AppendFrom(m.key[:0], it); !ok || !bytes.Equal(m.key, ch.Key) {
			return s, fmt.Errorf("%w: the item has another key, or none", record.ErrMalformed)
		}
	}
	// Everything that the state has seen counts, not only its commit's stamp: a later write here must be above it all, or its
	// dot would pass for seen.
	m.newest = max(m.newest, s.Context().Newest())
	m.seen = addSeen(m.seen, s.Context(), m.engine.origin)
	return s, nil
}

// sealApplied logs the merged commits under their authors' stamps and lets the caller's cursor move with them.
func (e *Engine) sealApplied(w storage.Writer, m *merging, b *Batch) (record.Seq, error) {
	if err := m.standing(); err != nil {
		return 0, err // before anything is taken or noted
	}
	e.order.Lock()
	defer e.order.Unlock()
	if err := e.clock.Observe(w, m.newest); err != nil {
		return 0, err
	}
	if err := e.seen.note(w, m.seen); err != nil {
		return 0, err
	}
	if b.Seal != nil {
		if err := b.Seal(w); err != nil {
			return 0, err
		}
	}
	var last record.Seq
	if !b.Silent {
		if err := e.log.AppendAll(w, m.out); err != nil {
			return 0, err
		}
		last = e.markApplied(m.out, m.marks)
	}
	told, err := e.tellNotes(w, lastOf(m.feed.tell))
	if err != nil || b.Silent {
		return max(last, told), err
	}
	shown, err := e.logShown(w, m.feed.shown)
	return max(last, told, shown), err
}

// markApplied lets readers of the changed items wait for their commits. It returns the last of these.
func (e *Engine) markApplied(out []record.Commit, marks [][]byte) (last record.Seq) {
	for i := range out {
		last = out[i].Seq
		for j := range out[i].Changes {
			if !out[i].Changes[j].Note {
				e.inflight.mark(marks[0], last)
				marks = marks[1:]
			}
		}
	}
	return last
}

// account charges for what the batch changed, once it has. A replicated write consumes capacity here as it did there, and is
// never refused for want of it (DYNAMODB.md 10.4); a backfill consumes none.
func (m *merging) account(backfill bool) {
	now := m.engine.clock.Now()
	for _, d := range m.deltas {
		if backfill {
			break
		}
		d.table.meter.Charge(now, capacity.Write,
			Cost{Table: capacity.WriteUnits(max(d.old.Size(), d.new.Size())), Indexes: d.indexes})
	}
	for _, p := range m.feed.counts {
		if !backfill { // a copy brings what happened long ago
			m.engine.conflicts.add(p)
		}
	}
	m.engine.applied.Add(uint64(len(m.out)))
}
