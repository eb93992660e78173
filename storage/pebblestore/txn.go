package pebblestore

import (
	"bytes"

	"github.com/cockroachdb/pebble/v2"

	"github.com/meridiandb/meridian/storage"
)

// txn is a transaction: latches and a Pebble batch. It is inside the gate from Begin to its end.
type txn struct {
	store *Store
	held  storage.Held
	batch *pebble.Batch // nil when the transaction has ended
	undo  []func()      // of OnAbort
	few   [2]func()     // what undo begins in
}

func (t *txn) Get(key []byte) ([]byte, error) {
	if err := t.usable(); err != nil {
		return nil, err
	}
	return t.store.latest(key)
}

func (t *txn) NewIter(o storage.IterOptions) (storage.Iter, error) {
	if err := t.usable(); err != nil {
		return nil, err
	}
	t.store.gate.Again()
	return t.store.newIter(t.store.db, o)
}

// usable reports what stands against using the transaction; a Close that waits for us does not.
func (t *txn) usable() error {
	if t.batch == nil {
		return storage.ErrTxnDone
	}
	return t.store.health.failure()
}

func (t *txn) Set(k, v []byte) error {
	if err := t.usable(); err != nil {
		return err
	}
	return t.batch.Set(k, v, nil)
}

func (t *txn) Delete(k []byte) error {
	if err := t.usable(); err != nil {
		return err
	}
	return t.batch.Delete(k, nil)
}

func (t *txn) DeleteRange(lo, hi []byte) error {
	if err := t.usable(); err != nil {
		return err
	}
	if bytes.Compare(lo, hi) >= 0 {
		return nil
	}
	return t.batch.DeleteRange(lo, hi, nil)
}

func (t *txn) Merge(k, operand []byte) error {
	if err := t.usable(); err != nil {
		return err
	}
	return t.batch.Merge(k, operand, nil)
}

// OnAbort makes the txn the Sealer that seal gets.
func (t *txn) OnAbort(undo func()) {
	if t.undo == nil {
		t.undo = t.few[:0]
	}
	t.undo = append(t.undo, undo)
}

// Commit seals and applies in commit order.
func (t *txn) Commit(seal func(storage.Writer) error) (storage.Durable, error) {
	if t.batch == nil {
		return nil, storage.ErrTxnDone
	}
	defer t.Discard()
	if err := t.store.lockCommit(); err != nil {
		return nil, err
	}
	defer t.store.unlockCommit()
	if err := t.apply(seal); err != nil {
		return nil, err
	}
	d := &durable{t.store, t.batch}
	t.batch = nil
	t.end()
	return d, nil
}

// apply runs under the commit lock. When it returns an error, nothing has changed that anybody will see.
func (t *txn) apply(seal func(storage.Writer) error) error {
	applied := false
	defer func() {
		for i := len(t.undo) - 1; i >= 0 && !applied; i-- {
			t.undo[i]()
		}
	}()
	if err := t.store.admit(t.batch.Len()); err != nil {
		return err
	}
	if seal != nil {
		if err := seal(t); err != nil {
			return err
		}
	}
	if t.batch.Empty() {
		// Waiting for an empty batch would not wait; a log record without keys gives it a place in the order of the WAL.
		if err := t.batch.LogData(nil, nil); err != nil {
			return err
		}
	}
	written, bulk := t.batch.Reader(), t.batch.Count() > bulkKeys // now: Pebble takes a large batch's bytes
	t.store.rows.begin(written)
	if err := t.store.db.ApplyNoSyncWait(t.batch, pebble.Sync); err != nil {
		return t.store.health.fail("commit", err)
	}
	// Found out by the fence in between: the WAL may lack this commit, or have it.
	if err := t.store.health.failure(); err != nil {
		return err
	}
	t.store.rows.end(written, bulk)
	applied = true
	return nil
}

// Discard ends the transaction unless it has ended.
func (t *txn) Discard() {
	if t.batch == nil {
		return
	}
	// A batch that Pebble took on but may not have written must not be used again; the collector gets it.
	if !t.store.health.failed() {
		_ = t.batch.Close() // gives memory back, nothing else
	}
	t.batch = nil
	t.end()
}

func (t *txn) end() {
	t.held.Release()
	t.store.gate.Leave()
}

// lockCommit waits for the commit lock, or until the store has failed.
func (s *Store) lockCommit() error {
	select {
	case s.commit <- struct{}{}:
	case <-s.health.broken:
		return s.health.Err()
	}
	if err := s.health.failure(); err != nil {
		s.unlockCommit()
		return err
	}
	return nil
}

func (s *Store) unlockCommit() { <-s.commit }

// durable is a batch on its way to the disk.
type durable struct {
	store *Store
	batch *pebble.Batch // nil after Wait
}

// Wait returns when the WAL holds the commit. The failure is looked at after the sync: the fence sets it before a sync that
// did not happen returns.
func (d *durable) Wait() error {
	if d.batch == nil {
		panic("pebblestore: Durable.Wait called twice")
	}
	err := d.batch.SyncWait()
	switch {
	case err != nil:
		err = d.store.health.fail("sync", err)
	case d.store.health.failed():
		err = d.store.health.Err()
	default:
		_ = d.batch.Close() // gives memory back, nothing else
	}
	d.batch = nil
	return err
}
