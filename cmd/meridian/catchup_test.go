package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/table"
)

// The figures of issue 4, criteria 3 and 4:
//
//	go test ./cmd/meridian -run TestCatchUp -v -timeout 20m -catchup.commits=1000000
//	go test ./cmd/meridian -run TestBackfill -v -timeout 20m -backfill.items=1000000
var (
	catchUpCommits = flag.Int("catchup.commits", 5_000, "commits that TestCatchUp makes while the other region is away")
	backfillItems  = flag.Int("backfill.items", 5_000, "items of 1 KB that TestBackfill copies")
)

// TestCatchUp has a region return to a log that has grown in its absence. Both regions serve reads and writes all the while.
func TestCatchUp(t *testing.T) {
	p := startPair(t)
	if err := p.stop[1](); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	p.write(t, 0, *catchUpCommits)
	t.Logf("%d commits of one region alone in %v", *catchUpCommits, time.Since(began).Round(time.Millisecond))
	p.start(t, 1)
	p.linked(t)
	before, memory := residentBytes(t), watchMemory()
	began = time.Now()
	served := p.serve(t)
	last := fmt.Sprintf("commit %07d", *catchUpCommits-1)
	awaitFor(t, longCatchUp, "the last commit elsewhere", func() string {
		if !p.has(t, 1, last) {
			return "it is not there"
		}
		return p.behind(t)
	})
	took := time.Since(began)
	most := memory()
	t.Logf("caught up in %v: %.0f changes a second; resident memory of both was %d MB before and %d MB at most; meanwhile %s",
		took.Round(time.Millisecond), float64(*catchUpCommits)/took.Seconds(), before>>20, most>>20, served())
	p.equal(t)
}

// TestBackfill gives a table with data a replica while writes go on: all items are there afterwards, and all writes.
func TestBackfill(t *testing.T) {
	p := startTwo(t)
	began := time.Now()
	p.write(t, 0, *backfillItems)
	t.Logf("%d items in %v", *backfillItems, time.Since(began).Round(time.Millisecond))
	written := p.overwrite(t)
	memory := watchMemory()
	began = time.Now()
	call(t, p.at[0], "UpdateTable", `{"TableName":"things","ReplicaUpdates":[{"Create":{"RegionName":"us-east-1"}}]}`)
	awaitFor(t, longCatchUp, "the replica ACTIVE", func() string {
		body := call(t, p.at[0], "DescribeTable", `{"TableName":"things"}`)
		var d struct {
			Table struct {
				TableStatus string
				Replicas    []struct{ ReplicaStatus string }
			}
		}
		if json.Unmarshal([]byte(body), &d) == nil && d.Table.TableStatus == "ACTIVE" &&
			len(d.Table.Replicas) > 0 && d.Table.Replicas[0].ReplicaStatus == "ACTIVE" {
			return ""
		}
		return body
	})
	took := time.Since(began)
	most := memory()
	promised := written()
	t.Logf("backfilled in %v: %.0f items a second; resident memory of both at most %d MB; meanwhile %d keys overwritten",
		took.Round(time.Millisecond), float64(*backfillItems)/took.Seconds(), most>>20, len(promised))
	p.equal(t)
	for i := range p.nodes {
		for pk, n := range promised {
			if got := call(t, p.at[i], "GetItem", `{"TableName":"things","Key":{"pk":{"S":"`+pk+`"}}}`); valueOf(got) < n {
				t.Fatalf("%s was acknowledged with n = %d during the backfill, node %d has %s", pk, n, i, got)
			}
		}
	}
}

// write makes commits of one item of 1 KB each.
func (p *pairOfNodes) write(t *testing.T, node, n int) {
	t.Helper()
	tab := p.table(t, node)
	payload := item.Str(strings.Repeat("x", 950))
	var next atomic.Int64
	var writing sync.WaitGroup
	for range 128 {
		writing.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := put1(tab, fmt.Sprintf("commit %07d", i), 0, payload); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writing.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

func put1(tab *table.Table, pk string, n int, payload item.Value) error {
	_, err := tab.Write(context.Background(), table.Write{Op: table.Put, Item: item.NewItem([]item.Field{
		{Name: "n", Value: item.NumVal(item.NumFromInt(int64(n)))}, {Name: "payload", Value: payload}, {Name: "pk", Value: item.Str(pk)},
	})})
	return err
}

// overwrite writes to existing keys, about 500 times a second, until what it returns is called: what was acknowledged.
func (p *pairOfNodes) overwrite(t *testing.T) func() map[string]int {
	tab := p.table(t, 0)
	promised := map[string]int{}
	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			pk := fmt.Sprintf("commit %07d", n*7919%*backfillItems)
			if err := put1(tab, pk, n, item.Str("later")); err != nil {
				t.Error(err)
				return
			}
			promised[pk] = n
		}
	})
	return func() map[string]int {
		close(stop)
		writing.Wait()
		return promised
	}
}

