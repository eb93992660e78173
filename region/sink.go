package region

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

var (
	// ErrStale says that a stream was opened under an answer of Wanted that no longer holds: it must be opened again, after
	// asking Wanted and then Cursor anew.
	ErrStale = errors.New("the stream was opened for other tables than are wanted now")

	// ErrHeld says that the next commit's stamp is so far ahead that taking it would spoil this region's clock (clock guard,
	// DESIGN section 5). It is not skipped: the same commit must be brought again later.
	ErrHeld = errors.New("the next commit is from a clock too far ahead: the stream is held")
)

// Wanted lists the tables that this region wants from a peer, and a channel that is closed when the list changes, or when
// a stream must be opened anew for another reason. Ask Cursor after it, never before: what changes the list may move the
// cursor back first.
func (r *Region) Wanted(peer string) ([]record.TableID, <-chan struct{}) {
	in := r.inbound
	in.mu.Lock()
	defer in.mu.Unlock()
	w := in.wants[peer]
	if w == nil {
		w = &want{tables: in.tablesLocked(peer), changed: make(chan struct{})}
		in.wants[peer] = w
	}
	w.current = true
	return w.tables, w.changed
}

// Cursor is the position in a peer's log up to which this region holds everything it wants, durably.
func (r *Region) Cursor(peer crdt.Origin) record.Seq {
	r.inbound.mu.Lock()
	defer r.inbound.mu.Unlock()
	return r.inbound.cursorLocked(peer)
}

// Apply merges what a peer sent, all that is wanted of its log from the cursor up to upTo, and moves the cursor in the same
// batch; both are durable on return. Closed is a time at or below which nothing of the peer will come after upTo. Applying
// a batch again changes nothing.
//
// ErrStale asks for a new stream. ErrHeld says that the batch was taken up to where the cursor is now, and not beyond; ErrOver that
// nothing was taken, or will be.
// Batches of one peer come one after the other, those of several side by side.
func (r *Region) Apply(ctx context.Context, peer crdt.Origin, commits []record.Commit, upTo record.Seq, closed crdt.Time) error {
	in := r.inbound
	in.gate.RLock()
	defer in.gate.RUnlock()
	if !in.current(peer.Region) {
		return ErrStale
	}
	if in.isOver(peer) {
		return fmt.Errorf("%w: %s", ErrOver, peer)
	}
	if err := in.meet(peer); err != nil {
		return r.fail(err)
	}
	commits, upTo, held := r.admit(peer, commits, upTo)
	if held != nil {
		closed = 0
	}
	var applied crdt.Time // a log is in stamp order
	if n := len(commits); n > 0 {
		applied = commits[n-1].Stamp.Time
	}
	if have := r.Cursor(peer); len(commits) > 0 || have < upTo {
		b := table.Batch{Commits: commits, Seal: func(w storage.Writer) error {
			return errors.Join(setCursor(w, peer, max(have, upTo)), in.setApplied(w, peer, max(applied, closed)))
		}}
		if err := r.engine.Apply(ctx, b); err != nil {
			return r.fail(err)
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.heard[peer] = time.Now()
	in.cursors[peer] = max(in.cursors[peer], upTo)
	in.riseLocked(peer, max(applied, closed))
	return held
}

// admit cuts off a batch before the first commit that the clock guard holds.
func (r *Region) admit(peer crdt.Origin, commits []record.Commit, upTo record.Seq) ([]record.Commit, record.Seq, error) {
	for i := range commits {
		ahead, hold := r.clock.Holds(commits[i].Stamp.Time)
		if !hold {
			continue
		}
		if r.inbound.hold(peer, ahead) {
			r.logger.Error("a stream is held: its region's clock is ahead", "peer", peer.Region, "ahead", ahead, "commit", commits[i].Seq)
		}
		return commits[:i], commits[i].Seq - 1, fmt.Errorf("%w: commit %s of %s, by %v", ErrHeld, commits[i].Seq, peer.Region, ahead)
	}
	if len(commits) > 0 && r.inbound.release(peer) {
		r.logger.Info("a stream that was held goes on", "peer", peer.Region)
	}
	return commits, upTo, nil
}

// checkCopied holds the states of a copied table as Apply holds commits.
func (r *Region) checkCopied(from string, changes []record.Change) error {
	for i := range changes {
		newest := changes[i].Base.Time
		if !changes[i].Note { // all that the state has seen counts
			s, err := conflict.DecodeState(changes[i].State)
			if err != nil {
				return err
			}
			newest = s.Context().Newest()
		}
		if ahead, hold := r.clock.Holds(newest); hold {
			return fmt.Errorf("%w: table %s copied from %s, by %v", ErrHeld, changes[i].Table, from, ahead)
		}
	}
	return nil
}

// ApplyCatalog takes table descriptions from a peer.
func (r *Region) ApplyCatalog(_ context.Context, _ crdt.Origin, entries [][]byte) error {
	_, err := r.closing(func() (*catalog.Entry, error) { return nil, r.catalog.Receive(entries) })
	if err != nil {
		return r.fail(err)
	}
	r.inbound.refresh(false)
	r.poke()
	return nil
}

// Trimmed notes that a peer's log no longer reaches back to this region's cursor. What is missing is had by copying the
// tables that the two share from that peer (catchup.go); until then Stats lists the peer as one that this region is behind.
func (r *Region) Trimmed(peer crdt.Origin) {
	in := r.inbound
	in.mu.Lock()
	news := !in.behind[peer]
	in.behind[peer] = true
	in.mu.Unlock()
	if news {
		r.logger.Warn("a peer's log no longer reaches back to us: its tables are copied", "peer", peer.String(), "cursor", r.Cursor(peer))
		r.poke()
	}
}

func cursorKey(o crdt.Origin) []byte { return append([]byte{storage.KindCursor}, o.String()...) }

func setCursor(w storage.Writer, o crdt.Origin, s record.Seq) error {
	return w.Set(cursorKey(o), storage.AppendSeq(nil, uint64(s)))
}

// readCursors reads all cursors from a store or a snapshot of it.
func readCursors(r storage.Reader) (map[crdt.Origin]record.Seq, error) {
	it, err := r.NewIter(storage.PrefixRange([]byte{storage.KindCursor}))
	if err != nil {
		return nil, err
	}
	cursors := map[crdt.Origin]record.Seq{}
	for ok := it.First(); ok; ok = it.Next() {
		o, err := crdt.ParseOrigin(string(it.Key()[1:]))
		if err == nil && len(it.Value()) != 8 {
			err = fmt.Errorf("%d bytes instead of 8", len(it.Value()))
		}
		if err != nil {
			err = &storage.CorruptionError{Where: fmt.Sprintf("cursor %q", it.Key()[1:]), Err: err}
			return nil, errors.Join(err, it.Close())
		}
		cursors[o] = record.Seq(binary.BigEndian.Uint64(it.Value()))
	}
	return cursors, errors.Join(it.Err(), it.Close())
}

// behindPeers lists the peers whose logs no longer reach back to us.
func (in *inbound) behindPeers() []crdt.Origin {
	in.mu.Lock()
	defer in.mu.Unlock()
	var all []crdt.Origin
	for o := range maps.Keys(in.behind) {
		all = append(all, o)
	}
	return all
}

// hold notes that a peer's stream is held; it reports whether that is news.
func (in *inbound) hold(peer crdt.Origin, ahead time.Duration) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	_, was := in.held[peer]
	in.held[peer] = ahead
	return !was
}

func (in *inbound) release(peer crdt.Origin) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	_, was := in.held[peer]
	delete(in.held, peer)
	return was
}
