package pebblestore

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// GetEach walks over the keys that are not cached with one iterator. Pebble's Get reads a block of the lowest level to find that
// a key is not there, for it looks at no Bloom filters there; this does not.
func (t *txn) GetEach(keys [][]byte, found func(i int, value []byte) error) (err error) {
	if err := t.usable(); err != nil {
		return err
	}
	keys, places, err := t.store.rows.getEach(keys, found)
	if err != nil || len(keys) == 0 {
		return err
	}
	last := keys[len(keys)-1]
	it, err := t.store.db.NewIter(&pebble.IterOptions{
		LowerBound: keys[0], UpperBound: append(bytes.Clone(last), 0), UseL6Filters: true,
	})
	if err == nil {
		err = errors.Join(eachOf(it, keys, func(i int, value []byte) error { return found(places[i], value) }), it.Close())
	}
	if err != nil {
		return t.store.because("lookup", err)
	}
	return t.store.health.failure() // what was shown could be a commit that is not on the disk and never will be
}

// getEach calls found for the keys that are cached, and returns the others with their places.
func (r *rows) getEach(keys [][]byte, found func(i int, value []byte) error) (others [][]byte, places []int, err error) {
	others, places = make([][]byte, 0, len(keys)), make([]int, 0, len(keys))
	for i, k := range keys {
		if r.keeps(k) {
			if v, ok, _ := r.get(k); ok {
				if err := found(i, v); err != nil {
					return nil, nil, err
				}
				continue
			}
		}
		others, places = append(others, k), append(places, i)
	}
	return others, places, nil
}

// sparseTries is how many seeks find out whether the store has few keys among those that are looked for.
const sparseTries = 4

// eachOf seeks to the next key that exists, which settles all before it: for a batch of new keys side by side, as a replica
// gets when it is filled, that is one seek for all of them. Where keys lie apart it takes them one by one, by the filters.
func eachOf(it *pebble.Iterator, keys [][]byte, found func(i int, value []byte) error) error {
	for i, seeks := 0, 0; i < len(keys); {
		if seeks++; seeks > sparseTries && i < 2*seeks {
			return oneByOne(it, keys, i, found)
		}
		if !it.SeekGE(keys[i]) {
			return it.Error()
		}
		for i < len(keys) && bytes.Compare(keys[i], it.Key()) < 0 {
			i++
		}
		if i < len(keys) && bytes.Equal(keys[i], it.Key()) {
			if err := valueOf(it, i, found); err != nil {
				return err
			}
			i++
		}
	}
	return nil
}

func oneByOne(it *pebble.Iterator, keys [][]byte, from int, found func(i int, value []byte) error) error {
	for i := from; i < len(keys); i++ {
		if it.SeekPrefixGE(keys[i]) { // a key is its own prefix: it is this or none
			if err := valueOf(it, i, found); err != nil {
				return err
			}
		} else if err := it.Error(); err != nil {
			return err
		}
	}
	return nil
}

func valueOf(it *pebble.Iterator, i int, found func(i int, value []byte) error) error {
	v, err := it.ValueAndErr()
	if err != nil {
		return err
	}
	return found(i, v)
}
