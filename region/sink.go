package region

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// ErrStale says that a stream was opened under an answer of Wanted that no longer holds: it must be opened again, after
// asking Wanted and Cursor anew.
var ErrStale = errors.New("the stream was opened for other tables than are wanted now")

// inbound is where this region stands in the others' logs, and which tables it wants from them.
//
// A table that joins moves cursors back to where its copy was taken (beginJoin), so that nothing written after the copy is
// missed. A stream that is still open under the old answer could move a cursor past that again without the joining
// table's changes; therefore every change of the answer starts a new generation, and Apply takes only batches of streams
// that have asked Wanted in this one. Streams of one peer ask, read and apply one after the other.
type inbound struct {
	region *Region

	// gate lets batches of any peers pass side by side and a joining alone: no batch is under way while cursors move back.
	gate sync.RWMutex

	mu      sync.Mutex // never held while the store is waited for, except by the holder of gate
	cursors map[crdt.Origin]record.Seq
	closed  map[crdt.Origin]crdt.Time // everything of the origin up to here is applied
	joins   map[record.TableID]bool   // tables being filled whose changes are wanted already
	wants   map[string]*want          // by peer region that has asked
}

// want is one answer of Wanted.
type want struct {
	tables  []record.TableID
	changed chan struct{}
	current bool // the peer's stream was opened under this answer
}

func openInbound(r *Region) (*inbound, error) {
	in := &inbound{
		region: r, cursors: map[crdt.Origin]record.Seq{}, closed: map[crdt.Origin]crdt.Time{},
		joins: map[record.TableID]bool{}, wants: map[string]*want{},
	}
	it, err := r.store.NewIter(storage.IterOptions{Lower: []byte{storage.KindCursor}, Upper: []byte{storage.KindCursor + 1}})
	if err != nil {
		return nil, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		o, perr := crdt.ParseOrigin(string(it.Key()[1:]))
		if perr == nil && len(it.Value()) != 8 {
			perr = fmt.Errorf("%d bytes instead of 8", len(it.Value()))
		}
		if perr != nil {
			err = &storage.CorruptionError{Where: fmt.Sprintf("cursor %q", it.Key()[1:]), Err: perr}
			break
		}
		in.cursors[o] = record.Seq(binary.BigEndian.Uint64(it.Value()))
	}
	return in, errors.Join(err, it.Err(), it.Close())
}

func cursorKey(o crdt.Origin) []byte { return append([]byte{storage.KindCursor}, o.String()...) }

func setCursor(w storage.Writer, o crdt.Origin, s record.Seq) error {
	return w.Set(cursorKey(o), binary.BigEndian.AppendUint64(nil, uint64(s)))
}

// Cursor is the position in a peer's log up to which this region holds everything it wants, durably.
func (r *Region) Cursor(peer crdt.Origin) record.Seq {
	r.inbound.mu.Lock()
	defer r.inbound.mu.Unlock()
	return r.inbound.cursorLocked(peer)
}

// cursorLocked begins, in a log that nothing was read from yet, where the peer stood when it joined the tables we share.
func (in *inbound) cursorLocked(peer crdt.Origin) record.Seq {
	if s, ok := in.cursors[peer]; ok {
		return s
	}
	var from record.Seq
	found := false
	for _, e := range in.region.catalog.Entries() {
		m := e.Member(peer.Region)
		if m == nil || m.Origin != peer || !in.wanted(e, peer.Region) {
			continue
		}
		if !found || m.From < from {
			from, found = m.From, true
		}
	}
	return from
}

// wanted reports whether this region wants a table's changes from a peer: both hold it, or the peer is leaving and has
// not said its last.
func (in *inbound) wanted(e *catalog.Entry, peer string) bool {
	m := e.Member(peer)
	if m == nil || m.State == catalog.MemberRemoved || !e.Holds(in.region.name) {
		return false
	}
	return e.Local.Ready || in.joins[e.ID]
}

// Wanted lists the tables that this region wants from a peer, and a channel that is closed when the list changes.
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

func (in *inbound) tablesLocked(peer string) []record.TableID {
	ids := []record.TableID{}
	for _, e := range in.region.catalog.Entries() {
		if in.wanted(e, peer) {
			ids = append(ids, e.ID)
		}
	}
	slices.SortFunc(ids, func(a, b record.TableID) int { return slices.Compare(a[:], b[:]) })
	return ids
}

// refresh works out the answers anew and starts a new generation for the peers whose answer changed, or for all.
func (in *inbound) refresh(all bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.refreshLocked(all)
}

func (in *inbound) refreshLocked(all bool) {
	for peer, w := range in.wants {
		tables := in.tablesLocked(peer)
		if all || !slices.Equal(tables, w.tables) {
			close(w.changed)
			in.wants[peer] = &want{tables: tables, changed: make(chan struct{})}
		}
	}
}

func (in *inbound) joining(id record.TableID) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.joins[id]
}

// beginJoin makes a table's changes wanted from the positions that its copy includes.
func (in *inbound) beginJoin(id record.TableID, positions map[crdt.Origin]record.Seq) error {
	in.gate.Lock()
	defer in.gate.Unlock()
	in.mu.Lock()
	defer in.mu.Unlock()
	moved := map[crdt.Origin]record.Seq{}
	for o, at := range positions {
		if o == in.region.origin {
			continue
		}
		if have, ok := in.cursors[o]; !ok || have > at {
			moved[o] = at
		}
	}
	err := write(in.region.store, func(w storage.Writer) error {
		for o, at := range moved {
			if err := setCursor(w, o, at); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for o, at := range moved {
		in.cursors[o] = at
	}
	in.joins[id] = true
	in.refreshLocked(true)
	return nil
}

func (in *inbound) endJoin(id record.TableID) {
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.joins, id)
	in.refreshLocked(false)
}

// Apply merges what a peer sent and moves its cursor in the same batch; both are durable on return. ErrStale asks for a
// new stream. Applying a batch again changes nothing.
func (r *Region) Apply(ctx context.Context, peer crdt.Origin, commits []record.Commit, upTo record.Seq, closed crdt.Time) error {
	in := r.inbound
	in.gate.RLock()
	defer in.gate.RUnlock()
	if !in.current(peer.Region) {
		return ErrStale
	}
	if len(commits) > 0 || r.Cursor(peer) < upTo {
		b := table.Batch{Commits: commits, Seal: func(w storage.Writer) error { return setCursor(w, peer, upTo) }}
		if err := r.engine.Apply(ctx, b); err != nil {
			return r.fail(err)
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.cursors[peer] = max(in.cursors[peer], upTo)
	in.closed[peer] = max(in.closed[peer], closed)
	return nil
}

func (in *inbound) current(peer string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	w := in.wants[peer]
	return w != nil && w.current
}

// ApplyCatalog takes table descriptions from a peer.
func (r *Region) ApplyCatalog(_ context.Context, _ crdt.Origin, entries [][]byte) error {
	if err := r.catalog.Receive(entries); err != nil {
		return r.fail(err)
	}
	r.inbound.refresh(false)
	r.poke()
	return nil
}
