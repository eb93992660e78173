package region

import (
	"context"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/stream/record"
)

// Peers is how a region reaches the others. Package replication provides it. It is safe for concurrent use.
type Peers interface {
	// Call sends a command to another region's Handle and returns its answer. An error that is no *fault.Error means that
	// the region could not be reached, and that the command may or may not have been carried out.
	Call(ctx context.Context, region, name string, payload []byte) ([]byte, error)
	// FetchSnapshot copies a table from another region: first fn gets the positions that the copy includes, then the
	// changes in pieces. fn's error ends it.
	FetchSnapshot(ctx context.Context, region string, id record.TableID, fn func(Chunk) error) error
}

// Chunk is a piece of a table's copy. Positions stand in the first one only.
type Chunk struct {
	Positions map[crdt.Origin]record.Seq
	Changes   []record.Change
}

// Connect gives the region its way to the others. Until then it works alone.
func (r *Region) Connect(p Peers) {
	r.mu.Lock()
	r.peers = p
	r.mu.Unlock()
	r.poke()
}

func (r *Region) peersOrNil() Peers {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.peers
}

// poke wakes the lifecycle job.
func (r *Region) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}
