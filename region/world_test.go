package region

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/storage/pebblestore"
	"github.com/meridiandb/meridian/stream/record"
)

var (
	seedFlag = flag.Uint64("seed", 0, "seed of random tests; 0: another each time")
	runsFlag = flag.Int("runs", histories, "how many random histories of whole regions")
	logFlag  = flag.Bool("regionlog", false, "print what the regions log")
)

func newSeed(t *testing.T) uint64 {
	t.Helper()
	s := *seedFlag
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("seed %d (run again with -seed=%d)", s, s)
	return s
}

// world is several regions in one process and in virtual time, wired directly to each other. Links are goroutines that ask,
// read and apply with random pauses between all steps; catalogs travel by their own, as they do in earnest.
type world struct {
	t     *testing.T
	names []string
	disks map[string]*vfs.MemFS // nil entry: memory

	mu      sync.Mutex
	g       *rand.Rand
	regions map[string]*Region
	wires   map[string]*wire
	down    map[string]bool    // region is not running
	cut     map[[2]string]bool // no way between the two, in this order
	pause   time.Duration      // longest pause between two steps of a link

	onChunk     func(to, from string)      // between the pieces of a copy
	noCopy      func(to, from string) bool // no copies this way
	beforeApply func(to, from string)      // between reading a batch and applying it
	skew        map[string]time.Duration
	options     func(*Options) // of regions that start from now on; nil: none
}

// wire is what carries a region's life: it ends with the region.
type wire struct {
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
}

var errCut = errors.New("no way there")

func newWorld(t *testing.T, seed uint64, disk bool, names ...string) *world {
	w := &world{
		t: t, names: names, disks: map[string]*vfs.MemFS{}, g: rand.New(rand.NewPCG(seed, 7)), pause: 3 * time.Millisecond,
		regions: map[string]*Region{}, wires: map[string]*wire{}, down: map[string]bool{}, cut: map[[2]string]bool{},
		skew: map[string]time.Duration{},
	}
	for _, n := range names {
		w.down[n] = true
		if disk {
			w.disks[n] = vfs.NewCrashableMem()
		}
	}
	for _, n := range names {
		w.start(n)
	}
	return w
}

func (w *world) intN(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.g.IntN(n)
}

func (w *world) rest() {
	w.mu.Lock()
	d := time.Duration(w.g.Int64N(int64(w.pause) + 1))
	w.mu.Unlock()
	time.Sleep(d) // virtual
}

func (w *world) open(name string) *Region {
	w.t.Helper()
	var store storage.Store = memstore.New()
	if fs := w.disks[name]; fs != nil {
		s, err := pebblestore.Open("data", pebblestore.Options{FS: fs, CacheBytes: 1 << 20, MemTableBytes: 256 << 10})
		if err != nil {
			w.t.Fatal(err)
		}
		store = s
	}
	o := Options{Name: name, Store: store}
	if *logFlag {
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("at", name)
	}
	o.Wall = func() int64 {
		w.mu.Lock()
		defer w.mu.Unlock()
		return time.Now().Add(w.skew[name]).UnixMilli()
	}
	w.set(func() {
		if w.options != nil {
			w.options(&o)
		}
	})
	r, err := Open(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// start opens a region and its links in both directions.
func (w *world) start(name string) {
	w.t.Helper()
	r := w.open(name)
	ctx, cancel := context.WithCancel(context.Background())
	wr := &wire{ctx: ctx, cancel: cancel}
	w.mu.Lock()
	w.regions[name], w.wires[name], w.down[name] = r, wr, false
	w.mu.Unlock()
	for _, o := range w.names {
		if o != name {
			wr.work.Go(func() { w.follow(wr.ctx, r, o) })
			wr.work.Go(func() { w.learn(wr.ctx, r, o) })
		}
	}
	r.Connect(peersOf{w, name})
}

// stop ends a region in good order.
func (w *world) stop(name string) {
	w.t.Helper()
	w.mu.Lock()
	r, wr := w.regions[name], w.wires[name]
	w.down[name] = true
	w.mu.Unlock()
	wr.cancel()
	wr.work.Wait()
	if err := r.Close(); err != nil && r.Err() == nil {
		w.t.Errorf("close %s: %v", name, err)
	}
}

// crash cuts a region's power: it goes on from what its disk holds then.
func (w *world) crash(name string) {
	w.t.Helper()
	w.mu.Lock()
	clone := w.disks[name].CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: w.g.IntN(101), RNG: rand.New(rand.NewPCG(w.g.Uint64(), 1))})
	w.down[name] = true // nobody hears from it after its disk's last moment
	w.mu.Unlock()
	w.stop(name)
	w.disks[name] = clone
}

