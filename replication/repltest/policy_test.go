package repltest

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
)

var policyRuns = flag.Int("policy.runs", 2, "how many runs TestPolicyChangesUnderLoad makes")

// TestPolicyChangesUnderLoad (issue 5, criterion 4): the conflict policy of a table is changed again and again, from any region,
// while clients write a few items everywhere, links break and power fails. Regions disagree about the policy all the while; in
// the end they hold the same items and the same feed, and no acknowledged write is gone in silence.
func TestPolicyChangesUnderLoad(t *testing.T) {
	trios(t, *policyRuns, attribute, changePolicies)
}

func changePolicies(w *world, tab *tableInfo) {
	cs := &clients{stop: make(chan struct{}), paused: map[*node]bool{}}
	for _, n := range w.nodes {
		for i := range 3 {
			name := fmt.Sprintf("%s/%d", n.name, i)
			c := &client{w: w, n: n, name: name, rnd: w.chance("client", name)}
			cs.work.Go(func() { c.edit(cs.stop, tab) })
		}
	}
	f := &faults{w: w, clients: cs, stop: make(chan struct{}), tables: make(chan struct{}, 1)}
	f.every(w.chance("links"), f.badLink)
	f.every(w.chance("more links"), f.badLink)
	f.every(w.chance("power"), f.powerCut)
	changed := 0
	tab.mixed.Store(true)
	var changing sync.WaitGroup
	changing.Go(func() { changed = w.turnPolicies(tab, f.stop) })
	time.Sleep(6 * time.Second)
	f.end()
	changing.Wait()
	time.Sleep(2 * time.Second)
	cs.end()
	if w.settle(); w.failed() {
		return
	}
	if changed == 0 {
		w.fail("the policy was never changed")
	}
	w.judge(nil)
	w.eventually("all feeds are the same", feedPatience, func() string { return w.sameFeeds(tab) })
	for _, n := range w.nodes {
		list, notes := n.at().conflicts(tab), n.at().notes(tab.id)
		w.say("%s lists %d conflicts of %d notes; the policy was changed %d times", n.name, len(list), len(notes), changed)
	}
}

// edit writes until stop: whole items, some attributes, additions.
func (c *client) edit(stop chan struct{}, t *tableInfo) {
	for {
		pause(c.rnd, 100*time.Millisecond)
		select {
		case <-stop:
			return
		default:
		}
		l := c.n.at()
		if l == nil {
			continue
		}
		c.op++
		ctx, cancel := context.WithTimeout(context.Background(), clientPatience)
		if c.rnd.IntN(3) > 0 {
			c.one(ctx, l)
		} else if tab, err := l.region.Table(t.name); err == nil {
			_, err = tab.Write(ctx, c.mixed(fmt.Sprint("mixed", c.rnd.IntN(2))))
			c.failed(l, err)
		}
		cancel()
	}
}

// mixed makes a write of an item that all kinds of writes meet at, additions too. The judge compares what becomes of it only.
func (c *client) mixed(k string) table.Write {
	mark, n := c.mark(0), c.rnd.IntN(10)
	switch n {
	case 0:
		return table.Write{Op: table.Put, Item: thing(k, mark, n)}
	case 1:
		return table.Write{Op: table.Delete, Key: key(k)}
	case 2, 3, 4:
		return table.Write{Op: table.Update, Key: key(k), Update: update("SET w = :w", values{":w": item.Str(mark)})}
	}
	return table.Write{Op: table.Update, Key: key(k), Update: update("ADD n :x", values{":x": item.NumVal(item.NumFromInt(int64(n)))})}
}

// turnPolicies changes the policy at random times from random regions, and says how often it could.
func (w *world) turnPolicies(t *tableInfo, stop chan struct{}) (changed int) {
	rnd := w.chance("policies")
	for {
		pause(rnd, 800*time.Millisecond)
		select {
		case <-stop:
			return changed
		default:
		}
		policy, n := []string{lastWriter, attribute, counting}[rnd.IntN(3)], w.of(rnd)
		l := n.at()
		if l == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		err := l.region.SetTags(ctx, t.name, map[string]string{catalog.PolicyTag: policy}, nil)
		cancel()
		if err == nil {
			changed++
		}
		w.say("%s makes the policy %s: %v", n.name, policy, err)
	}
}
