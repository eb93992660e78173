package pebblestore_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/pebblestore"
)

// numbered commits the numbers 1, 2, 3 …, given out in seal. Each commit also XORs its number into one cell, so that a commit
// that is there in part shows, and carries some weight.
type numbered struct {
	s      storage.Store
	weight int
	next   uint64 // under the store's commit order

	mu    sync.Mutex
	acked uint64 // highest number whose Wait returned nil
}

func (n *numbered) commit() error {
	x, err := n.s.Begin(context.Background())
	if err != nil {
		return err
	}
	defer x.Discard()
	mine := uint64(0)
	d, err := x.Commit(func(w storage.Writer) error {
		n.next++
		w.(storage.Sealer).OnAbort(func() { n.next-- })
		mine = n.next
		key := binary.BigEndian.AppendUint64([]byte{'n'}, mine)
		return errors.Join(w.Set(key, weight(mine, n.weight)), w.Merge([]byte("xor"), mix(mine)))
	})
	if err != nil {
		return err
	}
	if err := d.Wait(); err != nil {
		return err
	}
	n.mu.Lock()
	n.acked = max(n.acked, mine)
	n.mu.Unlock()
	return nil
}

func (n *numbered) acknowledged() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.acked
}

// weight is a value that no compressor shrinks much.
func weight(n uint64, size int) []byte {
	b := make([]byte, 0, size+8)
	for x := n; len(b) < size; x = x*6364136223846793005 + 1442695040888963407 {
		b = binary.BigEndian.AppendUint64(b, x)
	}
	return b
}

// mix is the number as the cell has it: 16 bytes, all different for different numbers.
func mix(n uint64) []byte {
	b := binary.BigEndian.AppendUint64(nil, n*0x9e3779b97f4a7c15)
	return binary.BigEndian.AppendUint64(b, n)
}

// check reads all numbers: there is no gap, and the cell is that of the numbers there. It returns how many there are.
func check(r storage.Reader) (uint64, error) {
	it, err := r.NewIter(storage.PrefixRange([]byte{'n'}))
	if err != nil {
		return 0, err
	}
	count, sum := uint64(0), []byte(nil)
	for ok := it.First(); ok; ok = it.Next() {
		count++
		if n := binary.BigEndian.Uint64(it.Key()[1:]); n != count {
			return 0, errors.Join(fmt.Errorf("after number %d stands %d", count-1, n), it.Close())
		}
		sum = storage.XOR(sum, mix(count))
	}
	if err := errors.Join(it.Err(), it.Close()); err != nil {
		return 0, err
	}
	cell, err := r.Get([]byte("xor"))
	if count == 0 && storage.IsNotFound(err) {
		return 0, nil
	}
	if err != nil || string(cell) != string(sum) {
		return 0, fmt.Errorf("with %d numbers the cell is %x, %w, want %x", count, cell, err, sum)
	}
	return count, nil
}

// recovered opens what a crash left and checks it: nothing acknowledged is missing, and the store works.
func recovered(t testing.TB, fs vfs.FS, acked uint64) {
	t.Helper()
	s, err := pebblestore.Open("data", pebblestore.Options{FS: fs, CacheBytes: 1 << 20, MemTableBytes: 1 << 20})
	if err != nil {
		t.Errorf("open after the crash: %v", err)
		return
	}
	n, err := check(s)
	if err != nil || n < acked {
		t.Errorf("%d numbers after the crash, %v, but %d were acknowledged", n, err, acked)
	}
	w := &numbered{s: s, next: n}
	if err := w.commit(); err != nil {
		t.Errorf("commit after the crash: %v", err)
	}
	if again, err := check(s); err != nil || again != n+1 {
		t.Errorf("%d numbers after one more than %d, %v", again, n, err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close after the crash: %v", err)
	}
}
