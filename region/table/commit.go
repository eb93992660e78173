package table

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// pending is a commit that has taken its place and is not yet known to be on disk.
type pending struct {
	durable  storage.Durable // nil: nothing was committed
	seq      record.Seq      // of the commit (0: it is not in the log), or of what was read if nothing was committed
	failed   bool            // an action's own failure stands there; nothing was written
	replayed bool            // a token said that it was done before; nothing was written
	err      error           // the store's failure, or a table that is gone
}

// wait returns when the outcome, whatever it is, may be told.
func (p *pending) wait(ctx context.Context, e *Engine) error {
	if p.err != nil {
		return p.err
	}
	if p.durable == nil {
		return e.settleAt(ctx, p.seq)
	}
	if err := p.durable.Wait(); err != nil {
		return err
	}
	if p.seq > 0 {
		e.log.Committed(p.seq)
	}
	return nil
}

// start evaluates actions under their latches and, if none fails, commits them as one. The latches are free again on
// return, although the commit may not be durable yet: whatever builds on it stands behind it in the store's order. It is
// done again when a table's description has changed meanwhile.
func (e *Engine) start(ctx context.Context, token *Token, actions ...*action) pending {
	return e.untilStanding(ctx, actions, func() pending { return e.attempt(ctx, token, actions) })
}

// untilStanding repeats an attempt until no table's description changes under it.
func (e *Engine) untilStanding(ctx context.Context, actions []*action, attempt func() pending) pending {
	for {
		p := attempt()
		if !errors.Is(p.err, errStale) {
			return p
		}
		if ctx.Err() != nil {
			return pending{err: context.Cause(ctx)}
		}
		for _, a := range actions {
			t, err := e.current(a.table.entry.ID)
			if err != nil {
				return pending{err: err}
			}
			a.again(t)
		}
	}
}

func (e *Engine) attempt(ctx context.Context, token *Token, actions []*action) pending {
	keys := make([][]byte, len(actions), len(actions)+1)
	for i, a := range actions {
		keys[i] = a.storeKey
	}
	if token != nil {
		keys = append(keys, token.key())
	}
	tx, err := e.store.Begin(ctx, keys...)
	if err != nil {
		return pending{err: err}
	}
	defer tx.Discard()
	if token != nil {
		at, done, err := token.done(tx, e.clock.Now())
		if err != nil {
			return pending{err: err}
		}
		if done {
			return e.replay(tx, token, at, actions)
		}
	}
	failed, idle := false, token == nil
	for _, a := range actions {
		if err := a.evaluate(tx); err != nil {
			return pending{err: err}
		}
		failed = failed || a.failed != nil
		idle = idle && a.idle
	}
	if failed || idle {
		return e.asRead(actions, failed)
	}
	return e.commit(tx, token, actions)
}

// asRead is the outcome of actions that write nothing: they have read their items.
func (e *Engine) asRead(actions []*action, failed bool) pending {
	p := pending{failed: failed}
	for _, a := range actions {
		p.seq = max(p.seq, e.inflight.get(a.storeKey))
		if err := a.table.held(); err != nil {
			return pending{err: err}
		}
	}
	if !e.admit(actions) {
		return pending{failed: true}
	}
	return p
}

func (e *Engine) commit(tx storage.Txn, token *Token, actions []*action) (p pending) {
	for _, a := range actions {
		if a.idle {
			continue
		}
		costs, err := a.table.writeIndexes(tx, a.itemKey, a.old, a.new)
		if err != nil {
			return pending{err: err}
		}
		a.result.Cost.Indexes = costs
		if err := a.table.writeExpiry(tx, a.itemKey, a.old, a.new, e.origin.Region); err != nil {
			return pending{err: err}
		}
	}
	if !e.admit(actions) {
		return pending{failed: true}
	}
	e.counts.moving.RLock()
	defer e.counts.moving.RUnlock()
	p.durable, p.err = tx.Commit(func(w storage.Writer) (err error) {
		p.seq, err = e.seal(w, token, actions)
		return err
	})
	if p.err != nil {
		takeBack(actions)
		return p
	}
	e.commits.Add(1)
	for _, a := range actions {
		if !a.idle {
			e.counts.add(a.table.entry.ID, a.old, a.new)
		}
	}
	return p
}

// scratch is memory that seals use one after the other.
type scratch struct {
	changes []record.Change
	states  []byte // the changes' item keys and states
	old     []byte // one item's key and old state
	touched []string
	adds    []conflict.Add
	cell    cellBuffer
}

// free lets go of what the changes point at, and of buffers that one large commit made large.
func (s *scratch) free() {
	clear(s.changes)
	s.changes = s.changes[:0]
	clear(s.touched)
	clear(s.adds)
	if cap(s.states) > 1<<20 || cap(s.old) > 1<<20 {
		s.states, s.old = nil, nil
	}
	s.states = s.states[:0]
}

