package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/replication"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

var (
	repairItems = flag.Int("repair.items", 5_000, "items of the table that TestRepairCosts compares; the figure asked for is that of 1000000")
	repairBusy  = flag.Duration("repair.busy", time.Second, "how long TestRepairOfABusyPair writes")
)

// pairOfNodes is two regions in this process, which the test can reach into.
type pairOfNodes struct {
	nodes []*node
	at    []admin.Endpoints // the same in all of a node's lives
	id    record.TableID

	data []string
	stop []func() error // ends a node, at the latest at the test's end
}

func startPair(t *testing.T) *pairOfNodes {
	t.Helper()
	p := startTwo(t)
	p.replicate(t)
	return p
}

// startTwo has a table in the first region only.
func startTwo(t *testing.T) *pairOfNodes {
	t.Helper()
	p := &pairOfNodes{
		nodes: make([]*node, 2), at: make([]admin.Endpoints, 2), stop: make([]func() error, 2),
		data: []string{t.TempDir(), t.TempDir()},
	}
	for i := range p.nodes {
		const free = "127.0.0.1:0"
		p.at[i] = admin.Endpoints{DynamoDB: "http://" + free, Admin: "http://" + free, Replication: free, Gossip: free}
		p.start(t, i)
		t.Cleanup(func() {
			if err := p.stop[i](); err != nil {
				t.Error(err)
			}
		})
	}
	p.linked(t)
	call(t, p.at[0], "CreateTable", `{"TableName":"things",`+pkSchema+`}`)
	active(t, p.at[0], "things")
	p.id = p.table(t, 0).Descriptor().ID
	return p
}

// start begins a life of a node on its data.
func (p *pairOfNodes) start(t *testing.T, i int) {
	t.Helper()
	name, e := []string{"eu-west-1", "us-east-1"}[i], p.at[i]
	ports, err := claimPorts(nodeWants(name, strings.TrimPrefix(e.DynamoDB, "http://"), strings.TrimPrefix(e.Admin, "http://"),
		e.Replication, e.Gossip))
	if err != nil {
		t.Fatal(err)
	}
	c := nodeConfig{
		Region: name, Data: p.data[i], Cache: 256 << 20, Ports: portsOfNode(ports, 0), Logger: slog.New(slog.DiscardHandler),
	}
	if i > 0 {
		c.Join = []string{p.at[0].Gossip}
	}
	p.at[i] = c.endpoints()
	if p.nodes[i], err = openNode(c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- runNodes(ctx, []*node{p.nodes[i]}, func(context.Context) error { return nil }) }()
	p.stop[i] = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
}

func (p *pairOfNodes) linked(t *testing.T) {
	t.Helper()
	await(t, "links", func() string {
		if p.nodes[0].links() == 1 && p.nodes[1].links() == 1 {
			return ""
		}
		return "not connected"
	})
}

// replicate gives the table a replica in the second region.
func (p *pairOfNodes) replicate(t *testing.T) {
	t.Helper()
	call(t, p.at[0], "UpdateTable", `{"TableName":"things","ReplicaUpdates":[{"Create":{"RegionName":"us-east-1"}}]}`)
	active(t, p.at[0], "things")
	active(t, p.at[1], "things")
}

