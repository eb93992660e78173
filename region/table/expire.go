package table

import (
	"bytes"
	"context"
	"errors"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// expire is the delete of an item whose time is over. It is not among the operations that callers may ask for: whether it
// is over is looked at under the item's latch.
const expire = Check + 1

// expireStep is how many items one commit expires: few, so that writers hardly notice.
const expireStep = 64

// Expired is what one round of Expire did and left.
type Expired struct {
	Items int
	// Oldest is since when the oldest entry is due that was left for another region, or for another round, in unix
	// milliseconds; 0 if none was.
	Oldest int64
	More   bool // there was more than the round took
}

// Expire deletes items of a table whose time is over at now and was not before from, both in unix milliseconds, at most max
// of them, the oldest first. may says whether this
// region is to expire what owner wrote and what was due at a time. Nothing is charged for it, the deletes stand in the log
// like any, and on return they are durable.
func (e *Engine) Expire(ctx context.Context, id record.TableID, from, now int64, max int, may func(owner string, at int64) bool) (Expired, error) {
	var done Expired
	var started []pending // the disk is waited for once: one commit after the other would wait for as many syncs
	err := e.expireAll(ctx, id, from, now, max, may, &done, &started)
	for i := range started {
		err = errors.Join(err, started[i].wait(ctx, e))
	}
	return done, err
}

func (e *Engine) expireAll(ctx context.Context, id record.TableID, from, now int64, max int, may func(owner string, at int64) bool,
	done *Expired, started *[]pending) error {
	s := expirySpan(id, from, now)
	for done.Items < max {
		due, err := e.due(s, min(expireStep, max-done.Items), done, may)
		if err != nil || len(due.keys) == 0 {
			return err
		}
		n, p, err := e.expireSome(ctx, id, now, due.keys, may)
		if errors.Is(err, errStale) { // the next round finds them again
			done.More = true
			return nil
		}
		if err != nil {
			return err
		}
		*started = append(*started, p)
		done.Items += n
		if s.lo = due.next; s.lo == nil {
			return nil
		}
	}
	done.More = true
	if at, _, err := splitExpiry(s.lo); err == nil && (done.Oldest == 0 || at < done.Oldest) {
		done.Oldest = at
	}
	return nil
}

// dueKeys are entries to be seen to, and where to look on.
type dueKeys struct {
	keys [][]byte // of entries
	next []byte   // nil: there are no more
}

// due lists the next entries that this region is to see to, and notes the oldest of those that it is not.
func (e *Engine) due(s span, most int, done *Expired, may func(owner string, at int64) bool) (found dueKeys, err error) {
	it, err := e.store.NewIter(storage.IterOptions{Lower: s.lo, Upper: s.hi})
	if err != nil {
		return found, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		at, _, err := splitExpiry(it.Key())
		if err != nil {
			return found, joined(err, it)
		}
		if len(found.keys) == most {
			found.next = bytes.Clone(it.Key())
			break
		}
		if may(string(it.Value()), at) {
			found.keys = append(found.keys, bytes.Clone(it.Key()))
		} else if done.Oldest == 0 {
			done.Oldest = at
		}
	}
	return found, joined(nil, it)
}

// expireSome expires those items that are as their entries say. An entry that its item knows nothing of is removed.
func (e *Engine) expireSome(ctx context.Context, id record.TableID, now int64, entries [][]byte, may func(owner string, at int64) bool) (int, pending, error) {
	t, err := e.current(id)
	if err != nil {
		return 0, pending{}, err
	}
	keys := make([][]byte, len(entries))
	for i, k := range entries {
		keys[i] = t.itemKeyOf(k[expiryKeyMin:])
	}
	tx, err := e.store.Begin(ctx, keys...)
	if err != nil {
		return 0, pending{}, err
	}
	defer tx.Discard()
	if t, err = e.current(id); err != nil {
		return 0, pending{}, err
	}
	var actions []*action
	for i, k := range keys {
		a, err := t.expireAction(tx, k, entries[i], now, may)
		if err != nil {
			return 0, pending{}, err
		}
		if a != nil {
			actions = append(actions, a)
		}
	}
	p := e.commitExpired(tx, t, actions)
	return len(actions), p, p.err
}

// expireAction is the delete of an item as it is now under its latch, nil if its time is not over or it is another's.
func (t *Table) expireAction(tx storage.Txn, key, entry []byte, now int64, may func(owner string, at int64) bool) (*action, error) {
	a := &action{Write: Write{Op: expire}, table: t, storeKey: key, itemKey: key[len(t.prefix):]}
	raw, err := tx.Get(key)
	if err != nil && !storage.IsNotFound(err) {
		return nil, err
	}
	if err == nil {
		a.raw, a.stored = raw, conflict.TrustedState(raw)
		a.old = a.stored.Item()
	}
	at, ok := t.expiry(a.old)
	if !ok || !bytes.Equal(entry, expiryKey(nil, t.entry.ID, at, a.itemKey)) {
		return nil, tx.Delete(entry)
	}
	if !isExpired(at, now) || !may(a.stored.Stamp().Origin.Region, at) {
		return nil, nil
	}
	return a, nil
}

// commitExpired deletes what is over in one commit. It goes a write's way, past the meter.
func (e *Engine) commitExpired(tx storage.Txn, t *Table, actions []*action) (p pending) {
	for _, a := range actions {
		if _, err := t.writeIndexes(tx, a.itemKey, a.old, a.new); err != nil {
			return pending{err: err}
		}
		if err := t.writeExpiry(tx, a.itemKey, a.old, a.new, e.origin.Region); err != nil {
			return pending{err: err}
		}
	}
	e.counts.moving.RLock()
	p.durable, p.err = tx.Commit(func(w storage.Writer) (err error) {
		if err := t.standing(); err != nil {
			return err
		}
		p.seq, err = e.seal(w, nil, actions)
		return err
	})
	for _, a := range actions {
		if p.err == nil {
			e.counts.add(t.entry.ID, a.old, a.new)
		}
	}
	e.counts.moving.RUnlock()
	if p.err == nil && len(actions) > 0 {
		e.commits.Add(1)
		e.expired.add(t.entry.ID, len(actions))
	}
	return p
}

// SettleExpiry makes the index of expiry times what a table's setting asks for: of every item with a time, or empty. Writers
// keep it from when the setting became visible, so what a backfill enters is as it is under the item's latch. It may be cut
// off at any time and done again. It returns the ChangedAt of the setting that it agrees with.
func (e *Engine) SettleExpiry(ctx context.Context, id record.TableID) (changedAt int64, err error) {
	t, err := e.current(id)
	if err != nil {
		return 0, err
	}
	setting := t.entry.TTL
	// What an earlier setting left goes first. This passes the store: nothing of an earlier setting comes after it.
	if err := e.removeRanges(ctx, expiryPrefix(id)); err != nil {
		return 0, err
	}
	if !setting.Enabled {
		return setting.ChangedAt, nil
	}
	for from := t.prefix; from != nil; {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		keys, next, err := e.keysFrom(from, after(t.prefix))
		if err != nil {
			return 0, err
		}
		err = e.enterExpiry(ctx, id, setting.ChangedAt, keys)
		if errors.Is(err, errStale) {
			continue
		}
		if err != nil {
			return 0, err
		}
		from = next
	}
	return setting.ChangedAt, nil
}

// errOtherSetting says that the setting changed during a backfill, which must begin anew.
var errOtherSetting = errors.New("table: the expiry setting changed")

func (e *Engine) enterExpiry(ctx context.Context, id record.TableID, changedAt int64, keys [][]byte) error {
	tx, err := e.store.Begin(ctx, keys...)
	if err != nil {
		return err
	}
	defer tx.Discard()
	t, err := e.current(id)
	if err != nil {
		return err
	}
	if t.entry.TTL.ChangedAt != changedAt {
		return errOtherSetting
	}
	for _, k := range keys {
		raw, err := tx.Get(k)
		if storage.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		s := conflict.TrustedState(raw)
		if err := t.writeExpiry(tx, k[len(t.prefix):], s.Item(), s.Item(), s.Stamp().Origin.Region); err != nil {
			return err
		}
	}
	durable, err := tx.Commit(func(storage.Writer) error { return t.standing() })
	if err != nil {
		return err
	}
	return durable.Wait()
}
