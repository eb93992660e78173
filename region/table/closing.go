package table

import (
	"sync"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/stream/record"
)

// closing finds closed times: (last, at) says that when commit last is durable, nothing at or below time at is to come.
type closing struct {
	mu     sync.Mutex
	last   record.Seq
	at     crdt.Time
	closed crdt.Time
}

// End is the durable end of the log and a time at or below which no own commit will still appear past it.
func (e *Engine) End() (record.Seq, crdt.Time) {
	e.closed.mu.Lock()
	defer e.closed.mu.Unlock()
	if e.closed.at == 0 {
		e.order.Lock()
		// Not beyond what a restart would respect.
		e.closed.at, e.closed.last = min(e.clock.Stamp().Time, e.clock.Settled()), e.log.Last()
		e.order.Unlock()
	}
	if e.log.Durable() >= e.closed.last {
		e.closed.closed, e.closed.at = e.closed.at, 0
	}
	return e.log.Durable(), e.closed.closed
}
