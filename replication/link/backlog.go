package link

import (
	"math"
	"time"

	"github.com/meridiandb/meridian/stream/record"
)

// Backlog measures how far a receiver is behind a log. It outlives the links: while none stands, it goes on growing.
//
//	acked ≤ read ≤ end, as positions
//	sent but not acknowledged: counted exactly      (acked, read]
//	not read yet: estimated                         (read, end]
type Backlog struct {
	acked, read, end record.Seq
	flight           count   // sent and not acknowledged
	commits, bytes   float64 // wanted commits, and their bytes, for each position read: moving averages
	known            bool    // a receiver has told its position
	idle             bool    // the receiver wants nothing
	marks            []mark
}

type count struct{ commits, bytes uint64 }

// mark says that the log's end passed a position at a time. Marks rise in both.
type mark struct {
	end record.Seq
	at  time.Time
}

// maxMarks bounds the marks; beyond, every other one goes, the oldest stays. Seconds are then read from the next older
// mark: never too small.
const maxMarks = 128

// NewBacklog begins where the log ends now: of a receiver that was not heard of, only what is written from here on counts.
func NewBacklog(end record.Seq) *Backlog {
	return &Backlog{acked: end, read: end, end: end, commits: 1, bytes: 256}
}

// Open begins a link at a position.
func (b *Backlog) Open(at record.Seq, idle bool, now time.Time) {
	b.known, b.idle = true, idle
	b.flight = count{}
	b.acked, b.read = at, at
	if idle {
		b.acked, b.read = b.end, b.end
	}
	if b.acked < b.end && len(b.marks) == 0 {
		b.marks = append(b.marks, mark{b.end, now})
	}
	b.dropMarks()
}

// Close ends a link: what was under way will be sent again.
func (b *Backlog) Close() {
	b.flight = count{}
	b.read = b.acked
}

// End notes the log's durable end.
func (b *Backlog) End(end record.Seq, now time.Time) {
	if end <= b.end {
		return
	}
	b.end = end
	if b.idle {
		b.acked, b.read = end, end
		return
	}
	if len(b.marks) >= maxMarks {
		kept := b.marks[:0]
		for i, m := range b.marks {
			if i%2 == 1 { // the mark that stays has the larger end: give it the older time
				kept = append(kept, mark{m.end, b.marks[i-1].at})
			}
		}
		b.marks = kept
	}
	b.marks = append(b.marks, mark{end, now})
}

// Read notes that the log was read up to a position and that commits of so many bytes were sent from it.
func (b *Backlog) Read(next record.Seq, commits int, bytes int64) {
	if next <= b.read {
		return
	}
	const weight = 1024 // positions after which half of the old average is left
	n := float64(next - b.read)
	keep := math.Exp2(-n / weight)
	b.commits = b.commits*keep + float64(commits)/n*(1-keep)
	b.bytes = b.bytes*keep + float64(bytes)/n*(1-keep)
	b.flight.commits += uint64(commits)
	b.flight.bytes += uint64(bytes)
	b.read = next
	b.end = max(b.end, next)
	b.settle()
}

// Acked notes an acknowledgement of a position and of what was sent up to there.
func (b *Backlog) Acked(upTo record.Seq, commits int, bytes int64) {
	b.acked = max(b.acked, min(upTo, b.read))
	b.flight.commits -= min(b.flight.commits, uint64(commits))
	b.flight.bytes -= min(b.flight.bytes, uint64(bytes))
	b.settle()
}

// settle forgets the times of what is no longer outstanding.
func (b *Backlog) settle() {
	if b.flight == (count{}) && b.read == b.end {
		b.marks = b.marks[:0]
		return
	}
	b.dropMarks()
}

func (b *Backlog) dropMarks() {
	past := b.acked
	if b.flight == (count{}) {
		past = b.read // nothing wanted stood between the two
	}
	i := 0
	for i < len(b.marks) && b.marks[i].end <= past {
		i++
	}
	b.marks = append(b.marks[:0], b.marks[i:]...)
}

// Known reports whether a receiver has ever told its position.
func (b *Backlog) Known() bool { return b.known }

// Lag is what is outstanding.
func (b *Backlog) Lag(now time.Time) Lag {
	if b.idle || b.flight == (count{}) && b.read >= b.end {
		return Lag{}
	}
	l := Lag{Commits: b.flight.commits, Bytes: b.flight.bytes}
	if n := float64(b.end - b.read); n > 0 {
		l.Commits += uint64(max(1, math.Ceil(n*b.commits)))
		l.Bytes += uint64(max(1, math.Ceil(n*b.bytes)))
	}
	if len(b.marks) > 0 {
		l.Seconds = max(0, now.Sub(b.marks[0].at).Seconds())
	}
	return l
}
