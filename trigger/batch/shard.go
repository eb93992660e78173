package batch

import (
	"slices"
	"time"
)

// Shard is one shard on its way through a trigger.
type Shard struct {
	o     Options
	lanes []lane

	// read are the records that the checkpoint has not passed, in order; those at the front that are done with leave it.
	read  []*slot
	bytes int // of those not done with
	open  int // how many are not done with

	upTo       string // the reader has passed everything up to here
	checkpoint string // everything up to here is done with; ≤ upTo
	ended      bool   // nothing will be added
}

// slot is a record with where it stands.
type slot struct {
	Record
	arrived time.Time
	done    bool
}

// lane delivers the records of some keys one batch after the other.
type lane struct {
	waiting []*slot  // in no batch yet
	bytes   int      // of waiting
	work    []*Batch // in order; the first may be under way
	running bool
}

// Batch is some records of one lane, in order.
type Batch struct {
	// Reason is not empty for a batch that was given up: it is for the destination and not for the function.
	Reason  Reason
	Invoked int   // how often the function has been called with it, or with a larger batch that it is part of
	Reply   Reply // the last answer

	lane    int
	slots   []*slot
	failed  int       // tries that count against Options.Retries
	stumble int       // failures in a row, of whatever kind: for the rest between them
	after   time.Time // not to be run before
}

// Len is the number of records.
func (b *Batch) Len() int { return len(b.slots) }

// Record is the i-th record.
func (b *Batch) Record(i int) *Record { return &b.slots[i].Record }

// NewShard begins a shard of which everything up to a sequence number is done with.
func NewShard(o Options, checkpoint string) *Shard {
	return &Shard{o: o, lanes: make([]lane, o.Lanes), checkpoint: checkpoint, upTo: checkpoint}
}

// Room reports whether more records may be added. It is advice: one reading more does no harm.
func (s *Shard) Room() bool {
	return s.bytes < s.o.Buffered && s.open < s.o.Size*len(s.lanes)+s.o.Size && len(s.read) < maxRead
}

// maxRead bounds how far other lanes, and records that are filtered out, run ahead of a lane that is blocked.
const maxRead = 100_000

// Add takes records, in order.
func (s *Shard) Add(now time.Time, records []Record) {
	for _, r := range records {
		s.upTo = max(s.upTo, r.Sequence)
		sl := &slot{Record: r, arrived: now, done: r.Skip}
		s.read = append(s.read, sl)
		if r.Skip {
			continue
		}
		s.open++
		s.bytes += len(r.Body)
		l := &s.lanes[r.Key%uint64(len(s.lanes))]
		l.waiting = append(l.waiting, sl)
		l.bytes += len(r.Body) + 1
	}
	s.advance()
}

// Passed says that the reader has passed everything up to a sequence number, at which there may be nothing.
func (s *Shard) Passed(sequence string) {
	s.upTo = max(s.upTo, sequence)
	s.advance()
}

// End says that the shard is closed and read to its end: no batch waits for more.
func (s *Shard) End() { s.ended = true }

// Finished reports whether the shard has ended and all of it is done with.
func (s *Shard) Finished() bool { return s.ended && s.open == 0 }

// Checkpoint is the sequence number up to which everything is done with.
func (s *Shard) Checkpoint() string { return s.checkpoint }

// Oldest is when the oldest record was written that is not done with; zero if there is none.
func (s *Shard) Oldest() time.Time {
	for _, sl := range s.read {
		if !sl.done {
			return sl.Created
		}
	}
	return time.Time{}
}

// advance moves the checkpoint over what is done with.
func (s *Shard) advance() {
	n := 0
	for n < len(s.read) && s.read[n].done {
		s.checkpoint = max(s.checkpoint, s.read[n].Sequence)
		n++
	}
	s.read = s.read[n:]
	if len(s.read) == 0 {
		s.checkpoint = s.upTo
	}
}

func (s *Shard) finish(slots []*slot) {
	for _, sl := range slots {
		sl.done = true
		s.open--
		s.bytes -= len(sl.Body)
		sl.Body = nil // it may stay in read for a while
	}
	s.advance()
}

// Next gives a batch that is to be run now, until there is none. Each is answered by Done.
func (s *Shard) Next(now time.Time) *Batch {
	for i := range s.lanes {
		l := &s.lanes[i]
		if l.running {
			continue
		}
		if len(l.work) == 0 {
			s.cut(now, i)
		}
		if len(l.work) == 0 || l.work[0].after.After(now) {
			continue
		}
		s.giveUpOld(now, l)
		l.running = true
		return l.work[0]
	}
	return nil
}

// ready is when a lane's waiting records are a batch: now if they fill one, or if nothing is to be waited for.
func (s *Shard) ready(l *lane) (at time.Time, ok bool) {
	switch {
	case len(l.waiting) == 0:
		return at, false
	case s.o.Window == 0 || s.ended || !s.Room() || len(l.waiting) >= s.o.Size || l.bytes >= s.o.Bytes:
		return l.waiting[0].arrived, true
	}
	return l.waiting[0].arrived.Add(s.o.Window), true
}

// cut makes a batch of what waits in a lane, if it is time.
func (s *Shard) cut(now time.Time, number int) {
	l := &s.lanes[number]
	if at, ok := s.ready(l); !ok || at.After(now) {
		return
	}
	n, bytes := 0, 0
	for n < len(l.waiting) && n < s.o.Size {
		more := len(l.waiting[n].Body) + 1
		if n > 0 && bytes+more > s.o.Bytes {
			break
		}
		bytes += more
		n++
	}
	l.work = []*Batch{{lane: number, slots: slices.Clone(l.waiting[:n])}}
	l.waiting = l.waiting[n:]
	l.bytes -= bytes
}

// giveUpOld splits off the records at the front of a lane's next batch that are too old.
func (s *Shard) giveUpOld(now time.Time, l *lane) {
	b := l.work[0]
	if s.o.Age == 0 || b.Reason != "" {
		return
	}
	n := 0
	for n < len(b.slots) && now.Sub(b.slots[n].Created) > s.o.Age {
		n++
	}
	switch {
	case n == len(b.slots):
		b.Reason = TooOld
	case n > 0:
		rest := *b
		rest.slots = b.slots[n:]
		b.slots, b.Reason = b.slots[:n:n], TooOld
		l.work = slices.Insert(l.work, 1, &rest)
	}
}

// Wake is when Next may have something that it has not now, as far as time decides it; zero if it does not.
func (s *Shard) Wake() (at time.Time) {
	for i := range s.lanes {
		l := &s.lanes[i]
		if l.running {
			continue
		}
		t, ok := s.ready(l)
		if len(l.work) > 0 {
			t, ok = l.work[0].after, true
		}
		if ok && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	return at
}

// Running counts the batches under way.
func (s *Shard) Running() (n int) {
	for i := range s.lanes {
		if s.lanes[i].running {
			n++
		}
	}
	return n
}
