package storage

import "encoding/binary"

// The first byte of every key says what it is. This is the registry: a new kind is entered here first, and a byte is never
// given to another kind again. What follows the byte is laid out beside the code that owns it; all integers in keys are big
// endian, so that byte order is number order.
const (
	KindCatalog  byte = 'c' // catalog descriptor:    table id (16)                               region/catalog
	KindLocal    byte = 'd' // local table settings:  table id (16)                               region/catalog
	KindFeed     byte = 'f' // conflict feed:         table id (16), item key, loser's stamp (or: floor) region/table
	KindHashCell byte = 'h' // hash-tree cell:        table id (16; or its feed's), cell           region/table
	KindItem     byte = 'i' // item state:            table id (16), ordered item key             region/table
	KindLogPart  byte = 'l' // changes of a commit:   table id (16; or its feed's), shard (2), seq (8) stream
	KindMeta     byte = 'm' // single facts:          name                                        identity, ceilings, counts
	KindToken    byte = 'n' // idempotency token:     0, token; or 1, time (8), token             region/table
	KindOrder    byte = 'o' // order of commits:      seq (8)                                     stream
	KindCursor   byte = 'p' // place in a peer's log: origin as text                              region
	KindTTL      byte = 't' // expiry:                table id (16), time (8), item key             region/table
	KindIndex    byte = 'x' // index entry:           table id (16), index id (4), index and base key  region/table
)

// Kinds lists all kinds in byte order.
func Kinds() []byte {
	return []byte{KindCatalog, KindLocal, KindFeed, KindHashCell, KindItem, KindLogPart, KindMeta, KindToken, KindOrder,
		KindCursor, KindTTL, KindIndex}
}

// MetaKey is the key of a named fact.
func MetaKey(name string) []byte { return append([]byte{KindMeta}, name...) }

// AppendTable begins a key that stands under a table.
func AppendTable(dst []byte, kind byte, table [16]byte) []byte {
	return append(append(dst, kind), table[:]...)
}

// AppendSeq appends a number in key order.
func AppendSeq(dst []byte, seq uint64) []byte { return binary.BigEndian.AppendUint64(dst, seq) }

// PrefixEnd is the first key above all keys that begin with prefix; nil if there is none (prefix is all 0xff).
func PrefixEnd(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			end := append([]byte(nil), prefix[:i+1]...)
			end[i]++
			return end
		}
	}
	return nil
}

// PrefixRange bounds an iterator to the keys that begin with prefix.
func PrefixRange(prefix []byte) IterOptions {
	return IterOptions{Lower: prefix, Upper: PrefixEnd(prefix)}
}
