package repltest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
)

// faults is what happens to a world for a while. Each kind has its own goroutine and its own chance.
type faults struct {
	w       *world
	clients *clients
	stop    chan struct{}
	work    sync.WaitGroup
	tables  chan struct{} // size 1: whoever changes tables, or takes a region away for good
}

func (w *world) startFaults(cs *clients) *faults {
	f := &faults{w: w, clients: cs, stop: make(chan struct{}), tables: make(chan struct{}, 1)}
	does := map[string]func(*rand.Rand){
		"links": f.badLink, "more links": f.badLink, "power": f.powerCut, "more power": f.powerCut, "process": f.restart,
		"clock": f.badClock, "disk": f.badDisk, "policy": f.changePolicy,
		"horizon": f.horizon, "tables": f.changeTables, "rebuild": f.rebuild, "expel": f.expel,
	}
	for _, kind := range w.kinds() {
		f.every(w.chance("fault", kind), does[kind])
	}
	return f
}

// kinds are those of a world's faults.
func (w *world) kinds() (all []string) {
	rnd := w.chance("kinds")
	for _, k := range []struct {
		name    string
		percent int
	}{
		{"links", 80}, {"more links", 50}, {"power", 80}, {"more power", 40}, {"process", 50}, {"clock", 30}, {"disk", 30},
		{"policy", 50}, {"horizon", 15}, {"tables", 60}, {"rebuild", 25}, {"expel", 10},
	} {
		if rnd.IntN(100) < k.percent {
			all = append(all, k.name)
		}
	}
	return all
}

// quiet lets the tables come to rest before anything goes wrong, in worlds in which they stay as they are: then cursors never go back.
func (w *world) quiet() {
	if slices.ContainsFunc(w.kinds(), func(k string) bool { return k == "horizon" || k == "tables" || k == "rebuild" || k == "expel" }) {
		return
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end) && !w.steady.Load(); time.Sleep(100 * time.Millisecond) {
		w.steady.Store(w.unsettled() == "")
	}
}

// every does one fault after the other.
func (f *faults) every(rnd *rand.Rand, fn func(*rand.Rand)) {
	f.work.Go(func() {
		for f.rest(rnd, 3*time.Second) {
			fn(rnd)
		}
	})
}

// rest waits for a random time below d; false if no more faults are wanted.
func (f *faults) rest(rnd *rand.Rand, d time.Duration) bool {
	t := time.NewTimer(time.Duration(rnd.Int64N(int64(d))))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-f.stop:
		return false
	}
}

func (f *faults) end() { close(f.stop); f.work.Wait() }

// of draws a node.
func (w *world) of(rnd *rand.Rand) *node { return w.nodes[rnd.IntN(len(w.nodes))] }

// badLink breaks a link or several for a while.
func (f *faults) badLink(rnd *rand.Rand) {
	w := f.w
	a, b := w.of(rnd), w.of(rnd)
	if a == b {
		return
	}
	p := w.usual()
	both, what := true, ""
	switch rnd.IntN(6) {
	case 0:
		p.Cut, what = true, "cut"
	case 1:
		p.Cut, both, what = true, false, "cut one way"
	case 2:
		p.Lost, p.Repeated, p.Overtaken, what = 30, 30, 30, "lossy"
	case 3:
		p.Delay, p.Jitter, what = 300*time.Millisecond, 200*time.Millisecond, "slow"
	case 4:
		f.isolate(a, true)
		f.rest(rnd, 12*time.Second)
		f.isolate(a, false)
		return
	case 5:
		p.Repeated, p.Overtaken, both, what = 0, 100, false, "disorderly"
	}
	w.say("link %s to %s is %s", a.name, b.name, what)
	w.net.Set(a.name, b.name, p)
	if both {
		w.net.Set(b.name, a.name, p)
	}
	f.rest(rnd, 8*time.Second)
	f.mend(a, b)
	w.say("link %s to %s is well", a.name, b.name)
}

func (f *faults) mend(a, b *node) {
	f.w.net.Set(a.name, b.name, f.w.usual())
	f.w.net.Set(b.name, a.name, f.w.usual())
}

