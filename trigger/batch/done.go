package batch

import (
	"slices"
	"strings"
	"time"
)

// Done takes what became of a batch that Next gave, and says what follows for those who count.
func (s *Shard) Done(now time.Time, b *Batch, out Outcome) (retried, bisected bool) {
	l := &s.lanes[b.lane]
	l.running = false
	if b.Reason == "" && out.Verdict != Unavailable {
		b.Invoked++
	}
	if b.Reason == "" {
		b.Reply = out.Reply
	}
	moved := out.From != "" && s.split(b, out.From)
	if out.Verdict == Partly && !moved {
		out.Verdict = Failed // nothing stands before it, or it names no record of the batch
	}
	switch out.Verdict {
	case Succeeded:
		l.work = l.work[1:]
		s.finish(b.slots)
		return false, false
	case Unavailable:
		b.rest(now)
		return true, false
	case Partly:
		if s.o.Bisect { // split where the function said: that is no retry
			b.rest(now)
			return true, true
		}
	case Failed:
		if s.o.Bisect && b.Reason == "" && len(b.slots) > 1 {
			s.halve(now, l, b)
			return true, true
		}
	}
	return s.again(now, b), false
}

// split is done with what stands before a record; it reports whether that is anything.
func (s *Shard) split(b *Batch, from string) bool {
	n := b.find(from)
	if n <= 0 {
		return false
	}
	done := b.slots[:n]
	b.slots = slices.Clone(b.slots[n:])
	s.finish(done)
	b.stumble = 0
	return true
}

// find is the place of a record, -1 if there is none.
func (b *Batch) find(sequence string) int {
	i, ok := slices.BinarySearchFunc(b.slots, sequence, func(sl *slot, s string) int { return strings.Compare(sl.Sequence, s) })
	if !ok {
		return -1
	}
	return i
}

func (b *Batch) rest(now time.Time) {
	b.stumble++
	b.after = now.Add(rest(b.stumble))
}

// again has a batch tried again, or gives it up. One that was given up already is for the destination, which is tried
// without end: nothing else knows of it.
func (s *Shard) again(now time.Time, b *Batch) (retried bool) {
	if b.Reason != "" {
		b.rest(now)
		return true
	}
	b.failed++
	if s.o.Retries >= 0 && b.failed > s.o.Retries {
		b.Reason, b.stumble, b.after = RetriesExhausted, 0, now
		return false
	}
	b.rest(now)
	return true
}

// halve puts two batches in the place of one. It is no retry: so a poisonous record among many is found, and given up alone.
func (s *Shard) halve(now time.Time, l *lane, b *Batch) {
	half := len(b.slots) / 2
	first, second := *b, *b
	first.slots, second.slots = b.slots[:half:half], b.slots[half:]
	first.rest(now)
	second.stumble = 0
	l.work = slices.Replace(l.work, 0, 1, &first, &second)
}
