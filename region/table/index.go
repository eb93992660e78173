package table

import (
	"bytes"
	"encoding/binary"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
)

// An index entry stands under
//
//	offset  size  field
//	0       1     storage.KindIndex
//	1       16    table id
//	17      4     index id, big endian
//	21      …     index key: hash32 | hash parts | range parts (item.Key.Append)
//	…       …     the base item's key, the same way
//
// and holds the projected attributes as an item.Item's bytes.

func indexPrefix(d *catalog.Descriptor, ix *catalog.Index) []byte {
	p := append([]byte{storage.KindIndex}, d.ID[:]...)
	return binary.BigEndian.AppendUint32(p, ix.ID)
}

// entry returns an item's place in an index and what stands there; ok is false if the item is not in it.
func indexEntry(d *catalog.Descriptor, ix *catalog.Index, itemKey []byte, it item.Item) (key []byte, val item.Item, ok bool) {
	if it.IsZero() {
		return nil, item.Item{}, false
	}
	k, ok := ix.Schema.IndexKey(it)
	if !ok {
		return nil, item.Item{}, false
	}
	key = append(k.Append(indexPrefix(d, ix)), itemKey...)
	return key, project(d, ix, it), true
}

// project keeps the attributes that an index holds.
func project(d *catalog.Descriptor, ix *catalog.Index, it item.Item) item.Item {
	if ix.Projection == "ALL" {
		return it
	}
	names := append(append(d.Schema.Names(), ix.Schema.Names()...), ix.NonKey...)
	fields := make([]item.Field, 0, len(names))
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		if v := it.Get(n); !v.IsZero() && !seen[n] {
			seen[n] = true
			fields = append(fields, item.Field{Name: n, Value: v})
		}
	}
	return item.NewItem(fields)
}

// indexes writes what the change from old to new does to the table's indexes, and notes what it costs.
func (a *action) indexes(w storage.Writer) error {
	if a.idle {
		return nil
	}
	costs, err := a.table.writeIndexes(w, a.itemKey, a.old, a.new)
	a.result.Cost.Indexes = costs
	return err
}

// writeIndexes moves an item's entries from old to new (DYNAMODB.md section 6: an entry that stays as it is costs
// nothing, one that moves is two writes).
func (t *Table) writeIndexes(w storage.Writer, itemKey []byte, old, new item.Item) ([]IndexCost, error) {
	d := t.entry.Descriptor
	var costs []IndexCost
	for i := range d.Indexes {
		ix := &d.Indexes[i]
		oldKey, oldVal, had := indexEntry(d, ix, itemKey, old)
		newKey, newVal, has := indexEntry(d, ix, itemKey, new)
		if had && has && bytes.Equal(oldKey, newKey) && oldVal.Equal(newVal) {
			continue
		}
		units := 0.0
		if had && (!has || !bytes.Equal(oldKey, newKey)) {
			if err := w.Delete(oldKey); err != nil {
				return nil, err
			}
			units += writeUnits(oldVal.Size())
		}
		if has {
			if err := w.Set(newKey, newVal.Encoded()); err != nil {
				return nil, err
			}
			n := newVal.Size()
			if had && bytes.Equal(oldKey, newKey) {
				n = max(n, oldVal.Size())
			}
			units += writeUnits(n)
		}
		if units > 0 {
			costs = append(costs, IndexCost{Name: ix.Name, Global: ix.Global, Units: units})
		}
	}
	return costs, nil
}
