package table

import (
	"bytes"
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
	"github.com/zeebo/xxh3"
)

// Hash-tree cells: the leaves by which two regions find out where their copies of a table differ (DESIGN section 6). A
// cell stands under
//
//	offset  size  field
//	0       1     storage.KindHashCell
//	1       16    table id
//	17      1     0: items, 1: tombstones
//	18      4     tombstones only: hours from 1970 to their stamps, big endian
//	…       2     bucket: the upper half of the key's hash32, big endian
//
// and is the XOR of the digests of what is in it, 16 bytes. A digest is the 128-bit XXH3 of an item's ordered key and its
// state's bytes, seeded with the 64-bit XXH3 of the table id: the same in all regions, and not known to who writes items.
// A cell of zeros is the same as none. Tombstones have cells of their own, by hour, so that hours below the floor, which a
// region may have forgotten already, can be left out of a comparison.
//
// Cells are written by merge operands in the batch of the item, so they are always exactly those of the data, and cost no
// read. Whatever writes or removes an item's state calls move.

// Buckets is how many buckets the items of a table fall into.
const Buckets = 1 << 16

const (
	cellItems      = 0
	cellTombstones = 1
	digestSize     = 16
	maxCellKey     = 1 + 16 + 1 + 4 + 2
)

// Cell names a cell of a table. Hour is 0 for items that are there; there are no tombstones of 1970.
type Cell struct {
	Hour   uint32
	Bucket uint16
}

// Digest is the content of a cell.
type Digest [digestSize]byte

// XOR puts another digest in, or takes it out again.
func (d *Digest) XOR(o Digest) { subtle.XORBytes(d[:], d[:], o[:]) }

// cellHash computes the digests of one table.
type cellHash struct {
	id   record.TableID
	seed uint64
}

func newCellHash(id record.TableID) cellHash { return cellHash{id, xxh3.Hash(id[:])} }

// of finds the cell of an item's state, which must not be empty.
func (h cellHash) of(itemKey, state []byte) Cell {
	c := Cell{Bucket: binary.BigEndian.Uint16(itemKey)}
	if s := conflict.TrustedState(state); !s.Visible() {
		c.Hour = uint32(s.Stamp().Time.Millis() / hourMillis)
	}
	return c
}

// digest hashes an ordered item key with its state, which stand one behind the other. The key says itself where it ends,
// so no two pairs read the same.
func (h cellHash) digest(keyAndState []byte) Digest {
	return xxh3.Hash128Seed(keyAndState, h.seed).Bytes()
}

func (h cellHash) key(dst []byte, c Cell) []byte {
	dst = storage.AppendTable(dst, storage.KindHashCell, h.id)
	if c.Hour == 0 {
		dst = append(dst, cellItems)
	} else {
		dst = append(dst, cellTombstones)
		dst = binary.BigEndian.AppendUint32(dst, c.Hour)
	}
	return binary.BigEndian.AppendUint16(dst, c.Bucket)
}

// parse reads a cell's key.
func (h cellHash) parse(key []byte) (Cell, error) {
	b := key[min(len(key), 1+len(h.id)):]
	switch {
	case len(b) == 1+2 && b[0] == cellItems:
		return Cell{Bucket: binary.BigEndian.Uint16(b[1:])}, nil
	case len(b) == 1+4+2 && b[0] == cellTombstones:
		return Cell{binary.BigEndian.Uint32(b[1:]), binary.BigEndian.Uint16(b[5:])}, nil
	}
	return Cell{}, storage.Corruptf(fmt.Sprintf("hash cell %x", key), "no such cell")
}

// move writes what an item's change does to the cells. Old and new are the item's key with the state behind it, nil where
// there is none; keyLen is the key's length. Nearly always both are in one cell, and one operand does.
func (h cellHash) move(w storage.Writer, buf *cellBuffer, keyLen int, old, new []byte) error {
	var few [2]cellMove
	for _, m := range h.moves(few[:0], keyLen, old, new) {
		if err := h.merge(w, buf, m.cell, m.by); err != nil {
			return err
		}
	}
	return nil
}

