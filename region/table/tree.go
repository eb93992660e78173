package table

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
	"github.com/zeebo/xxh3"
)

// Path is where an item stands in a table's hash tree: the hash of its partition key, by which items are stored, and the
// 64-bit XXH3 of its whole key, seeded as digests are.
type Path = [12]byte

// cellDepth is how many nibbles of a path name a cell.
const cellDepth = 4

// Tree is one table of a snapshot as a hash tree. Above the cells nothing of the table is read but these; beneath them the
// items of a node's range are hashed. It is for one goroutine.
type Tree struct {
	ctx  context.Context
	from storage.Reader
	leaves
	recent int64  // of a feed: conflicts that were seen after this time are on their way still
	oldest uint32 // hour: deletes that were made before are left out
	cells  []Digest
	// known are keys of paths that were listed lately, so that they are found again without a search; at most knownMost.
	known map[Path][]byte
}

const knownMost = 1 << 14

// OpenTree reads a table's cells. Deletes of whole hours at or below forgotten are left out of everything.
func OpenTree(ctx context.Context, from storage.Reader, id record.TableID, forgotten crdt.Time) (*Tree, error) {
	return openTree(ctx, from, itemsOf(id), wholeHours(forgotten))
}

func openTree(ctx context.Context, from storage.Reader, l leaves, oldest uint32) (*Tree, error) {
	t := &Tree{ctx: ctx, from: from, leaves: l, oldest: oldest, cells: make([]Digest, Buckets), known: map[Path][]byte{}}
	return t, readCells(ctx, from, t.hash, func(c Cell, d Digest) {
		if c.Hour == 0 || c.Hour >= t.oldest {
			t.cells[c.Bucket].XOR(d)
		}
	})
}

// wholeHours is the first hour that is not wholly at or below a time.
func wholeHours(t crdt.Time) uint32 { return uint32(t.Millis() / hourMillis) }

const hourMillis = 3_600_000

// readCells calls fn for every cell that is stored.
func readCells(ctx context.Context, r storage.Reader, h cellHash, fn func(Cell, Digest)) error {
	return walk(ctx, r, storage.AppendTable(nil, storage.KindHashCell, h.id), func(key, value []byte) error {
		c, err := h.parse(key)
		if err != nil {
			return err
		}
		if len(value) != digestSize {
			return storage.Corruptf(fmt.Sprintf("hash cell %x", key), "%d bytes instead of %d", len(value), digestSize)
		}
		fn(c, Digest(value))
		return nil
	})
}

func (h cellHash) path(itemKey []byte) (p Path) {
	copy(p[:4], itemKey)
	binary.BigEndian.PutUint64(p[4:], xxh3.HashSeed(itemKey, h.seed))
	return p
}

// Look tells what is beneath the node of the first depth nibbles of path: its items if there are at most few, which the
// cells do not know; else the digests of the 16 nodes beneath it. At full depth it is items in any case.
func (t *Tree) Look(path Path, depth, few int) (isFew bool, children [16][digestSize]byte, paths []Path, sums [][digestSize]byte, err error) {
	if depth < cellDepth {
		t.lookCells(path, depth, &children)
		return false, children, nil, nil, nil
	}
	type listed struct {
		path Path
		sum  [digestSize]byte
	}
	var list []listed
	full := depth == 2*len(path)
	n := 0
	var keys []byte // of the listed
	var ends []int
	err = t.scan(path, depth, func(p Path, key, keyAndState []byte) error {
		d := t.hash.digest(keyAndState)
		if n++; full || n <= few {
			list = append(list, listed{p, d})
			keys = append(keys, key...)
			ends = append(ends, len(keys))
		}
		if !full {
			(*Digest)(&children[nibble(p, depth)]).XOR(d)
		}
		return nil
	})
	if err != nil || !full && n > few {
		return false, children, nil, nil, err
	}
	from := 0
	for i, end := range ends {
		t.remember(list[i].path, keys[from:end:end])
		from = end
	}
	slices.SortFunc(list, func(a, b listed) int { return bytes.Compare(a.path[:], b.path[:]) })
	for _, l := range list {
		paths, sums = append(paths, l.path), append(sums, l.sum)
	}
	return true, [16][digestSize]byte{}, paths, sums, nil
}

func nibble(p Path, i int) byte {
	if i%2 == 0 {
		return p[i/2] >> 4
	}
	return p[i/2] & 15
}

