package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
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
	for _, part := range []func(context.Context) error{s.load, s.reads, s.writes, s.latencies, s.restarts} {
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

func (s *suite) add(r Row) {
	if strings.Contains(r.Path, s.only) {
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
	return nil
}

func (s *suite) run(ctx context.Context, endpoint, workload string, change func(*bench.Config)) (*bench.Result, error) {
	c := s.config(endpoint, workload)
	if change != nil {
		change(&c)
	}
	r, err := bench.Run(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("%s at %s: %w", workload, endpoint, err)
	}
	if len(r.Errors) > 0 {
		return nil, fmt.Errorf("%s at %s: errors %v", workload, endpoint, r.Errors)
	}
	say("%-14s %9.0f requests/s %9.0f items/s at %s", workload, r.PerSecond, r.ItemsPerSec, endpoint)
	return r, nil
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

// against runs a workload on the server and on a bare one, in turn.
func (s *suite) against(ctx context.Context, workload string, change func(*bench.Config)) (ours, bare *bench.Result, err error) {
	p, echo, err := s.echo(workload)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, p.kill()) }()
	if ours, err = s.run(ctx, s.endpoint, workload, change); err != nil {
		return nil, nil, err
	}
	bare, err = s.run(ctx, echo, workload, change)
	return ours, bare, err
}

const perSecond = "requests/s"

func (s *suite) reads(ctx context.Context) error {
	for _, row := range []struct {
		path, workload string
		target         float64
	}{
		{"GetItem, consistent", "get", 0.70}, {"Query, 1 MB pages", "query", 0.60}, {"Scan, 1 MB pages", "scan", 0.60},
	} {
		if !strings.Contains(row.path, s.only) {
			continue
		}
		var few func(*bench.Config) // a page is a thousand items: fewer connections fill the machine
		if row.workload != "get" {
			few = func(c *bench.Config) { c.Connections = 8 }
		}
		ours, bare, err := s.against(ctx, row.workload, few)
		if err != nil {
			return err
		}
		s.add(Row{Path: row.path, Against: "bare net/http", Ours: ours.PerSecond, Limit: bare.PerSecond, Unit: perSecond, Target: row.target})
	}
	return s.memory("memory, loaded", 400)
}

func (s *suite) writes(ctx context.Context) error {
	put, bare, err := s.against(ctx, "put", nil)
	if err != nil {
		return err
	}
	raw, err := rawpebble.Measure(s.dir+"/raw", s.connections, s.duration, rawpebble.Shape{Values: []int{1024, 1024}, Merge: true, Sync: true})
	if err != nil {
		return err
	}
	say("%-14s %9.0f batches/s", "raw Pebble", raw)
	s.add(Row{Path: "PutItem, durable", Against: "raw Pebble, synced", Ours: put.PerSecond, Limit: raw, Unit: perSecond, Target: 0.50})
	s.add(Row{Path: "PutItem, durable", Against: "bare net/http", Ours: put.PerSecond, Limit: bare.PerSecond, Unit: perSecond, Target: 0.35})
	for _, row := range []struct {
		path, workload string
		target         float64
	}{
		{"UpdateItem, condition and SET", "update", 0.80}, {"BatchWriteItem, 25 items", "batchwrite", 3}, {"TransactWriteItems, 4 items", "transactwrite", 0.60},
	} {
		r, err := s.run(ctx, s.endpoint, row.workload, nil)
		if err != nil {
			return err
		}
		s.add(Row{Path: row.path, Against: "PutItem", Ours: r.ItemsPerSec, Limit: put.ItemsPerSec, Unit: "items/s", Target: row.target})
	}
	return nil
}

// latencies compares p99 at half of the most that the server can do.
func (s *suite) latencies(ctx context.Context) error {
	for _, row := range []struct {
		path, workload, target string
		limit                  float64
	}{
		{"GetItem, p99 at half load", "get", "GetItem", 3}, {"PutItem, p99 at half load", "put", "PutItem", 5},
	} {
		if !strings.Contains(row.path, s.only) {
			continue
		}
		most, err := s.run(ctx, s.endpoint, row.workload, nil)
		if err != nil {
			return err
		}
		ours, bare, err := s.against(ctx, row.workload, func(c *bench.Config) { c.Rate = most.PerSecond / 2 })
		if err != nil {
			return err
		}
		s.add(Row{Path: row.path, Against: "bare net/http", Ours: float64(ours.Latency[row.target].P99), Limit: float64(bare.Latency[row.target].P99),
			Unit: "µs", Target: row.limit, AtMost: true})
	}
	return nil
}

// restarts measures how soon the loaded region serves again.
func (s *suite) restarts(ctx context.Context) error {
	if s.server == nil {
		return nil
	}
	for _, row := range []struct {
		path  string
		end   func() error
		limit float64
	}{
		{"start, after a clean stop", s.server.stop, 1000}, {"start, after kill -9", func() error { return s.server.kill() }, 3000},
	} {
		if err := row.end(); err != nil {
			return err
		}
		p, endpoint, took, err := s.meridian.start(ctx)
		if err != nil {
			s.server = nil
			return err
		}
		s.server, s.endpoint = p, endpoint
		s.add(Row{Path: row.path, Against: "target", Ours: float64(took.Milliseconds()), Limit: row.limit, Unit: "ms", Target: 1, AtMost: true})
	}
	return nil
}
