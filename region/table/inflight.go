package table

import (
	"context"
	"sync/atomic"

	"github.com/meridiandb/meridian/stream/record"
	"github.com/zeebo/xxh3"
)

// inflight remembers, for each item written lately, the commit that a reader must wait for before it may tell what it
// saw. It is a fixed table of sequence numbers addressed by the key's hash: two keys in one slot make a reader wait for the
// later of both, which costs a little time and never correctness. A map of the exact keys would have to be cleaned up after
// every commit.
type inflight struct {
	slots [1 << 13]atomic.Uint64
}

func (f *inflight) slot(key []byte) *atomic.Uint64 {
	return &f.slots[xxh3.Hash(key)%uint64(len(f.slots))]
}

// mark is called inside seal, hence in the order of seq, before the commit can be seen.
func (f *inflight) mark(key []byte, seq record.Seq) { f.slot(key).Store(uint64(seq)) }

func (f *inflight) get(key []byte) record.Seq { return record.Seq(f.slot(key).Load()) }

// settle waits until what was just read under key is durable.
func (e *Engine) settle(ctx context.Context, key []byte) error {
	return e.settleAt(ctx, e.inflight.get(key))
}

// settleAll waits until everything visible now is durable: for reads of many items.
func (e *Engine) settleAll(ctx context.Context) error { return e.settleAt(ctx, e.log.Last()) }

// settleAt waits for a commit. One that its store has taken back left its mark; there is nothing to wait for then.
func (e *Engine) settleAt(ctx context.Context, seq record.Seq) error {
	if seq = min(seq, e.log.Last()); seq <= e.log.Durable() {
		return nil
	}
	return e.log.WaitDurable(ctx, seq)
}
