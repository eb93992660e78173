package region

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/zeebo/xxh3"

	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/stream"
	"github.com/meridiandb/meridian/stream/record"
)

// Names that a stream's consumers see (DYNAMODB.md section 8). All are decimal or hexadecimal digits of a fixed number, so
// that those who compare them as texts and those who compare them as numbers agree.

// sequence is a change's sequence number: a 1, the commit's number in 20 digits, its place in the commit in 8. It rises
// within a shard and from parent to child, and no two records of a region have the same.
func sequence(p stream.Position) string { return fmt.Sprintf("1%020d%08d", uint64(p.Seq), p.Place) }

const (
	sequenceDigits = 1 + 20 + 8
	lastPlace      = 99_999_999 // above any commit's number of changes
)

// parseSequence reads what sequence prints.
func parseSequence(s string) (p stream.Position, ok bool) {
	if len(s) != sequenceDigits || s[0] != '1' {
		return p, false
	}
	seq, err := strconv.ParseUint(s[1:21], 10, 64)
	if err != nil {
		return p, false
	}
	place, err := strconv.ParseUint(s[21:], 10, 32)
	if err != nil {
		return p, false
	}
	return stream.Position{Seq: record.Seq(seq), Place: int(place)}, true
}

// shardID names one of a generation's shards by when it began and a hash whose last digits are the shard's number: children
// stand after their parents, as consumers expect of a listing.
func shardID(id record.TableID, label string, at int64, shard uint16) string {
	b := binary.BigEndian.AppendUint64(append(id[:], label...), uint64(at))
	return fmt.Sprintf("shardId-%020d-%08x", at, uint32(xxh3.Hash(b))&^(record.Shards-1)|uint32(shard))
}

// findShard finds what a shard's id means in a stream; gone says that its generation has been trimmed.
func findShard(id record.TableID, s *catalog.Stream, name string) (generation int, shard uint16, gone, ok bool) {
	for shard := range uint16(record.Shards) {
		for i, g := range s.Generations {
			if shardID(id, s.Label, g.At, shard) == name {
				return i, shard, false, true
			}
		}
		if s.Earlier > 0 && shardID(id, s.Label, s.Earlier, shard) == name {
			return 0, shard, true, true
		}
	}
	return 0, 0, false, false
}

// eventID is unique for each change in each region.
func eventID(origin string, id record.TableID, p stream.Position) string {
	b := binary.BigEndian.AppendUint64(append(id[:], origin...), uint64(p.Seq))
	h := xxh3.Hash128(binary.BigEndian.AppendUint64(b, uint64(p.Place)))
	return fmt.Sprintf("%016x%016x", h.Hi, h.Lo)
}