// cellMove is what is put into a cell, or taken out of it.
type cellMove struct {
	hash cellHash
	cell Cell
	by   Digest
}

// moves appends what move writes.
func (h cellHash) moves(dst []cellMove, keyLen int, old, new []byte) []cellMove {
	var from, to Cell
	var out, in Digest
	if old != nil {
		from, out = h.of(old[:keyLen], old[keyLen:]), h.digest(old)
	}
	if new != nil {
		to, in = h.of(new[:keyLen], new[keyLen:]), h.digest(new)
	}
	if old != nil && new != nil && from == to {
		in.XOR(out)
		old = nil
	}
	if old != nil {
		dst = append(dst, cellMove{h, from, out})
	}
	if new != nil {
		dst = append(dst, cellMove{h, to, in})
	}
	return dst
}

// mergeCells writes moves, those of one cell as one.
func mergeCells(w storage.Writer, buf *cellBuffer, moves []cellMove) error {
	slices.SortFunc(moves, func(a, b cellMove) int {
		return cmp.Or(bytes.Compare(a.hash.id[:], b.hash.id[:]), cmp.Compare(a.cell.Hour, b.cell.Hour), cmp.Compare(a.cell.Bucket, b.cell.Bucket))
	})
	for i := 0; i < len(moves); {
		m := moves[i]
		for i++; i < len(moves) && moves[i].hash == m.hash && moves[i].cell == m.cell; i++ {
			m.by.XOR(moves[i].by)
		}
		if err := m.hash.merge(w, buf, m.cell, m.by); err != nil {
			return err
		}
	}
	return nil
}

// cellBuffer is memory for a cell's key and operand, which a writer would else have made for each.
type cellBuffer [maxCellKey + digestSize]byte

func (h cellHash) merge(w storage.Writer, buf *cellBuffer, c Cell, d Digest) error {
	key := h.key(buf[:0], c)
	operand := append(key, d[:]...)
	return w.Merge(key, operand[len(key):])
}

// Cells reads a table's cells; those of zeros are left out.
func Cells(ctx context.Context, r storage.Reader, id record.TableID) (map[Cell]Digest, error) {
	h := newCellHash(id)
	cells := map[Cell]Digest{}
	err := readCells(ctx, r, h, func(c Cell, d Digest) {
		if d != (Digest{}) {
			cells[c] = d
		}
	})
	return cells, err
}

// leaves is what a hash tree is made of: a table's items, or the notes of its conflict feed (feedtree.go).
type leaves struct {
	hash   cellHash
	prefix []byte // of their keys in the store
	feed   bool
}

func itemsOf(id record.TableID) leaves {
	return leaves{newCellHash(id), storage.AppendTable(nil, storage.KindItem, id), false}
}

// check decodes what stands under a key.
func (l *leaves) check(key, value []byte) error {
	if len(key) < len(l.prefix)+4 {
		return storage.Corruptf(fmt.Sprintf("item key %x", key), "%d bytes", len(key))
	}
	if l.feed {
		_, err := readNote(key, value)
		return err
	}
	if _, err := conflict.DecodeState(value); err != nil {
		return &storage.CorruptionError{Where: fmt.Sprintf("item %x", key), Err: err}
	}
	return nil
}

// hashed is what of a checked value the others have likewise.
func (l *leaves) hashed(value []byte) []byte {
	if l.feed {
		return value[heardSize:]
	}
	return value
}

func (l *leaves) cellOf(itemKey, value []byte) Cell {
	if l.feed {
		return feedCell(itemKey)
	}
	return l.hash.of(itemKey, value)
}

// RecomputeCells works out from a table's items what its cells should be.
func RecomputeCells(ctx context.Context, r storage.Reader, id record.TableID) (map[Cell]Digest, error) {
	return recomputeCells(ctx, r, itemsOf(id))
}

