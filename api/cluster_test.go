package api

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/storage/pebblestore"
	"github.com/meridiandb/meridian/stream/record"
)

// cluster is regions that replicate to each other: home, whose power is cut now and then and which is served over HTTP, and
// others, which live on.
type cluster struct {
	t      testing.TB
	url    string
	others []*region.Region

	disk *vfs.MemFS
	seed uint64
	g    *rand.Rand // of seed
	shut atomic.Bool

	mu    sync.RWMutex // held alone from when home's power is cut until it is there again
	home  *region.Region
	serve http.Handler
	born  int64        // the life that home is
	life  atomic.Int64 // where it is another, the power was cut, and home has nothing more to say
	links sync.WaitGroup
	fared sync.Map // how each link last fared
}

const homeName = "us-east-1"

var errCut = errors.New("home is down")

func newCluster(t testing.TB, seed uint64, others ...string) *cluster {
	w := &cluster{t: t, disk: vfs.NewCrashableMem(), seed: seed, g: rand.New(rand.NewPCG(seed, 3))}
	for _, name := range others {
		store, err := pebblestore.Open("data", pebblestore.Options{FS: vfs.NewMem(), CacheBytes: 4 << 20, MemTableBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		r, err := region.Open(region.Options{Name: name, Store: store, ShardLife: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		w.others = append(w.others, r)
	}
	for _, r := range w.others {
		r.Connect(peersOf{w, r.Name()})
	}
	w.open()
	srv := httptest.NewServer(http.HandlerFunc(w.serveHTTP))
	w.url = srv.URL
	always := func(link func()) {
		w.links.Go(func() {
			for !w.shut.Load() {
				link()
			}
		})
	}
	always(w.catalogs)
	for _, r := range w.others {
		always(func() { w.homeward(r) })
		always(func() { w.outward(r) })
		for _, to := range w.others {
			if to != r {
				always(func() { w.note(r.Name()+" to "+to.Name(), w.carry(r, to, func() bool { return true })) })
			}
		}
	}
	t.Cleanup(func() {
		w.shut.Store(true)
		srv.Close()
		w.links.Wait()
		err := w.home.Close()
		for _, r := range w.others {
			err = errors.Join(err, r.Close())
		}
		if err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *cluster) open() {
	store, err := pebblestore.Open("data", pebblestore.Options{FS: w.disk, CacheBytes: 4 << 20, MemTableBytes: 1 << 20})
	if err != nil {
		w.t.Fatal(err)
	}
	if w.home, err = region.Open(region.Options{Name: homeName, Store: store, ShardLife: time.Second}); err != nil {
		w.t.Fatal(err)
	}
	if w.serve, err = New(Options{Region: w.home}); err != nil {
		w.t.Fatal(err)
	}
	w.born = w.life.Load()
	w.home.Connect(peersOf{w, homeName})
}

// crash cuts home's power in the middle of whatever it does, and turns it on again with what its disk holds.
func (w *cluster) crash() {
	w.life.Add(1) // before the disk's last moment: nobody hears what is said later
	clone := w.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: w.g.IntN(101), RNG: rand.New(rand.NewPCG(w.g.Uint64(), 1))})
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.home.Close(); err != nil {
		w.t.Error(err)
	}
	w.disk = clone
	w.open()
}

// with calls home; errCut says that it went down meanwhile, so that nobody knows what came of it.
func (w *cluster) with(fn func(*region.Region) error) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	err := fn(w.home)
	if w.life.Load() != w.born {
		return errCut
	}
	return err
}

func (w *cluster) serveHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	rec := httptest.NewRecorder()
	w.serve.ServeHTTP(rec, r)
	if w.life.Load() != w.born {
		panic(http.ErrAbortHandler) // the connection breaks
	}
	for k, v := range rec.Header() {
		rw.Header()[k] = v
	}
	rw.WriteHeader(rec.Code)
	_, _ = rw.Write(rec.Body.Bytes())
}

// other finds a region that lives on; nil if there is none of that name.
func (w *cluster) other(name string) *region.Region {
	for _, r := range w.others {
		if r.Name() == name {
			return r
		}
	}
	return nil
}

// peersOf is one region's region.Peers.
type peersOf struct {
	*cluster
	self string
}

func (p peersOf) Call(ctx context.Context, to, name string, payload []byte) (b []byte, err error) {
	if r := p.other(to); r != nil {
		return r.Handle(ctx, p.self, name, payload)
	}
	if to != homeName {
		return nil, unheard(to)
	}
	err = p.with(func(home *region.Region) (err error) {
		b, err = home.Handle(ctx, p.self, name, payload)
		return err
	})
	return b, err
}

// unheard is the error about a region that there is not.
type unheard string

func (u unheard) Error() string { return "no region " + string(u) }
func (unheard) UnknownRegion()  {}

func (p peersOf) FetchSnapshot(ctx context.Context, from string, id record.TableID, fn func(region.Chunk) error) error {
	if r := p.other(from); r != nil {
		return copied(ctx, r, id, fn)
	}
	return p.with(func(home *region.Region) error { return copied(ctx, home, id, fn) })
}

func copied(ctx context.Context, from *region.Region, id record.TableID, fn func(region.Chunk) error) error {
	c, err := from.Snapshot(ctx, id)
	if err != nil {
		return err
	}
	if err := fn(region.Chunk{Positions: c.Positions()}); err != nil {
		return errors.Join(err, c.Close())
	}
	for more := true; more && err == nil; {
		var changes []record.Change
		if changes, more, err = c.Next(1 << 20); err == nil {
			err = fn(region.Chunk{Changes: changes})
		}
	}
	return errors.Join(err, c.Close())
}

// note remembers how a link last fared, for when the regions stay apart.
func (w *cluster) note(link string, err error) { w.fared.Store(link, err) }

// apart says how the links fare and where they stand.
func (w *cluster) apart() string {
	out := ""
	w.fared.Range(func(link, err any) bool {
		out += fmt.Sprint(link, ": ", err, "; ")
		return true
	})
	for _, r := range append([]*region.Region{w.home}, w.others...) {
		s := r.Stats()
		out += fmt.Sprintf("%s: log %d..%d, inbound %v, held %v, behind %v; ", r.Origin(), s.LogFirst, s.LogDurable, s.Inbound, s.Held, s.Behind)
	}
	return out
}

func (w *cluster) homeward(r *region.Region) {
	w.note(r.Name()+" to home", w.with(func(home *region.Region) error { return w.carry(r, home, func() bool { return true }) }))
}

func (w *cluster) outward(r *region.Region) {
	w.note("home to "+r.Name(), w.with(func(home *region.Region) error {
		return w.carry(home, r, func() bool { return w.life.Load() == w.born })
	}))
}

// carry brings what is new in one region's log to another, if what was read still counts.
func (w *cluster) carry(from, to *region.Region, counts func() bool) error {
	time.Sleep(time.Millisecond)
	tables, _ := to.Wanted(from.Name())
	at := to.Cursor(from.Origin())
	wanted := map[record.TableID]bool{}
	for _, id := range tables {
		wanted[id] = true
	}
	commits, next, err := from.Read(at, wanted, 1<<18)
	if err != nil || len(tables) == 0 || !counts() {
		return err
	}
	return to.Apply(context.Background(), from.Origin(), commits, next, 0)
}

func (w *cluster) catalogs() {
	time.Sleep(5 * time.Millisecond)
	for _, to := range w.others {
		var entries [][]byte
		var origin crdt.Origin
		err := w.with(func(home *region.Region) error {
			entries, _ = home.CatalogFor(to.Name(), 0)
			origin = home.Origin()
			return nil
		})
		if err == nil {
			_ = to.ApplyCatalog(context.Background(), origin, entries) // again soon
		}
		for _, from := range w.others {
			if from != to {
				entries, _ := from.CatalogFor(to.Name(), 0)
				_ = to.ApplyCatalog(context.Background(), from.Origin(), entries)
			}
		}
		entries, _ = to.CatalogFor(homeName, 0)
		_ = w.with(func(home *region.Region) error {
			return home.ApplyCatalog(context.Background(), to.Origin(), entries)
		})
	}
}
