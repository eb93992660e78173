package table

import (
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
)

// An item collection is what stands under one partition key in a table with local indexes: its items and their entries in
// those indexes. DynamoDB bounds it (DYNAMODB.md 3.6).

// maxCollection is the most bytes of an item collection.
const maxCollection = 10 << 30

// CollectionSize is about how many bytes an item collection occupies: the store's estimate, so what was written last may
// be missing.
func (t *Table) CollectionSize(hash []item.Value) (uint64, error) {
	sum, err := t.estimate(t.prefix, hash)
	for i := range t.indexes {
		if err != nil || t.indexes[i].Global {
			continue
		}
		var n uint64
		n, err = t.estimate(t.indexes[i].prefix, hash)
		sum += n
	}
	return sum, err
}

func (t *Table) estimate(prefix []byte, hash []item.Value) (uint64, error) {
	s := querySpan(prefix, expr.KeyRange{Hash: hash})
	return t.engine.store.EstimateSize(s.lo, s.hi)
}

// checkCollection refuses to let a collection grow that has reached its limit. No collection is larger than its table, so
// only large tables are measured.
func (t *Table) checkCollection(old, new item.Item, limit uint64) error {
	if !t.hasLocalIndex() || new.Size() <= old.Size() || uint64(t.engine.Count(t.entry.ID).Bytes) < limit {
		return nil
	}
	hash := make([]item.Value, len(t.entry.Schema.Hash))
	for i, a := range t.entry.Schema.Hash {
		hash[i] = new.Get(a.Name)
	}
	size, err := t.CollectionSize(hash)
	if err == nil && size >= limit {
		err = fault.New(fault.CollectionFull, "Collection size exceeded.")
	}
	return err
}

func (t *Table) hasLocalIndex() bool {
	for i := range t.indexes {
		if !t.indexes[i].Global {
			return true
		}
	}
	return false
}
