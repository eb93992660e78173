package repltest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/stream/record"
)

// tableInfo is a table that clients use.
type tableInfo struct {
	name   string
	id     record.TableID
	policy string
	mixed  atomic.Bool // its policy was changed
}

// plain reports whether all of a table's writes were last-writer-wins.
func (t *tableInfo) plain() bool { return t.policy == lastWriter && !t.mixed.Load() }

const (
	lastWriter = "last-writer-wins"
	attribute  = "attribute"
	counting   = "crdt"
)

func (w *world) allTables() map[record.TableID]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[record.TableID]bool{}
	for _, t := range w.tables {
		all[t.id] = true
	}
	return all
}

// pick draws a table.
func (w *world) pick(rnd *rand.Rand) *tableInfo {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tables[rnd.IntN(len(w.tables))]
}

// counter is the table of the counter; nil if there is none.
func (w *world) counter() *tableInfo {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.tables) < 2 {
		return nil
	}
	return w.tables[1]
}

func spec(name, policy string) catalog.Spec {
	pk, g := item.KeyAttr{Name: "k", Kind: item.String}, item.KeyAttr{Name: "g", Kind: item.String}
	return catalog.Spec{Descriptor: catalog.Descriptor{
		Name: name, Schema: item.KeySchema{Hash: []item.KeyAttr{pk}}, Attributes: []item.KeyAttr{pk, g},
		Indexes: []catalog.Index{{
			Name: "byG", Global: true, Schema: item.KeySchema{Hash: []item.KeyAttr{g}}, Projection: "ALL",
		}},
		Billing: catalog.Billing{PayPerRequest: true}, Policy: policy,
	}}
}

func key(k string) item.Key { return item.Key{Hash: []item.Value{item.Str(k)}} }

func thing(k, mark string, n int) item.Item {
	return item.NewItem([]item.Field{
		{Name: "k", Value: item.Str(k)}, {Name: "w", Value: item.Str(mark)}, {Name: "g", Value: item.Str(fmt.Sprint("g", n%4))},
		{Name: "n", Value: item.NumVal(item.NumFromInt(int64(n)))},
	})
}

type values map[string]item.Value

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func condition(text string, vs values) *expr.Condition {
	return must(must(expr.ParseCondition(expr.ConditionExpression, text)).Bind(expr.NewParams(nil, vs)))
}

func update(text string, vs values) *expr.Update {
	return must(must(expr.ParseUpdate(text)).Bind(expr.NewParams(nil, vs)))
}

// client is one of a region's clients. Its choices follow from the seed.
type client struct {
	w    *world
	n    *node
	name string
	rnd  *rand.Rand
	op   int

	group  int // the number that its own group of items has
	counts struct{ acknowledged, unknown int64 }
}

// clients is all of them.
type clients struct {
	stop chan struct{}
	work sync.WaitGroup
	all  []*client

	mu     sync.Mutex
	paused map[*node]bool
}

const perRegion = 2

func (w *world) startClients() *clients {
	cs := &clients{stop: make(chan struct{}), paused: map[*node]bool{}}
	for _, n := range w.nodes {
		for i := range perRegion {
			name := fmt.Sprintf("%s/%d", n.name, i)
			c := &client{w: w, n: n, name: name, rnd: w.chance("client", name)}
			cs.all = append(cs.all, c)
			cs.work.Go(func() { cs.run(c) })
		}
	}
	for _, n := range w.nodes {
		cs.work.Go(func() { cs.look(n) })
	}
	return cs
}

// writers are those who write groups; there are none in worlds without.
func (cs *clients) writers() []*client {
	if cs == nil {
		return nil
	}
	return cs.all
}

func (cs *clients) end() { close(cs.stop); cs.work.Wait() }

func (cs *clients) pause(n *node, yes bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.paused[n] = yes
}

func (cs *clients) run(c *client) {
	think := []time.Duration{60 * time.Millisecond, 150 * time.Millisecond, 500 * time.Millisecond}[c.rnd.IntN(3)]
	for {
		pause(c.rnd, think)
		c.w.meet()
		select {
		case <-cs.stop:
			return
		default:
		}
		cs.mu.Lock()
		paused := cs.paused[c.n]
		cs.mu.Unlock()
		if l := c.n.at(); l != nil && !paused {
			c.op++
			c.step(l)
		}
	}
}

// clientPatience is how long a client waits for an answer.
const clientPatience = 4 * time.Second

// step does one request.
func (c *client) step(l *life) {
	ctx, cancel := context.WithTimeout(context.Background(), clientPatience)
	defer cancel()
	switch k := c.rnd.IntN(20); {
	case k < 3:
		c.count(ctx, l)
	case k < 6:
		c.moveGroup(ctx, l)
	case k < 8:
		c.some(ctx, l, true)
	case k < 10:
		c.some(ctx, l, false)
	default:
		c.one(ctx, l)
	}
}

func (c *client) mark(i int) string { return fmt.Sprintf("%s/%d.%d", c.name, c.op, i) }

