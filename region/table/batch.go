package table

import (
	"bytes"
	"context"

	"github.com/meridiandb/meridian/storage"
)

// groupBytes is about how much of a batch goes into the store at once: other writers wait for it.
const groupBytes = 1 << 20

// WriteBatch does each write by itself, in the order given, and waits for the disk once. Errors stand at the write's place.
//
// Neighbours share a storage batch; in the log each is a commit of its own. So a store that fails takes several at once, and
// nothing else tells.
func (e *Engine) WriteBatch(ctx context.Context, ws []TableWrite) ([]WriteResult, []error) {
	results, errs := make([]WriteResult, len(ws)), make([]error, len(ws))
	actions, places := make([]*action, 0, len(ws)), make([]int, 0, len(ws))
	for i, w := range ws {
		a, err := w.Table.action(w.Write)
		if err != nil {
			errs[i] = err
			continue
		}
		actions, places = append(actions, a), append(places, i)
	}
	var groups []pending
	var sizes []int
	for rest := actions; len(rest) > 0; {
		n := groupOf(rest)
		groups, sizes = append(groups, e.startEach(ctx, rest[:n])), append(sizes, n)
		rest = rest[n:]
	}
	for g := range groups {
		err := groups[g].wait(ctx, e)
		for range sizes[g] {
			a, i := actions[0], places[0]
			actions, places = actions[1:], places[1:]
			switch {
			case err != nil:
				errs[i] = err
			case a.failed != nil:
				errs[i] = a.failed
			default:
				results[i] = a.result
			}
		}
	}
	return results, errs
}

// groupOf is how many of the actions go together: no item twice, for a transaction does not see its own writes.
func groupOf(actions []*action) int {
	size := 0
	for i, a := range actions {
		if size += len(a.Item.Encoded()); i > 0 && size > groupBytes {
			return i
		}
		for _, b := range actions[:i] {
			if bytes.Equal(a.storeKey, b.storeKey) {
				return i
			}
		}
	}
	return len(actions)
}

// startEach is start for actions that succeed or fail each for itself.
func (e *Engine) startEach(ctx context.Context, actions []*action) pending {
	return e.untilStanding(ctx, actions, func() pending { return e.attemptEach(ctx, actions) })
}

func (e *Engine) attemptEach(ctx context.Context, actions []*action) pending {
	keys := make([][]byte, len(actions))
	for i, a := range actions {
		keys[i] = a.storeKey
	}
	tx, err := e.store.Begin(ctx, keys...)
	if err != nil {
		return pending{err: err}
	}
	defer tx.Discard()
	writing, reading := make([]*action, 0, len(actions)), []*action(nil)
	for _, a := range actions {
		if err := a.evaluate(tx); err != nil {
			return pending{err: err}
		}
		if a.failed != nil || a.idle {
			reading = append(reading, a)
		} else {
			writing = append(writing, a)
		}
	}
	p := e.commitEach(tx, writing)
	if p.err != nil {
		return p // and may be done again, so the others are not charged yet
	}
	for _, a := range reading {
		r := e.asRead([]*action{a}, a.failed != nil)
		if r.err != nil {
			a.failed = r.err // a table that is gone is no matter of the others
		}
		if p.durable == nil {
			p.seq = max(p.seq, r.seq)
		}
	}
	return p
}

// commitEach commits those actions that are admitted, each for itself, in one batch.
func (e *Engine) commitEach(tx storage.Txn, actions []*action) (p pending) {
	admitted := make([]*action, 0, len(actions))
	defer func() {
		if p.err != nil {
			takeBack(admitted)
		}
	}()
	for _, a := range actions {
		ok, err := e.prepare(tx, a)
		if ok {
			admitted = append(admitted, a)
		}
		if err != nil {
			return pending{err: err}
		}
	}
	if len(admitted) == 0 {
		return p
	}
	e.counts.moving.RLock()
	defer e.counts.moving.RUnlock()
	p.durable, p.err = tx.Commit(func(w storage.Writer) (err error) {
		if err := standing(admitted); err != nil {
			return err // before anything is taken or noted
		}
		for i := range admitted {
			if p.seq, err = e.seal(w, nil, admitted[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	})
	if p.err != nil {
		return p
	}
	e.commits.Add(uint64(len(admitted)))
	for _, a := range admitted {
		e.counts.add(a.table.entry.ID, a.old, a.new)
	}
	return p
}

// prepare admits an action's write and puts into the batch what is known of it before the seal.
func (e *Engine) prepare(tx storage.Txn, a *action) (admitted bool, err error) {
	// The cost comes first: one that is refused must leave nothing in the batch.
	if a.result.Cost.Indexes, err = a.table.writeIndexes(nowhere{}, a.itemKey, a.old, a.new); err != nil {
		return false, err
	}
	if !e.admit([]*action{a}) {
		return false, nil
	}
	if _, err := a.table.writeIndexes(tx, a.itemKey, a.old, a.new); err != nil {
		return true, err
	}
	return true, a.table.writeExpiry(tx, a.itemKey, a.old, a.new, e.origin.Region)
}

// nowhere is a Writer that forgets.
type nowhere struct{}

func (nowhere) Set(_, _ []byte) error         { return nil }
func (nowhere) Delete([]byte) error           { return nil }
func (nowhere) DeleteRange(_, _ []byte) error { return nil }
func (nowhere) Merge(_, _ []byte) error       { return nil }
