package record

import (
	"bytes"
	"errors"
	"flag"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/meridiandb/meridian/crdt"
)

var seedFlag = flag.Uint64("seed", 0, "seed of random tests; 0: another each time")

func newGen(t *testing.T) gen {
	t.Helper()
	s := *seedFlag
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("seed %d (run again with -seed=%d)", s, s)
	return gen{rand.New(rand.NewPCG(s, 1))}
}

// gen draws records, and edges more often than chance would.
type gen struct{ *rand.Rand }

func (g gen) bytes() []byte {
	n := []int{0, 1, 2, 127, 128, 300}[g.IntN(6)]
	if n == 0 {
		return nil
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

func (g gen) uint64() uint64 { return []uint64{0, 1, g.Uint64(), 1 << 63, ^uint64(0)}[g.IntN(5)] }

func (g gen) stamp() crdt.Stamp {
	if g.IntN(4) == 0 {
		return crdt.Stamp{}
	}
	return crdt.Stamp{
		Time:   crdt.Time(1 + g.uint64()>>1),
		Origin: crdt.Origin{Region: []string{"a", "us-east-1", "ap-northeast-1"}[g.IntN(3)], Incarnation: g.uint64()},
	}
}

func (g gen) id() (id TableID) {
	id[0], id[15] = byte(g.IntN(3)), byte(g.IntN(2))
	return id
}

func (g gen) change() Change {
	ch := Change{Table: g.id(), Shard: uint16(g.IntN(Shards)), Key: g.bytes(), Base: g.stamp(), State: g.bytes()}
	switch g.IntN(4) {
	case 0, 1:
		ch.HasOld, ch.Old = true, g.bytes()
	case 2:
		ch.Note = true
	}
	return ch
}

func (g gen) commit() Commit {
	c := Commit{Seq: Seq(g.uint64()), Stamp: g.stamp(), Wall: int64(g.uint64())}
	if c.Seq > 0 {
		c.Prev = Seq(g.Uint64N(uint64(c.Seq)))
	}
	for range []int{0, 1, 2, 40}[g.IntN(4)] {
		c.Changes = append(c.Changes, g.change())
	}
	return c
}

// TestRoundTrips: whatever is written is read as it was, whole and in parts, and in parts is put together again.
func TestRoundTrips(t *testing.T) {
	g := newGen(t)
	for range 3000 {
		c := g.commit()
		prefix := []byte("before")
		got, err := DecodeCommit(AppendCommit(bytes.Clone(prefix), &c)[len(prefix):])
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Fatalf("commit %+v\ncame back as %+v, %v", c, got, err)
		}
		if c.Seq == 0 {
			continue // never in a log
		}
		o, parts := Split(&c)
		o2, err := DecodeOrder(c.Seq, AppendOrder(nil, &o))
		if err != nil || !reflect.DeepEqual(o2, o) {
			t.Fatalf("order %+v\ncame back as %+v, %v", o, o2, err)
		}
		back := make([]Part, len(parts))
		for i := range parts {
			p := &parts[i]
			b := AppendPart(nil, p)
			if back[i], err = DecodePart(p.Table, p.Shard, p.Seq, b); err != nil || !reflect.DeepEqual(back[i], *p) {
				t.Fatalf("part %+v\ncame back as %+v, %v", *p, back[i], err)
			}
			if w, err := PartWall(b); err != nil || w != c.Wall {
				t.Fatalf("wall %d of %d, %v", w, c.Wall, err)
			}
		}
		if whole, err := Join(&o2, back); err != nil || !reflect.DeepEqual(whole, c) {
			t.Fatalf("joined %+v\nfrom %+v, %v", whole, c, err)
		}
	}
}

// TestCutAndDamaged: every proper beginning of a record is refused, and so is one with a byte too many; a changed byte is
// refused or is another record, and never a panic.
func TestCutAndDamaged(t *testing.T) {
	g := newGen(t)
	for range 60 {
		c := g.commit()
		if len(c.Changes) > 5 || c.Seq == 0 {
			continue
		}
		o, parts := Split(&c)
		all := map[string]func([]byte) error{}
		bytesOf := map[string][]byte{"commit": AppendCommit(nil, &c), "order": AppendOrder(nil, &o)}
		all["commit"] = func(b []byte) error { _, err := DecodeCommit(b); return err }
		all["order"] = func(b []byte) error { _, err := DecodeOrder(c.Seq, b); return err }
		if len(parts) > 0 {
			bytesOf["part"] = AppendPart(nil, &parts[0])
			all["part"] = func(b []byte) error { _, err := DecodePart(parts[0].Table, parts[0].Shard, c.Seq, b); return err }
		}
		for name, decode := range all {
			whole := bytesOf[name]
			for n := range whole {
				if err := decode(whole[:n:n]); !errors.Is(err, ErrMalformed) {
					t.Fatalf("%s cut off after %d of %d bytes: %v", name, n, len(whole), err)
				}
			}
			if err := decode(append(bytes.Clone(whole), 0)); !errors.Is(err, ErrMalformed) {
				t.Fatalf("%s with a byte too many: %v", name, err)
			}
			for range 50 {
				bad := bytes.Clone(whole)
				bad[g.IntN(len(bad))] ^= byte(1 << g.IntN(8))
				if err := decode(bad); err != nil && !errors.Is(err, ErrMalformed) {
					t.Fatalf("%s damaged: %v", name, err)
				}
			}
		}
	}
}

// TestJoinRefuses parts that do not belong together.
func TestJoinRefuses(t *testing.T) {
	c := Commit{Seq: 9, Prev: 4, Stamp: crdt.Stamp{Time: 5, Origin: crdt.Origin{Region: "a-1"}}}
	for i := range 6 {
		c.Changes = append(c.Changes, Change{Shard: uint16(i % 3), Key: []byte{byte(i)}})
	}
	o, parts := Split(&c)
	for name, spoil := range map[string]func(*Order, []Part) []Part{
		"one missing":       func(_ *Order, p []Part) []Part { return p[1:] },
		"one twice":         func(_ *Order, p []Part) []Part { return append(p, p[0]) },
		"other order":       func(_ *Order, p []Part) []Part { p[0], p[1] = p[1], p[0]; return p },
		"another number":    func(_ *Order, p []Part) []Part { p[0].Seq = 8; return p },
		"another stamp":     func(_ *Order, p []Part) []Part { p[1].Stamp.Time++; return p },
		"another table":     func(_ *Order, p []Part) []Part { p[2].Table[3] = 1; return p },
		"a change less":     func(_ *Order, p []Part) []Part { p[0].Changes = p[0].Changes[1:]; return p },
		"a place twice":     func(_ *Order, p []Part) []Part { p[0].Places = p[1].Places; return p },
		"a place too large": func(_ *Order, p []Part) []Part { p[0].Places = []int{0, 6}; return p },
	} {
		mine := make([]Part, len(parts))
		for i, p := range parts {
			mine[i] = p
			mine[i].Places = append([]int(nil), p.Places...)
		}
		own := o
		if _, err := Join(&own, spoil(&own, mine)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestIDs: printed and read, one spelling each.
func TestIDs(t *testing.T) {
	const text = "0f8fad5b-d9cb-469f-a165-70867728950e"
	id, err := ParseTableID(text)
	if err != nil || id.String() != text || id.IsZero() {
		t.Fatalf("%s, %v", id, err)
	}
	for _, bad := range []string{"", text[1:], text + "0", "0F8FAD5B-d9cb-469f-a165-70867728950e", "0f8fad5bad9cb-469f-a165-70867728950e", "0f8fad5b-d9cb-469f-a165-7086772895zz", "{" + text[2:] + "}"} {
		if _, err := ParseTableID(bad); err == nil {
			t.Errorf("read %q", bad)
		}
	}
	for _, s := range []Seq{0, 1, 1<<64 - 1} {
		if got, err := ParseSeq(s.String()); err != nil || got != s {
			t.Errorf("%s came back as %s, %v", s, got, err)
		}
	}
	for _, bad := range []string{"", "-1", "+1", "01", "1 ", "18446744073709551616", "x"} {
		if _, err := ParseSeq(bad); err == nil {
			t.Errorf("read %q", bad)
		}
	}
	for hash, want := range map[uint32]uint16{0: 0, 1<<30 - 1: 0, 1 << 30: 1, 1 << 31: 2, ^uint32(0): Shards - 1} {
		if got := ShardOf(hash); got != want {
			t.Errorf("hash %x is in shard %d, want %d", hash, got, want)
		}
	}
}
