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

// twins are two regions that replicate to each other: home, whose power is cut now and then and which is served over HTTP,
// and away, which lives on.
type twins struct {
	t    testing.TB
	url  string
	away *region.Region

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

var errCut = errors.New("home is down")

func newTwins(t testing.TB, seed uint64) *twins {
	w := &twins{t: t, disk: vfs.NewCrashableMem(), seed: seed, g: rand.New(rand.NewPCG(seed, 3))}
	store, err := pebblestore.Open("data", pebblestore.Options{FS: vfs.NewMem(), CacheBytes: 4 << 20, MemTableBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	away, err := region.Open(region.Options{Name: "eu-west-1", Store: store, ShardLife: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	w.away = away
	away.Connect(w)
	w.open()
	srv := httptest.NewServer(http.HandlerFunc(w.serveHTTP))
	w.url = srv.URL
	for _, link := range []func(){w.homeward, w.outward, w.catalogs} {
		w.links.Go(func() {
			for !w.shut.Load() {
				link()
			}
		})
	}
	t.Cleanup(func() {
		w.shut.Store(true)
		srv.Close()
		w.links.Wait()
		if err := errors.Join(w.home.Close(), away.Close()); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *twins) open() {
	store, err := pebblestore.Open("data", pebblestore.Options{FS: w.disk, CacheBytes: 4 << 20, MemTableBytes: 1 << 20})
	if err != nil {
		w.t.Fatal(err)
	}
	if w.home, err = region.Open(region.Options{Name: "us-east-1", Store: store, ShardLife: time.Second}); err != nil {
		w.t.Fatal(err)
	}
	if w.serve, err = New(Options{Region: w.home}); err != nil {
		w.t.Fatal(err)
	}
	w.born = w.life.Load()
	w.home.Connect(w)
}

// crash cuts home's power in the middle of whatever it does, and turns it on again with what its disk holds.
func (w *twins) crash() {
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
func (w *twins) with(fn func(*region.Region) error) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	err := fn(w.home)
	if w.life.Load() != w.born {
		return errCut
	}
	return err
}

func (w *twins) serveHTTP(rw http.ResponseWriter, r *http.Request) {
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

// Call is region.Peers'.
func (w *twins) Call(ctx context.Context, to, name string, payload []byte) (b []byte, err error) {
	if to == w.away.Name() {
		return w.away.Handle(ctx, "us-east-1", name, payload)
	}
	if to != "us-east-1" {
		return nil, unheard(to)
	}
	err = w.with(func(home *region.Region) (err error) {
		b, err = home.Handle(ctx, w.away.Name(), name, payload)
		return err
	})
	return b, err
}

// unheard is the error about a region that there is not.
type unheard string

func (u unheard) Error() string { return "no region " + string(u) }
func (unheard) UnknownRegion()  {}

// FetchSnapshot is region.Peers': only away ever copies.
func (w *twins) FetchSnapshot(ctx context.Context, from string, id record.TableID, fn func(region.Chunk) error) error {
	return w.with(func(home *region.Region) error {
		c, err := home.Snapshot(ctx, id)
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
	})
}

// note remembers how a link last fared, for when the regions stay apart.
func (w *twins) note(link string, err error) { w.fared.Store(link, err) }

// apart says how the links fare and where they stand.
func (w *twins) apart() string {
	out := ""
	for _, link := range []string{"homeward", "outward"} {
		err, _ := w.fared.Load(link)
		out += fmt.Sprint(link, ": ", err, "; ")
	}
	for _, r := range []*region.Region{w.home, w.away} {
		s := r.Stats()
		out += fmt.Sprintf("%s: log %d..%d, inbound %v, held %v, behind %v; ", r.Origin(), s.LogFirst, s.LogDurable, s.Inbound, s.Held, s.Behind)
	}
	return out
}

func (w *twins) homeward() {
	w.note("homeward", w.with(func(home *region.Region) error { return w.carry(w.away, home, func() bool { return true }) }))
}

func (w *twins) outward() {
	w.note("outward", w.with(func(home *region.Region) error {
		return w.carry(home, w.away, func() bool { return w.life.Load() == w.born })
	}))
}

// carry brings what is new in one region's log to another, if what was read still counts.
func (w *twins) carry(from, to *region.Region, counts func() bool) error {
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

func (w *twins) catalogs() {
	time.Sleep(5 * time.Millisecond)
	var entries [][]byte
	var origin crdt.Origin
	err := w.with(func(home *region.Region) error {
		entries, _ = home.CatalogFor(w.away.Name(), 0)
		origin = home.Origin()
		return nil
	})
	if err == nil {
		_ = w.away.ApplyCatalog(context.Background(), origin, entries) // again soon
	}
	entries, _ = w.away.CatalogFor("us-east-1", 0)
	_ = w.with(func(home *region.Region) error {
		return home.ApplyCatalog(context.Background(), w.away.Origin(), entries)
	})
}