// seal gives the commit its number and its stamp together and writes item states, cells and log. The store runs it alone.
func (e *Engine) seal(w storage.Writer, token *Token, actions []*action) (record.Seq, error) {
	if err := standing(actions); err != nil {
		return 0, err // before anything is taken or noted
	}
	if token != nil {
		if err := token.write(w, e.clock.Now(), actions); err != nil {
			return 0, err
		}
	}
	if !writes(actions) {
		return 0, nil
	}
	e.order.Lock()
	defer e.order.Unlock()
	defer e.scratch.free()
	stamp, err := e.clock.Seal(w)
	if err != nil {
		return 0, err
	}
	e.seen.own.Store(uint64(stamp.Time))
	c := record.Commit{Stamp: stamp, Wall: e.clock.Now()}
	for _, a := range actions {
		if a.idle {
			continue
		}
		if err := e.scratch.write(w, a, stamp); err != nil {
			return 0, err
		}
	}
	c.Changes = e.scratch.changes
	if err := e.log.Append(w, &c); err != nil {
		return 0, err
	}
	for _, a := range actions {
		if !a.idle {
			e.inflight.mark(a.storeKey, c.Seq)
		}
	}
	return c.Seq, nil
}

// standing fails if a table's description has changed since the actions were evaluated.
func standing(actions []*action) error {
	var last *Table
	for _, a := range actions {
		if a.table == last {
			continue
		}
		last = a.table
		if err := last.standing(); err != nil {
			return err
		}
	}
	return nil
}

func writes(actions []*action) bool {
	for _, a := range actions {
		if !a.idle {
			return true
		}
	}
	return false
}

// write puts the new state under the item's key, moves the cells, and notes the change for the log. One buffer has the
// state for all three.
func (s *scratch) write(w storage.Writer, a *action, stamp crdt.Stamp) error {
	t, d := a.table, a.table.entry.Descriptor
	state := conflict.Write(t.policy, a.stored, s.local(a, stamp))
	from := len(s.states)
	s.states = state.Append(append(s.states, a.itemKey...))
	new := s.states[from:len(s.states):len(s.states)]
	ch := record.Change{
		Table: d.ID, Shard: shardOf(a.itemKey), Key: a.itemKey, Base: state.Base(), State: new[len(a.itemKey):],
	}
	if d.Stream.Enabled && !a.old.IsZero() {
		ch.Old, ch.HasOld = a.old.Encoded(), true
	}
	s.changes = append(s.changes, ch)
	var old []byte
	if a.raw != nil {
		s.old = append(append(s.old[:0], a.itemKey...), a.raw...)
		old = s.old
	}
	// A table that never had a replica elsewhere need not remember its deletes: nobody can bring the item back.
	if a.new.IsZero() && !d.Shared() {
		if err := t.cells.move(w, &s.cell, len(a.itemKey), old, nil); err != nil {
			return err
		}
		return w.Delete(a.storeKey)
	}
	if err := t.cells.move(w, &s.cell, len(a.itemKey), old, new); err != nil {
		return err
	}
	return w.Set(a.storeKey, ch.State)
}

// local says what an action does, in the terms of package conflict. It is good until the next.
func (s *scratch) local(a *action, stamp crdt.Stamp) conflict.Local {
	l := conflict.Local{Stamp: stamp, New: a.new, Floor: a.table.engine.floor(a.table.entry.ID)}
	switch a.Op {
	case Put:
		l.Op = conflict.Put
	case Update:
		l.Op = conflict.Update
	case Delete:
		l.Op = conflict.Delete
	case expire:
		l.Op = conflict.Expire
	}
	if a.Op != Update || a.table.policy == conflict.LastWriterWins {
		return l
	}
	// An update claims the key too: a concurrent delete by a region that is still at last-writer-wins clears all that is
	// older, and what the update then revives would be an item without its key.
	s.touched, s.adds = append(s.touched[:0], a.table.keyNames...), s.adds[:0]
	if u := a.Write.Update; u != nil {
		s.touched = append(s.touched, u.TopLevelNames()...)
		if a.table.policy == conflict.CRDT {
			for _, x := range u.Adds() {
				s.adds = append(s.adds, conflict.Add(x))
			}
		}
	}
	slices.Sort(s.touched)
	l.Touched, l.Adds = s.touched, s.adds
	return l
}

func shardOf(itemKey []byte) uint16 {
	return record.ShardOf(uint32(itemKey[0])<<24 | uint32(itemKey[1])<<16 | uint32(itemKey[2])<<8 | uint32(itemKey[3]))
}

// sameItem finds two actions on one item.
func sameItem(actions []*action) bool {
	for i, a := range actions {
		for _, b := range actions[:i] {
			if bytes.Equal(a.storeKey, b.storeKey) {
				return true
			}
		}
	}
	return false
}
