package link

import (
	"fmt"
	"slices"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/stream/record"
)

// The versions of the protocol that this program speaks. A program that changes what the messages mean raises Newest; one
// that no longer speaks an old version raises Oldest.
const (
	OldestProtocol uint32 = 1
	NewestProtocol uint32 = 1
)

// Protocols is a range of versions, both ends included.
type Protocols struct{ Oldest, Newest uint32 }

// Spoken is what this program speaks.
func Spoken() Protocols { return Protocols{OldestProtocol, NewestProtocol} }

// Open is the receiver's first message.
type Open struct {
	Protocols Protocols
	Receiver  crdt.Origin // who asks
	Sender    crdt.Origin // whose log is asked for
	Cursor    record.Seq  // everything wanted up to here is held, durably
	Tables    []record.TableID
	Window    int64 // bytes of commits that may be unacknowledged; > 0
}

// Wanted is Tables as a set.
func (o *Open) Wanted() map[record.TableID]bool {
	w := make(map[record.TableID]bool, len(o.Tables))
	for _, id := range o.Tables {
		w[id] = true
	}
	return w
}

// Accept is the sender's answer to Open.
type Accept struct {
	Protocol uint32
	Sender   crdt.Origin
	End      record.Seq // the sender's durable end
}

// Batch is a stretch of the sender's log: all that was wanted of what stands after From, up to and including UpTo.
//
// Invariant: From ≤ UpTo; From = UpTo implies that there are no commits.
type Batch struct {
	From, UpTo record.Seq
	Commits    [][]byte  // record.AppendCommit, in log order
	Closed     crdt.Time // no commit of the sender at or below will still come after UpTo
	End        record.Seq
	Behind     Lag // what the receiver has not acknowledged, this batch included, as the sender sees it
}

// Bytes is the size of the commits.
func (b *Batch) Bytes() int64 {
	n := 0
	for _, c := range b.Commits {
		n += len(c)
	}
	return int64(n)
}

// Ack says that everything up to a position is applied, durably.
type Ack struct{ UpTo record.Seq }

// Lag is what one side of a link is behind. All 0: level. While a log stands unread, Commits and Bytes are estimates from
// how dense the log was in what was wanted so far; Seconds is measured.
type Lag struct {
	Seconds float64
	Commits uint64
	Bytes   uint64
}

// IsZero reports whether nothing is outstanding.
func (l Lag) IsZero() bool { return l == Lag{} }

// Reason is why a link was refused.
type Reason uint32

// Reasons. Their numbers stand in the protocol.
const (
	ReasonProtocol   Reason = 1 + iota // no version that both speak
	ReasonIdentity                     // not whom the asker means, or the asker is we
	ReasonCursor                       // the cursor is past our durable end: one of the two disks was rolled back
	ReasonTrimmed                      // the log no longer reaches back to the cursor: repair must
	ReasonMalformed                    // a message that makes no sense
	ReasonSuperseded                   // the same region has opened a newer link
	ReasonClosing                      // this region is shutting down
	ReasonInternal                     // the log cannot be read
)

// Refusal is an answer in words instead of a link, or the end of one.
type Refusal struct {
	Reason Reason
	Words  string
}

func (r *Refusal) Error() string { return r.Words }

// Is reports whether target is a refusal for the same reason.
func (r *Refusal) Is(target error) bool {
	t, ok := target.(*Refusal)
	return ok && t.Reason == r.Reason
}

// Refuse makes a Refusal.
func Refuse(why Reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: why, Words: fmt.Sprintf(format, args...)}
}

// Config are a link's limits. The zero value of a field means its default.
type Config struct {
	Window     int64         // receiver: bytes unacknowledged. 32 MiB: 160 MB/s over 200 ms. Costs that much memory a link
	MinBatch   int           // sender: bytes to read at once on a link that keeps up. 64 KiB
	MaxBatch   int           // sender: the same when far behind. 1 MiB; larger only adds latency
	Heartbeat  time.Duration // both: the longest silence. 500 ms
	Progress   time.Duration // sender: how often a position without commits is told. 250 ms; each costs the receiver a sync
	Silence    time.Duration // receiver: when a silent sender is given up. 3 s
	AckTimeout time.Duration // sender: when a silent receiver is given up. 10 s: it may be busy applying
}

// WithDefaults fills in what is zero.
func (c Config) WithDefaults() Config {
	setDefault(&c.Window, 32<<20)
	setDefault(&c.MinBatch, 64<<10)
	setDefault(&c.MaxBatch, 1<<20)
	setDefault(&c.Heartbeat, 500*time.Millisecond)
	setDefault(&c.Progress, 250*time.Millisecond)
	setDefault(&c.Silence, 3*time.Second)
	setDefault(&c.AckTimeout, 10*time.Second)
	return c
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// NewOpen makes the first message of a link from sender to receiver.
func NewOpen(c Config, receiver, sender crdt.Origin, cursor record.Seq, tables []record.TableID) Open {
	return Open{
		Protocols: Spoken(), Receiver: receiver, Sender: sender, Cursor: cursor, Tables: slices.Clone(tables),
		Window: c.WithDefaults().Window,
	}
}
