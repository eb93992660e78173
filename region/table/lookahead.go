package table

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	// aheadBytes is about how much is read ahead of the merge: items may be large. What is beyond is read when it is needed.
	aheadBytes = 8 << 20
	// aheadLeast is how few are not worth a goroutine.
	aheadLeast = 8
)

var errAhead = errors.New("read far enough ahead")

// look reads what is stored of the batch's items, ahead of the merge and several at the same time: most of what an arriving
// change costs its one applier is finding out what is there. The keys' latches are held, so nothing changes.
func (m *merging) look() error {
	wanted := make([]*slot, 0, len(m.slots))
	for i := range m.slots {
		if !m.slots[i].read {
			wanted = append(wanted, &m.slots[i])
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	// GOMAXPROCS may be more than there are processors (cmd/meridian): reads in more, shorter runs of keys would only be dearer.
	workers := min(runtime.GOMAXPROCS(0), runtime.NumCPU(), len(wanted)/aheadLeast+1)
	errs := make([]error, workers)
	var room atomic.Int64
	room.Store(aheadBytes)
	part := func(i int) {
		errs[i] = m.lookUp(wanted[len(wanted)*i/workers:len(wanted)*(i+1)/workers], &room)
	}
	var helpers sync.WaitGroup
	for i := 1; i < workers; i++ {
		helpers.Go(func() { part(i) })
	}
	part(0)
	helpers.Wait()
	return errors.Join(errs...)
}

// lookUp reads slots, in the order of their keys, while there is room.
func (m *merging) lookUp(wanted []*slot, room *atomic.Int64) error {
	keys := make([][]byte, len(wanted))
	for i, s := range wanted {
		keys[i] = s.key
	}
	err := m.tx.GetEach(keys, func(i int, value []byte) error {
		wanted[i].found(value)
		wanted[i].read = true
		if room.Add(-int64(len(value))) < 0 {
			return errAhead
		}
		return nil
	})
	if errors.Is(err, errAhead) {
		return nil
	}
	for i := 0; err == nil && i < len(wanted); i++ {
		wanted[i].read = true // nothing is stored of those that were not found
	}
	return err
}