// serve asks and writes in both regions over HTTP, about 100 times a second each, until what it returns is called.
func (p *pairOfNodes) serve(t *testing.T) func() string {
	stop := make(chan struct{})
	var working sync.WaitGroup
	var mu sync.Mutex
	times := map[string][]time.Duration{}
	for i, e := range p.at {
		for _, op := range []string{"GetItem", "PutItem"} {
			working.Go(func() {
				tick := time.NewTicker(10 * time.Millisecond)
				defer tick.Stop()
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					case <-tick.C:
					}
					body := fmt.Sprintf(`{"TableName":"things","Key":{"pk":{"S":"commit %07d"}}}`, n)
					if op == "PutItem" {
						body = fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"meanwhile %d/%d"}}}`, i, n)
					}
					began := time.Now()
					code, answer, err := request(t.Context(), e, op, body)
					if err != nil || code != 200 {
						t.Errorf("%s: %d %s %v", op, code, answer, err)
						return
					}
					mu.Lock()
					times[op] = append(times[op], time.Since(began))
					mu.Unlock()
				}
			})
		}
	}
	return func() string {
		close(stop)
		working.Wait()
		var all []string
		for _, op := range []string{"GetItem", "PutItem"} {
			s := slices.Sorted(slices.Values(times[op]))
			if len(s) > 0 {
				all = append(all, fmt.Sprintf("%d %s with p50 %v, p99 %v", len(s), op, s[len(s)/2], s[len(s)*99/100]))
			}
		}
		return strings.Join(all, ", ")
	}
}

func (p *pairOfNodes) has(t *testing.T, node int, pk string) bool {
	t.Helper()
	return strings.Contains(call(t, p.at[node], "GetItem", `{"TableName":"things","Key":{"pk":{"S":"`+pk+`"}}}`), pk)
}

// longCatchUp is enough for the million of commits, or items, of the figures.
const longCatchUp = 10 * time.Minute

// behind is empty when the second region has applied what the first has.
func (p *pairOfNodes) behind(t *testing.T) string {
	t.Helper()
	_, page := getPage(t, p.at[0].Admin+"/admin/status")
	var s admin.Status
	if err := json.Unmarshal([]byte(page), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Peers) == 1 && s.Peers[0].Connected && s.Peers[0].Sending.Seconds < 1 {
		return ""
	}
	return fmt.Sprintf("%+v", s.Peers)
}

// equal waits for the links and compares the tables by their hash trees.
func (p *pairOfNodes) equal(t *testing.T) {
	t.Helper()
	awaitFor(t, longCatchUp, "level", func() string { return p.behind(t) })
	if r := p.repair(t, 1, "--scrub"); r.MendedHere+r.MendedThere+r.FalseAlarms+r.Clashes+r.Hollow != 0 {
		t.Errorf("repair found %+v", r)
	}
}

// watchMemory looks at the process until what it returns is called: the most that was resident.
func watchMemory() func() uint64 {
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		seen := uint64(0)
		for {
			select {
			case <-tick.C:
				n, _ := resident() // 0 where there is no /proc
				seen = max(seen, n)
			case <-stop:
				most <- seen
				return
			}
		}
	}()
	return func() uint64 {
		close(stop)
		return <-most
	}
}

func residentBytes(t *testing.T) uint64 {
	t.Helper()
	n, err := resident()
	if err != nil {
		t.Log(err)
	}
	return n
}

// resident is how much of this process is in memory, both regions and the test together.
func resident() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var size, pages uint64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0, err
	}
	return pages * uint64(os.Getpagesize()), nil
}
