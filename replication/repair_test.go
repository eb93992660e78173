package replication_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication"
	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/replication/repltest/fakenet"
	"github.com/meridiandb/meridian/stream/record"
)

// copies is a Repairer with one table of items that are nothing but the stamp of their last write.
type copies struct {
	mu       sync.Mutex
	items    map[string]crdt.Stamp
	followed map[string]bool           // regions of which everything is held that was ever written
	have     map[crdt.Origin]crdt.Time // of origins that are gone
	raised   map[crdt.Origin]crdt.Time
	scrubs   int
	open     int
}

func (c *copies) RepairTables(peer string) map[record.TableID]string {
	return map[record.TableID]string{table(1): "things"}
}
func (c *copies) Floor(record.TableID) crdt.Time { return 0 }

func (c *copies) OpenCopy(_ context.Context, _ record.TableID, _ crdt.Time, live []crdt.Origin) (replication.RepairCopy, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open++
	held := map[crdt.Origin]crdt.Time{}
	for _, o := range live {
		held[o] = 0
		if c.followed[o.Region] {
			held[o] = crdt.TimeFromMillis(time.Now().UnixMilli())
		}
	}
	have := maps.Clone(held)
	maps.Copy(have, c.have)
	return &aCopy{c, maps.Clone(c.items), held, have}, nil
}

func (c *copies) Mend(_ context.Context, _ string, _ record.TableID, _ crdt.Time, keys, states [][]byte) (news int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range keys {
		s, err := crdt.ParseStamp(string(states[i]))
		if err != nil {
			return news, err
		}
		if c.items[string(keys[i])].Less(s) {
			c.items[string(keys[i])] = s
			news++
		}
	}
	return news, nil
}

func (c *copies) Scrub(context.Context, record.TableID) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scrubs++
	return 3, nil
}

// hold says up to when everything of origins that are gone is held.
func (c *copies) hold(have map[crdt.Origin]crdt.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.have = have
}

func (c *copies) put(key string, s crdt.Stamp) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.items[key] = s
}

func (c *copies) has(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.items[key]
	return ok
}

func (c *copies) closed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open == 0
}

type aCopy struct {
	of    *copies
	items map[string]crdt.Stamp
	held  map[crdt.Origin]crdt.Time
	have  map[crdt.Origin]crdt.Time
}

func (c *aCopy) Have() map[crdt.Origin]crdt.Time { return c.have }
func (c *aCopy) Through() crdt.Time              { return 0 }
func (c *aCopy) Ended(_ string, up map[crdt.Origin]crdt.Time) error {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	for o, t := range up {
		if c.of.raised == nil {
			c.of.raised = map[crdt.Origin]crdt.Time{}
		}
		c.of.raised[o] = t
	}
	return nil
}

func pathOfKey(k string) (p [12]byte) {
	h := md5.Sum([]byte(k))
	copy(p[:], h[:])
	return p
}

func (c *aCopy) Look(path [12]byte, depth, _ int) (few bool, children [16][16]byte, paths [][12]byte, sums [][16]byte, err error) {
	keys := slices.SortedFunc(maps.Keys(c.items), func(a, b string) int {
		p, q := pathOfKey(a), pathOfKey(b)
		return cmp.Or(bytes.Compare(p[:], q[:]))
	})
	for _, k := range keys {
		p, sum := pathOfKey(k), md5.Sum([]byte(k+c.items[k].String()))
		nibble := func(i int) byte { return p[i/2] >> (4 * (1 - i%2)) & 15 }
		in := true
		for i := range depth {
			in = in && nibble(i) == path[i/2]>>(4*(1-i%2))&15
		}
		if !in {
			continue
		}
		if paths, sums = append(paths, p), append(sums, sum); depth < 24 {
			for i := range sum {
				children[nibble(depth)][i] ^= sum[i]
			}
		}
	}
	return depth >= 4, children, paths, sums, nil
}

func (c *aCopy) find(p [12]byte) (string, crdt.Stamp, bool) {
	for k, s := range c.items {
		if pathOfKey(k) == p {
			return k, s, true
		}
	}
	return "", crdt.Stamp{}, false
}

func (c *aCopy) Context(p [12]byte) (crdt.Context, bool, bool, error) {
	_, s, ok := c.find(p)
	return crdt.NewContext(0, s), ok, ok, nil
}

func (c *aCopy) State(p [12]byte) ([]byte, []byte, error) {
	if k, s, ok := c.find(p); ok {
		return []byte(k), []byte(s.String()), nil
	}
	return nil, nil, nil
}

func (c *aCopy) Held() map[crdt.Origin]crdt.Time { return c.held }
func (c *aCopy) Floor() crdt.Time                { return 0 }
func (c *aCopy) Position() record.Seq            { return 7 }

func (c *aCopy) Close() error {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.open--
	return nil
}

// withCopies starts the regions of a sim again with tables to compare; each holds everything of all.
func withCopies(s *sim) {
	names := slices.Sorted(maps.Keys(s.nodes))
	for _, name := range names {
		c := &copies{items: map[string]crdt.Stamp{}, followed: map[string]bool{}}
		for _, o := range names {
			c.followed[o] = true
		}
		for i := range 40 {
			c.put(strings.Repeat("k", i+1), crdt.Stamp{Time: 1, Origin: s.nodes[names[0]].origin})
		}
		s.kill(name)
		s.nodes[name].copies = c
		s.start(name)
	}
	s.within(10*time.Second, "all connected", s.calm)
}

