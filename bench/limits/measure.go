package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/meridiandb/meridian/bench"
	"github.com/meridiandb/meridian/storage/pebblestore/rawpebble"
)

// suite is one run: a loaded server, and what it measured so far.
type suite struct {
	options
	dir      string // scratch, removed at the end
	endpoint string
	server   *process // nil: somebody else's
	meridian meridian
	rows     []Row
}

const (
	table      = "limits"       // Items of 1 KB
	partitions = "limits-pages" // the same size, 2,000 to a partition
	pageItems  = 40_000
)

func measure(ctx context.Context, o options) (rows []Row, err error) {
	s := &suite{options: o}
	if s.dir, err = os.MkdirTemp("", "meridian-limits-*"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(s.dir)) }()
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if s.server != nil {
			err = errors.Join(err, s.server.kill())
		}
	}()
	for _, part := range []func(context.Context) error{s.load, s.reads, s.writes, s.latencies, s.scaling, s.restarts, s.inner} {
		if err := part(ctx); err != nil {
			return nil, err
		}
	}
	return s.rows, nil
}

// open starts our server, unless another's endpoint was given, and measures an empty one.
func (s *suite) open(ctx context.Context) error {
	if s.endpoint = s.options.endpoint; s.endpoint != "" {
		return nil
	}
	s.meridian = meridian{binary: s.binary, data: s.dir + "/data", cache: s.cache}
	if s.binary == "" {
		say("building meridian")
		var err error
		if s.meridian.binary, err = build(s.dir); err != nil {
			return err
		}
	}
	var took time.Duration
	var err error
	if s.server, s.endpoint, took, err = s.meridian.start(ctx); err != nil {
		return err
	}
	s.add(Row{Path: "start, empty", Against: "target", Ours: float64(took.Milliseconds()), Limit: 300, Unit: "ms", Target: 1, AtMost: true})
	return s.memory("memory, idle", 60)
}

func (s *suite) memory(path string, limit float64) error {
	if s.server == nil {
		return nil
	}
	mb, err := s.server.residentMB()
	s.add(Row{Path: path, Against: "target", Ours: mb, Limit: limit, Unit: "MB", Target: 1, AtMost: true})
	return err
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// wants reports whether a row is to be measured.
func (s *suite) wants(path string) bool { return strings.Contains(path, s.only) }

func (s *suite) add(r Row) {
	if s.wants(r.Path) {
		s.rows = append(s.rows, r)
	}
}

func (s *suite) config(endpoint, workload string) bench.Config {
	c := bench.Config{
		Endpoints: []string{endpoint}, Workload: workload, Table: table, Items: s.items, ItemSize: 1024,
		Connections: s.connections, Duration: s.duration, Warmup: s.duration / 4,
	}
	if workload == "query" {
		c.Table, c.Items, c.PerPartition = partitions, pageItems, 2000
	}
	return c
}

func (s *suite) load(ctx context.Context) error {
	say("loading %d items", s.items)
	for _, w := range []string{"put", "query"} {
		if err := bench.Load(ctx, s.config(s.endpoint, w), nil); err != nil {
			return err
		}
	}
	return s.settle(ctx)
}

// settle waits until our server has sorted what was loaded, half a minute at most: who reads is not to pay for it, least of all on
// one side of a row.
func (s *suite) settle(ctx context.Context) error {
	const look, little = 500 * time.Millisecond, 25 * time.Millisecond
	if s.server == nil {
		return nil
	}
	t := time.NewTicker(look)
	defer t.Stop()
	for range 30 * time.Second / look {
		before := s.server.cpu()
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if s.server.cpu()-before < little {
			return nil
		}
	}
	return nil
}

// measured is a result, with the server's processor time for each request in microseconds.
type measured struct {
	*bench.Result
	cpu float64
}

// run runs a workload on a server: p, or somebody else's at an endpoint.
func (s *suite) run(ctx context.Context, p *process, endpoint, workload string, change func(*bench.Config)) (m measured, err error) {
	c := s.config(endpoint, workload)
	if change != nil {
		change(&c)
	}
	before := p.cpu()
	if m.Result, err = bench.Run(ctx, c); err != nil {
		return m, fmt.Errorf("%s at %s: %w", workload, endpoint, err)
	}
	if len(m.Errors) > 0 {
		return m, fmt.Errorf("%s at %s: errors %v", workload, endpoint, m.Errors)
	}
	// The warm-up used some too, at the same rate.
	m.cpu = float64((p.cpu() - before).Microseconds()) / (m.PerSecond * (c.Duration + c.Warmup).Seconds())
	say("%-14s %9.0f requests/s %9.0f items/s %7.0f µs of CPU each at %s", workload, m.PerSecond, m.ItemsPerSec, m.cpu, endpoint)
	return m, nil
}

// ours runs a workload on the server under test.
func (s *suite) ours(ctx context.Context, workload string, change func(*bench.Config)) (measured, error) {
	return s.run(ctx, s.server, s.endpoint, workload, change)
}

// rounds is how often the two sides of a row take turns: other work on the machine then meets both.
const rounds = 3

// middle is the round with the middle ratio.
func middle(all []Row) Row {
	slices.SortFunc(all, func(a, b Row) int { return cmp.Compare(a.Ratio(), b.Ratio()) })
	return all[len(all)/2]
}

// inTurn measures a row several times, a short while each, and returns the middle one.
func inTurn(round func(share func(*bench.Config)) (Row, error)) (Row, error) {
	var all []Row
	for range rounds {
		r, err := round(func(c *bench.Config) { c.Duration /= rounds; c.Warmup /= rounds })
		if err != nil {
			return Row{}, err
		}
		all = append(all, r)
	}
	return middle(all), nil
}

// echo starts a bare server that answers a workload with the bytes that the real one answers with.
func (s *suite) echo(workload string) (*process, string, error) {
	c := s.config(s.endpoint, workload)
	target, body, err := bench.Sample(c)
	if err != nil {
		return nil, "", err
	}
	req, err := http.NewRequest(http.MethodPost, s.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=00")
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	req.Header.Set("Accept-Encoding", "identity")
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, "", err
	}
	reply, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		return nil, "", err
	}
	if r.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("%s: %s", target, reply)
	}
	return startEcho(map[string][]byte{target: reply})
}

