package table

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/storage"
)

// slot is an item that a batch brings something of. A batch's slots stand in the order of their keys: so the store reads them
// and writes them, which is several times cheaper than in the order in which they arrive.
type slot struct {
	table  *Table
	key    []byte // in the store
	read   bool   // before and state are known, or nobody needs them
	before []byte // what is stored, behind the item's key; nil: nothing is
	after  []byte // what the batch makes of it, likewise; nil: it stays
	state  conflict.State
}

// sorted makes of the changes' slots one for each key, and says where each change's is.
func sorted(all []slot, places []int) []slot {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(bytes.Compare(all[a].key, all[b].key), cmp.Compare(a, b)) })
	one := make([]slot, 0, len(all))
	for _, i := range order {
		s := &all[i]
		if n := len(one); n > 0 && bytes.Equal(one[n-1].key, s.key) {
			one[n-1].read = one[n-1].read && s.read
		} else {
			one = append(one, *s)
		}
		places[i] = len(one) - 1
	}
	return one
}

// found notes what is stored.
func (s *slot) found(value []byte) {
	itemKey := s.key[len(s.table.prefix):]
	s.before = append(append(make([]byte, 0, len(itemKey)+len(value)), itemKey...), value...)
	s.state = conflict.TrustedState(s.before[len(itemKey):])
}

// find reads what is stored, unless it was read ahead of the merge.
func (m *merging) find(s *slot) error {
	if s.read {
		return nil
	}
	s.read = true
	raw, err := m.tx.Get(s.key)
	if err == nil {
		s.found(raw)
	}
	if storage.IsNotFound(err) {
		return nil
	}
	return err
}

// write puts the items' new states in their places and moves their cells.
func (m *merging) write() error {
	var moves []cellMove
	for i := range m.slots {
		s := &m.slots[i]
		if s.after == nil {
			continue
		}
		keyLen := len(s.key) - len(s.table.prefix)
		if err := m.tx.Set(s.key, s.after[keyLen:]); err != nil {
			return err
		}
		moves = s.table.cells.moves(moves, keyLen, s.before, s.after)
	}
	return mergeCells(m.tx, &m.cell, moves)
}