// TestRepairByItself: what one region lacks is there after a minute or so, whoever lacks it, and every copy is closed.
func TestRepairByItself(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSim(t, 1, fakenet.Path{Delay: 40 * time.Millisecond}, link.Config{}, "a", "b", "c")
		defer s.close()
		withCopies(s)
		a, b, c := s.nodes["a"], s.nodes["b"], s.nodes["c"]
		s0 := crdt.Stamp{Time: 2, Origin: b.origin}
		a.copies.put("only a", s0)
		c.copies.put("only c", s0)
		s.within(3*time.Minute, "everybody has both", func() bool {
			return b.copies.has("only a") && c.copies.has("only a") && a.copies.has("only c") && b.copies.has("only c")
		})
		time.Sleep(time.Minute)
		s.within(time.Minute, "copies are closed", func() bool { return a.copies.closed() && b.copies.closed() && c.copies.closed() })
		var last replication.RepairReport
		for _, n := range []*node{a, b, c} {
			err := n.r.Repair(t.Context(), replication.RepairRequest{}, func(r replication.RepairReport) {
				if last = r; r.Differences != 0 || !r.Done {
					t.Errorf("%+v", r)
				}
			})
			if err != nil || last.Table != "things" {
				t.Errorf("%+v %v", last, err)
			}
		}
	})
}

// TestWhatAGoneRegionWroteIsPassedOn: while a region lives, what it wrote comes from itself; when it is gone, from whoever has it.
func TestWhatAGoneRegionWroteIsPassedOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSim(t, 2, fakenet.Path{Delay: 40 * time.Millisecond}, link.Config{}, "a", "b", "c")
		defer s.close()
		withCopies(s)
		a, b := s.nodes["a"], s.nodes["b"]
		for _, n := range []*node{a, b} {
			n.copies.mu.Lock()
			n.copies.followed["c"] = false // b is behind in c's log, and a cannot be sure either
			n.copies.mu.Unlock()
		}
		a.copies.put("from c", crdt.Stamp{Time: 2, Origin: s.nodes["c"].origin})
		time.Sleep(5 * time.Minute)
		if b.copies.has("from c") {
			t.Fatal("what is on its way was mended")
		}
		s.kill("c")
		time.Sleep(20 * time.Second)
		if b.copies.has("from c") {
			t.Fatal("what may still come was mended")
		}
		s.within(3*time.Minute, "the other survivor has it", func() bool { return b.copies.has("from c") })
	})
}

// TestRepairWithoutAnAnswer: a line that is cut in the middle of a round costs that round.
func TestRepairWithoutAnAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSim(t, 3, fakenet.Path{Delay: 40 * time.Millisecond}, link.Config{}, "a", "b")
		defer s.close()
		withCopies(s)
		a, b := s.nodes["a"], s.nodes["b"]
		b.copies.put("only b", crdt.Stamp{Time: 2, Origin: a.origin})
		time.AfterFunc(200*time.Millisecond, func() { s.net.Cut("a", "b", true) })
		failed := ""
		if err := a.r.Repair(t.Context(), replication.RepairRequest{}, func(r replication.RepairReport) { failed = r.Error }); err != nil || failed == "" {
			t.Errorf("a round over a cut line: %q %v", failed, err)
		}
		if err := a.r.Repair(t.Context(), replication.RepairRequest{Peer: "b"}, nil); err == nil || !strings.Contains(err.Error(), "b cannot be reached") {
			t.Errorf("%v", err)
		}
		s.within(10*time.Second, "copies are closed", func() bool { return a.copies.closed() && b.copies.closed() })
		s.net.Cut("a", "b", false)
		s.within(5*time.Minute, "mended after all", func() bool { return a.copies.has("only b") })
		n := 0
		if err := a.r.Repair(t.Context(), replication.RepairRequest{Scrub: true, Table: "things"}, func(r replication.RepairReport) { n += r.CellsMended }); err != nil || n != 3 {
			t.Errorf("%d cells, %v", n, err)
		}
		if alarms := a.r.RepairAlarms(); len(alarms) != 1 || !strings.Contains(alarms[0], "3 cells") {
			t.Errorf("%q", alarms)
		}
	})
}

// TestRepairSaysWhatIsHeld: after a round both sides know that they hold of an origin that is gone what the other held.
func TestRepairSaysWhatIsHeld(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSim(t, 1, fakenet.Path{Delay: 40 * time.Millisecond}, link.Config{}, "a", "b")
		defer s.close()
		withCopies(s)
		a, b := s.nodes["a"], s.nodes["b"]
		x, y := crdt.Origin{Region: "x", Incarnation: 1}, crdt.Origin{Region: "y", Incarnation: 1}
		a.copies.hold(map[crdt.Origin]crdt.Time{x: 5, y: 9})
		b.copies.hold(map[crdt.Origin]crdt.Time{x: 7})
		raised := func(c *copies) map[crdt.Origin]crdt.Time {
			c.mu.Lock()
			defer c.mu.Unlock()
			return maps.Clone(c.raised)
		}
		s.within(3*time.Minute, "both know", func() bool {
			return maps.Equal(raised(a.copies), map[crdt.Origin]crdt.Time{x: 7}) && maps.Equal(raised(b.copies), map[crdt.Origin]crdt.Time{y: 9})
		})
	})
}
