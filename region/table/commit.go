package table

import (
	"context"
	"errors"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// action is one write on its way through a commit.
type action struct {
	Write
	table    *Table
	key      item.Key
	itemKey  []byte // ordered key, as log and peers know it
	storeKey []byte // the same under the table's prefix

	stored   conflict.State
	old, new item.Item
	result   WriteResult
	idle     bool // nothing to write: a check, a delete of nothing, an update that creates nothing
}

// TableWrite is one write with its table.
type TableWrite struct {
	Table *Table
	Write
}

func (t *Table) action(w Write) (*action, error) {
	a := &action{Write: w, table: t, key: w.Key}
	if w.Op == Put {
		k, err := t.Schema().FromItem(w.Item)
		if err != nil {
			return nil, err
		}
		a.key = k
	}
	a.storeKey = a.key.Append(append(make([]byte, 0, 64), t.prefix...))
	a.itemKey = a.storeKey[len(t.prefix):]
	return a, nil
}

// Write does one write. It returns *ConditionFailed if the condition is false.
func (t *Table) Write(ctx context.Context, w Write) (WriteResult, error) {
	a, err := t.action(w)
	if err != nil {
		return WriteResult{}, err
	}
	p := t.engine.start(ctx, a)
	if err := p.wait(ctx, t.engine); err != nil {
		return WriteResult{}, err
	}
	return a.result, p.errs[0]
}

// WriteBatch does each write by itself, in no order, and waits for the disk once. Errors stand at the write's place.
func (e *Engine) WriteBatch(ctx context.Context, ws []TableWrite) ([]WriteResult, []error) {
	results, errs := make([]WriteResult, len(ws)), make([]error, len(ws))
	actions, started := make([]*action, len(ws)), make([]pending, len(ws))
	for i, w := range ws {
		if actions[i], errs[i] = w.Table.action(w.Write); errs[i] == nil {
			started[i] = e.start(ctx, actions[i])
		}
	}
	for i := range ws {
		if errs[i] != nil {
			continue
		}
		errs[i] = errors.Join(started[i].wait(ctx, e), started[i].errs[0])
		results[i] = actions[i].result
	}
	return results, errs
}

// Transact does all writes at once or none. If any of them fails, errs has each one's own reason (nil: it was fine).
func (e *Engine) Transact(ctx context.Context, ws []TableWrite) (results []WriteResult, errs []error, err error) {
	actions := make([]*action, len(ws))
	errs = make([]error, len(ws))
	for i, w := range ws {
		a, err := w.Table.action(w.Write)
		if err != nil {
			errs[i] = err
			return nil, errs, nil
		}
		actions[i] = a
	}
	p := e.start(ctx, actions...)
	if err := p.wait(ctx, e); err != nil {
		return nil, nil, err
	}
	for _, reason := range p.errs {
		if reason != nil {
			return nil, p.errs, nil
		}
	}
	results = make([]WriteResult, len(ws))
	for i, a := range actions {
		results[i] = a.result
	}
	return results, nil, nil
}

// pending is a commit that has taken its place and is not yet known to be on disk.
type pending struct {
	durable storage.Durable // nil: nothing was written
	seq     record.Seq      // of the commit, or of what was read if nothing was written
	errs    []error         // each action's own failure; any of them: nothing was written
	err     error           // the store's failure
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
	e.log.Committed(p.seq)
	return nil
}

// start evaluates actions under their latches and, if none fails, commits them as one. The latches are free again on
// return, although the commit may not be durable yet: whatever builds on it stands behind it in the store's order.
func (e *Engine) start(ctx context.Context, actions ...*action) pending {
	keys := make([][]byte, len(actions))
	for i, a := range actions {
		keys[i] = a.storeKey
	}
	tx, err := e.store.Begin(ctx, keys...)
	if err != nil {
		return pending{err: err}
	}
	defer tx.Discard()
	p := pending{errs: make([]error, len(actions))}
	failed, idle := false, true
	for i, a := range actions {
		err := a.evaluate(tx)
		if err != nil && !isOutcome(err) {
			return pending{err: err}
		}
		p.errs[i] = err
		failed = failed || err != nil
		idle = idle && a.idle
	}
	if failed || idle {
		for _, k := range keys {
			p.seq = max(p.seq, record.Seq(e.inflight.slot(k).Load()))
		}
		return p
	}
	for _, a := range actions {
		if err := a.indexes(tx); err != nil {
			return pending{err: err}
		}
	}
	p.durable, p.err = tx.Commit(func(w storage.Writer) error {
		seq, err := e.seal(w, actions)
		p.seq = seq
		return err
	})
	if p.err == nil {
		e.commits.Add(1)
		for _, a := range actions {
			e.counts.add(a.table.entry.ID, a.old, a.new)
		}
	}
	return p
}

// seal gives the commit its number and its stamp together and writes item states and log. The store runs it alone.
func (e *Engine) seal(w storage.Writer, actions []*action) (record.Seq, error) {
	e.order.Lock()
	defer e.order.Unlock()
	stamp, err := e.clock.Seal(w)
	if err != nil {
		return 0, err
	}
	c := record.Commit{Stamp: stamp, Wall: e.clock.Now(), Changes: make([]record.Change, 0, len(actions))}
	for _, a := range actions {
		if a.idle {
			continue
		}
		ch, err := a.write(w, stamp)
		if err != nil {
			return 0, err
		}
		c.Changes = append(c.Changes, ch)
	}
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

// write puts the new state under the item's key and returns the change for the log.
func (a *action) write(w storage.Writer, stamp crdt.Stamp) (record.Change, error) {
	d := a.table.entry.Descriptor
	state := conflict.Write(a.table.policy(), a.stored, a.local(stamp)).Append(nil)
	ch := record.Change{
		Table: d.ID, Shard: shardOf(a.itemKey), Key: a.itemKey,
		Base: a.stored.Stamp(), State: state,
	}
	if d.Stream.Enabled && !a.old.IsZero() {
		ch.Old, ch.HasOld = a.old.Encoded(), true
	}
	// A table that never had a replica elsewhere need not remember its deletes: nobody can bring the item back.
	if a.new.IsZero() && !d.Shared() {
		return ch, w.Delete(a.storeKey)
	}
	return ch, w.Set(a.storeKey, state)
}

func (a *action) local(stamp crdt.Stamp) conflict.Local {
	l := conflict.Local{Stamp: stamp, New: a.new}
	switch a.Op {
	case Put:
		l.Op = conflict.Put
	case Update:
		l.Op = conflict.Update
		if a.Write.Update != nil {
			l.Touched = a.Write.Update.TopLevelNames()
		}
	case Delete:
		l.Op = conflict.Delete
	}
	return l
}

func (t *Table) policy() conflict.Policy {
	p, _ := conflict.ParsePolicy(t.entry.Policy) // checked when it was set; empty is the default
	return p
}

func shardOf(itemKey []byte) uint16 {
	return record.ShardOf(uint32(itemKey[0])<<24 | uint32(itemKey[1])<<16 | uint32(itemKey[2])<<8 | uint32(itemKey[3]))
}
