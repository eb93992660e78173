package link

import (
	"errors"
	"fmt"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/stream/record"
)

// ErrGap says that a batch does not continue what is there: something before it was lost or overtaken on the way. The link
// must be opened again from the durable cursor.
var ErrGap = errors.New("a stretch of the log is missing")

// ErrSilent says that the sender was silent for too long.
var ErrSilent = errors.New("the sender is silent")

// Receiver decides for the receiving side of one link. The driver hands it what arrives (Arrived) and takes work (Take);
// when a Work is applied, durably, it tells so (Applied) and sends the Ack; it sends Ack also when Next says so.
type Receiver struct {
	config Config
	window int64
	idle   bool // nothing is wanted: nothing is applied

	pos     record.Seq // arrived up to here
	applied record.Seq // applied up to here, durably; ≤ pos
	closed  crdt.Time  // the newest closed time that arrived
	done    crdt.Time  // the newest closed time that was applied
	queue   []Batch    // arrived, not taken
	taken   bool       // a Work is out
	bytes   int64      // arrived, not applied

	end      record.Seq // of the sender's log
	behind   Lag        // as the sender said last
	reported time.Time

	spoke, heard time.Time
}

// Work is what to apply in one go.
type Work struct {
	Commits [][]byte
	UpTo    record.Seq
	Closed  crdt.Time
	bytes   int64
}

// NewReceiver begins the receiving side of a link that was opened with o and accepted with a.
func NewReceiver(c Config, o *Open, a Accept, now time.Time) *Receiver {
	return &Receiver{
		config: c.WithDefaults(), window: o.Window, idle: len(o.Tables) == 0,
		pos: o.Cursor, applied: o.Cursor, end: a.End, reported: now, spoke: now, heard: now,
	}
}

// Heard notes that something came from the sender's machine at a time, be it only a piece of a large message.
func (r *Receiver) Heard(at time.Time) {
	if at.After(r.heard) {
		r.heard = at
	}
}

// Arrived takes a batch. The error is ErrGap, or a *Refusal for a sender that breaks the rules; either ends the link.
func (r *Receiver) Arrived(b Batch, now time.Time) error {
	r.Heard(now)
	switch n := b.Bytes(); {
	case b.From > b.UpTo || b.From == b.UpTo && len(b.Commits) > 0:
		return Refuse(ReasonMalformed, "a batch reaches from %v to %v with %d commits", b.From, b.UpTo, len(b.Commits))
	case b.From > r.pos:
		return fmt.Errorf("%w: between %v and %v", ErrGap, r.pos, b.From)
	case b.UpTo > r.pos && n > 0 && r.bytes >= r.window: // the sender counts at least as much as under way
		return Refuse(ReasonMalformed, "%d bytes are waiting to be applied and %d more came: the window is %d", r.bytes, n, r.window)
	case b.UpTo > r.pos:
		r.queue = append(r.queue, b)
		r.bytes += n
		r.pos = b.UpTo
	}
	r.closed = max(r.closed, b.Closed) // true of everything that arrived up to here, whatever order it came in
	r.end, r.behind, r.reported = max(r.end, b.End), b.Behind, now
	return nil
}

// Take returns work of up to so many commits and bytes, always at least one batch. One Work is out at a time.
func (r *Receiver) Take(maxCommits int, maxBytes int64) (Work, bool) {
	if r.taken || r.idle || len(r.queue) == 0 && r.closed <= r.done {
		return Work{}, false
	}
	w := Work{UpTo: r.applied}
	n, commits := 0, 0
	for ; n < len(r.queue); n++ {
		b := &r.queue[n]
		size := b.Bytes()
		if n > 0 && (commits+len(b.Commits) > maxCommits || w.bytes+size > maxBytes) {
			break
		}
		commits += len(b.Commits)
		w.UpTo, w.Closed, w.bytes = b.UpTo, max(w.Closed, b.Closed), w.bytes+size
	}
	w.Commits = make([][]byte, 0, commits)
	for i := range r.queue[:n] {
		w.Commits = append(w.Commits, r.queue[i].Commits...)
	}
	clear(r.queue[:n])
	r.queue = append(r.queue[:0], r.queue[n:]...)
	if len(r.queue) == 0 {
		w.Closed = r.closed
	}
	r.taken = true
	return w, true
}

// Applied notes that a Work is applied and durable, and returns what to tell the sender, if anything is new to it.
func (r *Receiver) Applied(w Work, now time.Time) (Ack, bool) {
	if !r.taken {
		return Ack{}, false
	}
	moved := w.UpTo > r.applied
	r.taken = false
	r.applied = max(r.applied, w.UpTo)
	r.done = max(r.done, w.Closed)
	r.bytes -= w.bytes
	if !moved {
		return Ack{}, false
	}
	return r.Ack(now), true
}

// Ack is what to tell the sender.
func (r *Receiver) Ack(now time.Time) Ack {
	r.spoke = now
	return Ack{UpTo: r.applied}
}

// Next says until when nothing is due: at that time either an Ack is, as a sign of life, or Check fails.
func (r *Receiver) Next() time.Time {
	speak, gone := r.spoke.Add(r.config.Heartbeat), r.heard.Add(r.config.Silence)
	if gone.Before(speak) {
		return gone
	}
	return speak
}

// Due reports whether a sign of life is due.
func (r *Receiver) Due(now time.Time) bool { return !now.Before(r.spoke.Add(r.config.Heartbeat)) }

// Check fails with ErrSilent when the sender must be given up.
func (r *Receiver) Check(now time.Time) error {
	if silent := now.Sub(r.heard); silent >= r.config.Silence {
		return fmt.Errorf("%w for %v", ErrSilent, silent.Round(time.Millisecond))
	}
	return nil
}

// Position is up to where everything is applied.
func (r *Receiver) Position() record.Seq { return r.applied }

// Waiting is how many bytes of commits have arrived and are not applied.
func (r *Receiver) Waiting() int64 { return r.bytes }

// Lag is what is not applied of the sender's log: what the sender said last, and the time gone by since unless we are level
// with that. Once the link is down nobody knows what the other wrote; then Seconds is how long that may be going on.
func (r *Receiver) Lag(now time.Time, up bool) Lag {
	level := r.pos >= r.end && r.bytes == 0
	if r.idle || level && up {
		return Lag{}
	}
	l := r.behind
	if level {
		l = Lag{}
	}
	l.Seconds += max(0, now.Sub(r.reported).Seconds())
	return l
}
