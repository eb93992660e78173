package api

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/storage/pebblestore"
)

// BenchmarkGetRecords reads a stream of items of about 400 bytes, old and new images, a reader for each shard: of the region
// itself and over HTTP.
//
//	go test ./api -run - -bench GetRecords
func BenchmarkGetRecords(b *testing.B) {
	store, err := pebblestore.Open("data", pebblestore.Options{FS: vfs.NewMem()})
	if err != nil {
		b.Fatal(err)
	}
	r, err := region.Open(region.Options{Name: "us-east-1", Store: store})
	if err != nil {
		b.Fatal(err)
	}
	c := newServedClient(b, r)
	c.streamTable("tab", "NEW_AND_OLD_IMAGES")
	const records = 20_000
	for at := 0; at < records; at += 25 {
		var puts []string
		for i := at; i < at+25; i++ {
			puts = append(puts, fmt.Sprintf(`{"PutRequest":{"Item":{"pk":{"S":"k%d"},"n":{"N":"%d"},"text":{"S":"%s"},"tags":{"SS":["a","b"]}}}}`, i%1000, i, strings.Repeat("v", 350)))
		}
		c.must("BatchWriteItem", `{"RequestItems":{"tab":[`+strings.Join(puts, ",")+`]}}`)
	}
	names, _ := r.Streams("tab", region.StreamName{}, 1)
	v, err := r.DescribeStream(names[0])
	if err != nil {
		b.Fatal(err)
	}
	read := func(b *testing.B, page func(it string) (n int, next string)) {
		for b.Loop() {
			var readers sync.WaitGroup
			for _, s := range v.Shards {
				readers.Go(func() {
					it, err := r.ShardIterator(names[0], s.ID, region.StreamStart{Type: region.TrimHorizon})
					if err != nil {
						b.Error(err)
					}
					for n := 1; n > 0; {
						n, it = page(it)
					}
				})
			}
			readers.Wait()
		}
		b.ReportMetric(float64(b.N*records)/b.Elapsed().Seconds(), "records/s")
	}
	b.Run("region", func(b *testing.B) {
		read(b, func(it string) (int, string) {
			recs, next, err := r.StreamRecords(it, 1000)
			if err != nil {
				b.Error(err)
			}
			return len(recs), next
		})
	})
	b.Run("HTTP", func(b *testing.B) {
		c.t = b
		read(b, func(it string) (int, string) {
			a := c.streams("GetRecords", `{"ShardIterator":"`+it+`"}`)
			return strings.Count(a.body, `"eventID"`), a.body[strings.LastIndex(a.body, `":"`)+3 : len(a.body)-2]
		})
	})
}
