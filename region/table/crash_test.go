package table

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
)

// A life is one item's history as its only writer knows it: the states in the order in which it wrote them. Nobody but
// the writer changes it, so after a crash the item must be one of those from sure on.
type life struct {
	d      *catalog.Descriptor
	key    item.Key
	states []string // [0] is that of a key never written
	sure   int      // acknowledged, or seen by somebody
}

// lives are all items of a crash test, by writer.
type lives struct {
	mu   sync.Mutex
	all  []*life
	mine [][]*life
	// prefixes has for each writer, after each of its commits, how far each of its items was: a crash leaves one of them,
	// because a commit survives whole and with all before it.
	prefixes [][][]int
}

func (ls *lives) wrote(writer int, states map[*life]string) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for l, s := range states {
		l.states = append(l.states, s)
	}
	ls.noteLocked(writer)
}

func (ls *lives) noteLocked(writer int) {
	var at []int
	for _, l := range ls.mine[writer] {
		at = append(at, len(l.states)-1)
	}
	ls.prefixes[writer] = append(ls.prefixes[writer], at)
}

// begin takes what is stored as the start of all lives.
func (ls *lives) begin(get func(*life) string) {
	for _, l := range ls.all {
		l.states, l.sure = []string{get(l)}, 0
	}
	ls.prefixes = make([][][]int, len(ls.mine))
	for w := range ls.mine {
		ls.noteLocked(w)
	}
}

// whole reports whether a writer's items are as they were between two of its commits.
func (ls *lives) whole(writer int, get func(*life) string) bool {
	for _, at := range ls.prefixes[writer] {
		ok := true
		for i, l := range ls.mine[writer] {
			ok = ok && l.states[at[i]] == get(l)
		}
		if ok {
			return true
		}
	}
	return false
}

func (ls *lives) acknowledged(states map[*life]string) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for l := range states {
		l.sure = len(l.states) - 1
	}
}

// seen notes what a reader was told. An item that is not there may be any of several states.
func (ls *lives) seen(l *life, text string) error {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for v := len(l.states) - 1; v >= 0 && text != "null"; v-- {
		if l.states[v] == text {
			l.sure = max(l.sure, v)
			return nil
		}
	}
	if text != "null" {
		return fmt.Errorf("read what was never written: %s", text)
	}
	return nil
}

// frozen is what is known to be sure now.
func (ls *lives) frozen() []int {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	sure := make([]int, len(ls.all))
	for i, l := range ls.all {
		sure[i] = l.sure
	}
	return sure
}

// crashWriter writes its own items, alone or several at once.
type crashWriter struct {
	g     *gen
	rig   *rig
	lives *lives
	id    int
	model *model
	n     int
}

func (w *crashWriter) step() {
	chosen := map[*life]Write{}
	for range 1 + w.g.IntN(3)*w.g.IntN(2) {
		l := pick(w.g, w.lives.mine[w.id]...)
		chosen[l] = w.write(l)
	}
	var ds []*catalog.Descriptor
	var ws []Write
	states := map[*life]string{}
	names := []string{}
	for l, wr := range chosen {
		ds, ws, names = append(ds, l.d), append(ws, wr), append(names, l.d.Name)
	}
	_, reasons := w.model.transact(names, ws)
	if reasons == nil {
		for l := range chosen {
			states[l] = show(w.model.tables[l.d.Name].get(l.key))
		}
	}
	w.lives.wrote(w.id, states)
	eng := onEngine{w.rig}
	var done Transacted
	var err error
	if len(ws) == 1 {
		_, err = eng.of(ds[0]).Write(bg, ws[0])
	} else {
		done, err = w.rig.engine.Transact(bg, nil, eng.tableWrites(ds, ws))
	}
	failed := err != nil || done.Reasons != nil
	if failed != (reasons != nil) {
		w.rig.t.Errorf("writes %v: %v %v, the model says %v", ws, err, done.Reasons, reasons)
	}
	if !failed {
		w.lives.acknowledged(states)
	}
}

// write draws a write whose result no other has.
func (w *crashWriter) write(l *life) Write {
	w.n++
	wr := w.g.write(l.d, Put, Put, Update, Delete)
	wr.Key = l.key
	switch wr.Op {
	case Put:
		wr.Item = wr.Item.With(append(l.d.Schema.Fields(l.key), item.Field{Name: "v", Value: num(w.n)}))
	case Update:
		wr.Update = update("SET v = :v, l = :l ADD n :l", values{":v": num(w.n), ":l": num(w.g.IntN(3))})
	}
	return wr
}

