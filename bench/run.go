package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// maxLatency is the longest that a histogram can hold; longer ones count as this.
const maxLatency = 60 * time.Second

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, maxLatency.Microseconds(), 3)
}

// tally is what one connection did after the warm-up.
type tally struct {
	requests, items, bytes uint64
	errors                 map[string]uint64
	latency                map[string]*hdrhistogram.Histogram // by target
}

// worker is one connection.
type worker struct {
	c        *Config
	workload Workload
	maker    *maker
	conn     *conn
	tally    tally
	buf      []byte
}

// Run runs a workload on a table that Load has filled, and says how it went. ctx cuts it short with an error.
func Run(ctx context.Context, c Config) (*Result, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	w, _ := FindWorkload(c.Workload)
	workers := make([]*worker, c.Connections)
	defer func() {
		for _, k := range workers {
			if k != nil {
				_ = k.conn.close() // it has been read to its end, or has failed already
			}
		}
	}()
	for i := range workers {
		k, err := dial(&c, c.Endpoints[i%len(c.Endpoints)])
		if err != nil {
			return nil, err
		}
		workers[i] = &worker{c: &c, workload: w, maker: newMaker(&c, i), conn: k,
			tally: tally{errors: map[string]uint64{}, latency: map[string]*hdrhistogram.Histogram{}}}
	}
	return runAll(ctx, &c, workers)
}

func runAll(ctx context.Context, c *Config, workers []*worker) (*Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	begin := time.Now()
	measured, end := begin.Add(c.Warmup), begin.Add(c.Warmup+c.Duration)
	errs := make([]error, len(workers))
	var wg sync.WaitGroup
	for i, k := range workers {
		wg.Go(func() {
			if errs[i] = k.run(ctx, i, begin, measured, end); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, firstOf(errs)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return summarise(c, workers), nil
}

// firstOf prefers what went wrong to what was cut short by it.
func firstOf(errs []error) error {
	var first error
	for _, err := range errs {
		if err != nil && (first == nil || errors.Is(first, context.Canceled)) {
			first = err
		}
	}
	return first
}

// run sends requests until end. In an open loop, request n of connection i is due at its place in the whole rate.
func (k *worker) run(ctx context.Context, i int, begin, measured, end time.Time) error {
	interval := time.Duration(0)
	due := begin
	if k.c.Rate > 0 {
		interval = time.Duration(float64(k.c.Connections) / k.c.Rate * float64(time.Second))
		due = begin.Add(interval * time.Duration(i) / time.Duration(k.c.Connections))
	}
	for ctx.Err() == nil {
		start := time.Now()
		if interval > 0 {
			if !due.Before(end) {
				return nil
			}
			if wait := due.Sub(start); wait > 0 {
				time.Sleep(wait) // the schedule of the load, not a wait for something
			}
			start = due
			due = due.Add(interval)
		}
		if !start.Before(end) {
			return nil
		}
		if err := k.once(start, !start.Before(measured)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// once does one request, whose latency counts from start.
func (k *worker) once(start time.Time, counts bool) error {
	p := k.workload.pick(k.maker)
	k.buf = p.make(k.maker, k.buf[:0])
	status, err := k.conn.call(p.target, k.buf)
	if err != nil {
		return fmt.Errorf("bench: %s: %w", p.target, err)
	}
	took := time.Since(start)
	if !counts {
		return nil
	}
	t := &k.tally
	t.requests++
	t.bytes += uint64(len(k.buf) + len(k.conn.body))
	if status != 200 {
		t.errors[errorType(status, k.conn.body)]++
		return nil
	}
	items := p.items
	if items == 0 {
		items = count(k.conn.body, "Count")
	}
	t.items += uint64(items)
	h := t.latency[p.target]
	if h == nil {
		h = newHistogram()
		t.latency[p.target] = h
	}
	return h.RecordValue(min(took, maxLatency).Microseconds())
}
