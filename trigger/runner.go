package trigger

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/trigger/batch"
	"github.com/meridiandb/meridian/trigger/filter"
)

// runner runs one trigger with unchanging settings.
type runner struct {
	u        *unit
	m        *Manager
	work     work
	patterns []*filter.Pattern
	target   target
	stream   region.StreamName
	arn      string
	hash     []string // names of the partition key's attributes

	shards sync.WaitGroup
	mu     sync.Mutex
	busy   map[string]bool // shards that are run
	ended  chan struct{}   // size 1: one of them has ended
}

func newRunner(u *unit, w work) *runner {
	return &runner{u: u, m: u.m, work: w, busy: map[string]bool{}, ended: make(chan struct{}, 1)}
}

const (
	lookEvery = 500 * time.Millisecond // for new shards, and for a stream that is not there yet
	grace     = 5 * time.Second        // calls under way have to end when the runner stops
)

// run returns when ctx has ended and everything has stopped.
func (r *runner) run(ctx context.Context) {
	defer r.shards.Wait()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := r.look(ctx); err != nil {
			r.problem(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.ended:
		case <-tick.C:
		}
	}
}

// problem shows why nothing goes on, and logs it once.
func (r *runner) problem(err error) {
	if r.u.result(fmt.Sprintf("PROBLEM: %.500s", err.Error())) {
		r.m.o.Logger.Warn("trigger has a problem", "trigger", r.u.id, "table", r.work.trigger.Name, "err", err)
	}
}

// look starts the shards whose turn it is.
func (r *runner) look(ctx context.Context) error {
	if r.target == nil {
		if err := r.open(); err != nil {
			return err
		}
	}
	view, err := r.m.o.Source.DescribeStream(r.stream)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return fmt.Errorf("Stream not found: %s", r.arn) //nolint:revive,staticcheck // Lambda's words, shown as they are
		}
		return err
	}
	if r.hash == nil { // before any shard is begun: they read it
		r.hash = names(view)
	}
	r.u.keepShards(view.Shards)
	known := map[string]bool{}
	for _, s := range view.Shards {
		known[s.ID] = true
	}
	for _, s := range view.Shards {
		have, begin := r.u.shard(s.ID)
		switch {
		case have.Done || r.isBusy(s.ID):
		case s.Last != "" && begin >= s.Last:
			r.u.progress(s.ID, shardMark{At: s.Last, Done: true}, false, time.Time{})
			signal(r.ended)
		case known[s.Parent] && !r.done(s.Parent):
		default:
			r.begin(ctx, s)
		}
	}
	return nil
}

func names(v region.StreamView) (all []string) {
	for _, a := range v.Schema.Hash {
		all = append(all, a.Name)
	}
	return all
}

func (r *runner) done(shard string) bool {
	s, _ := r.u.shard(shard)
	return s.Done
}

func (r *runner) isBusy(shard string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.busy[shard]
}

// open finds the stream, and makes what is called.
func (r *runner) open() (err error) {
	t, s := r.work.trigger, r.work.settings
	if r.stream, err = r.m.o.Source.StreamOf(t.Table, t.Stream); err != nil {
		return err
	}
	r.arn = r.m.streamARN(r.stream)
	if r.patterns, err = s.patterns(); err != nil {
		return err
	}
	r.target, err = r.m.target(s, r.arn, t.Name)
	return err
}

// target makes what a trigger calls.
func (m *Manager) target(s Settings, arn, table string) (target, error) {
	timeout := s.timeout(m.o.Timeout)
	if s.isSink() {
		mode := s.Mode
		if mode == "" {
			mode = modeBinary
		}
		return &sink{client: m.client, url: s.Function, mode: mode, timeout: timeout, stream: arn, table: table}, nil
	}
	endpoint := s.Endpoint
	if endpoint == "" {
		endpoint = m.o.Endpoint
	}
	if endpoint == "" {
		return nil, invalid("it is not known where functions are: neither this region (--lambda-endpoint) nor the trigger has an endpoint")
	}
	return newFunction(m.client, endpoint, s.Function, timeout, s.ReportFailures)
}

// begin runs a shard in a goroutine of its own.
func (r *runner) begin(ctx context.Context, s region.StreamShard) {
	r.mu.Lock()
	r.busy[s.ID] = true
	r.mu.Unlock()
	r.shards.Go(func() {
		sr := &shardRun{runner: r, shard: s}
		err := sr.run(ctx)
		if err != nil && ctx.Err() == nil {
			r.problem(err)
		}
		r.mu.Lock()
		delete(r.busy, s.ID)
		r.mu.Unlock()
		if err == nil {
			signal(r.ended) // after an error look starts it again, with the next tick: it may fail at once
		}
	})
}

// call has a batch delivered: to the function, or to the destination if it was given up.
func (r *runner) call(ctx context.Context, shard string, b *batch.Batch) batch.Outcome {
	if b.Reason != "" {
		return r.giveUp(ctx, shard, b)
	}
	r.u.figures.invocations.Add(1)
	out, err := r.target.deliver(ctx, b)
	switch {
	case err == nil:
		r.u.result("OK")
	case ctx.Err() != nil: // we are being stopped
	case out.Verdict == batch.Unavailable:
		r.u.figures.unavailable.Add(1)
		r.problem(err)
	default:
		r.u.figures.errors.Add(1)
		r.problem(err)
	}
	return out
}

// giveUp delivers the record of a failure. One that does not arrive is tried again for ever: nobody else knows of the batch.
func (r *runner) giveUp(ctx context.Context, shard string, b *batch.Batch) batch.Outcome {
	to := r.work.settings.OnFailure
	if to == "" {
		r.u.figures.dropped.Add(uint64(b.Len()))
		r.m.o.Logger.Warn("trigger gives up records; it has no destination for them", "trigger", r.u.id, "reason", b.Reason, "records", b.Len(),
			"from", b.Record(0).Sequence, "to", b.Record(b.Len()-1).Sequence, "shard", shard)
		return batch.Outcome{}
	}
	record := newFailureRecord(b, newRequestID(), r.m.functionARN(r.work.settings.Function), shard, r.arn, time.Now())
	if err := r.m.destinations.deliver(ctx, to, record); err != nil {
		if ctx.Err() == nil {
			r.problem(fmt.Errorf("the destination for failures: %w", err))
		}
		return batch.Outcome{Verdict: batch.Unavailable}
	}
	r.u.figures.onFailure.Add(uint64(b.Len()))
	return batch.Outcome{}
}

// newRequestID is a UUID.
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
