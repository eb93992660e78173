package record

import (
	"encoding/hex"
	"fmt"
	"strconv"
)

// TableID names a table over all regions and for ever. It is a UUID.
type TableID [16]byte

// IsZero reports whether id names no table.
func (id TableID) IsZero() bool { return id == TableID{} }

// Feed is the id under which what belongs to a table's conflict feed stands beside what belongs to the table itself: its stream
// in the log, its hash tree. The feed of a feed is the table. Tables have random UUIDs, version 4; this is one of version 8.
func (id TableID) Feed() TableID {
	id[6] ^= 0x40 ^ 0x80
	return id
}

// String is like 0f8fad5b-d9cb-469f-a165-70867728950e.
func (id TableID) String() string {
	var b [36]byte
	n := 0
	for i, size := range [...]int{4, 2, 2, 2, 6} {
		if i > 0 {
			b[2*n+i-1] = '-'
		}
		hex.Encode(b[2*n+i:], id[n:n+size])
		n += size
	}
	return string(b[:])
}

// ParseTableID reads what String prints, and nothing else.
func ParseTableID(s string) (TableID, error) {
	var id TableID
	if len(s) == 36 {
		digits := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
		if n, err := hex.Decode(id[:], []byte(digits)); err == nil && n == len(id) && id.String() == s {
			return id, nil
		}
	}
	return TableID{}, fmt.Errorf("%q is no table id (a UUID in lower case)", s)
}

// MarshalText and UnmarshalText make ids readable in JSON, as map keys too.
func (id TableID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *TableID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseTableID(string(b))
	return err
}

// Seq is a commit's number in one region's log. Numbers rise in commit order and are never used twice; there are gaps. Zero
// is before everything.
type Seq uint64

func (s Seq) String() string { return strconv.FormatUint(uint64(s), 10) }

// ParseSeq reads what String prints.
func ParseSeq(s string) (Seq, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || Seq(n).String() != s {
		return 0, fmt.Errorf("%q is no sequence number", s)
	}
	return Seq(n), nil
}

// Shards is the number of shards of every table. It is part of the layout on disk: a shard is a range of hashes.
const Shards = 4

// ShardOf is the shard of a partition key, by its hash. All items of a partition are in one shard, in commit order.
func ShardOf(hash32 uint32) uint16 { return uint16(hash32 >> 30) }
