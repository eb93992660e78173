package table

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/storage/pebblestore"
	"github.com/meridiandb/meridian/stream/record"
)

// go test ./region/table -run - -bench . -benchtime 2s
//
// On Pebble over an in-memory file system: the work without the disk. Items have ten attributes and about 400 bytes.

func benchRig(b *testing.B, policy string, indexes int) (*rig, *Table) {
	s, err := pebblestore.Open("data", pebblestore.Options{FS: vfs.NewMem()})
	if err != nil {
		b.Fatal(err)
	}
	r := newRig(b, s, "a")
	b.Cleanup(r.close)
	d := wide(true)
	d.Policy = policy
	d.Indexes = d.Indexes[2 : 2+indexes]
	return r, r.describe(d)
}

const benchItems = 10_000

func benchKey(i int) item.Key {
	return item.Key{Hash: []item.Value{item.Str(fmt.Sprintf("partition-%d", i%100))}, Range: []item.Value{num(i / 100 % 100)}}
}

func benchItem(d *catalog.Descriptor, i, version int) item.Item {
	fields := d.Schema.Fields(benchKey(i))
	for a := range 7 {
		fields = append(fields, item.Field{Name: fmt.Sprint("attribute", a), Value: item.Str(strings.Repeat("v", 40))})
	}
	return item.NewItem(append(fields, item.Field{Name: "g", Value: item.Str(fmt.Sprint("group-", i%50))}, item.Field{Name: "n", Value: num(version)}))
}

func fill(b *testing.B, tab *Table) {
	b.Helper()
	var ws []TableWrite
	for i := range benchItems {
		ws = append(ws, TableWrite{tab, Write{Op: Put, Item: benchItem(tab.entry.Descriptor, i, 0)}})
	}
	_, errs := tab.engine.WriteBatch(bg, ws)
	for _, err := range errs {
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	for _, indexes := range []int{0, 2} {
		b.Run(fmt.Sprint("indexes=", indexes), func(b *testing.B) {
			_, tab := benchRig(b, "", indexes)
			fill(b, tab)
			items := make([]item.Item, benchItems)
			for i := range items {
				items[i] = benchItem(tab.entry.Descriptor, i, 1)
			}
			var n atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if _, err := tab.Write(bg, Write{Op: Put, Item: items[n.Add(1)%benchItems]}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

func BenchmarkConditionalUpdate(b *testing.B) {
	for _, policy := range []string{"last-writer-wins", "attribute", "crdt"} {
		b.Run(policy, func(b *testing.B) {
			_, tab := benchRig(b, policy, 0)
			fill(b, tab)
			u, c := update("SET attribute1 = :v ADD n :n", values{":v": item.Str("new"), ":n": num(1)}), cond("attribute_exists(pk) AND n >= :z", values{":z": num(0)})
			keys := make([]item.Key, benchItems)
			for i := range keys {
				keys[i] = benchKey(i)
			}
			var n atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if _, err := tab.Write(bg, Write{Op: Update, Key: keys[n.Add(1)%benchItems], Update: u, Condition: c}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

func BenchmarkGet(b *testing.B) {
	_, tab := benchRig(b, "", 0)
	fill(b, tab)
	keys := make([]item.Key, benchItems)
	for i := range keys {
		keys[i] = benchKey(i)
	}
	var n atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if res, err := tab.Get(bg, keys[n.Add(1)%benchItems], true); err != nil || res.Item.IsZero() {
				b.Error("no item", err)
				return
			}
		}
	})
}

// A page of 100 items.
func BenchmarkQueryPage(b *testing.B) {
	_, tab := benchRig(b, "", 0)
	fill(b, tab)
	q := Query{Range: keyRange(tab.Schema(), "pk = :p", values{":p": item.Str("partition-7")})}
	b.ReportAllocs()
	for b.Loop() {
		if p, err := tab.Query(bg, q); err != nil || p.Count != 100 {
			b.Fatal(p.Count, err)
		}
	}
}

// benchCommit is a put in another region, as it arrives.
func benchCommit(src *rig, tab *Table, n int) record.Commit {
	it := benchItem(tab.entry.Descriptor, n%benchItems, n)
	stamp := crdt.Stamp{Time: crdt.TimeFromMillis(src.now) + crdt.Time(n), Origin: src.engine.origin}
	state := conflict.Write(conflict.LastWriterWins, conflict.State{}, conflict.Local{Stamp: stamp, Op: conflict.Put, New: it})
	key := benchKey(n % benchItems).Append(nil)
	return record.Commit{Stamp: stamp, Changes: []record.Change{{Table: tab.entry.ID, Shard: shardOf(key), Key: key, State: state.Append(nil)}}}
}

// Commits of one put each, merged in batches; ns/commit says what one costs.
func BenchmarkApply(b *testing.B) {
	for _, size := range []int{25, 100} {
		for _, indexes := range []int{0, 2} {
			b.Run(fmt.Sprintf("batch=%d/indexes=%d", size, indexes), func(b *testing.B) {
				r, tab := benchRig(b, "", indexes)
				fill(b, tab)
				src := newRig(b, memstore.New(), "b")
				defer src.close()
				from := src.describe(tab.entry.Descriptor)
				var n, at int
				batch := make([]record.Commit, size)
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					b.StopTimer()
					for i := range batch {
						n++
						batch[i] = benchCommit(src, from, n)
					}
					b.StartTimer()
					at += size
					if err := r.engine.Apply(bg, Batch{Commits: batch}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(at), "ns/commit")
			})
		}
	}
}
