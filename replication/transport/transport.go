// Package transport is the contract between replication, which decides and remembers, and what carries its messages: gRPC
// (package grpclink) in earnest, a scripted network (repltest/fakenet) in tests. It has no code of its own.
package transport

import (
	"context"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/stream/record"
)

// Transport reaches other regions and is reached by them. It is safe for concurrent use.
type Transport interface {
	// Serve begins to hand what other regions ask to s, many calls at the same time, until Close. It is called once.
	Serve(s Server) error
	// Dial connects to a region's address; it returns when the connection stands, or ctx's end or another error.
	Dial(ctx context.Context, address string) (Conn, error)
	// Close ends everything and waits until no call of the Server is running. Contexts of calls end first.
	Close() error
}

// Conn is one connection. It never reconnects: once it is broken, every call fails soon and for ever. It is safe for
// concurrent use.
type Conn interface {
	// Follow opens a link and returns when it is accepted. A refusal is a *link.Refusal.
	Follow(ctx context.Context, o link.Open) (Inbound, link.Accept, error)
	// Catalog calls fn with what the other region has to tell of its catalog, beginning now, until ctx ends or fn fails.
	Catalog(ctx context.Context, from crdt.Origin, fn func(entries [][]byte) error) error
	// Call has a command carried out.
	Call(ctx context.Context, from, name string, payload []byte) ([]byte, error)
	// Snapshot calls fn with the pieces of a table's copy, in order.
	Snapshot(ctx context.Context, from string, table record.TableID, fn func(SnapshotChunk) error) error
	// Repair begins an exchange about a table's copies; it ends with ctx.
	Repair(ctx context.Context) (Exchange, error)
	// Ping reads the other side's clock.
	Ping(ctx context.Context) (Pong, error)
	// Heard is when something came from the other side last, be it a part of a message.
	Heard() time.Time
	// Close breaks the connection; calls under way fail.
	Close() error
}

// Inbound is a link as its receiver has it. One goroutine may call Recv while another calls Send. After the context that it
// was opened with has ended, both fail soon. The error that the sender ended it with may be a *link.Refusal.
type Inbound interface {
	Recv() (link.Batch, error)
	Send(link.Ack) error
}

// Outbound is a link as its sender has it. One goroutine may call Send while another calls Recv; both fail soon after the
// Server's Follow has returned or its context has ended. A batch that was given to Send is not changed by anyone any more.
type Outbound interface {
	Accept(link.Accept) error // once, first
	Send(link.Batch) error
	Recv() (link.Ack, error)
}

// Server answers other regions.
type Server interface {
	// Follow serves a link until it returns. A *link.Refusal travels to the receiver as such.
	Follow(ctx context.Context, o link.Open, out Outbound) error
	// Catalog sends what another region should know until ctx ends.
	Catalog(ctx context.Context, from crdt.Origin, send func(entries [][]byte) error) error
	Call(ctx context.Context, from, name string, payload []byte) ([]byte, error)
	Snapshot(ctx context.Context, from string, table record.TableID, send func(SnapshotChunk) error) error
	// Repair answers another region's messages until it returns; its error travels.
	Repair(ctx context.Context, e Exchange) error
	Ping(ctx context.Context) Pong
}

// Exchange carries messages, one for one. It is for one goroutine on either side. Recv fails soon after the exchange has ended.
type Exchange interface {
	Send([]byte) error
	Recv() ([]byte, error)
}

// Pong is the answer to a ping.
type Pong struct {
	Origin            crdt.Origin // who answers
	Arrived, Answered time.Time   // the answerer's clock when the ping came and when the answer left
}

// SnapshotChunk is a piece of a table's copy. Positions stand in the first one only, and there are never none: each origin's
// log is included up to there.
type SnapshotChunk struct {
	Positions map[crdt.Origin]record.Seq
	Changes   []record.Change
}
