package pebblestore

import (
	"encoding/binary"
	"math/bits"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/batchrepr"
	"github.com/zeebo/xxh3"
)

// rows is a cache of values by their keys, beside Pebble's cache of blocks: it answers Get with one look into a map, where Pebble
// searches memory tables, which lie in no processor's cache, and a block of each level.
//
// It never shows what is not committed any more: what a commit writes is hidden before Pebble applies it, and shown again as it
// is then. In between, nothing is put in that somebody read before (rowShard).
//
// Rows stand one behind the other in chunks of memory, which the collector need not look into. A full shard goes over its
// chunks in turn: what was read since the last time stays, the rest makes room.
type rows struct {
	kind   byte // of keys that are kept; 0: all
	shards []rowShard
}

// rowShard is the part of the rows that one lock guards.
type rowShard struct {
	mu      sync.Mutex
	at      map[uint64]uint32 // hash of a key → its row's chunk × chunkBytes + its place there
	chunks  []chunk           // made one after the other
	filling int               // the one that new rows go to
	hits    uint64
	misses  uint64

	// A value read from Pebble may be put in if nothing was being written to the shard from before it was read until now:
	// version is as it was, and writing is 0.
	version uint64 // counts writes that have begun
	writing int    // under way
}

// A chunk is as long as what was put into it; its capacity is chunkBytes.
//
//	offset  size  field of a row
//	0       8     hash of the key
//	8       4     length of the value
//	12      2     length of the key
//	14      1     1: it was read
//	15      1     1: it is being written
//	16      …     key, value
type chunk []byte

const (
	chunkBytes = 64 << 10
	rowHead    = 16
	rowRead    = 14
	rowHidden  = 15
	maxRow     = chunkBytes / 4 // what is larger pays for its search
	maxShards  = 256
	minChunks  = 4 // of a shard, if there is memory for so many at all
	maxChunks  = 1<<32/chunkBytes - 1
)

// newRows makes a cache of so many bytes, rounded down to chunks.
func newRows(size int64, kind byte) *rows {
	chunks := int(size / chunkBytes)
	shards := min(maxShards, 1<<max(0, bits.Len(uint(chunks/minChunks))-1))
	r := &rows{kind: kind, shards: make([]rowShard, shards)}
	for i := range r.shards {
		r.shards[i].at = map[uint64]uint32{}
		r.shards[i].chunks = make([]chunk, min(chunks/shards, maxChunks))
	}
	return r
}

func (r *rows) keeps(key []byte) bool { return r.kind == 0 || len(key) > 0 && key[0] == r.kind }

// shard returns a hash's shard, locked.
func (r *rows) shard(hash uint64) *rowShard {
	h := &r.shards[hash>>32&uint64(len(r.shards)-1)]
	h.mu.Lock()
	return h
}

// seen is what a reader knew before it went to Pebble.
type seen struct {
	hash    uint64
	version uint64
	quiet   bool // nothing was being written
}

// get returns a copy of a value, or what is to be shown to offer with what Pebble has.
func (r *rows) get(key []byte) (value []byte, ok bool, s seen) {
	s.hash = xxh3.Hash(key)
	h := r.shard(s.hash)
	defer h.mu.Unlock()
	if c, at := h.find(s.hash, key); c != nil && c[at+rowHidden] == 0 {
		h.hits++
		c[at+rowRead] = 1
		v := c.value(at)
		return append(make([]byte, 0, len(v)), v...), true, s
	}
	h.misses++
	s.version, s.quiet = h.version, h.writing == 0
	return nil, false, s
}

// offer puts in what was read from Pebble since get, if nothing was written meanwhile.
func (r *rows) offer(s seen, key, value []byte) {
	h := r.shard(s.hash)
	defer h.mu.Unlock()
	if s.quiet && s.version == h.version {
		h.put(s.hash, key, value, 0)
	}
}

// bulkKeys is how many keys a batch writes that adds no rows: a copy of a table, or what was written while a region was away. Few
// of them will be read soon, and to put each in costs more than the search that it would save.
const bulkKeys = 256

// begin hides what a batch is about to write, and end shows what it has written; of a bulk only what was kept before. Both are
// called under the commit lock, end only if Pebble applied the batch: after a failure nothing is read any more.
func (r *rows) begin(batch batchrepr.Reader) {
	r.each(batch, func(h *rowShard, hash uint64, key, _ []byte) {
		h.version++
		h.writing++
		if c, at := h.find(hash, key); c != nil {
			c[at+rowHidden] = 1
		}
	}, func(h *rowShard) {
		h.version++
		h.writing++
		clear(h.at)
	})
}

func (r *rows) end(batch batchrepr.Reader, bulk bool) {
	// In hiding, because a later write of the batch may be to the same key.
	r.each(batch, func(h *rowShard, hash uint64, key, value []byte) {
		if bulk && value != nil {
			if c, _ := h.find(hash, key); c == nil {
				return
			}
		}
		if value == nil {
			delete(h.at, hash)
			return
		}
		h.put(hash, key, value, 1)
	}, func(h *rowShard) { clear(h.at) })
	r.each(batch, func(h *rowShard, hash uint64, key, _ []byte) {
		h.writing--
		if c, at := h.find(hash, key); c != nil {
			c[at+rowHidden] = 0
		}
	}, func(h *rowShard) { h.writing-- })
}

