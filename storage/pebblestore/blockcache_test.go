package pebblestore

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
)

// TestBlocksAreCachedBesideMemoryTables: a cache of blocks that is smaller than the memory tables still keeps what is read again.
func TestBlocksAreCachedBesideMemoryTables(t *testing.T) {
	const memTable, cache = 4 << 20, 2 << 20 // half of the cache is for blocks
	s, err := Open("data", Options{FS: vfs.NewMem(), CacheBytes: cache, MemTableBytes: memTable, RowKind: 'r'})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { must(t, s.Close()) }()
	random := rand.New(rand.NewPCG(1, 1))
	for n := range 40_000 / 100 { // 40 MB: Pebble's memory tables have grown to their size
		commit(t, s, func(x storage.Txn) {
			for i := range 100 {
				v := make([]byte, 0, 1000)
				for len(v) < 1000 {
					v = binary.BigEndian.AppendUint64(v, random.Uint64())
				}
				must(t, x.Set(fmt.Appendf(nil, "i%06d", n*100+i), v))
			}
		})
	}
	for s.Metrics().MemTable.Count > 1 { // a flush is under way
		time.Sleep(time.Millisecond)
	}
	misses := func() int64 {
		before := s.Metrics().BlockCache.Misses
		it, err := s.NewIter(storage.IterOptions{Upper: []byte("i000300")}) // 0.3 MB
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ok := it.First(); ok; ok = it.Next() {
			n++
		}
		must(t, it.Err())
		must(t, it.Close())
		if n != 300 {
			t.Fatalf("%d keys instead of 300", n)
		}
		return s.Metrics().BlockCache.Misses - before
	}
	first := misses()
	least := first
	for range 20 { // a compaction may change where the blocks lie
		least = min(least, misses())
	}
	if first == 0 || least > 0 {
		t.Errorf("blocks read from the disk: %d at first, then never fewer than %d", first, least)
	}
}