func (p *pairOfNodes) table(t *testing.T, node int) *table.Table {
	t.Helper()
	tab, err := p.nodes[node].region.Table("things")
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// fill puts the same items in both regions, as if each had them from the other. It goes past the tables: a million items would
// take minutes else, and the hash trees are made by a scrub.
func (p *pairOfNodes) fill(t *testing.T, n int) {
	t.Helper()
	now := time.Now().UnixMilli() - 60_000
	o := p.nodes[0].region.Origin()
	var both sync.WaitGroup
	for _, node := range p.nodes {
		both.Go(func() {
			for from := 0; from < n; from += 10_000 {
				if err := p.put(node, o, now, from, min(n, from+10_000)); err != nil {
					t.Error(err)
					return
				}
			}
			if bad, err := node.region.Scrub(context.Background(), p.id); err != nil || bad == 0 {
				t.Errorf("%d cells filled, %v", bad, err)
			}
		})
	}
	both.Wait()
	live := []crdt.Origin{o, p.nodes[1].region.Origin()}
	await(t, "closed times after the last write", func() string {
		for _, node := range p.nodes {
			c, err := node.region.OpenCopy(t.Context(), p.id, 0, live)
			if err != nil {
				t.Fatal(err)
			}
			held := c.Held()
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if at := held[o]; at < crdt.TimeFromMillis(now)+crdt.Time(n) {
				return fmt.Sprintf("%s holds %s up to %s", node.config.Region, o, at)
			}
		}
		return ""
	})
}

// put writes the states of some items.
func (p *pairOfNodes) put(node *node, o crdt.Origin, ms int64, from, to int) error {
	tx, err := node.store.Begin(context.Background())
	if err != nil {
		return err
	}
	defer tx.Discard()
	payload := item.Str(strings.Repeat("x", 100))
	for i := from; i < to; i++ {
		pk := item.Str(fmt.Sprintf("item %07d", i))
		s := conflict.Write(conflict.LastWriterWins, conflict.State{}, conflict.Local{
			Op: conflict.Put, Stamp: crdt.Stamp{Time: crdt.TimeFromMillis(ms) + crdt.Time(i), Origin: o},
			New: item.NewItem([]item.Field{{Name: "payload", Value: payload}, {Name: "pk", Value: pk}}),
		})
		key := item.Key{Hash: []item.Value{pk}}.Append(storage.AppendTable(nil, storage.KindItem, p.id))
		if err := tx.Set(key, s.Append(nil)); err != nil {
			return err
		}
	}
	durable, err := tx.Commit(nil)
	if err != nil {
		return err
	}
	return durable.Wait()
}

// lose removes an item from one region as a bug or a disk might: its state is gone and the hash tree agrees.
func (p *pairOfNodes) lose(t *testing.T, node int, pk string) {
	t.Helper()
	n := p.nodes[node]
	key := item.Key{Hash: []item.Value{item.Str(pk)}}.Append(storage.AppendTable(nil, storage.KindItem, p.id))
	if _, err := n.store.Get(key); err != nil {
		t.Fatal(err)
	}
	tx, err := n.store.Begin(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	if err := tx.Delete(key); err != nil {
		t.Fatal(err)
	}
	durable, err := tx.Commit(nil)
	if err == nil {
		err = durable.Wait()
	}
	if err != nil {
		t.Fatal(err)
	}
	if bad, err := n.region.Scrub(t.Context(), p.id); err != nil || bad != 1 {
		t.Fatalf("%d cells were wrong, %v", bad, err)
	}
}

// repair runs the command and returns its last report about a peer's table; those about conflict feeds are passed over.
func (p *pairOfNodes) repair(t *testing.T, node int, args ...string) replication.RepairReport {
	t.Helper()
	var out, errs bytes.Buffer
	args = append([]string{"repair", "--json", "--admin", p.at[node].Admin}, args...)
	if code := run(t.Context(), args, &out, &errs); code != exitOK {
		t.Fatalf("%v: exit code %d, %s %s", args, code, out.Bytes(), errs.Bytes())
	}
	var last, feed replication.RepairReport
	for d := json.NewDecoder(&out); d.More(); {
		var r replication.RepairReport
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(r.Table, region.FeedSuffix) {
			last = r
			continue
		}
		feed = r // A slow machine hears of a feed's progress first.
		if r.Error != "" || r.Clashes+r.Hollow > 0 {
			t.Errorf("%+v", r)
		}
	}
	if feed.Table != "" && !feed.Done {
		t.Errorf("%+v", feed)
	}
	if !last.Done {
		t.Fatalf("%+v", last)
	}
	return last
}

// TestRepairCosts plants differences in a table and mends them by the command (issue 4, criterion 2):
//
//	go test ./cmd/meridian -run TestRepairCosts -v -timeout 10m -repair.items=1000000
func TestRepairCosts(t *testing.T) {
	p := startPair(t)
	began := time.Now()
	p.fill(t, *repairItems)
	t.Logf("%d items in each of two regions in %v", *repairItems, time.Since(began).Round(time.Millisecond))
	check := func(what string, most, here, there int, r replication.RepairReport) {
		t.Helper()
		size := r.BytesSent + r.BytesReceived
		t.Logf("%s: %d bytes in %d messages, %.0f ms", what, size, r.Messages, r.Seconds*1000)
		if size > most || r.MendedHere != here || r.MendedThere != there || r.FalseAlarms+r.Clashes+r.Hollow != 0 {
			t.Errorf("%s: %+v", what, r)
		}
	}
	first, last := "item 0000000", fmt.Sprintf("item %07d", *repairItems-1)
	check("equal tables", 1<<10, 0, 0, p.repair(t, 0))
	p.lose(t, 0, first)
	check("one difference here", 4<<10, 1, 0, p.repair(t, 0, "--table", "things", "--peer", "us-east-1"))
	p.lose(t, 1, last)
	check("one difference there", 4<<10, 0, 1, p.repair(t, 0))
	p.lose(t, 1, last)
	check("asked from there", 4<<10, 1, 0, p.repair(t, 1))
	check("equal again", 1<<10, 0, 0, p.repair(t, 1, "--scrub"))
	for i, e := range p.at {
		for _, pk := range []string{first, last} {
			if got := call(t, e, "GetItem", `{"TableName":"things","Key":{"pk":{"S":"`+pk+`"}}}`); !strings.Contains(got, pk) {
				t.Errorf("%q in region %d: %s", pk, i, got)
			}
		}
	}
	_, page := getPage(t, p.at[0].Admin+"/metrics")
	for _, line := range []string{
		`meridian_repair_mended_total{peer="us-east-1",region="eu-west-1",where="here"} 1`,
		`meridian_repair_mended_total{peer="us-east-1",region="eu-west-1",where="there"} 1`,
		`meridian_repair_differences_total{kind="false alarm",peer="us-east-1",region="eu-west-1"} 0`,
		`meridian_repair_wrong_cells_total{region="eu-west-1"} 0`,
	} {
		if !strings.Contains(page, line) {
			t.Errorf("/metrics has no %s", line)
		}
	}
}

// TestRepairOfABusyPair compares two regions that write to each other all the time: nothing is mended, as nothing is missing.
//
//	go test ./cmd/meridian -run TestRepairOfABusyPair -v -repair.busy=30s
func TestRepairOfABusyPair(t *testing.T) {
	p := startPair(t)
	var stop atomic.Bool
	var writes atomic.Int64
	var writing sync.WaitGroup
	for i := range p.nodes {
		tab := p.table(t, i)
		for w := range 32 {
			writing.Go(func() {
				for i := 0; !stop.Load(); i++ {
					pk := item.Field{Name: "pk", Value: item.Str(fmt.Sprintf("k%d/%d", w, i%300))}
					write := table.Write{Op: table.Put, Item: item.NewItem([]item.Field{{Name: "n", Value: item.Str(fmt.Sprint(i))}, pk})}
					if i%7 == 0 {
						write = table.Write{Op: table.Delete, Key: item.Key{Hash: []item.Value{pk.Value}}}
					}
					if _, err := tab.Write(t.Context(), write); err != nil {
						t.Error(err)
						return
					}
					writes.Add(1)
				}
			})
		}
	}
	var sum replication.RepairReport
	rounds := 0
	began := time.Now()
	for ; time.Since(began) < *repairBusy || rounds < 3; rounds++ {
		r := p.repair(t, rounds%2)
		sum.Differences, sum.InFlight = sum.Differences+r.Differences, sum.InFlight+r.InFlight
		sum.BytesSent += r.BytesSent + r.BytesReceived
		if r.MendedHere+r.MendedThere+r.FalseAlarms+r.Clashes+r.Hollow > 0 || r.Differences != r.InFlight {
			t.Errorf("round %d of a healthy pair: %+v", rounds, r)
		}
	}
	took := time.Since(began)
	stop.Store(true)
	writing.Wait()
	t.Logf("%.0f writes a second; %d rounds, %d differences in flight, %d bytes a round, %.0f a second",
		float64(writes.Load())/took.Seconds(), rounds, sum.InFlight, sum.BytesSent/max(1, rounds), float64(sum.BytesSent)/took.Seconds())
}

// TestTrimmedLogIsMadeUpForByRepair: a log that no longer reaches back is made up for in both directions (DESIGN section 5).
func TestTrimmedLogIsMadeUpForByRepair(t *testing.T) {
	p := startPair(t)
	p.fill(t, 3000)
	p.lose(t, 0, "item 0000007")
	p.lose(t, 1, "item 0002000")
	p.nodes[0].region.Trimmed(p.nodes[1].region.Origin())
	if s := p.nodes[0].Status(); len(s.Alarms) != 1 || !strings.Contains(s.Alarms[0], "it repairs its tables from us-east-1") {
		t.Errorf("alarms: %q", s.Alarms)
	}
	await(t, "the region to have caught up", func() string { return strings.Join(p.nodes[0].Status().Alarms, "; ") })
	for i, e := range p.at {
		for _, pk := range []string{"item 0000007", "item 0002000"} {
			if got := call(t, e, "GetItem", `{"TableName":"things","Key":{"pk":{"S":"`+pk+`"}}}`); !strings.Contains(got, pk) {
				t.Errorf("%q in region %d: %s", pk, i, got)
			}
		}
	}
	call(t, p.at[1], "PutItem", `{"TableName":"things","Item":{"pk":{"S":"after"}}}`)
	await(t, "the link to go on", func() string {
		if got := call(t, p.at[0], "GetItem", `{"TableName":"things","Key":{"pk":{"S":"after"}}}`); !strings.Contains(got, "after") {
			return got
		}
		return ""
	})
}

// TestWrongTreeIsScrubbed: a disk that spoils a hash tree moves no item; whoever has the tree mends it.
func TestWrongTreeIsScrubbed(t *testing.T) {
	p := startPair(t)
	p.fill(t, 500)
	n := p.nodes[1]
	tx, err := n.store.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	cell := append(storage.AppendTable(nil, storage.KindHashCell, p.id), 0, 0x12, 0x34)
	if err := tx.Merge(cell, bytes.Repeat([]byte{7}, 16)); err != nil {
		t.Fatal(err)
	}
	durable, err := tx.Commit(nil)
	if err == nil {
		err = durable.Wait()
	}
	if err != nil {
		t.Fatal(err)
	}
	if r := p.repair(t, 0); r.Hollow != 1 || r.Differences+r.MendedHere+r.MendedThere != 0 {
		t.Errorf("%+v", r)
	}
	await(t, "the tree to be mended", func() string { return strings.Join(missingAlarm(n, "1 cells of its hash trees were wrong"), "") })
	if r := p.repair(t, 0); r.Hollow+r.Differences != 0 {
		t.Errorf("afterwards %+v", r)
	}
}

// missingAlarm is what a node alarms of if it is not text.
func missingAlarm(n *node, text string) []string {
	alarms := n.Status().Alarms
	if slices.ContainsFunc(alarms, func(a string) bool { return strings.Contains(a, text) }) {
		return nil
	}
	return append(alarms, "not "+text)
}

// TestWhatAGoneRegionLeft: what a region that is no more wrote to one survivor reaches the other.
func TestWhatAGoneRegionLeft(t *testing.T) {
	p := startPair(t)
	pk := item.Str("left behind")
	s := conflict.Write(conflict.LastWriterWins, conflict.State{}, conflict.Local{
		Op: conflict.Put, New: item.NewItem([]item.Field{{Name: "pk", Value: pk}}),
		Stamp: crdt.Stamp{Time: crdt.TimeFromMillis(time.Now().UnixMilli()), Origin: crdt.Origin{Region: "sa-east-1", Incarnation: 9}},
	})
	_, err := p.nodes[0].region.Mend(t.Context(), "test", p.id, 0, [][]byte{item.Key{Hash: []item.Value{pk}}.Append(nil)}, [][]byte{s.Append(nil)})
	if err != nil {
		t.Fatal(err)
	}
	if r := p.repair(t, 1); r.MendedHere != 1 || r.FalseAlarms != 0 {
		t.Errorf("%+v", r)
	}
	if got := call(t, p.at[1], "GetItem", `{"TableName":"things","Key":{"pk":{"S":"left behind"}}}`); !strings.Contains(got, "left behind") {
		t.Errorf("the other survivor has %s", got)
	}
}

func TestRepairRefusals(t *testing.T) {
	p := startPair(t)
	for args, say := range map[string]string{
		"--peer ap-south-1":                 "no region ap-south-1 is known here",
		"--table nothing":                   "no table nothing is shared",
		"--table nothing --scrub":           "no table nothing is served here",
		"--table things --peer eu-west-1":   "eu-west-1",
		"--table things --peer us-east-1 x": "no arguments",
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"repair", "--admin", p.at[0].Admin}, strings.Fields(args)...), &out, &errs)
		if code == exitOK || !strings.Contains(errs.String(), say) {
			t.Errorf("%s: exit code %d, %s%s", args, code, out.Bytes(), errs.Bytes())
		}
	}
	if err := askRepair(t.Context(), p.at[0].Admin, url.Values{"scrub": {"perhaps"}}, nil); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("%v", err)
	}
	if code, _ := getPage(t, p.at[0].Admin+"/admin/repair"); code == 200 {
		t.Error("a GET repairs")
	}
}
