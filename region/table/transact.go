package table

import (
	"context"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/region/capacity"
	"github.com/meridiandb/meridian/storage"
)

// Canceled says that a transaction did not happen. Reasons has an error for each action, nil where it was fine.
type Canceled struct{ Reasons []error }

func (*Canceled) Error() string { return "Transaction cancelled" }

// Transacted is the outcome of a transaction.
type Transacted struct {
	Results []WriteResult // one for each write, if it happened
	// Reasons has each write's own failure, nil where it was fine, if it did not happen; nil if it did.
	Reasons []error
	// Replayed: the token said that this transaction has happened before, and nothing was done. Results then have no items,
	// and as Cost.Table what a consistent read costs of what the write was priced by.
	Replayed bool
}

// Transact does all writes at once or none. A token, which may be nil, makes it idempotent: see Token. An error is the
// store's, a missing table (fault.NotFound), or a token used for something else (fault.IdempotentMismatch).
func (e *Engine) Transact(ctx context.Context, token *Token, ws []TableWrite) (Transacted, error) {
	actions, reasons := make([]*action, len(ws)), make([]error, len(ws))
	for i, w := range ws {
		a, err := w.Table.action(w.Write)
		if err != nil {
			reasons[i] = err
			return Transacted{Reasons: reasons}, nil
		}
		a.together = true
		actions[i] = a
	}
	if sameItem(actions) {
		return Transacted{}, invalid("Transaction request cannot include multiple operations on one item")
	}
	p := e.start(ctx, token, actions...)
	if err := p.wait(ctx, e); err != nil {
		return Transacted{}, err
	}
	if p.failed {
		for i, a := range actions {
			reasons[i] = a.failed
		}
		return Transacted{Reasons: reasons}, nil
	}
	out := Transacted{Results: make([]WriteResult, len(ws)), Replayed: p.replayed}
	for i, a := range actions {
		out.Results[i] = a.result
	}
	return out, nil
}

// replay works out what reading costs: what the transaction was priced by when it happened at a time, so that a deleted
// item costs as much as when it was there; of a token that does not say it, what the items are now. The transaction that is
// repeated may not be on disk yet: whatever is committed now is, when an empty commit behind it is.
func (e *Engine) replay(tx storage.Txn, token *Token, at int64, actions []*action) pending {
	sizes, err := token.sizes(tx, at, len(actions))
	if err != nil {
		return pending{err: err}
	}
	for i, a := range actions {
		if sizes == nil {
			raw, err := tx.Get(a.storeKey)
			if err != nil && !storage.IsNotFound(err) {
				return pending{err: err}
			}
			a.result.Cost.Table = capacity.ReadUnits(conflict.TrustedState(raw).Item().Size(), true)
			continue
		}
		a.result.Cost.Table = capacity.ReadUnits(sizes[i], true)
	}
	durable, err := tx.Commit(nil)
	if err == nil {
		for _, a := range actions {
			a.table.meter.Charge(e.clock.Now(), capacity.Read, a.charge())
		}
	}
	return pending{durable: durable, replayed: true, err: err}
}
