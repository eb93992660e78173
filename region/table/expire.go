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

// dueBytes bounds the keys that a look lists.
const dueBytes = 4 << 20

// Due is what a look at the order of expiry found.
type Due struct {
	Entries [][]byte // of the items to expire, the oldest first
	// UpTo is the time, in unix milliseconds, before which every entry is listed or was left for another region.
	UpTo int64
	// Oldest is since when the oldest entry is due that was left for another region, or for another look, in unix
	// milliseconds; 0 if none was.
	Oldest int64
}

// Due lists entries of a table's items whose time is over at now and was not before from, both in unix milliseconds, at most
// most of them. may says whether this region is to expire what owner wrote and what was due at a time.
func (e *Engine) Due(id record.TableID, from, now int64, most int, may func(owner string, at int64) bool) (Due, error) {
	found := Due{UpTo: now}
	s := expirySpan(id, from, now)
	it, err := e.store.NewIter(storage.IterOptions{Lower: s.lo, Upper: s.hi})
	if err != nil {
		return found, err
	}
	size := 0
	for ok := it.First(); ok; ok = it.Next() {
		at, _, err := splitExpiry(it.Key())
		if err != nil {
			return found, joined(err, it)
		}
		mine := may(string(it.Value()), at)
		full := mine && (len(found.Entries) == most || size > dueBytes)
		if (!mine || full) && found.Oldest == 0 {
			found.Oldest = at
		}
		if full {
			found.UpTo = at
			break
		}
		if mine {
			size += len(it.Key())
			found.Entries = append(found.Entries, bytes.Clone(it.Key()))
		}
	}
	return found, joined(nil, it)
}

// Expire deletes the items of entries that Due listed, those that are still as it found them. Nothing is charged for it, the
// deletes stand in the log like any, and on return they are durable.
func (e *Engine) Expire(ctx context.Context, id record.TableID, now int64, entries [][]byte, may func(owner string, at int64) bool) error {
	var started []pending // the disk is waited for once: one commit after the other would wait for as many syncs
	var err error
	for len(entries) > 0 && err == nil {
		n := min(expireStep, len(entries))
		var p pending
		if p, err = e.expireSome(ctx, id, now, entries[:n], may); errors.Is(err, errStale) {
			err = context.Cause(ctx) // nothing has changed: again
			continue
		}
		if err == nil {
			started, entries = append(started, p), entries[n:]
		}
	}
	for i := range started {
		err = errors.Join(err, started[i].wait(ctx, e))
	}
	return err
}

// expireSome expires those items that are as their entries say. An entry that its item knows nothing of is removed.
func (e *Engine) expireSome(ctx context.Context, id record.TableID, now int64, entries [][]byte, may func(owner string, at int64) bool) (pending, error) {
	t, err := e.current(id)
	if err != nil {
		return pending{}, err
	}
	keys := make([][]byte, len(entries))
	for i, k := range entries {
		keys[i] = t.itemKeyOf(k[expiryKeyMin:])
	}
	tx, err := e.store.Begin(ctx, keys...)
	if err != nil {
		return pending{}, err
	}
	defer tx.Discard()
	if t, err = e.current(id); err != nil {
		return pending{}, err
	}
	var actions []*action
	for i, k := range keys {
		a, err := t.expireAction(tx, k, entries[i], now, may)
		if err != nil {
			return pending{}, err
		}
		if a != nil {
			actions = append(actions, a)
		}
	}
	p := e.commitExpired(tx, t, actions)
	return p, p.err
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
