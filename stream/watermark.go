package stream

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// watermark is a number that only rises, and those who wait for it. Raising it costs one atomic exchange while nobody
// waits.
type watermark struct {
	at      atomic.Uint64
	waiting atomic.Int32    // = len(waiters); read without mu by advance
	done    <-chan struct{} // closed when it will rise no more

	mu      sync.Mutex
	waiters []*waiter
}

type waiter struct {
	seq record.Seq
	ch  chan struct{} // closed when at ≥ seq
}

func (m *watermark) get() record.Seq { return record.Seq(m.at.Load()) }

func (m *watermark) advance(s record.Seq) {
	for {
		old := m.at.Load()
		if uint64(s) <= old {
			return
		}
		if m.at.CompareAndSwap(old, uint64(s)) {
			break
		}
	}
	// A waiter counts itself before it looks at the mark, we raise the mark before we look at the count: one of us sees
	// the other.
	if m.waiting.Load() > 0 {
		m.wake()
	}
}

func (m *watermark) wake() {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.get()
	m.waiters = slices.DeleteFunc(m.waiters, func(w *waiter) bool {
		if w.seq > at {
			return false
		}
		close(w.ch)
		m.waiting.Add(-1)
		return true
	})
}

// wait returns nil when the mark is at s or above.
func (m *watermark) wait(ctx context.Context, s record.Seq) error {
	if m.get() >= s {
		return nil
	}
	w := &waiter{seq: s, ch: make(chan struct{})}
	m.mu.Lock()
	m.waiting.Add(1)
	m.waiters = append(m.waiters, w)
	m.mu.Unlock()
	if m.get() >= s {
		m.forget(w)
		return nil
	}
	select {
	case <-w.ch:
		return nil
	case <-ctx.Done():
		m.forget(w)
		return context.Cause(ctx)
	case <-m.done:
		m.forget(w)
		if m.get() >= s {
			return nil
		}
		return storage.ErrClosed
	}
}

func (m *watermark) forget(w *waiter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.Index(m.waiters, w); i >= 0 {
		m.waiters = slices.Delete(m.waiters, i, i+1)
		m.waiting.Add(-1)
	}
}

// WaitDurable returns nil when the durable end has reached s. It fails with ctx's cause, or with the store's failure.
func (l *Log) WaitDurable(ctx context.Context, s record.Seq) error {
	err := l.durable.wait(ctx, s)
	if err == storage.ErrClosed && l.store.Err() != nil { //nolint:errorlint // our own, from just above
		return l.store.Err()
	}
	return err
}
