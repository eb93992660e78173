package pebblestore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
)

func openRows(t *testing.T, cache int64, kind byte) *Store {
	t.Helper()
	s, err := Open("data", Options{FS: vfs.NewMem(), CacheBytes: cache, MemTableBytes: 1 << 20, RowKind: kind})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// commit writes by one transaction.
func commit(t *testing.T, s *Store, write func(storage.Txn), keys ...[]byte) {
	t.Helper()
	x, err := s.Begin(t.Context(), keys...)
	if err != nil {
		t.Error(err)
		return
	}
	defer x.Discard()
	write(x)
	d, err := x.Commit(nil)
	if err == nil {
		err = d.Wait()
	}
	if err != nil {
		t.Error(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// TestRowsAgainstMap holds Get against a map, with caches from none to one that holds everything, and values from nothing to more
// than is cached.
func TestRowsAgainstMap(t *testing.T) {
	for seed, cache := range []int64{1, 2 * chunkBytes, 6 * chunkBytes, 64 * chunkBytes, 32 << 20} {
		t.Run(fmt.Sprint(cache), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(seed), 1))
			s := openRows(t, cache, 'i')
			model := map[string][]byte{}
			key := func() []byte { return fmt.Appendf(nil, "%c%03d", "ij"[r.IntN(2)], r.IntN(300)) }
			value := func() []byte {
				b := make([]byte, []int{0, 10, 100, 1000, 1000, 20_000}[r.IntN(6)])
				for i := range b {
					b[i] = byte(r.Uint32())
				}
				return b
			}
			for range 1000 {
				k := key()
				switch r.IntN(13) {
				case 0, 1, 2:
					commit(t, s, func(x storage.Txn) {
						for range r.IntN(4) {
							k, v := key(), value()
							must(t, x.Set(k, v))
							model[string(k)] = v
						}
					})
				case 3:
					commit(t, s, func(x storage.Txn) { must(t, x.Delete(k)) })
					delete(model, string(k))
				case 4:
					v := value()
					commit(t, s, func(x storage.Txn) { must(t, x.Merge(k, v)) })
					model[string(k)] = storage.XOR(bytes.Clone(model[string(k)]), v)
				case 5:
					if r.IntN(20) > 0 {
						continue
					}
					hi, v := key(), value()
					commit(t, s, func(x storage.Txn) {
						must(t, x.DeleteRange(k, hi))
						for m := range model {
							if m >= string(k) && m < string(hi) {
								delete(model, m)
							}
						}
						must(t, x.Set(k, v)) // the later of a batch's writes counts
						model[string(k)] = v
					})
				case 6:
					commit(t, s, func(x storage.Txn) {
						for range bulkKeys + 1 {
							k, v := key(), []byte{byte(r.Uint32())}
							must(t, x.Set(k, v))
							model[string(k)] = v
						}
					})
				default:
					got, err := s.Get(k)
					want, ok := model[string(k)]
					if !ok && !errors.Is(err, storage.ErrNotFound) || ok && (err != nil || !bytes.Equal(got, want)) {
						t.Fatalf("key %s: %d bytes, %v; want %v, %d bytes", k, len(got), err, ok, len(want))
					}
					for i := range got {
						got[i] = 0 // it is a copy
					}
				}
			}
			f := s.RowFigures()
			t.Logf("%+v", f)
			if limit := uint64(cache / rowShare); f.Bytes > limit {
				t.Errorf("%d bytes, at most %d are allowed", f.Bytes, limit)
			}
			if cache == 32<<20 && f.Hits == 0 {
				t.Error("nothing was read from the cache: the test shows nothing")
			}
		})
	}
}

// TestRowsNeverGoBack reads while others write: no reader may see less than what was committed before it began, nor less than
// another has seen, by Get or by an iterator.
func TestRowsNeverGoBack(t *testing.T) {
	const keys, commits, readers = 8, 400, 3
	s := openRows(t, 4*chunkBytes, 0)
	var low [keys]atomic.Uint64 // no reader may see less
	key := func(k int) []byte { return []byte{'i', byte(k)} }
	raise := func(k int, n uint64) {
		for {
			if old := low[k].Load(); old >= n || low[k].CompareAndSwap(old, n) {
				return
			}
		}
	}
	for k := range keys {
		commit(t, s, func(x storage.Txn) { must(t, x.Set(key(k), make([]byte, 8))) })
	}
	var writers, others sync.WaitGroup
	done := make(chan struct{})
	for k := range keys {
		writers.Go(func() {
			for n := uint64(1); n <= commits; n++ {
				commit(t, s, func(x storage.Txn) {
					old, err := x.Get(key(k))
					if err != nil || binary.BigEndian.Uint64(old) != n-1 {
						t.Errorf("key %d: commit %d finds %x, %v", k, n, old, err)
					}
					v := binary.BigEndian.AppendUint64(nil, n)
					must(t, x.Set(key(k), append(v, make([]byte, n%3*500)...)))
					for other := range n % 16 / 15 * bulkKeys { // each sixteenth is a bulk
						must(t, x.Set([]byte{'o', byte(k), byte(other)}, v[:8]))
					}
				}, key(k))
				raise(k, n)
			}
		})
	}
	for seed := range uint64(readers) {
		others.Go(func() {
			r := rand.New(rand.NewPCG(seed, 2))
			for {
				select {
				case <-done:
					return
				default:
				}
				k := r.IntN(keys)
				least := low[k].Load()
				var v []byte
				var err error
				if r.IntN(4) > 0 {
					v, err = s.Get(key(k))
				} else {
					v, err = firstFrom(s, key(k))
				}
				if err != nil {
					t.Error(err)
					return
				}
				n := binary.BigEndian.Uint64(v)
				if n < least {
					t.Errorf("key %d: read %d after %d", k, n, least)
					return
				}
				raise(k, n)
			}
		})
	}
	writers.Wait()
	close(done)
	others.Wait()
	if f := s.RowFigures(); f.Hits == 0 {
		t.Error("nothing was read from the cache: the test shows nothing")
	}
}

// firstFrom reads a value by an iterator.
func firstFrom(s *Store, key []byte) ([]byte, error) {
	it, err := s.NewIter(storage.IterOptions{Lower: key})
	if err != nil {
		return nil, err
	}
	if !it.First() {
		return nil, errors.Join(errors.New("no key"), it.Err(), it.Close())
	}
	return bytes.Clone(it.Value()), it.Close()
}

// TestRowsKeepWhatIsRead: what is read again and again outlives what is read once.
func TestRowsKeepWhatIsRead(t *testing.T) {
	s := openRows(t, 2*8*chunkBytes, 'i') // room for 500 rows of 1 KB
	key := func(n int) []byte { return fmt.Appendf(nil, "i%06d", n) }
	for n := range 2000 {
		commit(t, s, func(x storage.Txn) { must(t, x.Set(key(n), make([]byte, 1000))) })
		for hot := range min(n, 20) {
			if _, err := s.Get(key(hot)); err != nil {
				t.Fatal(err)
			}
		}
	}
	f := s.RowFigures()
	t.Logf("%+v", f)
	if f.Misses > f.Hits/100 {
		t.Errorf("%+v", f)
	}
}

// TestRowsOfOneLargeBatch: Pebble takes the bytes of a batch that is larger than a memory table; its keys are cached as others
// are.
func TestRowsOfOneLargeBatch(t *testing.T) {
	s := openRows(t, 32<<20, 'i')
	key := func(n int) []byte { return fmt.Appendf(nil, "i%06d", n) }
	commit(t, s, func(x storage.Txn) {
		for n := range 200 {
			must(t, x.Set(key(n), make([]byte, 15_000)))
		}
	})
	for n := range 200 {
		if v, err := s.Get(key(n)); err != nil || len(v) != 15_000 {
			t.Fatalf("%d bytes, %v", len(v), err)
		}
	}
	if f := s.RowFigures(); f.Misses != 0 || f.Hits != 200 {
		t.Errorf("%+v", f)
	}
}

// TestRowsShowNothingOfTheMiddle: of several writes of one batch to one key nobody sees any but the last.
func TestRowsShowNothingOfTheMiddle(t *testing.T) {
	s := openRows(t, 32<<20, 'i')
	key, last := []byte("i"), []byte("last")
	commit(t, s, func(x storage.Txn) { must(t, x.Set(key, last)) })
	var reader sync.WaitGroup
	done := make(chan struct{})
	reader.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if v, err := s.Get(key); err != nil || !bytes.Equal(v, last) {
				t.Errorf("read %q, %v", v, err)
				return
			}
		}
	})
	for round := range 12 {
		commit(t, s, func(x storage.Txn) {
			must(t, x.Set(key, []byte("gone")))
			for n := range []int{200, 2000}[round/3%2] { // the second is a bulk
				must(t, x.Set(fmt.Appendf(nil, "i%06d", n), last))
			}
			switch round % 3 {
			case 1:
				must(t, x.Delete(key))
			case 2:
				must(t, x.DeleteRange(key, []byte("i0")))
			}
			must(t, x.Set(key, last))
		})
	}
	close(done)
	reader.Wait()
}
