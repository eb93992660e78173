package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/replication"
	"github.com/meridiandb/meridian/trigger"
)

// cmdStatus is the command by which one region asks another for its status, over the link they have.
const cmdStatus = "node.status"

// peerPatience is how long a page waits for regions that do not answer.
const peerPatience = 3 * time.Second

// node is the admin pages' Source.
var _ admin.Source = (*node)(nil)

// Status describes this region.
func (n *node) Status() admin.Status {
	rs := n.region.Stats()
	s := admin.Status{
		Region: n.config.Region, Origin: n.region.Origin().String(), Version: admin.Version(),
		Started: n.started.UTC().Truncate(time.Millisecond), UptimeSeconds: time.Since(n.started).Seconds(),
		Endpoints: n.config.endpoints(),
		Log:       admin.Log{First: uint64(rs.LogFirst), Durable: uint64(rs.LogDurable), Last: uint64(rs.LogLast), Bytes: rs.LogBytes},
		DiskBytes: rs.DiskBytes, Clock: rs.Clock.Millis(),
		Commits: rs.Commits, Applied: rs.Applied, Conflicts: rs.Conflicts,
		Expired: rs.Expired, OverdueSeconds: map[string]float64{},
		Tables: []admin.Table{}, Peers: []admin.Peer{},
	}
	if err := n.Ready(); err != nil {
		s.NotReady = oneLine(err)
	} else {
		s.Ready = true
	}
	for table, d := range rs.Overdue {
		s.OverdueSeconds[table] = d.Seconds()
	}
	for _, t := range rs.Tables {
		s.Tables = append(s.Tables, tableStatus(t))
	}
	for _, p := range n.replication.Peers() {
		s.Peers = append(s.Peers, peerStatus(p))
	}
	s.ConflictCounts, s.ConflictsDropped = conflictCounts(n.region)
	s.ClockAheadSeconds, s.Alarms = rs.Standing.Ahead.Seconds(), n.alarms(rs)
	return s
}

// alarms says what an operator should see to.
func (n *node) alarms(rs region.Stats) []string {
	var out []string
	if err := n.replication.Alarm(); err != nil {
		out = append(out, err.Error())
	}
	switch c := rs.Standing; {
	case c.Refuse:
		out = append(out, fmt.Sprintf("its clock is %v ahead of the other regions': client writes are refused", c.Ahead.Round(time.Millisecond)))
	case c.Alarm:
		out = append(out, fmt.Sprintf("its clock is %v behind the other regions'", c.Behind.Round(time.Millisecond)))
	}
	switch {
	case rs.Ended:
		out = append(out, "it was expelled, or replaced, while it was dead: it refuses writes until another replica of each of its tables answers, and begins anew then")
	case rs.Aside:
		out = append(out, "it was expelled once and has set aside what nobody else had: see meridian aside, and discard it")
	}
	out = append(out, n.replication.RepairAlarms()...)
	return append(out, inboundAlarms(rs)...)
}

// inboundAlarms says of which regions something is missing here that does not come by itself.
func inboundAlarms(rs region.Stats) (out []string) {
	for _, origin := range slices.Sorted(maps.Keys(rs.Held)) {
		out = append(out, fmt.Sprintf("it takes nothing from %s, whose clock is %v ahead", origin, rs.Held[origin].Round(time.Millisecond)))
	}
	for _, origin := range rs.Behind {
		out = append(out, fmt.Sprintf("it repairs its tables from %s, whose log no longer reaches back: what it lacks of it, transactions among it, may show in parts until then", origin))
	}
	for _, origin := range rs.Partial {
		if !slices.Contains(rs.Behind, origin) {
			out = append(out, fmt.Sprintf("transactions of %s may show in parts: not all tables have as much of it as their items show", origin))
		}
	}
	return out
}

func tableStatus(t region.TableStatus) admin.Table {
	out := admin.Table{
		Name: t.Name, ID: t.ID, Status: t.Status, Keeper: t.Keeper, Ready: t.Ready, Items: t.Items, Bytes: t.Bytes,
		Usage:   admin.Usage{ReadUnits: t.Usage.Read, WriteUnits: t.Usage.Write, Throttled: t.Usage.Throttled},
		Members: []admin.Member{},
	}
	for _, m := range t.Members {
		out.Members = append(out.Members, admin.Member{Region: m.Region, State: string(m.State)})
	}
	return out
}

func peerStatus(p replication.PeerStatus) admin.Peer {
	return admin.Peer{
		Region: p.Region, Origin: p.Origin.String(), State: p.State, Connected: p.Connected,
		Sending: lagOf(p.Outbound), Receiving: lagOf(p.Inbound),
		BytesSent: p.BytesSent, BytesReceived: p.BytesReceived,
		ClockOffsetMs: float64(p.ClockOffset) / float64(time.Millisecond),
		RoundTripMs:   float64(p.RoundTrip) / float64(time.Millisecond),
		DistanceMs:    float64(p.Distance) / float64(time.Millisecond), Error: p.Error,
	}
}

func lagOf(l replication.Lag) admin.Lag {
	return admin.Lag{Seconds: l.Seconds, Commits: l.Commits, Bytes: l.Bytes}
}

// Ready says why the region does not serve; nil if it does.
func (n *node) Ready() error {
	if err := n.region.Err(); err != nil {
		return err
	}
	if !n.serving.Load() {
		return errors.New("starting or stopping")
	}
	return nil
}

// Fleet asks all peers at the same time for their status.
func (n *node) Fleet(ctx context.Context) admin.Fleet {
	ctx, cancel := context.WithTimeout(ctx, peerPatience)
	defer cancel()
	own := n.Status()
	regions := make([]admin.Status, 1+len(own.Peers))
	regions[0] = own
	var asking sync.WaitGroup
	for i, p := range own.Peers {
		asking.Go(func() { regions[1+i] = n.askStatus(ctx, p.Region) })
	}
	asking.Wait()
	slices.SortFunc(regions, func(a, b admin.Status) int { return cmp.Compare(a.Region, b.Region) })
	return admin.Fleet{From: n.config.Region, Regions: regions}
}

func (n *node) askStatus(ctx context.Context, peer string) admin.Status {
	var s admin.Status
	b, err := n.replication.Call(ctx, peer, cmdStatus, nil)
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err == nil && s.Region != peer {
		err = fmt.Errorf("region %q answered in its place", s.Region)
	}
	if err != nil {
		return admin.Status{Region: peer, Unreachable: oneLine(err)}
	}
	return s
}

// Item reads what is stored under a key.
func (n *node) Item(ctx context.Context, table string, key item.Item) (admin.ItemState, error) {
	s, err := n.region.ItemState(ctx, table, key)
	return admin.ItemState(s), err
}

// commands carries out what other regions ask of this one: its status here, triggers there, tables in region.
type commands struct{ node *node }

// Handle is replication.Handler's.
func (c commands) Handle(ctx context.Context, from, name string, payload []byte) ([]byte, error) {
	switch name {
	case trigger.Command:
		return c.node.handleTrigger(ctx, from, name, payload)
	case cmdStatus:
	default:
		return c.node.region.Handle(ctx, from, name, payload)
	}
	select {
	case <-c.node.assembled: // a peer may ask while we are still being put together
		return json.Marshal(c.node.Status())
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

var _ replication.Handler = commands{}
