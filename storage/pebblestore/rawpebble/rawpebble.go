// Package rawpebble measures Pebble with nothing of Meridian's around it, on the options that pebblestore gives it: what
// the disk and the engine allow. Meridian's own figures are held against these (bench/limits).
package rawpebble

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable/block"

	"github.com/meridiandb/meridian/storage"
)

// Shape is what one batch holds.
type Shape struct {
	Values []int // sizes of the values set, each under a key of its own of 40 bytes
	Repeat int   // how many times over; 0 is 1
	Merge  bool  // also one 16-byte merge operand, to one of 65,536 keys, per repetition
	Sync   bool  // wait for the disk
}

// Measure commits batches from several goroutines for a while into a new store in dir, and returns how many a second.
func Measure(dir string, goroutines int, d time.Duration, s Shape) (perSecond float64, err error) {
	db, err := open(dir)
	if err != nil {
		return 0, err
	}
	errs := make([]error, goroutines)
	var done atomic.Int64
	writers := make([]*writer, goroutines)
	for g := range writers {
		writers[g] = newWriter(db, s, g)
	}
	var wg sync.WaitGroup
	begin := time.Now()
	end := begin.Add(d)
	for g, w := range writers {
		wg.Go(func() {
			for time.Now().Before(end) && errs[g] == nil {
				errs[g] = w.commit()
				done.Add(1)
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	return float64(done.Load()) / took.Seconds(), errors.Join(append(errs, db.Close())...)
}

func open(dir string) (*pebble.DB, error) {
	cache := pebble.NewCache(128 << 20)
	defer cache.Unref()
	o := &pebble.Options{
		Cache: cache, FormatMajorVersion: pebble.FormatValueSeparation, MemTableSize: 64 << 20, MemTableStopWritesThreshold: 4,
		L0CompactionThreshold: 4, L0StopWritesThreshold: 24, LBaseMaxBytes: 64 << 20, MaxOpenFiles: 4096, BytesPerSync: 1 << 20,
		CompactionConcurrencyRange: func() (int, int) { return 1, 2 },
		Merger:                     xor(),
		Logger:                     silent{},
	}
	for i := range o.Levels {
		o.Levels[i].Compression = func() *block.CompressionProfile { return block.FastestCompression }
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		o.Levels[i].BlockSize = 16 << 10
		o.Levels[i].IndexBlockSize = 64 << 10
	}
	return pebble.Open(dir, o)
}

type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(f string, a ...any) {
	panic(pebbleFatal(f))
}

type pebbleFatal string

// writer makes one goroutine's batches.
type writer struct {
	db    *pebble.DB
	s     Shape
	rand  *rand.Rand
	value []byte // several values' worth, of which each takes a part
	key   [40]byte
	n     uint64
}

func newWriter(db *pebble.DB, s Shape, g int) *writer {
	w := &writer{db: db, s: s, rand: rand.New(rand.NewPCG(1, uint64(g))), n: uint64(g) << 40}
	size := 16
	for _, v := range s.Values {
		size = max(size, v)
	}
	// Letters, as the items have that Meridian is measured with: compressing costs both sides the same. Of a piece much longer
	// than what is compressed together, so that values do not repeat each other.
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	w.value = make([]byte, size+256<<10)
	for i := range w.value {
		w.value[i] = letters[w.rand.IntN(len(letters))]
	}
	return w
}

// next is a value of a size.
func (w *writer) next(size int) []byte {
	at := w.rand.IntN(len(w.value) - size + 1)
	return w.value[at : at+size]
}

func (w *writer) commit() error {
	b := w.db.NewBatch()
	for range max(1, w.s.Repeat) {
		for i, size := range w.s.Values {
			if err := b.Set(w.nextKey(i), w.next(size), nil); err != nil {
				return err
			}
		}
		if w.s.Merge {
			if err := b.Merge(w.cell(), w.value[:16], nil); err != nil {
				return err
			}
		}
	}
	o := pebble.NoSync
	if w.s.Sync {
		o = pebble.Sync
	}
	return errors.Join(b.Commit(o), b.Close())
}

// nextKey is random for the first value, an item, and rising for the others, a log's.
func (w *writer) nextKey(i int) []byte {
	w.key[0] = 'a' + byte(i)
	if i == 0 {
		binary.BigEndian.PutUint64(w.key[17:], w.rand.Uint64())
	} else {
		w.n++
		binary.BigEndian.PutUint64(w.key[17:], w.n)
	}
	return w.key[:]
}

func (w *writer) cell() []byte {
	w.key[0] = 'h'
	binary.BigEndian.PutUint16(w.key[17:], uint16(w.rand.Uint32()))
	return w.key[:19]
}

func xor() *pebble.Merger {
	return &pebble.Merger{Name: storage.MergeName, Merge: func(_, v []byte) (pebble.ValueMerger, error) {
		return &xorMerger{append([]byte(nil), v...)}, nil
	}}
}
