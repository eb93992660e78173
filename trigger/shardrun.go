package trigger

import (
	"context"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/trigger/batch"
	"github.com/meridiandb/meridian/trigger/filter"
)

// shardRun runs one shard: it reads, has batches delivered, and notes how far it is.
type shardRun struct {
	*runner
	shard region.StreamShard

	batches *batch.Shard
	iter    string // "": the shard is closed and read to its end
	at      string // where iter stands
	worked  bool   // since the last note
	results chan result
}

type result struct {
	b   *batch.Batch
	out batch.Outcome
}

const (
	readLimit = 1000
	// pollEvery is how often a shard is looked at that nothing was heard of: it may have been closed.
	pollEvery = time.Second
)

// run returns when the shard is done with, or ctx has ended, or with what went wrong.
func (s *shardRun) run(ctx context.Context) error {
	have, begin := s.u.shard(s.shard.ID)
	if err := s.seek(max(have.At, begin)); err != nil {
		return err
	}
	o := s.work.settings.batching()
	s.batches, s.results = batch.NewShard(o, s.at), make(chan result, o.Lanes)
	calls, cut := context.WithCancel(context.Background()) // not with ctx: what is under way may end
	defer cut()
	err := s.loop(ctx, calls)
	s.drain(cut)
	s.note()
	return err
}

// seek makes an iterator behind a sequence number, or at the shard's beginning if that is before it.
func (s *shardRun) seek(after string) (err error) {
	start := region.StreamStart{Type: region.TrimHorizon}
	set := s.work.settings
	switch {
	case after >= s.shard.First:
		start = region.StreamStart{Type: region.AfterSequenceNumber, Sequence: after}
	case set.Position == atTimestamp:
		start = region.StreamStart{Type: region.AtTimestamp, Time: s.from()}
	case set.Position == latest && isFeed(s.work.trigger):
		start = region.StreamStart{Type: region.AtTimestamp, Time: s.from()}
	}
	s.iter, err = s.m.o.Source.ShardIterator(s.stream, s.shard.ID, start)
	if err != nil && fault.KindOf(err) == fault.Trimmed || err != nil && fault.KindOf(err) == fault.Invalid {
		// It was away for longer than the stream is kept, or the log is another than it was.
		s.m.o.Logger.Warn("trigger begins a shard anew", "trigger", s.u.id, "shard", s.shard.ID, "after", after, "err", err)
		s.iter, err = s.m.o.Source.ShardIterator(s.stream, s.shard.ID, region.StreamStart{Type: region.TrimHorizon})
	}
	if err != nil {
		return err
	}
	s.at, err = s.m.o.Source.IteratorPosition(s.iter)
	return err
}

// from is the time before which nothing is for the trigger, in unix milliseconds; 0 if there is none.
func (s *shardRun) from() int64 {
	switch set := s.work.settings; {
	case set.Position == atTimestamp:
		return int64(set.Timestamp * 1000)
	case set.Position == latest && isFeed(s.work.trigger):
		return s.work.trigger.Created
	}
	return 0
}

