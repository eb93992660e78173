package table

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/storage/pebblestore"
	"github.com/meridiandb/meridian/storage/pebblestore/rawpebble"
	"github.com/meridiandb/meridian/stream/record"
)

// BenchmarkApplyAgainstPebble holds the applier, on disk and without a sender, against what Pebble alone takes of the same
// bytes in the same batches without syncs: item, log entry and cell of each change. A batch is what a region takes at once when it
// is behind (applyCommits of package replication): what it takes when it is not is small, and as fast as it comes. The two take
// turns. The ratio should be 0.40 at least.
//
//	go test ./region/table -run - -bench AgainstPebble -benchtime 30000x
func BenchmarkApplyAgainstPebble(b *testing.B) {
	const batchSize, turn = 1000, 10_000
	s, err := pebblestore.Open(b.TempDir(), pebblestore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	r := newRig(b, s, "a")
	b.Cleanup(r.close)
	r.describe(narrow(true))
	src := newRig(b, memstore.New(), "b")
	defer src.close()
	from := src.describe(narrow(true))
	var took time.Duration
	var raw float64
	n, turns := 0, 0
	for n < b.N {
		for end := min(b.N, n+turn); n < end; {
			batch := make([]record.Commit, 0, batchSize)
			for len(batch) < batchSize {
				n++
				batch = append(batch, bigCommit(src, from, n))
			}
			begin := time.Now()
			if err := r.engine.Apply(bg, Batch{Commits: batch}); err != nil {
				b.Fatal(err)
			}
			took += time.Since(begin)
		}
		batches, err := rawpebble.Measure(b.TempDir(), 1, time.Second, rawpebble.Shape{Values: []int{1024, 1024}, Merge: true, Repeat: batchSize})
		if err != nil {
			b.Fatal(err)
		}
		raw += batches * batchSize
		turns++
	}
	ours := float64(n) / took.Seconds()
	raw /= float64(turns)
	b.ReportMetric(ours, "changes/s")
	b.ReportMetric(raw, "raw/s")
	b.ReportMetric(ours/raw, "ratio")
}

// bigCommit is a put of 1 KB of letters under a random key: rawpebble writes letters, too.
func bigCommit(src *rig, tab *Table, n int) record.Commit {
	letters := make([]byte, 1000)
	for i := range letters {
		letters[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[rand.IntN(36)]
	}
	id := item.Bin(binary.BigEndian.AppendUint64(nil, rand.Uint64()))
	it := item.NewItem([]item.Field{{Name: "id", Value: id}, {Name: "v", Value: item.Str(string(letters))}})
	stamp := crdt.Stamp{Time: crdt.TimeFromMillis(src.now) + crdt.Time(n), Origin: src.engine.origin}
	state := conflict.Write(conflict.LastWriterWins, conflict.State{}, conflict.Local{Stamp: stamp, Op: conflict.Put, New: it})
	key := item.Key{Hash: []item.Value{id}}.Append(nil)
	return record.Commit{Stamp: stamp, Changes: []record.Change{{Table: tab.entry.ID, Shard: shardOf(key), Key: key, State: state.Append(nil)}}}
}