// draw makes a write of some item, and what is to be remembered of it.
func (c *client) draw(t *tableInfo, i int) (table.Write, *ack) {
	k := fmt.Sprint("hot", c.rnd.IntN(3))
	if c.rnd.IntN(3) == 0 {
		k = fmt.Sprint("cold", c.rnd.IntN(30))
	}
	mark, n := c.mark(i), c.rnd.IntN(100)
	a := &ack{id: idOf(t, key(k)), table: t, mark: mark, attr: "w"}
	w := table.Write{Op: table.Put, Item: thing(k, mark, n)}
	switch v := c.rnd.IntN(10); {
	case v < 3:
		a.mark = ""
		w = table.Write{Op: table.Delete, Key: key(k)}
	case v < 5:
		w = table.Write{Op: table.Update, Key: key(k), Update: update("SET w = :w, g = :g", values{
			":w": item.Str(mark), ":g": item.Str(fmt.Sprint("g", n%4))})}
	case v < 7:
		a.attr = "v"
		w = table.Write{Op: table.Update, Key: key(k), Update: update("SET v = :v", values{":v": item.Str(mark)})}
	}
	switch v := c.rnd.IntN(10); {
	case v < 1:
		w.Condition = condition("attribute_exists(k)", nil)
	case v < 2:
		w.Condition = condition("attribute_not_exists(k)", nil)
	case v < 3:
		w.Condition = condition("n > :n", values{":n": item.NumVal(item.NumFromInt(int64(n)))})
	}
	return w, a
}

// done remembers writes that succeeded. The delete of nothing is none.
func (c *client) done(l *life, as []*ack, results []table.WriteResult) {
	var some []*ack
	for i, a := range as {
		if a == nil {
			continue
		}
		if a.origin, a.old = l.region.Origin(), marksOf(results[i].Old); a.mark == "" && results[i].Old.IsZero() {
			continue
		}
		some = append(some, a)
	}
	l.counts(func() { c.w.history.acknowledged(some...) })
}

func (c *client) one(ctx context.Context, l *life) {
	t := c.w.pick(c.rnd)
	w, a := c.draw(t, 0)
	tab, err := l.region.Table(t.name)
	if err != nil {
		return
	}
	res, err := tab.Write(ctx, w)
	if c.failed(l, err) {
		return
	}
	c.done(l, []*ack{a}, []table.WriteResult{res})
}

// some writes several items, as a transaction or each by itself.
func (c *client) some(ctx context.Context, l *life, together bool) {
	var ws []table.TableWrite
	var as []*ack
	used := map[itemID]bool{}
	for i := range 2 + c.rnd.IntN(4) {
		t := c.w.pick(c.rnd)
		w, a := c.draw(t, i)
		tab, err := l.region.Table(t.name)
		if used[a.id] || err != nil {
			continue
		}
		used[a.id] = true
		ws, as = append(ws, table.TableWrite{Table: tab, Write: w}), append(as, a)
	}
	if len(ws) == 0 {
		return
	}
	if together {
		res, err := l.region.Transact(ctx, nil, ws)
		if !c.failed(l, err) {
			c.done(l, as, res.Results)
		}
		return
	}
	res, errs := l.region.WriteBatch(ctx, ws)
	for i, err := range errs {
		if c.failed(l, err) {
			as[i] = nil
		}
	}
	c.done(l, as, res)
}

// failed reports whether a write failed, and complains of errors that clients must not get.
func (c *client) failed(l *life, err error) bool {
	if err == nil {
		return false
	}
	var cf *table.ConditionFailed
	var cc *table.Canceled
	var fe *fault.Error
	known := errors.As(err, &cf) || errors.As(err, &cc) || errors.As(err, &fe) && fe.Kind != fault.Internal
	if !known && c.n.at() == l && !l.excused(err) {
		c.w.fail("a client of %s gets: %v", c.n.name, err)
	}
	return true
}

// groupSize is how many items a client always writes together.
const groupSize = 3

func (c *client) groupKey(i int) string { return fmt.Sprintf("group/%s/%d", c.name, i) }

// moveGroup gives all items of the client's own group the next number at once. Nobody else writes them, but the group may be
// older here than the client knows, after a region was filled anew; then it must not go on.
func (c *client) moveGroup(ctx context.Context, l *life) {
	next := c.group + 1
	var ws []table.TableWrite
	var as []*ack
	for i := range groupSize {
		t := c.w.group(i)
		tab, err := l.region.Table(t.name)
		if err != nil {
			return
		}
		k, mark := c.groupKey(i), c.mark(i)
		ws = append(ws, table.TableWrite{Table: tab, Write: table.Write{Op: table.Put, Item: thing(k, mark, next)}})
		as = append(as, &ack{id: idOf(t, key(k)), table: t, mark: mark, attr: "w"})
	}
	c.group = next // also if the outcome is unknown: a number is used once
	res, err := l.region.Transact(ctx, nil, ws)
	if !c.failed(l, err) {
		c.done(l, as, res.Results)
		if c.rnd.IntN(3) == 0 {
			c.follow(ctx, l, int64(next))
		}
	}
}

