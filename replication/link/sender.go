package link

import (
	"fmt"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/stream/record"
)

// Sender decides for the sending side of one link. The driver asks Next and does what it says:
//
//	Read    read the log from Step.From, about Step.Bytes, and hand the result to Took; send what that returns
//	Tell    send Step.Batch, which has no commits
//	Wait    until Step.At, or until the log's end moves or an acknowledgement comes
//	GiveUp  the receiver has been silent for too long
type Sender struct {
	config  Config
	backlog *Backlog
	window  int64
	idle    bool // nothing is wanted

	end    record.Seq // the log's durable end
	after  crdt.Time  // no commit at or below will still appear past end
	read   record.Seq // the log is read up to here
	told   record.Seq // the receiver was told up to here; ≤ read
	acked  record.Seq // ≤ told
	closed crdt.Time  // the last closed time told
	batch  int        // bytes to read next
	flight []sent     // in order
	bytes  int64      // of flight

	pace    time.Duration // between two batches with commits, while the receiver keeps up
	carried time.Time     // when the last batch with commits was sent

	spoke, heard time.Time
}

// sent is one batch under way.
type sent struct {
	upTo    record.Seq
	commits int
	bytes   int64
}

// Do is what a Step asks for.
type Do uint8

// See Sender.
const (
	Wait Do = iota
	Read
	Tell
	GiveUp
)

// Step is what to do next.
type Step struct {
	Do    Do
	From  record.Seq // Read
	Bytes int        // Read
	Batch Batch      // Tell
	At    time.Time  // Wait
}

// NewSender begins the sending side of an accepted link. The backlog is the receiver's and outlives the link.
func NewSender(c Config, o *Open, b *Backlog, end record.Seq, closed crdt.Time, now time.Time) *Sender {
	c = c.WithDefaults()
	s := &Sender{
		config: c, backlog: b, window: min(o.Window, maxWindow), idle: len(o.Tables) == 0,
		read: o.Cursor, told: o.Cursor, acked: o.Cursor, batch: c.MinBatch, heard: now,
	}
	b.End(end, now)
	b.Open(o.Cursor, s.idle, now)
	s.End(end, closed, now)
	return s
}

// End tells the log's durable end, and a time at or below which no commit will still appear past it. Call it before Next.
func (s *Sender) End(end record.Seq, closed crdt.Time, now time.Time) {
	s.end, s.after = max(s.end, end), max(s.after, closed)
	s.backlog.End(end, now)
}

// What far receivers are sent is gathered for a 40th of the round trip, 5 ms at most; below a millisecond nothing is.
const (
	paceShare = 40
	leastPace = time.Millisecond
	mostPace  = 5 * time.Millisecond
)

// Distance tells how long a message takes to the receiver and back; 0: not known.
func (s *Sender) Distance(roundTrip time.Duration) {
	s.pace = min(roundTrip/paceShare, mostPace)
	if s.pace < leastPace {
		s.pace = 0
	}
}

// Next says what to do.
func (s *Sender) Next(now time.Time) Step {
	if now.Sub(s.heard) >= s.config.AckTimeout {
		return Step{Do: GiveUp}
	}
	due := s.spoke.Add(s.config.Heartbeat)
	switch {
	case !s.idle && s.read < s.end && s.room():
		due = s.carried.Add(s.pace)
		if s.batch > s.config.MinBatch || !now.Before(due) {
			return Step{Do: Read, From: s.read, Bytes: s.batch}
		}
	case s.told < s.read:
		due = s.spoke.Add(s.config.Progress)
	}
	if !now.Before(due) {
		return Step{Do: Tell, Batch: s.say(nil, now)}
	}
	if gone := s.heard.Add(s.config.AckTimeout); gone.Before(due) {
		due = gone
	}
	return Step{Do: Wait, At: due}
}

// room reports whether one more batch fits the window. One batch may always be under way, or a large commit never would
// be; how large the next one is, is not known before it is read, so the window may be passed by one commit.
func (s *Sender) room() bool { return s.bytes == 0 || s.bytes+int64(s.batch) <= s.window }

// Took takes what a Read returned: the encoded commits, the stamp's time of the last (0: none), and where to read on. It
// returns a batch to send, if there is anything to send now.
func (s *Sender) Took(commits [][]byte, last crdt.Time, next record.Seq, now time.Time) (Batch, bool, error) {
	if next < s.read || next == s.read && (len(commits) > 0 || s.read < s.end) {
		return Batch{}, false, fmt.Errorf("the log was read from %v to its end %v and says to go on from %v", s.read, s.end, next)
	}
	s.read = next
	s.end = max(s.end, next)
	if next < s.end {
		s.batch = min(2*s.batch, s.config.MaxBatch)
	} else {
		s.batch = max(s.batch/2, s.config.MinBatch)
	}
	s.closed = max(s.closed, last)
	if len(commits) == 0 {
		s.backlog.Read(next, 0, 0)
		return Batch{}, false, nil
	}
	return s.say(commits, now), true, nil
}

// say makes the batch that tells everything up to where the log is read.
func (s *Sender) say(commits [][]byte, now time.Time) Batch {
	b := Batch{From: s.told, UpTo: s.read, Commits: commits, End: s.end}
	if s.read >= s.end || s.idle {
		s.closed = max(s.closed, s.after)
	}
	b.Closed = s.closed
	if s.read > s.told {
		n := b.Bytes()
		s.flight = append(s.flight, sent{s.read, len(commits), n})
		s.bytes += n
		s.backlog.Read(s.read, len(commits), n)
	}
	if len(commits) > 0 {
		s.carried = now
	}
	s.told = s.read
	s.spoke = now
	b.Behind = s.backlog.Lag(now)
	return b
}

// Acked takes an acknowledgement. The error is a *Refusal: the receiver holds what it was not sent.
func (s *Sender) Acked(a Ack, now time.Time) error {
	s.heard = now
	if a.UpTo > s.told {
		return Refuse(ReasonMalformed, "position %v was acknowledged, %v is the last that was sent", a.UpTo, s.told)
	}
	if a.UpTo <= s.acked { // a sign of life, or an older one overtaken
		return nil
	}
	s.acked = a.UpTo
	var done sent
	n := 0
	for n < len(s.flight) && s.flight[n].upTo <= a.UpTo {
		done.commits += s.flight[n].commits
		done.bytes += s.flight[n].bytes
		n++
	}
	s.flight = append(s.flight[:0], s.flight[n:]...)
	s.bytes -= done.bytes
	s.backlog.Acked(a.UpTo, done.commits, done.bytes)
	return nil
}

// Position is up to where the receiver has acknowledged.
func (s *Sender) Position() record.Seq { return s.acked }

// InFlight is how many bytes are sent and not acknowledged.
func (s *Sender) InFlight() int64 { return s.bytes }

// Close ends the link.
func (s *Sender) Close() { s.backlog.Close() }