func (s *shardRun) loop(ctx, calls context.Context) error {
	timer := time.NewTimer(pollEvery)
	defer timer.Stop()
	for ctx.Err() == nil {
		news := s.m.news.next() // before reading: what comes while we read is not missed
		more, err := s.read()
		if err != nil {
			return err
		}
		s.dispatch(calls)
		s.note()
		if s.batches.Finished() {
			return nil
		}
		if more && s.batches.Room() {
			s.collect()
			continue
		}
		if !s.batches.Room() || s.iter == "" {
			news = nil // nothing to read it into, or nothing to come
		}
		timer.Reset(s.pause())
		select {
		case r := <-s.results:
			s.take(r)
		case <-news:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return nil
}

// pause is how long there is nothing to do, as far as time decides it.
func (s *shardRun) pause() time.Duration {
	at := s.batches.Wake()
	if at.IsZero() {
		return pollEvery
	}
	return min(max(time.Until(at), 0), pollEvery)
}

// read takes the next records, if there is room; more reports that others may follow at once.
func (s *shardRun) read() (more bool, err error) {
	if s.iter == "" || !s.batches.Room() {
		return false, nil
	}
	records, next, err := s.m.o.Source.StreamRecords(s.iter, readLimit)
	switch fault.KindOf(err) {
	case fault.Expired: // the shard was blocked for long
		if err := s.seek(s.at); err != nil {
			return false, err
		}
		records, next, err = s.m.o.Source.StreamRecords(s.iter, readLimit)
	case fault.Trimmed:
		s.m.o.Logger.Error("trigger has lost changes: they were trimmed before they were delivered", "trigger", s.u.id, "shard", s.shard.ID, "after", s.at)
	}
	if err != nil {
		return false, err
	}
	s.batches.Add(time.Now(), s.convert(records))
	if s.iter = next; next == "" {
		s.batches.End()
		s.at = max(s.at, s.last(records))
		return false, nil
	}
	was := s.at
	if s.at, err = s.m.o.Source.IteratorPosition(next); err != nil {
		return false, err
	}
	s.batches.Passed(s.at)
	return s.at != was, nil // also without records: there may be much that is shown to nobody
}

func (s *shardRun) last(records []region.StreamRecord) string {
	if len(records) == 0 {
		return s.at
	}
	return records[len(records)-1].Sequence
}

// convert makes records for the batches: those that were delivered elsewhere, that are too early or that no filter lets
// through are skipped.
func (s *shardRun) convert(records []region.StreamRecord) []batch.Record {
	if len(records) == 0 {
		return nil
	}
	s.u.mu.Lock()
	covered := s.u.covered
	s.u.mu.Unlock()
	if isFeed(s.work.trigger) {
		covered = crdt.Context{}
	}
	from := s.from()
	out := make([]batch.Record, len(records))
	for i := range records {
		r := &records[i]
		out[i] = batch.Record{Sequence: r.Sequence, Created: time.UnixMilli(r.Created)}
		if r.Created < from || !r.Stamp.IsZero() && covered.Covers(r.Stamp) {
			out[i].Skip = true
			continue
		}
		body := appendRecord(make([]byte, 0, 2*r.Size+512), r, s.m.name, s.arn)
		if !s.lets(body) {
			out[i].Skip = true
			s.u.figures.filtered.Add(1)
			continue
		}
		s.u.figures.records.Add(1)
		out[i].Body, out[i].Key = body, xxh3.Hash(r.Keys.Project(s.hash).Encoded())
	}
	return out
}

// lets reports whether a filter lets a record through, or there is none.
func (s *shardRun) lets(body []byte) bool {
	if len(s.patterns) == 0 {
		return true
	}
	v, err := filter.Decode(body)
	if err != nil {
		return true // we wrote it; what cannot be judged is not lost
	}
	for _, p := range s.patterns {
		if p.Match(v) {
			return true
		}
	}
	return false
}

// dispatch has all batches delivered whose turn it is.
func (s *shardRun) dispatch(calls context.Context) {
	now := time.Now()
	for b := s.batches.Next(now); b != nil; b = s.batches.Next(now) {
		go func() { s.results <- result{b, s.call(calls, s.shard.ID, b)} }() // drain waits for it
	}
}

func (s *shardRun) take(r result) {
	retried, bisected := s.batches.Done(time.Now(), r.b, r.out)
	s.worked = true
	if retried {
		s.u.figures.retries.Add(1)
	}
	if bisected {
		s.u.figures.bisected.Add(1)
	}
}

// collect takes what has ended.
func (s *shardRun) collect() {
	for {
		select {
		case r := <-s.results:
			s.take(r)
		default:
			return
		}
	}
}

// drain waits for the calls under way; those that do not end in time are cut off.
func (s *shardRun) drain(cut context.CancelFunc) {
	timer := time.AfterFunc(grace, cut)
	defer timer.Stop()
	for s.batches.Running() > 0 {
		s.take(<-s.results)
	}
}

// note tells the unit how far the shard is done with.
func (s *shardRun) note() {
	s.u.progress(s.shard.ID, shardMark{At: s.batches.Checkpoint(), Done: s.batches.Finished()}, s.worked, s.batches.Oldest())
	s.worked = false
}