func recomputeCells(ctx context.Context, r storage.Reader, l leaves) (map[Cell]Digest, error) {
	cells := map[Cell]Digest{}
	var buf []byte
	err := walk(ctx, r, l.prefix, func(key, value []byte) error {
		if l.feed && len(key) == len(l.prefix) {
			return nil // the floor
		}
		if err := l.check(key, value); err != nil {
			return err
		}
		itemKey := key[len(l.prefix):]
		buf = append(append(buf[:0], itemKey...), l.hashed(value)...)
		c := l.cellOf(itemKey, value)
		d := cells[c]
		d.XOR(l.hash.digest(buf))
		if cells[c] = d; d == (Digest{}) {
			delete(cells, c)
		}
		return nil
	})
	return cells, err
}

// Scrub compares a table's cells with its items, at one moment, and lists those that differ: none, unless a disk or this
// program has erred.
func (e *Engine) Scrub(ctx context.Context, id record.TableID) ([]Cell, error) {
	off, err := e.scrub(ctx, itemsOf(id))
	bad := slices.Collect(maps.Keys(off))
	slices.SortFunc(bad, func(a, b Cell) int {
		return int(int64(a.Hour)<<16|int64(a.Bucket)) - int(int64(b.Hour)<<16|int64(b.Bucket))
	})
	return bad, err
}

// scrub returns by what cells are off.
func (e *Engine) scrub(ctx context.Context, l leaves) (map[Cell]Digest, error) {
	snap := e.store.Snapshot()
	defer snap.Close() //nolint:errcheck // a snapshot holds nothing that could fail to be written
	off, err := Cells(ctx, snap, l.hash.id)
	if err != nil {
		return nil, err
	}
	want, err := recomputeCells(ctx, snap, l)
	for c, d := range want {
		d.XOR(off[c])
		if off[c] = d; d == (Digest{}) {
			delete(off, c)
		}
	}
	return off, err
}

// MendCells makes a table's cells those of its items and says how many were wrong. Writes go on meanwhile: a cell that is off
// by something stays off by that, whatever is put in it or taken out, until that is put in once more.
func (e *Engine) MendCells(ctx context.Context, id record.TableID) (int, error) {
	return e.mendCells(ctx, id, itemsOf(id))
}

func (e *Engine) mendCells(ctx context.Context, id record.TableID, l leaves) (int, error) {
	h := l.hash
	// No cell's key: it keeps others from mending the same meanwhile, which would spoil the cells again.
	tx, err := e.store.Begin(ctx, storage.AppendTable(nil, storage.KindHashCell, h.id))
	if err != nil {
		return 0, err
	}
	defer tx.Discard()
	off, err := e.scrub(ctx, l)
	if err != nil || len(off) == 0 {
		return 0, err
	}
	var buf cellBuffer
	for c, d := range off {
		if err := h.merge(tx, &buf, c, d); err != nil {
			return 0, err
		}
	}
	// A table that went meanwhile has no cells; what comes before its removal goes with it.
	durable, err := tx.Commit(func(storage.Writer) error {
		_, err := e.current(id)
		return err
	})
	if err != nil {
		return 0, err
	}
	return len(off), durable.Wait()
}

// walk calls fn for all keys that begin with prefix. What fn gets is good until it returns.
func walk(ctx context.Context, r storage.Reader, prefix []byte, fn func(key, value []byte) error) error {
	return walkRange(ctx, r, storage.PrefixRange(prefix), fn)
}

func walkRange(ctx context.Context, r storage.Reader, o storage.IterOptions, fn func(key, value []byte) error) error {
	it, err := r.NewIter(o)
	if err != nil {
		return err
	}
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return errors.Join(context.Cause(ctx), it.Close())
		}
		if err := fn(it.Key(), it.Value()); err != nil {
			return errors.Join(it.Err(), err, it.Close())
		}
	}
	return errors.Join(it.Err(), it.Close())
}
