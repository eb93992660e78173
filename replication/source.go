package replication

import (
	"context"
	"errors"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/transport"
	"github.com/meridiandb/meridian/stream/record"
)

// ErrStale is what Sink.Apply returns when the link was opened under an answer of Wanted that no longer holds.
var ErrStale = errors.New("replication: other tables are wanted now")

// ErrHeld is what Sink.Apply returns when the next commit comes from a clock that is too far ahead.
var ErrHeld = errors.New("replication: the next commit is from a clock too far ahead")

// ErrOver is what Sink.Apply returns when nothing of the peer is taken any more: it was removed while it was dead, or replaced, and
// has yet to find that out.
var ErrOver = errors.New("replication: nothing of this incarnation is taken any more")

// ErrTrimmed is what Source.Read returns when the log no longer reaches back to the position asked for.
var ErrTrimmed = errors.New("replication: the log no longer reaches back to this position")

// Source is what the others read of a region. It is safe for concurrent use; every peer reads by itself.
type Source interface {
	// Origin is this region.
	Origin() crdt.Origin
	// Read returns the region's own commits after from, reduced to the wanted tables, about maxBytes of them but at least one
	// if there is any, and the position to go on from, which also moves over what was left out. It never reads past the
	// durable end. What it returns is the caller's. ErrTrimmed means that repair must help.
	Read(from record.Seq, wanted map[record.TableID]bool, maxBytes int) ([]record.Commit, record.Seq, error)
	// WaitDurable returns when the durable end is past a position, or with ctx's or another error.
	WaitDurable(ctx context.Context, after record.Seq) error
	// End is the durable end, and a time at or below which no own commit will still appear past it.
	End() (record.Seq, crdt.Time)
	// Acked notes that a peer holds everything it wants up to a position. The position may go back.
	Acked(peer crdt.Origin, upTo record.Seq)
	// RolledBack is told that a peer holds more of this region's log than there is: up to cursor, which is past the durable
	// end. The disk was rolled back or copied, and the region must not go on writing under this origin.
	RolledBack(peer crdt.Origin, cursor record.Seq)
	// CatalogFor returns the table descriptions that a region must know and that changed after since; 0 for all.
	CatalogFor(region string, since uint64) (entries [][]byte, version uint64)
	// WaitCatalog returns when the catalog's version is above since, or with ctx's or another error.
	WaitCatalog(ctx context.Context, since uint64) error
	// Snapshot begins a copy of a table.
	Snapshot(ctx context.Context, id record.TableID) (SnapshotReader, error)
}

// Sink is where a region takes what the others wrote. Different peers call at the same time. For one peer, Wanted, Cursor
// and Apply are called one after the other, in this order each time a link is opened.
type Sink interface {
	// Wanted lists the tables wanted from a peer, and a channel that is closed when the list changes.
	Wanted(peer string) ([]record.TableID, <-chan struct{})
	// Cursor is the position in a peer's log up to which everything wanted is held, durably.
	Cursor(peer crdt.Origin) record.Seq
	// Apply merges commits, moves the cursor to upTo in the same batch, and returns when both are durable. Applying again
	// changes nothing. Everything of the peer up to closed has then been applied. ErrStale asks for a new link; ErrHeld means
	// that the same must be tried again later, and nothing beyond it before; ErrOver that there is no use. Commits keep the
	// memory they came in; it is Apply's from then on.
	Apply(ctx context.Context, peer crdt.Origin, commits []record.Commit, upTo record.Seq, closed crdt.Time) error
	// Trimmed is told that a peer's log no longer reaches back to the cursor. What is missing must be had another way; that
	// moves the cursor, and the link is tried again now and then, and whenever the list of Wanted changes.
	Trimmed(peer crdt.Origin)
	// ApplyCatalog takes table descriptions; it is called at any time.
	ApplyCatalog(ctx context.Context, peer crdt.Origin, entries [][]byte) error
}

// SnapshotReader is a copy of a table as it was at one moment. It is for one goroutine.
type SnapshotReader interface {
	// Positions says, for each origin, up to where in its log the copy includes everything.
	Positions() map[crdt.Origin]record.Seq
	// Next returns about maxBytes of items; more is false at the end.
	Next(maxBytes int) (changes []record.Change, more bool, err error)
	Close() error
}

// SnapshotChunk is a piece of a table's copy.
type SnapshotChunk = transport.SnapshotChunk

// Handler carries out what other regions ask of this one. An error's text travels; answers that must keep a kind put it in
// the answer.
type Handler interface {
	Handle(ctx context.Context, from, name string, payload []byte) ([]byte, error)
}
