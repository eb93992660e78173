package antientropy

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/meridiandb/meridian/crdt"
)

// reader takes a message apart. After the first failure it returns zeros.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrMessage, what)
	}
	r.b = nil
}

func (r *reader) end() error {
	if r.err == nil && len(r.b) > 0 {
		r.fail("more than a message")
	}
	return r.err
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) || r.err != nil {
		r.fail("too short")
		return nil
	}
	var t []byte
	t, r.b = r.b[:n:n], r.b[n:]
	return t
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) flag() bool {
	b := r.byte()
	if b > 1 {
		r.fail("a flag that is neither 0 nor 1")
	}
	return b == 1
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// kind takes the first byte.
func (r *reader) kind(k byte) {
	if r.byte() != k {
		r.fail("another message than was due")
	}
}

func (r *reader) version() {
	if v := r.byte(); v != version && r.err == nil {
		r.fail(fmt.Sprintf("version %d, this region knows %d", v, version))
	}
}

// number reads a number that is at most most.
func (r *reader) number(most int) int {
	n, rest, err := crdt.ReadUvarint(r.b)
	if err != nil || n > uint64(most) {
		r.fail("a number too large")
		return 0
	}
	r.b = rest
	return int(n)
}

// count reads how many things follow, each of at least size bytes.
func (r *reader) count(size int) int { return r.countTo(size, len(r.b)) }

func (r *reader) countTo(size, most int) int {
	n := r.number(most)
	if n > len(r.b)/size {
		r.fail("more announced than there is")
		return 0
	}
	return n
}

func (r *reader) bytes() []byte { return r.take(r.number(len(r.b))) }

func (r *reader) item() Item {
	it := Item{Key: r.bytes(), State: r.bytes()}
	if len(it.Key) == 0 || len(it.State) == 0 {
		r.fail("an item without key or state")
	}
	return it
}

func (r *reader) paths() []Path {
	p := make([]Path, r.countTo(len(Path{}), maxPaths))
	for i := range p {
		copy(p[i][:], r.take(len(p[i])))
	}
	return p
}

func (r *reader) shorts(s *[fanOut]short) {
	for i := range s {
		s[i] = short(r.uint64())
	}
}

func (r *reader) dictionary() crdt.Dictionary {
	d, rest, err := crdt.ReadDictionary(r.b)
	if err != nil {
		r.fail("no dictionary")
	} else {
		r.b = rest
	}
	return d
}

func (r *reader) stamp(d *crdt.Dictionary) crdt.Stamp {
	s, rest, err := d.ReadStamp(r.b)
	if err != nil || s.IsZero() {
		r.fail("no stamp")
	} else {
		r.b = rest
	}
	return s
}

func (r *reader) times(d *crdt.Dictionary) map[crdt.Origin]crdt.Time {
	n := r.count(9)
	times := make(map[crdt.Origin]crdt.Time, n)
	for range n {
		s := r.stamp(d)
		times[s.Origin] = s.Time
	}
	if len(times) != n {
		r.fail("an origin twice")
	}
	return times
}

func (r *reader) context(d *crdt.Dictionary) crdt.Context {
	c, rest, err := d.ReadContext(r.b)
	if err != nil {
		r.fail("no context")
	} else {
		r.b = rest
	}
	return c
}

func compare(a, b Path) int { return bytes.Compare(a[:], b[:]) }
