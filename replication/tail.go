package replication

import (
	"context"
	"sync"
	"time"
)

// tail wakes all who send when the log's durable end moves: one waiter instead of one for each peer.
type tail struct {
	source Source

	mu    sync.Mutex
	moved chan struct{} // closed at the next move
}

func newTail(s Source) *tail { return &tail{source: s, moved: make(chan struct{})} }

// next is closed when the end moves past what Source.End says after this call.
func (t *tail) next() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.moved
}

func (t *tail) run(ctx context.Context) {
	for ctx.Err() == nil {
		end, _ := t.source.End()
		t.wake()
		if err := t.source.WaitDurable(ctx, end); err != nil {
			// The region has failed or is closing, or ctx ended. Whoever reads the log will say so; look again in a while.
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}

func (t *tail) wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.moved)
	t.moved = make(chan struct{})
}