// lookCells adds up cells.
func (t *Tree) lookCells(path Path, depth int, children *[16][digestSize]byte) {
	size := 1 << (4 * (cellDepth - depth)) // cells beneath the node
	first := int(binary.BigEndian.Uint16(path[:])) &^ (size - 1)
	for i := range size {
		(*Digest)(&children[i/(size/16)]).XOR(t.cells[first+i])
	}
}

// span is the range of keys that hold a node's items, and perhaps others'.
func (t *Tree) span(path Path, depth int) storage.IterOptions {
	lower := append(bytes.Clone(t.prefix), path[:min(4, (depth+1)/2)]...)
	upper := storage.PrefixEnd(lower)
	if depth < 8 && depth%2 == 1 { // half a byte
		upper = bytes.Clone(lower)
		upper[len(upper)-1] |= 15
		upper = storage.PrefixEnd(upper)
	}
	return storage.IterOptions{Lower: lower, Upper: upper}
}

// scan calls fn for the items of a node. What fn gets is good until it returns.
func (t *Tree) scan(path Path, depth int, fn func(p Path, key, keyAndState []byte) error) error {
	return walkRange(t.ctx, t.from, t.span(path, depth), func(key, value []byte) error {
		if len(key) < len(t.prefix)+4 {
			return storage.Corruptf(fmt.Sprintf("item key %x", key), "%d bytes", len(key))
		}
		itemKey := key[len(t.prefix):]
		p := t.hash.path(itemKey)
		if !beneath(p, path, depth) {
			return nil
		}
		if left, err := t.leftOut(value); left || err != nil {
			return err
		}
		buf := append(append(make([]byte, 0, len(itemKey)+len(value)), itemKey...), t.hashed(value)...)
		return fn(p, buf[:len(itemKey)], buf)
	})
}

// leftOut reports whether a state is a delete that was made before the tree's oldest hour.
func (t *Tree) leftOut(state []byte) (bool, error) {
	if t.feed {
		if len(state) < heardSize {
			return false, storage.Corruptf("conflict note", "%d bytes", len(state))
		}
		return false, nil
	}
	if len(state) > 2 && conflict.TrustedState(state).Visible() {
		return false, nil
	}
	s, err := conflict.DecodeState(state)
	if err != nil {
		return false, &storage.CorruptionError{Where: "remembered delete", Err: err}
	}
	return uint32(s.Stamp().Time.Millis()/hourMillis) < t.oldest, nil
}

func beneath(p, node Path, depth int) bool {
	if depth <= 8 {
		return true // the range says so
	}
	n := depth / 2
	return bytes.Equal(p[:n], node[:n]) && (depth%2 == 0 || p[n]>>4 == node[n]>>4)
}

func (t *Tree) remember(p Path, key []byte) {
	if len(t.known) >= knownMost {
		clear(t.known)
	}
	t.known[p] = key
}

// State is an item's key and state as they are stored; a nil key if nothing is.
func (t *Tree) State(p Path) (key, state []byte, err error) {
	key, state, err = t.stored(p)
	if err != nil || key == nil || !t.feed {
		return key, state, err
	}
	if err := t.check(append(bytes.Clone(t.prefix), key...), state); err != nil {
		return nil, nil, err
	}
	return key, t.hashed(state), nil
}

func (t *Tree) stored(p Path) (key, state []byte, err error) {
	key = t.known[p]
	if key == nil {
		err = t.scan(p, 2*len(p), func(_ Path, k, _ []byte) error {
			key = bytes.Clone(k)
			return nil
		})
	}
	if err != nil || key == nil {
		return nil, nil, err
	}
	state, err = t.from.Get(append(bytes.Clone(t.prefix), key...))
	if storage.IsNotFound(err) {
		return nil, nil, nil
	}
	return bytes.Clone(key), state, err
}

// Context is what an item's version has seen; found is false if nothing is stored, visible if it is an item and no delete.
func (t *Tree) Context(p Path) (c crdt.Context, found, visible bool, err error) {
	key, state, err := t.stored(p)
	if err != nil || key == nil {
		return c, false, false, err
	}
	if t.feed {
		c, found, err = t.noteContext(key, state)
		return c, found, false, err
	}
	s, err := conflict.DecodeState(state)
	if err != nil {
		return c, false, false, &storage.CorruptionError{Where: fmt.Sprintf("item %x", key), Err: err}
	}
	return s.Context(), true, s.Visible(), nil
}