// each calls one for each key of a batch that is kept, with its new value, nil if there is none or it is not known; and all for
// every shard for each range that is deleted.
func (r *rows) each(batch batchrepr.Reader, one func(h *rowShard, hash uint64, key, value []byte), all func(*rowShard)) {
	for {
		kind, key, value, ok, err := batch.Next()
		switch {
		case !ok || err != nil: // Pebble made the batch: it can be read
			return
		case kind == pebble.InternalKeyKindLogData:
		case kind == pebble.InternalKeyKindRangeDelete:
			if r.overlaps(key, value) {
				for i := range r.shards {
					h := &r.shards[i]
					h.mu.Lock()
					all(h)
					h.mu.Unlock()
				}
			}
		case r.keeps(key):
			if kind != pebble.InternalKeyKindSet {
				value = nil
			} else if value == nil {
				value = []byte{}
			}
			hash := xxh3.Hash(key)
			h := r.shard(hash)
			one(h, hash, key, value)
			h.mu.Unlock()
		}
	}
}

// overlaps reports whether keys that are kept can lie in [lo, hi).
func (r *rows) overlaps(lo, hi []byte) bool {
	return r.kind == 0 || string(lo) < string([]byte{r.kind + 1}) && string(hi) > string([]byte{r.kind})
}

// find returns the chunk of a key's row, and the row's place there; nil if it is not kept.
func (h *rowShard) find(hash uint64, key []byte) (c chunk, at int) {
	place, ok := h.at[hash]
	if !ok {
		return nil, 0
	}
	c, at = h.chunks[place/chunkBytes], int(place%chunkBytes)
	if string(c.key(at)) != string(key) {
		return nil, 0
	}
	return c, at
}

// put adds a key's row, or writes over the one it has. Hidden is its flag.
func (h *rowShard) put(hash uint64, key, value []byte, hidden byte) {
	if c, at := h.find(hash, key); c != nil {
		if v := c.value(at); len(v) == len(value) {
			copy(v, value)
			c[at+rowHidden] = hidden
			return
		}
	}
	delete(h.at, hash) // another length's, or of another key with the same hash
	size := rowHead + len(key) + len(value)
	if size > maxRow || len(h.chunks) == 0 {
		return
	}
	h.makeRoom(size)
	c := h.chunks[h.filling]
	h.at[hash] = uint32(h.filling*chunkBytes + len(c)) //nolint:gosec // maxChunks
	c = binary.LittleEndian.AppendUint64(c, hash)
	c = binary.LittleEndian.AppendUint32(c, uint32(len(value)))                  //nolint:gosec // maxRow
	c = append(binary.LittleEndian.AppendUint16(c, uint16(len(key))), 0, hidden) //nolint:gosec // maxRow
	h.chunks[h.filling] = append(append(c, key...), value...)
}

// makeRoom goes on to a chunk with room for a row. If all was read in two of them, the third is emptied.
func (h *rowShard) makeRoom(size int) {
	for passed := 0; ; passed++ {
		c := h.chunks[h.filling]
		if c == nil {
			h.chunks[h.filling] = make(chunk, 0, chunkBytes)
			return
		}
		if cap(c)-len(c) >= size {
			return
		}
		if h.filling = (h.filling + 1) % len(h.chunks); h.chunks[h.filling] != nil {
			h.thin(h.filling, passed < 2)
		}
	}
}

// thin takes rows out of a chunk: those that were not read since it was thinned last, or all.
func (h *rowShard) thin(n int, keep bool) {
	c := h.chunks[n]
	left := c[:0]
	for at := 0; at < len(c); {
		size := c.size(at)
		hash := binary.LittleEndian.Uint64(c[at:])
		place, ok := h.at[hash]
		switch {
		case !ok || int(place) != n*chunkBytes+at: // it was written over
		case keep && c[at+rowRead] != 0:
			c[at+rowRead] = 0
			h.at[hash] = uint32(n*chunkBytes + len(left)) //nolint:gosec // maxChunks
			left = append(left, c[at:at+size]...)
		default:
			delete(h.at, hash)
		}
		at += size
	}
	h.chunks[n] = left
}

func (c chunk) key(at int) []byte {
	return c[at+rowHead:][:binary.LittleEndian.Uint16(c[at+12:])]
}

func (c chunk) value(at int) []byte {
	return c[at+rowHead+len(c.key(at)):][:binary.LittleEndian.Uint32(c[at+8:])]
}

func (c chunk) size(at int) int { return rowHead + len(c.key(at)) + len(c.value(at)) }

// RowFigures say what the cache of single values is worth.
type RowFigures struct{ Hits, Misses, Rows, Bytes uint64 }

// RowFigures are those since Open.
func (s *Store) RowFigures() (f RowFigures) {
	for i := range s.rows.shards {
		h := &s.rows.shards[i]
		h.mu.Lock()
		f.Hits += h.hits
		f.Misses += h.misses
		f.Rows += uint64(len(h.at))
		for _, c := range h.chunks {
			f.Bytes += uint64(cap(c))
		}
		h.mu.Unlock()
	}
	return f
}
