package stream

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/storage/pebblestore"
	"github.com/meridiandb/meridian/stream/record"
)

var seedFlag = flag.Uint64("seed", 0, "seed of random tests; 0: another each time")

func newSeed(t *testing.T) uint64 {
	t.Helper()
	s := *seedFlag
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("seed %d (run again with -seed=%d)", s, s)
	return s
}

func openLog(t *testing.T, s storage.Store) *Log {
	t.Helper()
	l, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func randomCommit(g *rand.Rand, wall int64) record.Commit {
	c := record.Commit{Stamp: crdt.Stamp{Time: crdt.Time(g.Uint64()>>1 + 1), Origin: crdt.Origin{Region: "a-1", Incarnation: 1}}, Wall: wall}
	for range g.IntN(4) {
		c.Changes = append(c.Changes, record.Change{
			Table: record.TableID{byte(1 + g.IntN(3))}, Shard: uint16(g.IntN(record.Shards)), Key: fmt.Append(nil, g.Uint32()), State: make([]byte, 1+g.IntN(200)),
		})
	}
	return c
}

// TestAppendAll writes the same as one Append after the other, also over a ceiling, and is taken back as they are.
func TestAppendAll(t *testing.T) {
	g := rand.New(rand.NewPCG(newSeed(t), 1))
	at, one := memstore.New(), memstore.New()
	defer at.Close()
	defer one.Close()
	l, single := openLog(t, at), openLog(t, one)
	errNot := errors.New("not this time")
	for round := range 12 {
		cs := make([]record.Commit, []int{0, 1, 2, 700}[g.IntN(4)])
		for i := range cs {
			cs[i] = randomCommit(g, int64(round))
		}
		same := append([]record.Commit{}, cs...)
		undone := g.IntN(3) == 0
		all := func(w storage.Writer) error {
			if err := l.AppendAll(w, cs); err != nil {
				return err
			}
			if undone {
				return errNot
			}
			return nil
		}
		last, ceiling := l.Last(), l.ceiling
		if err := write(at, all); undone {
			if !errors.Is(err, errNot) || l.Last() != last || l.ceiling != ceiling {
				t.Fatalf("taken back with %v: last %d and ceiling %d, not %d and %d", err, l.Last(), l.ceiling, last, ceiling)
			}
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		for i := range same {
			if err := commit(one, single, &same[i]); err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(cs, same) {
			t.Fatal("other numbers were given")
		}
	}
	for _, kind := range []byte{storage.KindOrder, storage.KindLogPart} {
		a, b := under(t, at, kind), under(t, one, kind)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%d and %d keys stand under %c, or others", len(a), len(b), kind)
		}
	}
	if l.ceiling <= l.Last() {
		t.Errorf("ceiling %d, last %d", l.ceiling, l.Last())
	}
}

func under(t *testing.T, s storage.Store, kind byte) map[string]string {
	t.Helper()
	it, err := s.NewIter(storage.PrefixRange([]byte{kind}))
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	all := map[string]string{}
	for ok := it.First(); ok; ok = it.Next() {
		all[string(it.Key())] = string(it.Value())
	}
	return all
}

// commit appends and waits for the disk.
func commit(s storage.Store, l *Log, c *record.Commit) error {
	if err := write(s, func(w storage.Writer) error { return l.Append(w, c) }); err != nil {
		return err
	}
	l.Committed(c.Seq)
	return nil
}

var errNo = errors.New("no")

func everything(*record.Order) bool { return true }

// TestModel compares a log with a plain list over random appends, aborts, readings, trims and restarts.
func TestModel(t *testing.T) {
	seed := newSeed(t)
	for run := range 40 {
		g := rand.New(rand.NewPCG(seed, uint64(run)))
		s := memstore.New()
		l := openLog(t, s)
		var list []record.Commit
		var highest, trimmed record.Seq
		for range 150 {
			switch k := g.IntN(20); {
			case k < 9:
				c := randomCommit(g, g.Int64N(1000))
				if err := commit(s, l, &c); err != nil {
					t.Fatal(err)
				}
				var prev record.Seq
				if n := len(list); n > 0 {
					prev = list[n-1].Seq
				}
				if c.Seq <= highest || c.Prev != prev {
					t.Fatalf("seed %d run %d: commit %d after %d, prev %d", seed, run, c.Seq, highest, c.Prev)
				}
				highest = c.Seq
				list = append(list, c)
			case k < 11:
				c := randomCommit(g, 0)
				err := write(s, func(w storage.Writer) error { return errors.Join(l.Append(w, &c), errNo) })
				if !errors.Is(err, errNo) || len(list) > 0 && l.Last() != list[len(list)-1].Seq {
					t.Fatalf("seed %d run %d: an aborted append left last at %d: %v", seed, run, l.Last(), err)
				}
			case k < 16:
				checkRead(t, g, l, list, trimmed)
			case k < 18 && len(list) > 0:
				upTo := list[g.IntN(len(list))].Seq
				if err := l.Trim(t.Context(), upTo, func(id record.TableID) bool { return id[0] == 1 }); err != nil {
					t.Fatal(err)
				}
				trimmed = max(trimmed, min(upTo, list[len(list)-1].Seq-1))
				if l.First() != trimmed+1 {
					t.Fatalf("seed %d run %d: the log begins at %d after trimming to %d", seed, run, l.First(), trimmed)
				}
			default:
				l = openLog(t, s)
			}
			checkCounts(t, g, l, list, trimmed)
		}
		checkParts(t, s, list, trimmed)
	}
}

func checkRead(t *testing.T, g *rand.Rand, l *Log, list []record.Commit, trimmed record.Seq) {
	t.Helper()
	from := record.Seq(g.Uint64N(uint64(l.Last()) + 2))
	table := record.TableID{byte(1 + g.IntN(3))}
	want := func(o *record.Order) bool {
		for _, p := range o.Parts {
			if p.Table == table {
				return true
			}
		}
		return false
	}
	var got []record.Commit
	at := from
	for at < l.Durable() {
		cs, next, err := l.Read(at, 1+g.IntN(2000), want)
		if from < trimmed {
			if !errors.Is(err, ErrTrimmed) {
				t.Fatalf("reading from %d, trimmed to %d: %v", from, trimmed, err)
			}
			return
		}
		if err != nil || next <= at {
			t.Fatalf("from %d on to %d: %v", at, next, err)
		}
		got, at = append(got, cs...), next
	}
	var expected []record.Commit
	for _, c := range list {
		o, _ := record.Split(&c)
		if c.Seq > from && want(&o) {
			expected = append(expected, c)
		}
	}
	if !reflect.DeepEqual(got, expected) {
		t.Fatalf("from %d: %d commits, want %d", from, len(got), len(expected))
	}
}

// checkCounts compares Between with counting.
func checkCounts(t *testing.T, g *rand.Rand, l *Log, list []record.Commit, trimmed record.Seq) {
	t.Helper()
	if l.Last() <= trimmed {
		return
	}
	from := trimmed + record.Seq(g.Uint64N(uint64(l.Last()-trimmed)+1))
	to := trimmed + record.Seq(g.Uint64N(uint64(l.Last()-trimmed)+1))
	n := uint64(0)
	for _, c := range list {
		if c.Seq > from && c.Seq <= to {
			n++
		}
	}
	if got := l.Between(from, to); got != n {
		t.Fatalf("between %d and %d: %d, counted %d", from, to, got, n)
	}
}

// checkParts: of what was trimmed there are the parts of table 1 and no others, and TrimParts takes these.
func checkParts(t *testing.T, s storage.Store, list []record.Commit, trimmed record.Seq) {
	t.Helper()
	count := func() (parts map[byte]int) {
		it, err := s.NewIter(storage.PrefixRange([]byte{storage.KindLogPart}))
		if err != nil {
			t.Fatal(err)
		}
		parts = map[byte]int{}
		for ok := it.First(); ok; ok = it.Next() {
			if seq, err := seqOf(it.Key()); err != nil || seq <= trimmed {
				parts[it.Key()[1]]++
			}
		}
		if err := errors.Join(it.Err(), it.Close()); err != nil {
			t.Fatal(err)
		}
		return parts
	}
	kept := 0
	for _, c := range list {
		if c.Seq > trimmed {
			break
		}
		_, parts := record.Split(&c)
		for _, p := range parts {
			if p.Table[0] == 1 {
				kept++
			}
		}
	}
	have := count()
	if have[1] != kept || have[2]+have[3] != 0 {
		t.Fatalf("parts of trimmed commits: %v, of table 1 there should be %d", have, kept)
	}
	l := openLog(t, s)
	if err := l.TrimParts(t.Context(), record.TableID{1}, 0); err != nil || count()[1] != kept {
		t.Fatalf("nothing was to go, and %d of %d are left: %v", count()[1], kept, err)
	}
	if err := l.TrimParts(t.Context(), record.TableID{1}, 1<<60); err != nil || count()[1] != 0 {
		t.Fatalf("everything was to go, and %d are left: %v", count()[1], err)
	}
}

// TestCorruptLog: an order entry whose part is missing, or bytes that are none, are told as such and not skipped.
func TestCorruptLog(t *testing.T) {
	for name, spoil := range map[string]func(w storage.Writer, c *record.Commit) error{
		"part missing": func(w storage.Writer, c *record.Commit) error {
			return w.Delete(partKey(nil, c.Changes[0].Table, c.Changes[0].Shard, c.Seq))
		},
		"part damaged": func(w storage.Writer, c *record.Commit) error {
			return w.Set(partKey(nil, c.Changes[0].Table, c.Changes[0].Shard, c.Seq), []byte("x"))
		},
		"order damaged": func(w storage.Writer, c *record.Commit) error { return w.Set(orderKey(nil, c.Seq), []byte("x")) },
	} {
		s := memstore.New()
		l := openLog(t, s)
		c := record.Commit{Stamp: crdt.Stamp{Time: 1, Origin: crdt.Origin{Region: "a-1"}}, Changes: []record.Change{{Key: []byte("k"), State: []byte("s")}}}
		if err := commit(s, l, &c); err != nil {
			t.Fatal(err)
		}
		if err := write(s, func(w storage.Writer) error { return spoil(w, &c) }); err != nil {
			t.Fatal(err)
		}
		_, _, err := l.Read(0, 1000, everything)
		var corrupt *storage.CorruptionError
		if !errors.As(err, &corrupt) && !storage.IsNotFound(err) || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, key := range [][]byte{ceilingKey, trimmedKey, gapsKey} {
		s := memstore.New()
		if err := write(s, func(w storage.Writer) error { return w.Set(key, []byte{1, 2, 3}) }); err != nil {
			t.Fatal(err)
		}
		var corrupt *storage.CorruptionError
		if _, err := Open(s); !errors.As(err, &corrupt) {
			t.Errorf("%q: %v", key, err)
		}
	}
}

// refusing is a store that commits nothing while full: a disk without room.
type refusing struct {
	storage.Store
	full bool
}

func (s *refusing) Begin(ctx context.Context, keys ...[]byte) (storage.Txn, error) {
	if s.full {
		return nil, storage.ErrFull
	}
	return s.Store.Begin(ctx, keys...)
}

// TestTrimOnAFullDisk: a trim that fails has taken nothing, and is done later.
func TestTrimOnAFullDisk(t *testing.T) {
	s := &refusing{Store: memstore.New()}
	l := openLog(t, s)
	var list []record.Commit
	g := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		c := randomCommit(g, 1)
		if err := commit(s, l, &c); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	s.full = true
	if err := l.Trim(t.Context(), 5, func(record.TableID) bool { return false }); !errors.Is(err, storage.ErrFull) {
		t.Fatal(err)
	}
	if cs, _, err := l.Read(0, 1<<20, everything); err != nil || len(cs) != 10 {
		t.Errorf("%d commits, %v", len(cs), err)
	}
	s.full = false
	if err := l.Trim(t.Context(), 5, func(id record.TableID) bool { return id[0] == 1 }); err != nil {
		t.Fatal(err)
	}
	checkParts(t, s, list, 5)
}

// TestReadersAndTrim: readers that go on while the log is trimmed under them get each commit once and in order, or are
// told that it is gone; never a hole and never anything else.
func TestReadersAndTrim(t *testing.T) {
	seed := newSeed(t)
	for _, name := range []string{"memory", "disk"} {
		t.Run(name, func(t *testing.T) {
			var s storage.Store = memstore.New()
			if name == "disk" {
				s = openPebble(t, vfs.NewMem())
			}
			l := openLog(t, s)
			var work, readers sync.WaitGroup
			const commits = 600
			var ended atomic.Bool
			work.Go(func() {
				g := rand.New(rand.NewPCG(seed, 1))
				for range commits {
					c := randomCommit(g, 1)
					if err := commit(s, l, &c); err != nil {
						t.Error(err)
						return
					}
				}
			})
			work.Go(func() {
				g := rand.New(rand.NewPCG(seed, 2))
				for l.Durable() < commits/2 {
					if err := l.WaitDurable(t.Context(), l.Durable()+5); err != nil {
						t.Error(err)
						return
					}
					if err := l.Trim(t.Context(), l.Durable()-record.Seq(g.IntN(20)), func(record.TableID) bool { return false }); err != nil {
						t.Error(err)
						return
					}
				}
			})
			for i := range 2 {
				readers.Go(func() { readAll(t, l, rand.New(rand.NewPCG(seed, uint64(3+i))), &ended) })
			}
			work.Wait()
			ended.Store(true)
			readers.Wait()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if err := l.WaitDurable(context.Background(), l.Last()+1); !errors.Is(err, storage.ErrClosed) {
				t.Errorf("waiting on a closed store: %v", err)
			}
		})
	}
}

// readAll follows the log to its end after ended; a trim under it makes it begin where the log does.
func readAll(t *testing.T, l *Log, g *rand.Rand, ended *atomic.Bool) {
	var at record.Seq
	known := false // the commit at at is known, so the next one must name it
	for {
		done := ended.Load()
		cs, next, err := l.Read(at, 1+g.IntN(4000), everything)
		if errors.Is(err, ErrTrimmed) {
			at, known = l.First()-1, false
			continue
		}
		if err != nil {
			t.Error(err)
			return
		}
		for i := range cs {
			if known && cs[i].Prev != at {
				t.Errorf("commit %d follows %d, which is not %d", cs[i].Seq, cs[i].Prev, at)
			}
			at, known = cs[i].Seq, true
		}
		if next < at {
			t.Errorf("read to %d, go on from %d", at, next)
		}
		if at = next; done && at == l.Last() {
			return
		}
	}
}

func openPebble(t *testing.T, fs vfs.FS) storage.Store {
	t.Helper()
	s, err := pebblestore.Open("d", pebblestore.Options{FS: fs, CacheBytes: 1 << 20, MemTableBytes: 256 << 10})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPowerLoss cuts the power of a log that is written, read and trimmed, many times over. Numbers are never given again,
// also those of commits that were lost; what was durable is there and readable, without a hole; gaps are counted exactly.
func TestPowerLoss(t *testing.T) {
	seed := newSeed(t)
	g := rand.New(rand.NewPCG(seed, 1))
	fs := vfs.NewCrashableMem()
	given := map[record.Seq]record.Commit{} // by all lives, those that were lost too
	for life := range 15 {
		s := openPebble(t, fs)
		l := openLog(t, s)
		var mu sync.Mutex
		var clone *vfs.MemFS
		var sure []record.Seq // durable before the power went
		at, n, trims, keep := g.IntN(80), 0, g.IntN(3), g.IntN(101)
		cut := func() {
			if n++; n >= at && clone == nil {
				clone = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: keep, RNG: rand.New(rand.NewPCG(seed, uint64(life)))})
			}
		}
		var work sync.WaitGroup
		for i := range 3 {
			wg := rand.New(rand.NewPCG(seed, uint64(life*10+i)))
			work.Go(func() {
				for range 30 {
					c := randomCommit(wg, 1)
					err := write(s, func(w storage.Writer) error {
						if err := l.Append(w, &c); err != nil {
							return err
						}
						mu.Lock()
						defer mu.Unlock()
						if old, twice := given[c.Seq]; twice {
							t.Errorf("seed %d life %d: number %d was given to %v and %v", seed, life, c.Seq, old.Stamp, c.Stamp)
						}
						given[c.Seq] = c
						return nil
					})
					if err != nil {
						t.Error(err)
						return
					}
					l.Committed(c.Seq)
					mu.Lock()
					if clone == nil {
						sure = append(sure, c.Seq)
					}
					cut()
					mu.Unlock()
				}
			})
		}
		work.Go(func() {
			for range trims {
				if err := l.Trim(context.Background(), l.Durable()-min(l.Durable(), 10), func(record.TableID) bool { return false }); err != nil {
					t.Error(err)
				}
				mu.Lock()
				cut()
				mu.Unlock()
			}
		})
		work.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		fs = clone
		checkAfterPowerLoss(t, fs, given, sure, fmt.Sprintf("seed %d life %d", seed, life))
	}
}

func checkAfterPowerLoss(t *testing.T, fs *vfs.MemFS, given map[record.Seq]record.Commit, sure []record.Seq, where string) {
	t.Helper()
	s := openPebble(t, fs)
	defer s.Close()
	l := openLog(t, s)
	cs, next, err := l.Read(l.First()-1, 1<<30, everything)
	if err != nil || next != l.Last() {
		t.Fatalf("%s: read to %d of %d: %v", where, next, l.Last(), err)
	}
	there := map[record.Seq]bool{}
	for i, c := range cs {
		there[c.Seq] = true
		if i > 0 && c.Prev != cs[i-1].Seq {
			t.Fatalf("%s: commit %d names %d before it, %d stands there", where, c.Seq, c.Prev, cs[i-1].Seq)
		}
		if !reflect.DeepEqual(c, given[c.Seq]) {
			t.Fatalf("%s: commit %d is not what was written", where, c.Seq)
		}
	}
	for _, seq := range sure {
		if seq >= l.First() && !there[seq] {
			t.Fatalf("%s: commit %d was durable and is gone; the log is %d to %d", where, seq, l.First(), l.Last())
		}
	}
	if got := l.Between(l.First()-1, l.Last()); got != uint64(len(cs)) {
		t.Fatalf("%s: %d commits are counted, %d are there", where, got, len(cs))
	}
}
