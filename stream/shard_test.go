package stream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/stream/record"
)

// appendRandom commits changes to a few shards and returns them by shard in order.
func appendRandom(t *testing.T, s storage.Store, l *Log, r *rand.Rand, commits int) map[uint16][]Entry {
	t.Helper()
	want := map[uint16][]Entry{}
	for i := range commits {
		c := record.Commit{Stamp: crdt.Stamp{Time: crdt.Time(i + 1), Origin: crdt.Origin{Region: "a", Incarnation: 1}}, Wall: int64(1000 + i)}
		for j := range 1 + r.IntN(4) {
			c.Changes = append(c.Changes, record.Change{
				Table: record.TableID{byte(1 + r.IntN(2))}, Shard: uint16(r.IntN(3)), Key: fmt.Appendf(nil, "k%d.%d", i, j), State: []byte("state"),
			})
		}
		if err := write(s, func(w storage.Writer) error { return l.Append(w, &c) }); err != nil {
			t.Fatal(err)
		}
		l.Committed(c.Seq)
		for j, ch := range c.Changes {
			if ch.Table == (record.TableID{1}) {
				want[ch.Shard] = append(want[ch.Shard], Entry{Position{c.Seq, j}, c.Stamp, c.Wall, ch})
			}
		}
	}
	return want
}

// A shard read in pieces of any size is each of its changes once, in order, wherever the reader begins.
func TestReadShard(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := memstore.New()
		l, err := Open(s)
		if err != nil {
			t.Fatal(err)
		}
		want := appendRandom(t, s, l, r, 50)
		for shard := range uint16(record.Shards) {
			from := r.IntN(len(want[shard]) + 1)
			at := Before(0)
			if from > 0 {
				at = want[shard][from-1].Position
			}
			var got []Entry
			for range 500 {
				es, next, err := l.ReadShard(record.TableID{1}, shard, at, 0, 1+r.IntN(3), 1+r.IntN(40))
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, es...)
				if next == at {
					break
				}
				at = next
			}
			if at != End(l.Durable()) {
				t.Errorf("seed %d: the reader stands at %v, not at the end %v", seed, at, End(l.Durable()))
			}
			if fmt.Sprint(got) != fmt.Sprint(want[shard][from:]) {
				t.Errorf("seed %d, shard %d from %d:\n%v\nnot\n%v", seed, shard, from, got, want[shard][from:])
			}
		}
	}
}

// What was trimmed is refused, never passed over in silence; what follows it can be read.
func TestReadShardTrimmed(t *testing.T) {
	s := memstore.New()
	l, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	want := appendRandom(t, s, l, rand.New(rand.NewPCG(1, 1)), 60)
	keep := func(record.TableID) bool { return true }
	if err := errors.Join(l.Trim(context.Background(), 40, keep), l.TrimParts(context.Background(), record.TableID{1}, 20)); err != nil {
		t.Fatal(err)
	}
	for shard, all := range want {
		trimmed, err := l.PartsTrimmed(record.TableID{1}, shard)
		if err != nil || trimmed != 20 {
			t.Fatalf("trimmed to %d, %v", trimmed, err)
		}
		if _, _, err := l.ReadShard(record.TableID{1}, shard, Before(0), 0, 100, 1<<20); !errors.Is(err, ErrTrimmed) {
			t.Errorf("shard %d: %v", shard, err)
		}
		es, _, err := l.ReadShard(record.TableID{1}, shard, End(trimmed), 0, 1000, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for len(all) > 0 && all[0].Seq <= trimmed {
			all = all[1:]
		}
		if fmt.Sprint(es) != fmt.Sprint(all) {
			t.Errorf("shard %d:\n%v\nnot\n%v", shard, es, all)
		}
	}
}

// upTo ends a shard that was closed there.
func TestReadShardUpTo(t *testing.T) {
	s := memstore.New()
	l, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	want := appendRandom(t, s, l, rand.New(rand.NewPCG(2, 1)), 30)
	for shard, all := range want {
		es, next, err := l.ReadShard(record.TableID{1}, shard, Before(0), 15, 1000, 1<<20)
		if err != nil || next != End(15) {
			t.Fatal(next, err)
		}
		for len(all) > 0 && all[len(all)-1].Seq > 15 {
			all = all[:len(all)-1]
		}
		if fmt.Sprint(es) != fmt.Sprint(all) {
			t.Errorf("shard %d:\n%v\nnot\n%v", shard, es, all)
		}
	}
}

// Since finds what a walk over all changes finds.
func TestSince(t *testing.T) {
	s := memstore.New()
	l, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	want := appendRandom(t, s, l, rand.New(rand.NewPCG(3, 1)), 40)
	for shard, all := range want {
		for wall := int64(995); wall < 1045; wall++ {
			for _, after := range []Position{Before(0), Before(7), {12, 1}, End(33), End(90)} {
				const upTo = 35
				left := End(upTo)
				for _, e := range all {
					if e.Seq <= upTo && e.Compare(after) > 0 && e.Wall >= wall {
						left = e.Position
						break
					}
				}
				at, err := l.Since(record.TableID{1}, shard, after, upTo, wall)
				if err != nil {
					t.Fatal(err)
				}
				first := End(upTo)
				for _, e := range all {
					if e.Seq <= upTo && e.Compare(at) > 0 {
						first = e.Position
						break
					}
				}
				if first != left || at.Compare(after) < 0 {
					t.Errorf("shard %d since %d after %v: %v, so %v and not %v", shard, wall, after, at, first, left)
				}
			}
		}
	}
}