// lose destroys a region's disk.
func (w *world) lose(name string) {
	w.t.Helper()
	w.stop(name)
	w.disks[name] = vfs.NewCrashableMem()
}

func (w *world) close() {
	for _, n := range w.names {
		if !w.isDown(n) {
			w.stop(n)
		}
	}
}

func (w *world) isDown(n string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.down[n]
}

func (w *world) at(name string) *Region {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.regions[name]
}

// reach is the way from one region to another, if there is one.
func (w *world) reach(from, to string) (*Region, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut[[2]string{from, to}] || w.down[to] || w.down[from] || w.regions[to] == nil {
		return nil, errCut
	}
	return w.regions[to], nil
}

func (w *world) setCut(a, b string, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut[[2]string{a, b}], w.cut[[2]string{b, a}] = cut, cut
}

// follow is the link by which r reads another region's log.
func (w *world) follow(ctx context.Context, r *Region, peer string) {
	for ctx.Err() == nil {
		w.rest()
		p, err := w.reach(r.name, peer)
		if err != nil {
			continue
		}
		if err := w.link(ctx, r, p); err != nil && ctx.Err() == nil && !w.expected(err) {
			w.t.Errorf("link from %s to %s: %v", peer, r.name, err)
			return
		}
	}
}

func (w *world) expected(err error) bool {
	return errors.Is(err, errCut) || errors.Is(err, ErrStale) || errors.Is(err, ErrHeld) || errors.Is(err, storage.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errClosed) || errors.Is(err, ErrOver) || errors.Is(err, ErrRebuild)
}

// link is one stream: opened under one answer of Wanted, in the order that Sink asks for.
func (w *world) link(ctx context.Context, r, p *Region) error {
	tables, changed := r.Wanted(p.name)
	w.rest()
	origin := p.Origin()
	at := r.Cursor(origin)
	if len(tables) == 0 {
		return nil
	}
	wanted := map[record.TableID]bool{}
	for _, id := range tables {
		wanted[id] = true
	}
	for range 5 {
		select {
		case <-changed:
			return nil
		default:
		}
		if _, err := w.reach(r.name, p.name); err != nil {
			return err
		}
		_, closed := p.End()
		commits, next, err := p.Read(at, wanted, 1+w.intN(2000))
		if errors.Is(err, ErrTrimmed) {
			r.Trimmed(origin)
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := w.reach(r.name, p.name); err != nil {
			return err // it may have been read after the disk's last moment
		}
		if len(commits) > 0 {
			closed = 0
		}
		w.rest()
		w.mu.Lock()
		hook := w.beforeApply
		w.mu.Unlock()
		if hook != nil {
			hook(r.name, p.name)
		}
		if err := r.Apply(ctx, origin, onTheWire(w.t, commits), next, closed); err != nil {
			return err
		}
		w.rest()
		if _, err := w.reach(r.name, p.name); err != nil {
			return err
		}
		p.Acked(r.Origin(), next)
		at = next
	}
	return nil
}

// onTheWire is what arrives of commits that are sent.
func onTheWire(t *testing.T, commits []record.Commit) []record.Commit {
	out := make([]record.Commit, len(commits))
	for i := range commits {
		c, err := record.DecodeCommit(record.AppendCommit(nil, &commits[i]))
		if err != nil {
			t.Error(err)
		}
		out[i] = c
	}
	return out
}

// learn brings another region's catalog to r.
func (w *world) learn(ctx context.Context, r *Region, peer string) {
	var since uint64
	var of *Region
	for ctx.Err() == nil {
		w.rest()
		p, err := w.reach(r.name, peer)
		if err != nil {
			since = 0
			continue
		}
		if p != of {
			of, since = p, 0
		}
		entries, version := p.CatalogFor(r.name, since)
		if _, err := w.reach(r.name, peer); err != nil {
			continue // it may have been made after the disk's last moment
		}
		w.rest()
		if err := r.ApplyCatalog(ctx, p.Origin(), entries); err != nil && !w.expected(err) {
			w.t.Errorf("catalog from %s to %s: %v", peer, r.name, err)
			return
		}
		since = version
	}
}

// peersOf is a region's Peers.
type peersOf struct {
	w    *world
	self string
}

func (p peersOf) Call(ctx context.Context, to, name string, payload []byte) ([]byte, error) {
	p.w.rest()
	r, err := p.w.reach(p.self, to)
	if err != nil {
		return nil, err
	}
	b, err := r.Handle(ctx, p.self, name, payload)
	p.w.rest()
	if _, cut := p.w.reach(p.self, to); cut != nil {
		return nil, cut // carried out, and nobody knows
	}
	return b, err
}

func (p peersOf) FetchSnapshot(ctx context.Context, from string, id record.TableID, fn func(Chunk) error) (err error) {
	r, err := p.w.reach(p.self, from)
	if err != nil {
		return err
	}
	p.w.mu.Lock()
	onChunk, noCopy := p.w.onChunk, p.w.noCopy
	p.w.mu.Unlock()
	if noCopy != nil && noCopy(p.self, from) {
		return errCut
	}
	c, err := r.Snapshot(ctx, id)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, err := p.w.reach(p.self, from); err != nil {
		return err
	}
	if err := fn(Chunk{Positions: c.Positions()}); err != nil {
		return err
	}
	for more := true; more; {
		p.w.rest()
		if onChunk != nil {
			onChunk(p.self, from)
		}
		if _, err := p.w.reach(p.self, from); err != nil {
			return err
		}
		var changes []record.Change
		if changes, more, err = c.Next(1 + p.w.intN(2000)); err != nil {
			return err
		}
		if err := fn(Chunk{Changes: changes}); err != nil {
			return err
		}
	}
	return nil
}

// set changes the world, its hooks for instance.
func (w *world) set(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn()
}

// pass lets time go by on all clocks, at once.
func (w *world) pass(d time.Duration) {
	w.set(func() {
		for _, n := range w.names {
			w.skew[n] += d
		}
	})
}

// eventually waits, in virtual time, until ok.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			w.describe()
			w.t.Fatalf("never: %s", what)
		}
	}
}

