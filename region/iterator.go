package region

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/stream"
	"github.com/meridiandb/meridian/stream/record"
)

// iterator is a place in a shard that a consumer carries with him.
//
//	offset  size  field
//	0       1     version, 1
//	1       8     when it was given out, unix milliseconds, big endian
//	9       16    table id
//	25      2     shard, big endian
//	27      8     when the shard's generation began, unix milliseconds, big endian
//	35      8     position: commit, big endian
//	43      4     position: place + 1, big endian
//	47      …     the stream's label
//	end-8   8     checksum: of all that and the origin of the region, which alone can read it
//
// It is shown as base64. The checksum tells garbage, and iterators of other regions or of an earlier life of this one, from
// ours; it is no secret, for an iterator gives no right that its holder lacks.
type iterator struct {
	given      int64
	table      record.TableID
	label      string
	generation int64 // its At
	shard      uint16
	after      stream.Position
}

const (
	iteratorLife    = 15 * time.Minute
	iteratorVersion = 1
	iteratorFixed   = 47
	iteratorSum     = 8
)

func (it *iterator) encode(origin string) string {
	b := make([]byte, 0, iteratorFixed+32+iteratorSum)
	b = binary.BigEndian.AppendUint64(append(b, iteratorVersion), uint64(it.given))
	b = binary.BigEndian.AppendUint16(append(b, it.table[:]...), it.shard)
	b = binary.BigEndian.AppendUint64(b, uint64(it.generation))
	b = binary.BigEndian.AppendUint64(b, uint64(it.after.Seq))
	b = binary.BigEndian.AppendUint32(b, uint32(it.after.Place+1))
	b = append(b, it.label...)
	return base64.RawURLEncoding.EncodeToString(append(b, iteratorCheck(b, origin)...))
}

func iteratorCheck(b []byte, origin string) []byte {
	h := sha256.New()
	h.Write(b)
	h.Write([]byte(origin))
	return h.Sum(nil)[:iteratorSum]
}

func errIterator() error { return fault.New(fault.Invalid, "Invalid ShardIterator") }

func decodeIterator(s, origin string) (it iterator, err error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < iteratorFixed+iteratorSum || b[0] != iteratorVersion {
		return it, errIterator()
	}
	body := b[:len(b)-iteratorSum]
	if string(iteratorCheck(body, origin)) != string(b[len(body):]) {
		return it, errIterator()
	}
	it.given = int64(binary.BigEndian.Uint64(body[1:]))
	copy(it.table[:], body[9:])
	it.shard = binary.BigEndian.Uint16(body[25:])
	it.generation = int64(binary.BigEndian.Uint64(body[27:]))
	it.after.Seq = record.Seq(binary.BigEndian.Uint64(body[35:]))
	it.after.Place = int(binary.BigEndian.Uint32(body[43:])) - 1
	it.label = string(body[iteratorFixed:])
	return it, nil
}