// take has a node's lives for oneself; false if somebody else has them.
func (n *node) take() bool {
	select {
	case n.busy <- struct{}{}:
		return true
	default:
		return false
	}
}

func (n *node) give() { <-n.busy }

// powerCut takes a region's power at one of its next syncs, and gives it back later.
func (f *faults) powerCut(rnd *rand.Rand) {
	n, k, away := f.w.of(rnd), 1+rnd.IntN(30), 3*time.Second
	if rnd.IntN(4) == 0 {
		away = 15 * time.Second
	}
	if !n.take() {
		return
	}
	defer n.give()
	l := n.at()
	if l == nil { // it did not start, which has been told
		return
	}
	l.disk.arm(k)
	select {
	case <-l.died:
	case <-time.After(5 * time.Second):
		l.losePower()
	}
	f.w.say("%s loses power at its sync %d", n.name, l.disk.count())
	l.end()
	f.rest(rnd, away)
	n.start()
}

// restart stops a region in good order.
func (f *faults) restart(rnd *rand.Rand) {
	n := f.w.of(rnd)
	if !n.take() {
		return
	}
	defer n.give()
	l := n.at()
	if l == nil {
		return
	}
	f.w.say("%s stops", n.name)
	l.end()
	f.rest(rnd, 2*time.Second)
	n.start()
}

const day = 24 * time.Hour

// aDayPasses sets all clocks forward by a day, while nobody lives: a region that was a day ahead is held until then.
func (w *world) aDayPasses() {
	w.say("everything is off for a day")
	for _, n := range w.nodes {
		n.busy <- struct{}{}
		if l := n.at(); l != nil {
			l.end()
		}
	}
	w.age.Store(int64(day))
	for _, n := range w.nodes {
		n.start()
		<-n.busy
	}
}

// badDisk fills a region's disk for a while, or breaks it: the region must stop, say why, and start again from what is left.
func (f *faults) badDisk(rnd *rand.Rand) {
	n, full, ill := f.w.of(rnd), rnd.IntN(2) == 0, illnesses[rnd.IntN(len(illnesses))]
	ill.after, ill.once = rnd.IntN(40), rnd.IntN(2) == 0
	lost := rnd.IntN(2) == 0
	if !n.take() {
		return
	}
	defer n.give()
	l := n.at()
	if l == nil {
		return
	}
	if full || raceDetector { // breaking hangs under the race detector now and then, see package pebblestore
		f.w.say("%s has a full disk", n.name)
		l.wasFull.Store(true)
		l.disk.fill(true)
		f.rest(rnd, 4*time.Second)
		l.disk.fill(false)
		f.w.say("%s has room again", n.name)
		return
	}
	l.disk.sicken(ill)
	select {
	case <-l.region.Failed():
	case <-time.After(5 * time.Second):
	}
	if broken, _ := l.disk.failing(); !broken { // nobody wrote
		l.disk.sicken(illness{})
		return
	}
	time.Sleep(time.Millisecond)
	err := l.region.Err()
	f.w.say("%s has a broken disk: %v", n.name, err)
	if !errors.Is(err, storage.ErrFailed) || !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), ".log") {
		f.w.fail("%s has a broken disk and says: %v", n.name, err)
	}
	if lost {
		l.losePower()
	}
	l.disk.sicken(illness{})
	l.end()
	f.rest(rnd, 2*time.Second)
	n.start()
}

