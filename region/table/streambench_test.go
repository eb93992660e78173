package table

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage/pebblestore"
)

// BenchmarkPutStreamed measures what an enabled stream costs PutItem: two tables, alike but for the stream, are written side
// by side in short blocks that take turns, so that whatever else the machine does falls on both.
//
//	go test ./region/table -run - -bench PutStreamed -benchtime 200000x
//
// Every put replaces an item of about 400 bytes, so with a stream each writes an old image. "memory" is the work without a
// disk, "disk" has one sync per group of commits.
func BenchmarkPutStreamed(b *testing.B) {
	for _, disk := range []bool{false, true} {
		b.Run(map[bool]string{false: "memory", true: "disk"}[disk], func(b *testing.B) {
			tables := [2]*Table{streamedRig(b, disk, false), streamedRig(b, disk, true)}
			items := make([]item.Item, benchItems)
			for i := range items {
				items[i] = benchItem(tables[0].entry.Descriptor, i, 1)
			}
			var took [2]time.Duration
			var puts [2]int
			b.ResetTimer()
			for done, turn := 0, 0; done < b.N; turn++ {
				n := min(2000, b.N-done)
				began := time.Now()
				putBlock(b, tables[turn%2], items, n)
				took[turn%2] += time.Since(began)
				puts[turn%2] += n
				done += n
			}
			if puts[1] == 0 {
				return
			}
			off, on := float64(took[0])/float64(puts[0]), float64(took[1])/float64(puts[1])
			b.ReportMetric(off, "ns/put-without")
			b.ReportMetric(on, "ns/put-with")
			b.ReportMetric(100*(on-off)/off, "%-slower")
		})
	}
}

func streamedRig(b *testing.B, disk, streamed bool) *Table {
	o := pebblestore.Options{FS: vfs.NewMem()}
	dir := "data"
	if disk {
		o.FS, dir = nil, b.TempDir()
	}
	s, err := pebblestore.Open(dir, o)
	if err != nil {
		b.Fatal(err)
	}
	r := newRig(b, s, "a")
	b.Cleanup(r.close)
	d := wide(true)
	d.Indexes = nil
	d.Stream = catalog.StreamSpec{Enabled: streamed, View: "NEW_AND_OLD_IMAGES", Label: "x"}
	t := r.describe(d)
	fill(b, t)
	return t
}

// putBlock puts n items from 32 clients at a time.
func putBlock(b *testing.B, t *Table, items []item.Item, n int) {
	var next atomic.Int64
	var clients sync.WaitGroup
	for range 32 {
		clients.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if _, err := t.Write(bg, Write{Op: Put, Item: items[int(i)%len(items)]}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	clients.Wait()
}
