package region

import (
	"context"
	"errors"
	"time"

	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/clock"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// How often housekeeping does what, in seconds.
const (
	trimEvery   = 10
	countsEvery = 30
	streamEvery = 60
	feedEvery   = 600 // it reads the feeds
)

// slackFor is how long the log is kept besides acknowledgements: for a peer that moves its cursor back to where a copy was
// taken, which may be before what it, or another region for it, has acknowledged.
const slackFor = 10 * time.Minute

// housekeeping raises the clock's ceiling, trims the log, rolls streams over, forgets old tokens and saves counts.
func (r *Region) housekeeping() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-r.ctx.Done():
			return
		case <-tick.C:
		}
		if err := r.keepHouse(n); err != nil && r.ctx.Err() == nil {
			r.logger.Error("housekeeping", "err", err) // tried again at the next tick, unless it is the end
			_ = r.fail(err)
		}
	}
}

func (r *Region) keepHouse(n int) error {
	r.watchClock()
	errs := []error{r.clock.Raise(func() (storage.Txn, error) { return r.store.Begin(background) }), r.rollStreams()}
	if n%trimEvery == 0 {
		_, err := r.engine.ForgetTokens(r.ctx, r.clock.Now()) // what it leaves, the next round takes
		errs = append(errs, err, r.trim(r.ctx))
	}
	if n%countsEvery == 0 {
		errs = append(errs, r.saveCounts())
	}
	if n%streamEvery == 0 {
		errs = append(errs, r.trimStreams(r.ctx))
	}
	if n%feedEvery == feedEvery/2 {
		errs = append(errs, r.trimFeeds(r.ctx))
	}
	return errors.Join(errs...)
}

// trim drops the part of the log that every member of every shared table has acknowledged, and that is old enough.
func (r *Region) trim(ctx context.Context) error {
	upTo := r.slack.older(r.clock.Now(), r.log.Durable())
	all := r.catalog.Entries()
	if len(r.expelled(all)) > 0 { // what nobody else has is still to be set aside
		return nil
	}
	for _, e := range all {
		if !e.Visible(r.name) {
			continue
		}
		for _, m := range e.Members {
			if m.Region == r.name || m.State == catalog.MemberRemoved || m.State == catalog.MemberDeleting {
				continue
			}
			at, _ := r.ackedBy(m.Region) // unknown: nothing may go
			upTo = min(upTo, at)
		}
	}
	if upTo == 0 {
		return nil
	}
	return r.log.Trim(ctx, upTo, func(id record.TableID) bool {
		src, ok := r.sourceOf(id)
		return ok && (len(src.streams()) > 0 || !src.feed && src.entry.Stream.Enabled)
	})
}

// slack remembers where the log ended for the last minutes. It is used by housekeeping alone.
type slack struct{ marks []slackMark }

type slackMark struct {
	at  int64 // unix milliseconds
	end record.Seq
}

// older notes where the log ends now and returns where it ended slackFor ago; 0 if that is not known.
func (s *slack) older(now int64, end record.Seq) record.Seq {
	s.marks = append(s.marks, slackMark{now, end})
	old := 0
	for old+1 < len(s.marks) && s.marks[old+1].at <= now-slackFor.Milliseconds() {
		old++
	}
	s.marks = s.marks[old:]
	if s.marks[0].at > now-slackFor.Milliseconds() {
		return 0
	}
	return s.marks[0].end
}

// ReportOffsets tells what the other regions' clocks show, less this one's, as measured lately; regions that cannot be
// reached are left out. It is to be called about once a second, also when there are none.
func (r *Region) ReportOffsets(offsets map[string]time.Duration) {
	s := r.clock.Report(offsets)
	switch was := r.alarmed.Swap(s.Alarm); {
	case s.Alarm && !was:
		r.logger.Error("the clock differs from the other regions'", "ahead", s.Ahead, "behind", s.Behind, "writesRefused", s.Refuse)
	case was && !s.Alarm:
		r.logger.Info("the clock agrees with the other regions' again")
	}
}

// watchClock alarms when the machine's clock has been set, which ours does not follow.
func (r *Region) watchClock() {
	if r.wall == nil {
		return
	}
	by := clock.Stepped(r.wall)
	far := by.Abs() > clock.DefaultBound
	if far && !r.stepped {
		r.logger.Error("the machine's clock was set; this region does not follow before a restart", "by", by)
	}
	r.stepped = far
}