// follow goes to another region with what has been seen here: what it reads there is not older (promise 8).
func (c *client) follow(ctx context.Context, l *life, number int64) {
	there := c.w.of(c.rnd).at()
	seen, err := l.region.Seen(ctx)
	if err != nil || there == nil || there == l || !l.alive() {
		return
	}
	var session []region.Seen
	for s := range seen.Seen() {
		session = append(session, region.Seen{Stamp: s, Wrote: s.Origin == l.region.Origin()})
	}
	if there.region.AwaitSession(ctx, session, 700*time.Millisecond) != nil {
		return
	}
	if n, ok := there.readGroup(c); ok && n < number {
		c.w.fail("promise 8: %s wrote number %d in %s, and reads %d in %s with its session %v", c.name, number, c.n.name, n, there.n.name, seen)
	}
}

// group is the table of an item of all clients' groups: the first, and for the last item the fourth.
func (w *world) group(i int) *tableInfo {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i == groupSize-1 {
		return w.tables[3]
	}
	return w.tables[0]
}

// count adds one to a counter that all clients add to; sometimes several times at once.
func (c *client) count(ctx context.Context, l *life) {
	t := c.w.counter()
	tab, err := l.region.Table(t.name)
	if err != nil {
		return
	}
	errs := make([]error, []int{1, 1, 1, 5}[c.rnd.IntN(4)])
	var adding sync.WaitGroup
	for i := range errs {
		adding.Go(func() {
			_, errs[i] = tab.Write(ctx, table.Write{Op: table.Update, Key: key("counter"),
				Update: update("ADD n :one", values{":one": item.NumVal(item.NumFromInt(1))})})
		})
	}
	adding.Wait()
	for _, err := range errs {
		c.counted(l, err)
	}
}

// counted notes what became of an addition.
func (c *client) counted(l *life, err error) {
	var fe *fault.Error
	switch {
	case err == nil && l.counts(func() { c.counts.acknowledged++ }):
	case errors.As(err, &fe) && fe.Kind != fault.Internal: // refused
		if errors.Is(err, context.DeadlineExceeded) {
			c.counts.unknown++
		}
	default:
		c.failed(l, err)
		c.counts.unknown++
	}
}

// look reads the groups again and again: each is seen whole, and never goes back.
func (cs *clients) look(n *node) {
	rnd := n.w.chance("look", n.name)
	type place struct {
		of     *client
		joined [2]int64
	}
	last := map[place]int64{}
	for {
		pause(rnd, 400*time.Millisecond)
		select {
		case <-cs.stop:
			return
		default:
		}
		l := n.at()
		if l == nil {
			continue
		}
		v, err := l.region.DescribeTable(n.w.group(0).name)
		u, err2 := l.region.DescribeTable(n.w.group(groupSize - 1).name)
		if err != nil || err2 != nil {
			continue
		}
		for _, c := range cs.all {
			if n, ok := l.readGroup(c); ok {
				at := place{c, [2]int64{v.Local.Joined, u.Local.Joined}}
				if n < last[at] {
					l.n.w.fail("promise 5: group %s in %s goes back from %d to %d", c.name, l.n.name, last[at], n)
				}
				last[at] = n
			}
		}
	}
}

// readGroup reads the number of a client's group; ok is false if that says nothing.
func (l *life) readGroup(c *client) (int64, bool) {
	ns, ok := l.readNumbers(c)
	if l.n.w.trimmed.Load() && !l.n.w.resting.Load() { // items travel one by one then
		return ns[0], false
	}
	if !ok || slices.Max(ns) == slices.Min(ns) {
		return ns[0], ok
	}
	for _, o := range l.region.Partial() { // it says so
		if o.Region == c.n.name {
			return 0, false
		}
	}
	if ns, ok = l.readNumbers(c); ok && slices.Max(ns) != slices.Min(ns) { // or was whole since
		l.n.w.fail("promise 5: in %s the group of %s has the numbers %v: a transaction is torn", l.n.name, c.name, ns)
		ok = false
	}
	return ns[0], ok
}

func (l *life) readNumbers(c *client) ([]int64, bool) {
	var keys []table.TableKey
	ns := make([]int64, groupSize)
	for i := range groupSize {
		tab, err := l.region.Table(l.n.w.group(i).name)
		if err != nil {
			return ns, false
		}
		keys = append(keys, table.TableKey{Table: tab, Key: key(c.groupKey(i))})
	}
	res, err := l.region.TransactGet(context.Background(), keys)
	if err != nil || !l.alive() {
		return ns, false
	}
	for i := range res {
		if !res[i].Item.IsZero() {
			_, _ = fmt.Sscan(res[i].Item.Get("n").Num().String(), &ns[i])
		}
	}
	return ns, true
}
