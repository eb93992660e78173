package region

import (
	"context"
	"errors"
	"fmt"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// A peer trims its log when all members have acknowledged it, and keeps some minutes more. A cursor can all the same be
// behind that: of a copy that took long, or of acknowledgements that an earlier life of this region gave. Then the tables
// that are wanted from the peer are compared with its copies, while they serve, and everything that differs is merged on both
// sides (a Mender), or they are copied whole; afterwards everything in its log up to where the copies were taken is held, and
// the cursor moves there. That goes for their conflict feeds too: the log had the peer's notes, and where the cursor stands the
// peer may lose them.

// errOtherLife says that the peer was rebuilt since: its old log is gone, there is nothing to catch up with.
var errOtherLife = errors.New("the copy is of another incarnation")

func (r *Region) catchUp(peer crdt.Origin) error {
	p := r.peersOrNil()
	if p == nil {
		return errAlone
	}
	in := r.inbound
	copied := map[record.TableID]record.Seq{}
	for {
		missing := in.notIn(copied, peer.Region)
		if len(missing) == 0 {
			done, err := in.caughtUp(peer, copied)
			if done && err == nil {
				r.logger.Info("caught up by repair", "peer", peer.String(), "tables", len(copied))
			}
			if done || err != nil {
				return err
			}
			continue
		}
		for _, id := range missing {
			at, err := r.mendAgain(p, peer, id)
			if errors.Is(err, errOtherLife) {
				in.mu.Lock()
				delete(in.behind, peer)
				in.mu.Unlock()
				return nil
			}
			if err != nil {
				return fmt.Errorf("copy table %s from %s to catch up: %w", id, peer.Region, err)
			}
			copied[id] = at
		}
	}
}

// Mender is a Peers that can compare copies, of tables and of feeds by their ids. On return this region holds everything of that
// kind that stood in the log of origin, which is the other region's, up to at, and the other region everything that this one had.
type Mender interface {
	MendWhole(ctx context.Context, region string, id record.TableID) (origin crdt.Origin, at record.Seq, err error)
}

// mendAgain makes a table hold all that a peer's copy holds and returns where in its log that was. What cannot be compared, for
// example because the peer is of an older version, is copied.
func (r *Region) mendAgain(p Peers, peer crdt.Origin, id record.TableID) (record.Seq, error) {
	m, ok := p.(Mender)
	if !ok {
		return r.copyAgain(p, peer, id)
	}
	origin, at, err := m.MendWhole(r.ctx, peer.Region, id)
	if err == nil && origin == peer {
		// Afterwards: what stands in the log up to at has been entered by then. What a merged state had won against is in no state.
		origin, _, err = m.MendWhole(r.ctx, peer.Region, id.Feed())
	}
	switch {
	case err != nil:
		r.logger.Info("a table is copied, for it cannot be compared", "peer", peer.Region, "table", id.String(), "err", err)
		return r.copyAgain(p, peer, id)
	case origin != peer:
		return 0, errOtherLife
	}
	return at, nil
}

// copyAgain merges a peer's copy of a table into ours and returns where in its log it was taken.
func (r *Region) copyAgain(p Peers, peer crdt.Origin, id record.TableID) (record.Seq, error) {
	var at record.Seq
	known := false
	err := p.FetchSnapshot(r.ctx, peer.Region, id, func(c Chunk) error {
		if c.Positions != nil {
			if at, known = c.Positions[peer]; !known {
				return errOtherLife
			}
		}
		if !known {
			return errNoPosition
		}
		if err := r.checkCopied(peer.Region, c.Changes); err != nil {
			return err
		}
		r.inbound.gate.RLock() // the floor stays
		defer r.inbound.gate.RUnlock()
		mixed := func(w storage.Writer) error { return r.inbound.mixed(w, id) }
		return r.engine.Apply(r.ctx, table.Batch{Commits: asCommits(c.Changes), Seal: mixed})
	})
	if err == nil && !known {
		err = errNoPosition
	}
	return at, err
}

// notIn lists the tables wanted from a region that are not copied.
func (in *inbound) notIn(copied map[record.TableID]record.Seq, peer string) (ids []record.TableID) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, id := range in.tablesLocked(peer) {
		if _, ok := copied[id]; !ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// caughtUp moves a peer's cursor to where its tables were copied, unless another table has come to be wanted meanwhile.
func (in *inbound) caughtUp(peer crdt.Origin, copied map[record.TableID]record.Seq) (bool, error) {
	in.gate.Lock()
	defer in.gate.Unlock()
	if len(in.notIn(copied, peer.Region)) > 0 {
		return false, nil
	}
	var at record.Seq
	first := true
	for _, s := range copied {
		if first || s < at {
			at, first = s, false
		}
	}
	in.mu.Lock()
	have := in.cursorLocked(peer)
	in.mu.Unlock()
	if at > have {
		if err := in.setCursors(map[crdt.Origin]record.Seq{peer: at}); err != nil {
			return true, err
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.behind, peer)
	delete(in.held, peer) // what was held is behind the cursor
	in.refreshLocked(true)
	return true, nil
}

func (in *inbound) isBehind(peer crdt.Origin) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.behind[peer]
}