// changePolicy has a table's policy changed, in one region first.
func (f *faults) changePolicy(rnd *rand.Rand) {
	w := f.w
	n, policy := w.of(rnd), []string{lastWriter, attribute, counting}[rnd.IntN(3)]
	t := w.pick(rnd)
	l := n.at()
	if l == nil || t == w.counter() {
		return
	}
	if policy != t.policy {
		t.mixed.Store(true)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	err := l.region.SetTags(ctx, t.name, map[string]string{catalog.PolicyTag: policy}, nil)
	w.say("%s makes %s %s: %v", n.name, t.name, policy, err)
}

// horizon cuts a region off, and lets the others' logs end behind what it has read, or its own behind what they have.
func (f *faults) horizon(rnd *rand.Rand) {
	n := f.w.of(rnd)
	f.tables <- struct{}{}
	defer func() { <-f.tables }()
	f.w.trimmed.Store(true)
	f.isolate(n, true)
	f.rest(rnd, 6*time.Second)
	for _, o := range f.w.nodes {
		if l := o.at(); l != nil {
			end, _ := l.region.End()
			o.horizon.Store(uint64(end))
			f.w.say("the log of %s is cut off at %v", o.name, end)
		}
	}
	f.rest(rnd, time.Second)
	f.isolate(n, false)
}

// isolate cuts a region off, or mends what links it.
func (f *faults) isolate(n *node, alone bool) {
	f.w.say("%s is alone: %v", n.name, alone)
	p := f.w.usual()
	p.Cut = alone
	for _, o := range f.w.nodes {
		if o != n {
			f.w.net.Set(n.name, o.name, p)
			f.w.net.Set(o.name, n.name, p)
		}
	}
}

// badClock starts a region with a wrong clock, and puts it right later. One at a time: a majority is right.
func (f *faults) badClock(rnd *rand.Rand) {
	n := f.w.nodes[0] // always the same: a clock that was ahead once takes its region's hybrid time along
	if !n.take() {
		return
	}
	defer n.give()
	c := clock{skew: []time.Duration{12 * time.Second, 2 * time.Second, -24 * time.Hour, -5 * time.Second, 0, day}[rnd.IntN(6)]}
	if c.skew == day {
		f.w.ahead.Store(true)
	}
	c.drift = []float64{0, 0.05, -0.05}[rnd.IntN(3)]
	f.w.say("%s starts with its clock wrong by %v, and more by %v of each second", n.name, c.skew, c.drift)
	if l := n.at(); l != nil {
		l.end()
	}
	n.setClock(c)
	n.start()
	f.rest(rnd, 10*time.Second)
	f.w.say("%s starts with a good clock", n.name)
	if l := n.at(); l != nil {
		l.end()
	}
	n.setClock(clock{})
	n.start()
}

// changeTables adds a table, or changes the replicas or indexes of one.
func (f *faults) changeTables(rnd *rand.Rand) {
	f.tables <- struct{}{}
	defer func() { <-f.tables }()
	w := f.w
	n, other, kind := w.of(rnd), w.of(rnd), rnd.IntN(10)
	w.mu.Lock()
	t := w.tables[rnd.IntN(len(w.tables))]
	many := len(w.tables)
	w.mu.Unlock()
	l := n.at()
	if l == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	v, err := l.region.DescribeTable(t.name)
	if err != nil {
		return
	}
	switch {
	case kind == 0 && many < 6:
		if err := w.create(n, w.newName(many), []string{lastWriter, attribute, counting}[rnd.IntN(3)], other); err != nil {
			w.say("no new table at %s: %v", n.name, err)
		}
	case kind < 5:
		if third := w.of(rnd); rnd.IntN(2) == 0 && third != n && third != other { // what it wrote comes by the copy first
			slow := w.usual()
			slow.Delay = 300 * time.Millisecond
			w.say("link %s to %s is slow", third.name, other.name)
			w.net.Set(third.name, other.name, slow)
			defer f.mend(third, other)
			defer f.rest(rnd, 2*time.Second)
		}
		_, err := l.region.UpdateTable(ctx, t.name, catalog.Change{CreateReplica: other.name})
		w.say("%s adds %s to %s: %v", n.name, other.name, t.name, err)
	case kind < 8:
		active := 0
		for _, m := range v.Members {
			if m.State == catalog.MemberActive && m.Region != other.name {
				active++
			}
		}
		if active < 2 {
			return
		}
		w.left.Store(true)
		_, err := l.region.UpdateTable(ctx, t.name, catalog.Change{DeleteReplica: other.name})
		w.say("%s removes %s from %s: %v", n.name, other.name, t.name, err)
	case len(v.Indexes) > 0:
		_, err := l.region.UpdateTable(ctx, t.name, catalog.Change{DeleteIndex: v.Indexes[0].Name})
		w.say("%s removes the index of %s: %v", n.name, t.name, err)
	default:
		ix := spec("", "").Indexes[0]
		_, err := l.region.UpdateTable(ctx, t.name, catalog.Change{
			CreateIndex: &ix, Attributes: []catalog.AttributeChange{{Name: "g", Kind: "S"}},
		})
		w.say("%s makes an index of %s: %v", n.name, t.name, err)
	}
}

// newName is one that no table ever had in any region: one that was made and not shared keeps its name where it is, and clients
// there would take it for the next.
func (w *world) newName(n int) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := fmt.Sprint("table", n)
	for w.named[name] {
		name += "x"
	}
	if w.named == nil {
		w.named = map[string]bool{}
	}
	w.named[name] = true
	return name
}

