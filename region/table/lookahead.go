package table

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/meridiandb/meridian/storage"
)

// lookahead reads the stored states of a batch's items, some ahead of the merge and several at the same time: most of what
// an arriving change costs its one applier is finding out what is there. The keys' latches are held, so nothing changes.
type lookahead struct {
	tx   storage.Txn
	keys [][]byte
	from int // first key of what is read
	read []found
}

type found struct {
	raw []byte
	err error
}

const (
	// aheadMost bounds what is held: items may be large.
	aheadMost = 32
	// aheadLeast is how few are not worth a goroutine.
	aheadLeast = 8
)

// get returns what stands under the key of number i. Numbers rise.
func (l *lookahead) get(i int) ([]byte, error) {
	if i >= l.from+len(l.read) {
		l.fill(i)
	}
	f := &l.read[i-l.from]
	raw := f.raw
	f.raw = nil // wanted once
	return raw, f.err
}

func (l *lookahead) fill(from int) {
	n := min(aheadMost, len(l.keys)-from)
	l.from, l.read = from, make([]found, n)
	var next atomic.Int64
	work := func() {
		for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
			f := &l.read[i]
			f.raw, f.err = l.tx.Get(l.keys[from+int(i)])
		}
	}
	var helpers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0)-1, n/aheadLeast) {
		helpers.Go(work)
	}
	work()
	helpers.Wait()
}
