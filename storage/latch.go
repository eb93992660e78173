package storage

import (
	"context"
	"slices"
	"sync"

	"github.com/zeebo/xxh3"
)

// latchStripes is how many latches there are: enough that 64 writers of a few keys hardly ever meet by accident, small
// enough (32 bytes each) to be made without thought.
const latchStripes = 1 << 14

// Latches are locks on keys for engines that run in one process. A key's latch is the stripe its hash falls on, so the
// table is of fixed size; two keys on one stripe exclude each other for nothing, now and then. A map of exact keys would
// need one more lock and an allocation per key.
//
// Everyone takes stripes in ascending order, each once: so there is no cycle of waiting, hence no deadlock. On a stripe the
// one who came first goes first.
type Latches struct {
	stripes [latchStripes]stripe
}

// stripe is one latch. Invariant: waiting is empty unless held.
type stripe struct {
	mu      sync.Mutex
	held    bool
	waiting []chan struct{} // closed by the one who passes the latch on, under mu
}

// Held is a set of latches in someone's hands. The zero Held holds none.
type Held struct {
	latches *Latches
	stripes []uint32 // ascending
}

// NewLatches makes a table in which nothing is held.
func NewLatches() *Latches { return new(Latches) }

// Acquire waits for the latches of all keys. It fails only when ctx or done ends, then nothing is held.
func (l *Latches) Acquire(ctx context.Context, done <-chan struct{}, keys [][]byte) (Held, error) {
	if len(keys) == 0 {
		return Held{}, nil
	}
	want := make([]uint32, len(keys))
	for i, k := range keys {
		want[i] = uint32(xxh3.Hash(k) % latchStripes)
	}
	slices.Sort(want)
	want = slices.Compact(want)
	for i, s := range want {
		if err := l.stripes[s].acquire(ctx, done); err != nil {
			Held{l, want[:i]}.Release()
			return Held{}, err
		}
	}
	return Held{l, want}, nil
}

// Release lets go of the latches. It is called once.
func (h Held) Release() {
	for _, s := range h.stripes {
		h.latches.stripes[s].release()
	}
}

func (s *stripe) acquire(ctx context.Context, done <-chan struct{}) error {
	s.mu.Lock()
	if !s.held {
		s.held = true
		s.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	s.waiting = append(s.waiting, turn)
	s.mu.Unlock()

	var err error
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-done:
		err = ErrClosed
	}
	s.mu.Lock()
	i := slices.Index(s.waiting, turn)
	if i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
	s.mu.Unlock()
	if i < 0 { // it was passed to us while we gave up
		s.release()
	}
	return err
}

// release passes the latch to the one who waits longest.
func (s *stripe) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		s.held = false
		return
	}
	close(s.waiting[0])
	s.waiting = slices.Delete(s.waiting, 0, 1)
	if len(s.waiting) == 0 {
		s.waiting = nil // a burst's slice is not kept for ever
	}
}