// create makes a table at a node with replicas at others, and lets clients have it when it has one: deletes are remembered
// from then on.
func (w *world) create(n *node, name, policy string, others ...*node) error {
	l := n.at()
	if l == nil {
		return nil
	}
	v, err := l.region.CreateTable(context.Background(), spec(name, policy))
	if err != nil {
		return err
	}
	w.say("%s makes %s (%s)", n.name, name, policy)
	shared := false
	for _, o := range others {
		if o == n {
			continue
		}
		if err := l.share(name, o.name); err != nil {
			w.say("%s does not get a replica of %s: %v", o.name, name, err)
			continue
		}
		shared = true
	}
	if !l.alive() { // the table may be gone
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if shared {
		w.tables = append(w.tables, &tableInfo{name: name, id: v.ID, policy: policy})
	}
	return nil
}

// share adds a replica of a table, when the one before it is there.
func (l *life) share(name, to string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	for range 30 {
		if _, err = l.region.UpdateTable(ctx, name, catalog.Change{CreateReplica: to}); err == nil || fault.KindOf(err) != fault.InUse {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// drains waits until the others have all that a region has, whose clients are paused; false if that takes too long.
func (f *faults) drains(n *node) bool {
	time.Sleep(clientPatience + time.Second)
	for range 100 {
		time.Sleep(50 * time.Millisecond)
		if f.drained(n) {
			return true
		}
	}
	return false
}

// rebuild loses a region's disk. What only it has would be lost with it, so it happens only when the others have everything.
func (f *faults) rebuild(rnd *rand.Rand) {
	f.tables <- struct{}{}
	defer func() { <-f.tables }()
	n := f.w.of(rnd)
	if !n.take() {
		return
	}
	defer n.give()
	f.clients.pause(n, true)
	defer f.clients.pause(n, false)
	if !f.drains(n) {
		f.w.say("%s is not rebuilt: it alone has something", n.name)
		return
	}
	f.w.say("%s loses its disk", n.name)
	f.w.left.Store(true)
	f.w.history.reopened(n.at()) // its log is lost too, and not all of it need have been shipped: copies count as well
	n.at().end()
	n.mem = vfs.NewCrashableMem()
	n.horizon.Store(0)
	n.start()
}

// drained reports whether all others have everything that a region wrote, and no table is changing.
func (f *faults) drained(n *node) bool {
	l := n.at()
	if l == nil {
		return false
	}
	end, _ := l.region.End()
	if s := l.region.Stats(); end < s.LogLast {
		return false
	}
	names, _, _ := l.region.ListTables("", 100)
	for _, name := range names {
		v, err := l.region.DescribeTable(name)
		if err != nil || v.Status != "ACTIVE" || v.Replicas() < 2 {
			return false
		}
		for _, m := range v.Members {
			if m.State == catalog.MemberCreating || m.State == catalog.MemberDeleting {
				return false
			}
		}
	}
	for _, o := range f.w.nodes {
		if o == n {
			continue
		}
		x := o.at()
		if x == nil || x.region.Cursor(l.region.Origin()) < end {
			return false
		}
		for _, p := range x.links.Peers() {
			if p.Region == n.name && (!p.Connected || p.Inbound.Commits > 0) {
				return false
			}
		}
	}
	return true
}
