package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/meridiandb/meridian/crdt"
)

// ErrMalformed says that bytes are not what this package writes.
var ErrMalformed = errors.New("record: malformed bytes")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// version is the first byte of all three layouts. All integers of fixed width are big endian.
const version = 1

// reader takes a buffer apart from its front. After a failure it stays failed and returns zero values, so that decoders
// check once, at their end.
type reader struct {
	b    []byte
	dict crdt.Dictionary
	used []bool // by place in dict: a stamp names it
	err  error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = malformed("%s", what)
	}
	r.b = nil
}

func (r *reader) version() {
	if v := r.take(1, "version"); v != nil && v[0] != version {
		r.fail(fmt.Sprintf("version %d, this program knows %d", v[0], version))
	}
}

func (r *reader) take(n int, what string) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || len(r.b) < n {
		r.fail("cut off in " + what)
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) uint64(what string) uint64 {
	if v := r.take(8, what); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

func (r *reader) uint16(what string) uint16 {
	if v := r.take(2, what); v != nil {
		return binary.BigEndian.Uint16(v)
	}
	return 0
}

// uvarint reads a number that cannot be above limit.
func (r *reader) uvarint(limit int, what string) int {
	if r.err != nil {
		return 0
	}
	n, rest, err := crdt.ReadUvarint(r.b)
	if err != nil || n > uint64(limit) {
		r.fail("bad number for " + what)
		return 0
	}
	r.b = rest
	return int(n)
}

// bytes reads a length and that many bytes; nil for none.
func (r *reader) bytes(what string) []byte {
	n := r.uvarint(len(r.b), what)
	if n == 0 {
		return nil
	}
	return r.take(n, what)
}

// count reads how many things follow that take at least size bytes each: a forged count allocates nothing.
func (r *reader) count(size int, what string) int { return r.uvarint(len(r.b)/size, what) }

func (r *reader) dictionary() {
	if r.err != nil {
		return
	}
	d, rest, err := crdt.ReadDictionary(r.b)
	if err != nil {
		r.fail("dictionary")
		return
	}
	n, _, _ := crdt.ReadUvarint(r.b) // as ReadDictionary has read it
	r.dict, r.used, r.b = d, make([]bool, n), rest
}

func (r *reader) stamp(what string) crdt.Stamp {
	if r.err != nil {
		return crdt.Stamp{}
	}
	s, rest, err := r.dict.ReadStamp(r.b)
	if err != nil {
		r.fail(what)
		return crdt.Stamp{}
	}
	if place, _, _ := crdt.ReadUvarint(r.b); place > 0 {
		r.used[place-1] = true
	}
	r.b = rest
	return s
}

func (r *reader) shard() uint16 {
	s := r.uint16("shard")
	if s >= Shards {
		r.fail(fmt.Sprintf("shard %d", s))
	}
	return s
}

func (r *reader) table() (id TableID) {
	copy(id[:], r.take(len(id), "table id"))
	return id
}

// end reports the first failure, or that something follows what should be the end, or that the dictionary names somebody
// whom nothing refers to.
func (r *reader) end() error {
	if r.err == nil && slices.Contains(r.used, false) {
		r.fail("an origin without a use")
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail(fmt.Sprintf("%d bytes too many", len(r.b)))
	}
	return r.err
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// body is what a change looks like in a part and in a commit alike:
//
//	size      field
//	uvarint   n, then n bytes: key
//	stamp     base
//	uvarint   n, then n bytes: state
//	1         0: no old image; 1: there is one, and there follows uvarint n, then n bytes; 2: a note of the conflict feed
const (
	bodyMin  = 4
	bodyOld  = 1
	bodyNote = 2
)

func appendBody(dst []byte, d *crdt.Dictionary, ch *Change) []byte {
	dst = appendBytes(dst, ch.Key)
	dst = d.AppendStamp(dst, ch.Base)
	dst = appendBytes(dst, ch.State)
	switch {
	case ch.Note:
		return append(dst, bodyNote)
	case ch.HasOld:
		return appendBytes(append(dst, bodyOld), ch.Old)
	}
	return append(dst, 0)
}

func (r *reader) body(ch *Change) {
	ch.Key = r.bytes("key")
	ch.Base = r.stamp("base")
	ch.State = r.bytes("state")
	flag := r.take(1, "flag")
	if flag == nil {
		return
	}
	switch flag[0] {
	case 0:
	case bodyOld:
		ch.HasOld = true
		ch.Old = r.bytes("old image")
	case bodyNote:
		ch.Note = true
	default:
		r.fail("flag")
	}
}

// dictionaryOf lists the origins that a commit's or part's stamps name.
func dictionaryOf(s crdt.Stamp, changes []Change) (d crdt.Dictionary) {
	d.Add(s.Origin)
	for i := range changes {
		d.Add(changes[i].Base.Origin)
	}
	return d
}
