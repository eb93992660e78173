package table

import (
	"errors"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/capacity"
	"github.com/meridiandb/meridian/storage"
)

// action is one write on its way through a commit.
type action struct {
	Write
	table    *Table
	key      item.Key
	itemKey  []byte // ordered key, as log and peers know it
	storeKey []byte // the same under the table's prefix
	together bool   // one of a transaction's, which costs the double

	restoring *Conflict // what a restore writes back; nil: this is none

	// What evaluate finds; begun anew when the commit is done again.
	raw      []byte // the stored state's bytes; nil: nothing is stored
	stored   conflict.State
	old, new item.Item
	result   WriteResult
	idle     bool  // nothing to write: a check, a delete of nothing, an update that creates nothing
	failed   error // its own failure: a false condition, a result that cannot be
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
	a.storeKey = t.storeKey(a.key)
	a.itemKey = a.storeKey[len(t.prefix):]
	return a, nil
}

// storeKey is where an item stands.
func (t *Table) storeKey(k item.Key) []byte {
	return k.Append(append(make([]byte, 0, 96), t.prefix...))
}

// again prepares the action for another attempt under the table's present description.
func (a *action) again(t *Table) {
	a.table = t
	a.raw, a.stored, a.old, a.new = nil, conflict.State{}, item.Item{}, item.Item{}
	a.result, a.idle, a.failed = WriteResult{}, false, nil
}

// isOutcome tells a write's own failure (a false condition, a result that is too large) from the store's.
func isOutcome(err error) bool {
	var cf *ConditionFailed
	var ee *expr.Error
	var ve *item.ValidationError
	return errors.As(err, &cf) || errors.As(err, &ee) || errors.As(err, &ve) || fault.KindOf(err) == fault.Invalid
}

// evaluate reads the stored state, tests the condition and works out the new item. It changes nothing in the store.
func (a *action) evaluate(r storage.Reader) error {
	raw, err := r.Get(a.storeKey)
	if err != nil && !storage.IsNotFound(err) {
		return err
	}
	if err == nil {
		a.raw = raw
		a.stored = conflict.TrustedState(raw)
		a.old = a.stored.Item()
	}
	err = a.next()
	if err == nil {
		a.result.Old, a.result.New = a.old, a.new
		a.result.Cost.Table = capacity.WriteUnits(a.priced())
		a.idle = a.Op == Check || (a.old.IsZero() && a.new.IsZero())
		return nil
	}
	if isOutcome(err) {
		a.failed = err
		return nil
	}
	return err
}

// priced is the size of what the action costs by: the larger image.
func (a *action) priced() int { return max(a.old.Size(), a.new.Size()) }

// next tests the condition and works out the new item. What is wrong with an item to be put is told before the condition,
// what is wrong with an update's result after it.
func (a *action) next() error {
	if a.restoring != nil {
		return a.restore()
	}
	if a.Op == Put {
		if err := a.table.checkItem(item.Item{}, a.Item, nil); err != nil {
			return err
		}
	}
	if a.Condition != nil {
		ok, err := a.Condition.Eval(a.old)
		if err != nil {
			return err
		}
		if !ok {
			return &ConditionFailed{Item: a.old, Cost: Cost{Table: capacity.WriteUnits(max(a.old.Size(), a.Item.Size()))}}
		}
	}
	switch a.Op {
	case Put:
		a.new = a.Item
	case Update:
		if err := a.update(); err != nil {
			return err
		}
		return a.table.checkItem(a.old, a.new, a.Write.Update)
	case Check:
		a.new = a.old
	}
	return nil
}

func (a *action) update() error {
	key := a.table.Schema().Fields(a.key)
	if a.Write.Update == nil {
		if a.new = a.old; a.old.IsZero() {
			a.new = item.NewItem(key)
		}
		return nil
	}
	res, err := a.Write.Update.Apply(a.old, key)
	if err != nil {
		return err
	}
	a.new = res.Item
	a.result.UpdatedOld, a.result.UpdatedNew = res.UpdatedOld, res.UpdatedNew
	return nil
}
