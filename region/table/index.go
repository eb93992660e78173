package table

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/capacity"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
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

// index is what writing an index needs of its description.
type index struct {
	*catalog.Index
	prefix []byte
	names  []string // attributes it holds, sorted, each once; nil: all
}

func newIndex(d *catalog.Descriptor, ix *catalog.Index) index {
	x := index{Index: ix, prefix: indexPrefix(d.ID, ix.ID)}
	if ix.Projection != "ALL" {
		x.names = append(append(d.Schema.Names(), ix.Schema.Names()...), ix.NonKey...)
		slices.Sort(x.names)
		x.names = slices.Compact(x.names)
	}
	return x
}

func indexPrefix(id record.TableID, index uint32) []byte {
	return binary.BigEndian.AppendUint32(storage.AppendTable(nil, storage.KindIndex, id), index)
}

// entry returns an item's place in the index and what stands there; ok is false if the item is not in it.
func (x *index) entry(itemKey []byte, it item.Item) (key []byte, val item.Item, ok bool) {
	if it.IsZero() {
		return nil, item.Item{}, false
	}
	key = append(make([]byte, 0, len(x.prefix)+len(itemKey)+64), x.prefix...)
	if key, ok = x.Schema.AppendFrom(key, it); !ok {
		return nil, item.Item{}, false
	}
	return append(key, itemKey...), x.project(it), true
}

// project keeps the attributes that the index holds.
func (x *index) project(it item.Item) item.Item {
	if x.names == nil {
		return it
	}
	return it.Project(x.names)
}

// holds reports whether the index carries an attribute.
func (x *index) holds(name string) bool {
	if x.names == nil {
		return true
	}
	_, ok := slices.BinarySearch(x.names, name)
	return ok
}

// indexNamed finds an index by its name, nil if there is none.
func (t *Table) indexNamed(name string) *index {
	for i := range t.indexes {
		if t.indexes[i].Name == name {
			return &t.indexes[i]
		}
	}
	return nil
}

// indexByID finds an index by its id, nil if there is none.
func (t *Table) indexByID(id uint32) *index {
	for i := range t.indexes {
		if t.indexes[i].ID == id {
			return &t.indexes[i]
		}
	}
	return nil
}

// writeIndexes moves an item's entries from old to new and says what that costs (DYNAMODB.md section 6: an entry that
// stays as it is costs nothing, one that moves is two writes).
func (t *Table) writeIndexes(w storage.Writer, itemKey []byte, old, new item.Item) ([]IndexCost, error) {
	var costs []IndexCost
	for i := range t.indexes {
		x := &t.indexes[i]
		units, err := x.move(w, itemKey, old, new)
		if err != nil {
			return nil, err
		}
		if units > 0 {
			costs = append(costs, IndexCost{Name: x.Name, Global: x.Global, Units: units})
		}
	}
	return costs, nil
}

// move writes what an item's change does to its entry.
func (x *index) move(w storage.Writer, itemKey []byte, old, new item.Item) (units float64, err error) {
	oldKey, oldVal, had := x.entry(itemKey, old)
	newKey, newVal, has := x.entry(itemKey, new)
	stays := had && has && bytes.Equal(oldKey, newKey)
	if stays && oldVal.Equal(newVal) {
		return 0, nil
	}
	if had && !stays {
		if err := w.Delete(oldKey); err != nil {
			return 0, err
		}
		units += capacity.WriteUnits(oldVal.Size())
	}
	if has {
		if err := w.Set(newKey, newVal.Encoded()); err != nil {
			return 0, err
		}
		n := newVal.Size()
		if stays {
			n = max(n, oldVal.Size())
		}
		units += capacity.WriteUnits(n)
	}
	return units, nil
}
