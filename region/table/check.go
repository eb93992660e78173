package table

import (
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
)

func invalid(format string, args ...any) error { return fault.New(fault.Invalid, format, args...) }

// checkItem refuses an item that a client's write must not leave: too large, too deep, or with an attribute that cannot
// stand as an index's key. Only a client's own writes are checked, and of those only what they change: what another region
// accepted is stored, and left out of the index.
func (t *Table) checkItem(old, new item.Item, u *expr.Update) error {
	if new.IsZero() {
		return nil
	}
	size := new.Size()
	for i := range t.indexes {
		x := &t.indexes[i]
		if err := x.checkKeys(old, new, u); err != nil {
			return err
		}
		if _, in := x.Schema.IndexKey(new); in && !x.Global { // an item is stored with its entries in local indexes
			size += x.project(new).Size()
		}
	}
	switch {
	case size > item.MaxItemSize && u == nil:
		return invalid("Item size has exceeded the maximum allowed size")
	case size > item.MaxItemSize:
		return invalid("Item size to update has exceeded the maximum allowed size")
	case u != nil && tooDeep(new, u.TopLevelNames()):
		return invalid(item.TooDeep)
	}
	return t.checkCollection(old, new, maxCollection)
}

// CheckPut refuses an item that no put can leave, whatever is stored: for batches, which are refused whole before any of
// their writes begins. Put itself checks it too.
func (t *Table) CheckPut(it item.Item) error { return t.checkItem(item.Item{}, it, nil) }

func tooDeep(it item.Item, names []string) bool {
	for _, n := range names {
		if it.Get(n).Depth() > item.MaxDepth {
			return true
		}
	}
	return false
}

func (x *index) checkKeys(old, new item.Item, u *expr.Update) error {
	for i := range x.Schema.Hash {
		if err := x.checkKey(&x.Schema.Hash[i], old, new, u, item.MaxHashKeySize); err != nil {
			return err
		}
	}
	for i := range x.Schema.Range {
		if err := x.checkKey(&x.Schema.Range[i], old, new, u, item.MaxRangeKeySize); err != nil {
			return err
		}
	}
	return nil
}

// checkKey checks one attribute. An update that computed the value hears of it in other words than who wrote it down.
func (x *index) checkKey(k *item.KeyAttr, old, new item.Item, u *expr.Update, limit int) error {
	v := new.Get(k.Name)
	if v.IsZero() || v.Equal(old.Get(k.Name)) {
		return nil
	}
	computed := false
	if u != nil {
		_, literal := u.Literal(k.Name)
		computed = !literal
	}
	switch {
	case v.Kind() != k.Kind && computed:
		return invalid("The update expression attempted to update the secondary index key to unsupported type")
	case v.Kind() != k.Kind:
		return invalid("One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s",
			k.Name, k.Kind, v.Kind(), x.Name)
	case k.Kind == item.Number:
		return nil
	case v.Len() == 0 && u != nil:
		return invalid("One or more parameter values are not valid. The update expression attempted to update a secondary index key to a "+
			"value that is not supported. The AttributeValue for a key attribute cannot contain an empty %s value.", emptyKind(k))
	case v.Len() == 0:
		return invalid("One or more parameter values are not valid. A value specified for a secondary index key is not supported. "+
			"The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s", emptyKind(k), x.Name, k.Name)
	case v.Len() > limit && computed:
		return invalid("The update expression attempted to update the secondary index key beyond allowed size limits")
	case v.Len() > limit && limit == item.MaxHashKeySize:
		return invalid("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes")
	case v.Len() > limit:
		return invalid("One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
	}
	return nil
}

// emptyKind is what messages call an empty value of a key.
func emptyKind(k *item.KeyAttr) string {
	if k.Kind == item.Binary {
		return "binary"
	}
	return "string"
}
