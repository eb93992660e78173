package table

import (
	"errors"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
)

// isOutcome tells a write's own failure (a false condition, a result that is too large) from the store's.
func isOutcome(err error) bool {
	var cf *ConditionFailed
	var ee *expr.Error
	var ve *item.ValidationError
	return errors.As(err, &cf) || errors.As(err, &ee) || errors.As(err, &ve) || fault.KindOf(err) == fault.Invalid
}

// evaluate reads the stored state, tests the condition and works out the new item. It changes nothing.
func (a *action) evaluate(r storage.Reader) error {
	raw, err := r.Get(a.storeKey)
	if err != nil && !storage.IsNotFound(err) {
		return err
	}
	if err == nil {
		a.stored = conflict.TrustedState(raw)
		a.old = a.stored.Item()
	}
	if a.Condition != nil {
		ok, err := a.Condition.Eval(a.old)
		if err != nil {
			return err
		}
		if !ok {
			return &ConditionFailed{Item: a.old, Cost: Cost{Table: writeUnits(max(a.old.Size(), a.Item.Size()))}}
		}
	}
	if err := a.next(); err != nil {
		return err
	}
	a.result.Old, a.result.New = a.old, a.new
	a.result.Cost.Table = writeUnits(max(a.old.Size(), a.new.Size()))
	a.idle = a.Op == Check || (a.old.IsZero() && a.new.IsZero())
	return nil
}

// next works out the new item and checks what only the result can show.
func (a *action) next() error {
	switch a.Op {
	case Put:
		a.new = a.Item
		if a.new.Size() > item.MaxItemSize {
			return fault.New(fault.Invalid, "Item size has exceeded the maximum allowed size")
		}
	case Update:
		if err := a.update(); err != nil {
			return err
		}
		if a.new.Size() > item.MaxItemSize {
			return fault.New(fault.Invalid, "Item size to update has exceeded the maximum allowed size")
		}
	case Check:
		a.new = a.old
		return nil
	case Delete:
		return nil
	}
	return checkIndexKeys(a.table.entry.Descriptor, a.new)
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

// Largest key values of an index, in bytes; the table's own are checked where keys are read (DYNAMODB.md 3.2).
const (
	maxHashKey  = 2048
	maxRangeKey = 1024
)

// checkIndexKeys refuses an item whose attribute cannot stand as the key of an index it would be in. Only a client's own
// writes are checked: what another region accepted is stored and left out of the index.
func checkIndexKeys(d *catalog.Descriptor, it item.Item) error {
	if it.IsZero() {
		return nil
	}
	for i := range d.Indexes {
		ix := &d.Indexes[i]
		if err := checkIndexPart(ix, ix.Schema.Hash, it, maxHashKey); err != nil {
			return err
		}
		if err := checkIndexPart(ix, ix.Schema.Range, it, maxRangeKey); err != nil {
			return err
		}
	}
	return nil
}

func checkIndexPart(ix *catalog.Index, part []item.KeyAttr, it item.Item, limit int) error {
	for _, k := range part {
		v := it.Get(k.Name)
		if v.IsZero() {
			continue
		}
		if v.Kind() != k.Kind {
			return fault.New(fault.Invalid, "One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s",
				k.Name, k.Kind, v.Kind(), ix.Name)
		}
		if k.Kind == item.Number {
			continue
		}
		if v.Len() == 0 {
			what := "string"
			if k.Kind == item.Binary {
				what = "binary"
			}
			return fault.New(fault.Invalid, "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "+
				"The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s", what, ix.Name, k.Name)
		}
		if v.Len() > limit {
			if limit == maxHashKey {
				return fault.New(fault.Invalid, "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes")
			}
			return fault.New(fault.Invalid, "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
		}
	}
	return nil
}
