package table

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
)

// go test ./region/table -run TestHistories -history.ops=100000 -history.seed=1 -timeout 30m
var (
	historyOps  = flag.Int("history.ops", 0, "operations of TestHistories; 0: a few seconds' worth")
	historySeed = flag.Uint64("history.seed", 0, "first seed of TestHistories; 0: by the time")
)

func seed(t testing.TB) uint64 {
	s := *historySeed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d (-history.seed=%d)", s, s)
	return s
}

// history runs operations on all subjects and compares their answers.
type history struct {
	t        *testing.T
	g        *gen
	tables   []*catalog.Descriptor
	subjects []subject // the model first
	ops      int
}

func (h *history) same(what string, ask func(subject) string) {
	h.t.Helper()
	h.ops++
	want := ask(h.subjects[0])
	for i, s := range h.subjects[1:] {
		if have := ask(s); have != want {
			h.t.Fatalf("operation %d, engine %d: %s:\nhave %s\nwant %s", h.ops, i, what, have, want)
		}
	}
}

// distinct draws writes of different items.
func (h *history) distinct(n int, kinds ...Op) (ds []*catalog.Descriptor, ws []Write) {
	seen := map[string]bool{}
	for range n {
		d := pick(h.g, h.tables...)
		w := h.g.write(d, kinds...)
		k := w.Key
		if w.Op == Put {
			k = must(d.Schema.FromItem(w.Item))
		}
		if at := d.Name + string(k.Append(nil)); !seen[at] {
			seen[at] = true
			ds, ws = append(ds, d), append(ws, w)
		}
	}
	return ds, ws
}

func (h *history) step() {
	g := h.g
	d := pick(g, h.tables...)
	switch n := g.IntN(100); {
	case n < 50:
		w := g.write(d, Put, Put, Update, Update, Delete)
		h.same(fmt.Sprintf("write to %s: op %d, key %v, %s", d.Name, w.Op, w.Key, short(w.Item)), func(s subject) string { return s.write(d, w) })
	case n < 60:
		ds, ws := h.distinct(1+g.IntN(8), Put, Update, Delete, Check)
		h.same("transaction", func(s subject) string { return s.transact(ds, ws) })
	case n < 64:
		ds, ws := h.distinct(1+g.IntN(10), Put, Delete)
		h.same("batch", func(s subject) string { return s.batch(ds, ws) })
	case n < 72:
		k, consistent := g.key(d), g.one(2)
		h.same("get", func(s subject) string { return s.get(d, k, consistent) })
	case n < 75:
		ds, ks := []*catalog.Descriptor{d, h.tables[0]}, []item.Key{g.key(d), g.key(h.tables[0])}
		h.same("transaction of reads", func(s subject) string { return s.transactGet(ds, ks) })
	case n < 90:
		h.pages(g.query(d), func(s subject, q Query) (Page, string) { return s.query(d, q) })
	default:
		scan := g.scan(d)
		h.pages(Query{Reading: scan.Reading}, func(s subject, q Query) (Page, string) {
			scan.Reading = q.Reading
			return s.scan(d, scan)
		})
	}
}

// pages reads page after page, sometimes with writes in between, so that keys to go on from are no longer there.
func (h *history) pages(q Query, ask func(subject, Query) (Page, string)) {
	h.t.Helper()
	for range 20 {
		var last item.Item
		h.same(fmt.Sprintf("page of %q, start %s, %+v", q.Index, short(q.Start), q.Range), func(s subject) string {
			p, text := ask(s, q)
			last = p.Last
			return text
		})
		if q.Start = last; last.IsZero() {
			return
		}
		if h.g.one(4) {
			d := pick(h.g, h.tables...)
			w := h.g.write(d, Put, Delete, Delete)
			h.same("write between pages", func(s subject) string { return s.write(d, w) })
		}
	}
}

// TestHistories is the metamorphic test: one random history on every engine and on the model, all answers equal, and what
// is stored in the end consistent.
func TestHistories(t *testing.T) {
	first := seed(t)
	ops := *historyOps
	if ops == 0 {
		ops = 1500
	}
	for i, kind := range []struct{ large, shared bool }{{false, false}, {false, true}, {true, true}} {
		n := ops / 2
		if kind.large {
			n = ops / 20
		}
		t.Run(fmt.Sprintf("large=%v,shared=%v", kind.large, kind.shared), func(t *testing.T) {
			h := history{t: t, g: newGen(first + uint64(i)), tables: []*catalog.Descriptor{wide(kind.shared), narrow(kind.shared)}}
			h.g.large = kind.large
			h.subjects = []subject{onModel{newModel(h.tables...)}}
			var rigs []*rig
			for _, name := range []string{"memstore", "pebblestore"} {
				r := newRig(t, engines[name](t), "a")
				defer r.close()
				for _, d := range h.tables {
					r.describe(d)
				}
				rigs, h.subjects = append(rigs, r), append(h.subjects, onEngine{r})
			}
			for h.ops < n {
				h.step()
				for _, r := range rigs {
					r.pass(int64(h.ops % 2))
				}
				if h.ops%2000 == 0 {
					for _, r := range rigs {
						r.check()
					}
				}
			}
			for _, r := range rigs {
				r.check()
				r.checkLog()
			}
		})
	}
}