// TestCrashes cuts the power of a busy region again and again. Nothing acknowledged or read is missing, nothing that was
// never written is there, and all that is stored fits together.
func TestCrashes(t *testing.T) {
	g := newGen(seed(t))
	fs := vfs.NewCrashableMem()
	tables := []*catalog.Descriptor{wide(true), narrow(true)}
	rounds, writers, steps := 4, 4, 50
	if *historyOps > 0 {
		rounds = *historyOps / 200
	}
	ls := &lives{}
	for w := range writers {
		ls.mine = append(ls.mine, nil)
		for i := range 6 {
			d := tables[i%2]
			k := item.Key{Hash: []item.Value{item.Bin([]byte{byte(w), byte(i)})}}
			if d.Name == "wide" {
				k = item.Key{Hash: []item.Value{item.Str(fmt.Sprint("p", i))}, Range: []item.Value{num(w)}}
			}
			l := &life{d: d, key: k, states: []string{"null"}}
			ls.all, ls.mine[w] = append(ls.all, l), append(ls.mine[w], l)
		}
	}
	versions := 0
	for range rounds {
		r := newRig(t, openPebble(t, fs), "a")
		for _, d := range tables {
			r.describe(d)
		}
		r.pass(int64(g.IntN(3))) // the machine was away for hardly any time
		ls.begin(r.stored)
		var wg, readers sync.WaitGroup
		stop := make(chan struct{})
		for w := range writers {
			cw := &crashWriter{g: newGen(g.Uint64()), rig: r, lives: ls, id: w, n: versions, model: newModel(tables...)}
			for _, l := range ls.mine[w] {
				cw.model.tables[l.d.Name].set(l.key, must(r.table(l.d.ID).Get(bg, l.key, true)).Item)
			}
			wg.Go(func() {
				for range steps {
					cw.step()
				}
			})
		}
		versions += 10 * steps
		rg := newGen(g.Uint64())
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				l := pick(rg, ls.all...)
				it := must(r.table(l.d.ID).Get(bg, l.key, rg.one(2))).Item
				if err := ls.seen(l, show(it)); err != nil {
					t.Error(err)
					return
				}
			}
		})
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		sure, clone := crash(g, fs, ls, done)
		<-done
		close(stop)
		readers.Wait()
		r.close()
		fs = clone
		judge(t, fs, tables, ls, sure)
	}
}

// crash takes what a power cut would leave at some moment of the writers' work, and what was sure before it.
func crash(g *gen, fs *vfs.MemFS, ls *lives, done <-chan struct{}) ([]int, *vfs.MemFS) {
	for target := g.IntN(200); ; runtime.Gosched() {
		select {
		case <-done:
			target = 0
		default:
		}
		sure := ls.frozen()
		total := 0
		for _, n := range sure {
			total += n
		}
		if total >= target {
			return sure, fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: g.IntN(101), RNG: rand.New(rand.NewPCG(g.Uint64(), 1))})
		}
	}
}

// stored shows what stands there of an item.
func (r *rig) stored(l *life) string { return show(must(r.table(l.d.ID).Get(bg, l.key, true)).Item) }

func judge(t *testing.T, fs vfs.FS, tables []*catalog.Descriptor, ls *lives, sure []int) {
	t.Helper()
	r := newRig(t, openPebble(t, fs), "a")
	defer r.close()
	for _, d := range tables {
		r.describe(d)
	}
	for i, l := range ls.all {
		have := r.stored(l)
		ok := false
		for _, s := range l.states[sure[i]:] {
			ok = ok || s == have
		}
		if !ok {
			t.Errorf("after the crash %s is %s: none of %q", l.d.Name, have, l.states[sure[i]:])
		}
	}
	for w := range ls.mine {
		if !ls.whole(w, r.stored) {
			t.Errorf("after the crash the items of writer %d are not as they were after any of its commits", w)
		}
	}
	r.check()
	r.checkLog()
	last := r.clock.Last()
	for _, c := range r.commits() {
		if c.Stamp.Time > last {
			t.Errorf("commit %d has the time %s, the clock starts at %s", c.Seq, c.Stamp, last)
		}
	}
}
