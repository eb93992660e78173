package pebblestore_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/pebblestore"
)

// BenchmarkCommit commits batches of two records of 1 KB and one XOR merge, from some goroutines, on the disk of b.TempDir.
// Synced commits wait for the disk each; unsynced ones let every thousandth wait.
func BenchmarkCommit(b *testing.B) {
	for _, synced := range []bool{true, false} {
		for _, writers := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("synced=%v/writers=%d", synced, writers), func(b *testing.B) { benchCommit(b, synced, writers) })
		}
	}
}

func benchCommit(b *testing.B, synced bool, writers int) {
	s := openDisk(b)
	var next atomic.Uint64
	b.SetBytes(2 << 10)
	b.SetParallelism((writers + 1) / 2) // times GOMAXPROCS, which is 2 where the figures in the docs come from
	if writers == 1 {
		for b.Loop() {
			benchOne(b, s, next.Add(1), synced)
		}
		return
	}
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			benchOne(b, s, next.Add(1), synced)
		}
	})
}

func benchOne(b *testing.B, s storage.Store, n uint64, synced bool) {
	item, log := numberKey('i', n*0x9e3779b97f4a7c15), numberKey('l', n)
	x, err := s.Begin(context.Background(), item)
	if err != nil {
		b.Error(err)
		return
	}
	defer x.Discard()
	value := weight(n, 1<<10)[:1<<10]
	_ = x.Set(item, value)
	_ = x.Merge(numberKey('h', n%4096), mix(n))
	d, err := x.Commit(func(w storage.Writer) error { return w.Set(log, value) })
	if err == nil && (synced || n%1000 == 0) {
		err = d.Wait()
	}
	if err != nil {
		b.Error(err)
	}
}

func numberKey(kind byte, n uint64) []byte { return binary.BigEndian.AppendUint64([]byte{kind}, n) }

const benchItems = 50_000

func filled(b *testing.B) *pebblestore.Store {
	s := openDisk(b)
	for n := uint64(0); n < benchItems; {
		x, err := s.Begin(context.Background())
		must(b, err)
		for range 1000 {
			must(b, x.Set(numberKey('i', n), weight(n, 1<<10)))
			n++
		}
		d, err := x.Commit(nil)
		must(b, err)
		must(b, d.Wait())
	}
	return s
}

// BenchmarkGet reads one of 50,000 records of 1 KB, at random.
func BenchmarkGet(b *testing.B) {
	s := filled(b)
	b.RunParallel(func(p *testing.PB) {
		r := rand.New(rand.NewPCG(1, 1))
		for p.Next() {
			if _, err := s.Get(numberKey('i', r.Uint64N(benchItems))); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkScan reads 100 records of 1 KB from a random place.
func BenchmarkScan(b *testing.B) {
	s := filled(b)
	r := rand.New(rand.NewPCG(1, 1))
	b.SetBytes(100 << 10)
	for b.Loop() {
		it, err := s.NewIter(storage.IterOptions{Lower: []byte{'i'}, Upper: []byte{'j'}})
		must(b, err)
		n := 0
		for ok := it.SeekGE(numberKey('i', r.Uint64N(benchItems-100))); ok && n < 100; ok = it.Next() {
			n += min(1, len(it.Value()))
		}
		if n != 100 {
			b.Fatalf("%d records, %v", n, it.Err())
		}
		must(b, it.Close())
	}
}

func openDisk(b *testing.B) *pebblestore.Store {
	s, err := pebblestore.Open(b.TempDir(), pebblestore.Options{})
	must(b, err)
	b.Cleanup(func() { must(b, s.Close()) })
	return s
}