// against runs a workload on the server and on a bare one, in turns, and fills in the row.
func (s *suite) against(ctx context.Context, row Row, workload string, change func(*bench.Config), figure func(measured) float64) (err error) {
	p, echo, err := s.echo(workload)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.kill()) }()
	row, err = inTurn(func(share func(*bench.Config)) (Row, error) {
		both := func(c *bench.Config) { share(c); change(c) }
		ours, err := s.ours(ctx, workload, both)
		if err != nil {
			return row, err
		}
		bare, err := s.run(ctx, p, echo, workload, both)
		if err != nil {
			return row, err
		}
		row.Against, row.Ours, row.Limit, row.OursCPU, row.LimitCPU = "bare net/http", figure(ours), figure(bare), ours.cpu, bare.cpu
		return row, nil
	})
	s.add(row)
	return err
}

func asBefore(*bench.Config) {}

func requests(m measured) float64 { return m.PerSecond }

const perSecond = "requests/s"

func (s *suite) reads(ctx context.Context) error {
	for _, row := range []struct {
		path, workload string
		target         float64
	}{
		{"GetItem, consistent", "get", 0.70}, {"Query, 1 MB pages", "query", 0.60}, {"Scan, 1 MB pages", "scan", 0.60},
	} {
		if !s.wants(row.path) {
			continue
		}
		few := asBefore // a page is a thousand items: fewer connections fill the machine
		if row.workload != "get" {
			few = func(c *bench.Config) { c.Connections = 8 }
		}
		if err := s.against(ctx, Row{Path: row.path, Unit: perSecond, Target: row.target}, row.workload, few, requests); err != nil {
			return err
		}
	}
	return nil
}

func (s *suite) writes(ctx context.Context) error {
	if !s.wants("PutItem, durable") {
		return s.besidePut(ctx)
	}
	raw, err := s.onPebble(ctx)
	if err != nil {
		return err
	}
	s.add(raw)
	if err := s.against(ctx, Row{Path: "PutItem, durable", Unit: perSecond, Target: 0.35}, "put", asBefore, requests); err != nil {
		return err
	}
	return s.besidePut(ctx)
}

// besidePut holds the other writes against PutItem.
func (s *suite) besidePut(ctx context.Context) error {
	for _, row := range []struct {
		path, workload string
		target         float64
	}{
		{"UpdateItem, condition and SET", "update", 0.80}, {"BatchWriteItem, 25 items", "batchwrite", 3}, {"TransactWriteItems, 4 items", "transactwrite", 0.60},
	} {
		if !s.wants(row.path) {
			continue
		}
		r, err := inTurn(func(share func(*bench.Config)) (r Row, err error) {
			ours, err := s.ours(ctx, row.workload, share)
			if err != nil {
				return r, err
			}
			put, err := s.ours(ctx, "put", share)
			if err != nil {
				return r, err
			}
			each := ours.PerSecond / ours.ItemsPerSec
			return Row{Path: row.path, Against: "PutItem", Ours: ours.ItemsPerSec, Limit: put.ItemsPerSec, Unit: "items/s", Target: row.target,
				OursCPU: ours.cpu * each, LimitCPU: put.cpu}, nil
		})
		if err != nil {
			return err
		}
		s.add(r)
	}
	return nil
}

// onPebble holds PutItem against Pebble alone, in turns.
func (s *suite) onPebble(ctx context.Context) (Row, error) {
	return inTurn(func(share func(*bench.Config)) (r Row, err error) {
		put, err := s.ours(ctx, "put", share)
		if err != nil {
			return r, err
		}
		c := s.config("", "put")
		share(&c)
		dir := s.dir + "/raw"
		before := ownCPU()
		raw, err := rawpebble.Measure(dir, s.connections, c.Duration, rawpebble.Shape{Values: []int{1024, 1024}, Merge: true, Sync: true})
		if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
			return r, err
		}
		cpu := float64((ownCPU() - before).Microseconds()) / (raw * c.Duration.Seconds())
		say("%-14s %9.0f batches/s %34.0f µs of CPU each", "raw Pebble", raw, cpu)
		return Row{Path: "PutItem, durable", Against: "raw Pebble, synced", Ours: put.PerSecond, Limit: raw, Unit: perSecond, Target: 0.50,
			OursCPU: put.cpu, LimitCPU: cpu}, nil
	})
}

// latencies compares p99 at half of the most that the server can do.
func (s *suite) latencies(ctx context.Context) error {
	for _, row := range []struct {
		path, workload, target string
		limit                  float64
	}{
		{"GetItem, p99 at half load", "get", "GetItem", 3}, {"PutItem, p99 at half load", "put", "PutItem", 5},
	} {
		if !s.wants(row.path) {
			continue
		}
		most, err := s.ours(ctx, row.workload, asBefore)
		if err != nil {
			return err
		}
		half := func(c *bench.Config) { c.Rate = most.PerSecond / 2 }
		p99 := func(m measured) float64 { return float64(m.Latency[row.target].P99) }
		if err := s.against(ctx, Row{Path: row.path, Unit: "µs", Target: row.limit, AtMost: true}, row.workload, half, p99); err != nil {
			return err
		}
	}
	return nil
}