func (w *world) describe() {
	for _, n := range w.names {
		r := w.at(n)
		if w.isDown(n) {
			w.t.Logf("%s is down", n)
			continue
		}
		s := r.Stats()
		w.t.Logf("%s: log %d..%d..%d, inbound %v, behind %v, held %v", r.origin, s.LogFirst, s.LogDurable, s.LogLast, s.Inbound, s.Behind, s.Held)
		for _, e := range r.catalog.Entries() {
			w.t.Logf("  %s %.8s %s keeper %s epoch %d deleted %v members %v local %+v", e.Name, e.ID, e.Revision, e.Keeper, e.Epoch, e.Deleted, e.Members, e.Local)
		}
	}
}

// Tables and items.

func spec(name string) catalog.Spec {
	pk := []item.KeyAttr{{Name: "pk", Kind: item.String}}
	return catalog.Spec{Descriptor: catalog.Descriptor{
		Name: name, Schema: item.KeySchema{Hash: pk}, Attributes: pk, Billing: catalog.Billing{PayPerRequest: true},
	}}
}

func (w *world) create(at, name string) {
	w.t.Helper()
	if _, err := w.at(at).CreateTable(context.Background(), spec(name)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) addReplica(at, name, region string) {
	w.t.Helper()
	w.update(at, name, catalog.Change{CreateReplica: region})
	w.eventually(fmt.Sprintf("%s active in %s", name, region), func() bool { return w.active(at, name) && w.active(region, name) })
}

func (w *world) update(at, name string, ch catalog.Change) {
	w.t.Helper()
	if _, err := w.at(at).UpdateTable(context.Background(), name, ch); err != nil {
		w.t.Fatalf("update %s at %s: %v", name, at, err)
	}
}

// active says what a waiter would wait for: the table and all its replicas are.
func (w *world) active(at, name string) bool {
	v, err := w.at(at).DescribeTable(name)
	if err != nil || v.Status != "ACTIVE" {
		return false
	}
	for _, m := range v.Members {
		if m.State == catalog.MemberCreating {
			return false
		}
	}
	return true
}

func thing(key string, n int) item.Item {
	num, err := item.ParseNum(fmt.Append(nil, n))
	if err != nil {
		panic(err)
	}
	return item.NewItem([]item.Field{
		{Name: "pk", Value: item.Str(key)}, {Name: "n", Value: item.NumVal(num)}, {Name: "g", Value: item.Str(fmt.Sprint("g", n%3))},
	})
}

func keyOf(key string) item.Key { return item.Key{Hash: []item.Value{item.Str(key)}} }

func (w *world) put(at, name, key string, n int) error {
	t, err := w.at(at).Table(name)
	if err != nil {
		return err
	}
	_, err = t.Write(context.Background(), table.Write{Op: table.Put, Item: thing(key, n)})
	return err
}

func (w *world) remove(at, name, key string) error {
	t, err := w.at(at).Table(name)
	if err != nil {
		return err
	}
	_, err = t.Write(context.Background(), table.Write{Op: table.Delete, Key: keyOf(key)})
	return err
}

func (w *world) mustPut(at, name, key string, n int) {
	w.t.Helper()
	if err := w.put(at, name, key, n); err != nil {
		w.t.Fatalf("put %s into %s at %s: %v", key, name, at, err)
	}
}

// get returns n of an item, -1 if there is none.
func (w *world) get(at, name, key string) int {
	t, err := w.at(at).Table(name)
	if err != nil {
		return -1
	}
	res, err := t.Get(context.Background(), keyOf(key), true)
	if err != nil || res.Item.IsZero() {
		return -1
	}
	var n int
	_, _ = fmt.Sscan(res.Item.Get("n").Num().String(), &n)
	return n
}

// dump is a table's stored states by key.
func (w *world) dump(at, name string) map[string][]byte {
	r := w.at(at)
	e := r.catalog.Lookup(name)
	if e == nil {
		return nil
	}
	c, err := r.Snapshot(context.Background(), e.ID)
	if err != nil {
		return nil
	}
	defer c.Close()
	all := map[string][]byte{}
	for more := true; more; {
		var changes []record.Change
		if changes, more, err = c.Next(1 << 20); err != nil {
			w.t.Fatal(err)
		}
		for _, ch := range changes {
			if !ch.Note {
				all[string(ch.Key)] = ch.State
			}
		}
	}
	return all
}

// equal reports whether a table is the same in some regions, its deletes too.
func (w *world) equal(name string, regions ...string) bool {
	first := w.dump(regions[0], name)
	if first == nil {
		return false
	}
	for _, n := range regions[1:] {
		if d := w.dump(n, name); d == nil || !maps.EqualFunc(first, d, bytes.Equal) {
			return false
		}
	}
	return true
}

// checkTables checks what each region stores against itself: hash cells and indexes are those of the items.
func (w *world) checkTables() {
	w.t.Helper()
	for _, n := range w.names {
		r := w.at(n)
		for _, e := range r.catalog.Entries() {
			if e.Local.Dropped || !e.Holds(n) {
				w.checkGone(r, e)
				continue
			}
			if bad, err := r.engine.Scrub(context.Background(), e.ID); err != nil || len(bad) > 0 {
				w.t.Errorf("%s: cells of %s differ: %v %v", n, e.Name, bad, err)
			}
			w.checkIndexes(r, e)
		}
	}
}

func (w *world) checkGone(r *Region, e *catalog.Entry) {
	w.t.Helper()
	for _, kind := range []byte{storage.KindItem, storage.KindIndex, storage.KindHashCell, storage.KindTTL} {
		it, err := r.store.NewIter(storage.PrefixRange(storage.AppendTable(nil, kind, e.ID)))
		if err != nil {
			w.t.Fatal(err)
		}
		if e.Local.Dropped && it.First() {
			w.t.Errorf("%s: something is left of table %s, which is gone: %q", r.name, e.Name, it.Key())
		}
		if err := it.Close(); err != nil {
			w.t.Fatal(err)
		}
	}
}

// checkIndexes counts: each index has as many entries as there are items with its key, and nothing else stands under the
// table.
func (w *world) checkIndexes(r *Region, e *catalog.Entry) {
	w.t.Helper()
	t := r.handle(e)
	all, err := t.Scan(context.Background(), table.Scan{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, ix := range e.Indexes {
		if !e.IndexBuilt(ix.ID) {
			w.t.Errorf("%s: index %s of %s is not built", r.name, ix.Name, e.Name)
			continue
		}
		got := 0
		for _, g := range []string{"g0", "g1", "g2"} {
			p, err := t.Query(context.Background(), table.Query{
				Reading: table.Reading{Index: ix.Name}, Range: expr.KeyRange{Hash: []item.Value{item.Str(g)}},
			})
			if err != nil {
				w.t.Fatal(err)
			}
			got += p.Count
		}
		if got != all.Count {
			w.t.Errorf("%s: index %s of %s has %d entries for %d items", r.name, ix.Name, e.Name, got, all.Count)
		}
	}
	if len(e.Local.Dropping) > 0 {
		w.t.Errorf("%s: indexes of %s are not removed: %v", r.name, e.Name, e.Local.Dropping)
	}
}

func gIndex() *catalog.Index {
	return &catalog.Index{Name: "byG", Schema: item.KeySchema{Hash: []item.KeyAttr{{Name: "g", Kind: item.String}}}, Projection: "ALL"}
}

func gAttributes() []catalog.AttributeChange {
	return []catalog.AttributeChange{{Name: "g", Kind: "S"}}
}

// inVirtualTime runs a test in a bubble.
func inVirtualTime(t *testing.T, fn func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, fn)
}

func isKind(err error, k fault.Kind) bool { return err != nil && fault.KindOf(err) == k }
