package table

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/expr"
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

// gen draws random writes and reads.
type gen struct {
	*rand.Rand
	large bool // items of some hundred kilobytes now and then
}

func newGen(seed uint64) *gen { return &gen{Rand: rand.New(rand.NewPCG(seed, 0))} }

func pick[T any](g *gen, from ...T) T { return from[g.IntN(len(from))] }

func (g *gen) one(in int) bool { return g.IntN(in) == 0 }

var partitions = []string{"p", "q", "r", "s\x00", "s", "ß"}

func (g *gen) key(d *catalog.Descriptor) item.Key {
	if d.Name == "narrow" {
		return item.Key{Hash: []item.Value{item.Bin([]byte{byte(g.IntN(20)), 0})}}
	}
	return item.Key{Hash: []item.Value{item.Str(pick(g, partitions...))}, Range: []item.Value{num(g.IntN(12) - 4)}}
}

func (g *gen) text() item.Value { return item.Str(pick(g, "", "a", "ab", "b", "b\x00", "c")) }

// indexed is a value for g: nearly always one that can be an index's key.
func (g *gen) indexed() item.Value {
	switch g.IntN(40) {
	case 0:
		return num(1)
	case 1:
		return item.Str("")
	}
	return item.Str(pick(g, "g", "gg", "h", "h\x00"))
}

func (g *gen) set() item.Value {
	members := []item.Value{item.Str("m")}
	for _, m := range []string{"", "n", "o"} {
		if g.one(2) {
			members = append(members, item.Str(m))
		}
	}
	return must(item.NewSet(item.StringSet, members))
}

func (g *gen) big() item.Value {
	n := g.IntN(3000)
	if g.large && g.one(3) {
		n = g.IntN(450_000)
	}
	return item.Str(strings.Repeat("x", n))
}

func (g *gen) item(d *catalog.Descriptor) item.Item {
	fields := d.Schema.Fields(g.key(d))
	add := func(name string, v item.Value) {
		if !g.one(3) {
			fields = append(fields, item.Field{Name: name, Value: v})
		}
	}
	add("a", g.text())
	add("n", num(g.IntN(5)))
	add("l", num(g.IntN(5)))
	add("g", g.indexed())
	add("x", item.Bin([]byte{byte(g.IntN(3))}))
	add("ss", g.set())
	if g.one(2) {
		add("doc", item.NewMap([]item.Field{{Name: "x", Value: num(g.IntN(3))}, {Name: "y", Value: item.NewList([]item.Value{g.text(), g.text()})}}))
	}
	if g.one(4) {
		add("big", g.big())
	}
	return item.NewItem(fields)
}

func (g *gen) condition(filter bool) *expr.Condition {
	exists := []string{"attribute_exists(n)", "attribute_not_exists(g)"}
	if !filter {
		exists = []string{"attribute_exists(pk) OR attribute_exists(id)", "attribute_not_exists(pk) AND attribute_not_exists(id)"}
	}
	switch g.IntN(5) {
	case 0, 1:
		return cond(pick(g, exists...), nil)
	case 2:
		return cond("n > :n OR contains(ss, :m)", values{":n": num(g.IntN(5)), ":m": item.Str("n")})
	case 3:
		return cond("a = :v AND NOT l IN (:one, :two)", values{":v": g.text(), ":one": num(1), ":two": num(2)})
	}
	return cond("size(big) > :n OR doc.x = :n", values{":n": num(g.IntN(3))})
}

func (g *gen) update() *expr.Update {
	switch g.IntN(10) {
	case 0:
		return update("SET a = :v", values{":v": g.text()})
	case 1:
		return update("SET n = if_not_exists(n, :n) + :n", values{":n": num(g.IntN(3))})
	case 2:
		return update("REMOVE a, g", nil)
	case 3:
		return update("ADD n :n, ss :s", values{":n": num(g.IntN(4) - 2), ":s": g.set()})
	case 4:
		return update("DELETE ss :s", values{":s": g.set()})
	case 5:
		return update("SET g = :g, l = :l REMOVE x", values{":g": g.indexed(), ":l": num(g.IntN(5))})
	case 6:
		return update("SET doc.x = :n, doc.y[7] = a", values{":n": num(g.IntN(9))})
	case 7:
		return update("SET big = :b, x = :x", values{":b": g.big(), ":x": item.Bin([]byte{1})})
	case 8:
		return update("SET g = a", nil)
	}
	return update("SET doc = :d", values{":d": item.NewMap(nil)})
}

func (g *gen) write(d *catalog.Descriptor, kinds ...Op) Write {
	w := Write{Op: pick(g, kinds...)}
	if w.Op == Put {
		w.Item = g.item(d)
	} else {
		w.Key = g.key(d)
	}
	if w.Op == Update {
		w.Update = g.update()
	}
	if w.Op == Check || g.one(4) {
		w.Condition = g.condition(false)
	}
	return w
}

func (g *gen) reading(index *catalog.Index) Reading {
	r := Reading{Consistent: g.one(2)}
	if index != nil {
		r.Index = index.Name
	}
	if !g.one(3) {
		r.Limit = 1 + g.IntN(8)
	}
	if g.one(3) {
		r.Filter = g.condition(true)
	}
	switch g.IntN(6) {
	case 0:
		r.Projection = projection(pick(g, "a, n", "pk, l", "doc.x, big", "doc.y[1], ss"))
	case 1:
		r.CountOnly = true
	case 2:
		r.All = true
	}
	return r
}

func (g *gen) indexOf(d *catalog.Descriptor) (*catalog.Index, item.KeySchema) {
	if i := g.IntN(len(d.Indexes)+2) - 2; i >= 0 {
		return &d.Indexes[i], d.Indexes[i].Schema
	}
	return nil, d.Schema
}

func (g *gen) query(d *catalog.Descriptor) Query {
	ix, schema := g.indexOf(d)
	q := Query{Reading: g.reading(ix), Reverse: g.one(2)}
	for _, a := range schema.Hash {
		q.Range.Hash = append(q.Range.Hash, g.keyValue(a))
	}
	for _, a := range schema.Range {
		v := g.keyValue(a)
		switch g.IntN(3) {
		case 0:
			q.Range.Prefix = append(q.Range.Prefix, v)
			continue
		case 1:
			q.Range.Op = expr.RangeOp(2 + g.IntN(6))
			if q.Range.Op == expr.RangeBeginsWith && a.Kind == item.Number {
				q.Range.Op = expr.RangeGE
			}
			if q.Range.Lo = v; q.Range.Op == expr.RangeBetween {
				q.Range.Hi = g.keyValue(a)
			}
		}
		break
	}
	return q
}

func (g *gen) keyValue(a item.KeyAttr) item.Value {
	switch a.Name {
	case "pk":
		return item.Str(pick(g, partitions...))
	case "id":
		return item.Bin([]byte{byte(g.IntN(20)), 0})
	case "sk":
		return num(g.IntN(12) - 4)
	case "g":
		return item.Str(pick(g, "g", "gg", "h", "h\x00"))
	case "x":
		return item.Bin([]byte{byte(g.IntN(3))})
	}
	return num(g.IntN(5))
}

func (g *gen) scan(d *catalog.Descriptor) Scan {
	ix, _ := g.indexOf(d)
	s := Scan{Reading: g.reading(ix)}
	if g.one(2) {
		s.Total = pick(g, 1, 2, 3, 7, 1_000_000)
		s.Segment = g.IntN(s.Total)
		if s.Total == 1_000_000 { // one that has something
			s.Segment = int(uint64(g.key(d).Hash32()) * 1_000_000 >> 32)
		}
	}
	return s
}

// subject is what a history is run on: an engine, or the model. Answers are text.
type subject interface {
	write(d *catalog.Descriptor, w Write) string
	batch(ds []*catalog.Descriptor, ws []Write) string
	transact(ds []*catalog.Descriptor, ws []Write) string
	get(d *catalog.Descriptor, k item.Key, consistent bool) string
	transactGet(ds []*catalog.Descriptor, ks []item.Key) string
	query(d *catalog.Descriptor, q Query) (Page, string)
	scan(d *catalog.Descriptor, s Scan) (Page, string)
}

type onEngine struct{ *rig }

func (s onEngine) of(d *catalog.Descriptor) *Table { return s.table(d.ID) }

func (s onEngine) write(d *catalog.Descriptor, w Write) string {
	return writeText(s.of(d).Write(bg, w))
}

func (s onEngine) tableWrites(ds []*catalog.Descriptor, ws []Write) []TableWrite {
	out := make([]TableWrite, len(ws))
	for i := range ws {
		out[i] = TableWrite{s.of(ds[i]), ws[i]}
	}
	return out
}

func (s onEngine) batch(ds []*catalog.Descriptor, ws []Write) string {
	return writesText(s.engine.WriteBatch(bg, s.tableWrites(ds, ws)))
}

func (s onEngine) transact(ds []*catalog.Descriptor, ws []Write) string {
	done, err := s.engine.Transact(bg, nil, s.tableWrites(ds, ws))
	if err != nil {
		return "error: " + err.Error()
	}
	return writesText(done.Results, done.Reasons)
}

func getText(it item.Item, c Cost) string { return short(it) + " " + costText(c) }

func (s onEngine) get(d *catalog.Descriptor, k item.Key, consistent bool) string {
	res, err := s.of(d).Get(bg, k, consistent)
	if err != nil {
		return "error: " + err.Error()
	}
	return getText(res.Item, res.Cost)
}

func (s onEngine) transactGet(ds []*catalog.Descriptor, ks []item.Key) string {
	keys := make([]TableKey, len(ks))
	for i := range ks {
		keys[i] = TableKey{s.of(ds[i]), ks[i]}
	}
	res, err := s.engine.TransactGet(bg, keys)
	if err != nil {
		return "error: " + err.Error()
	}
	text := ""
	for _, r := range res {
		text += getText(r.Item, r.Cost) + "\n"
	}
	return text
}

func (s onEngine) query(d *catalog.Descriptor, q Query) (Page, string) {
	p, err := s.of(d).Query(bg, q)
	return p, pageText(p, err)
}

func (s onEngine) scan(d *catalog.Descriptor, q Scan) (Page, string) {
	p, err := s.of(d).Scan(bg, q)
	return p, pageText(p, err)
}

type onModel struct{ *model }

func (s onModel) write(d *catalog.Descriptor, w Write) string {
	return writeText(s.model.write(d.Name, w))
}

func (s onModel) batch(ds []*catalog.Descriptor, ws []Write) string {
	rs, errs := make([]WriteResult, len(ws)), make([]error, len(ws))
	for i, w := range ws {
		rs[i], errs[i] = s.model.write(ds[i].Name, w)
	}
	return writesText(rs, errs)
}

func (s onModel) transact(ds []*catalog.Descriptor, ws []Write) string {
	names := make([]string, len(ds))
	for i, d := range ds {
		names[i] = d.Name
	}
	return writesText(s.model.transact(names, ws))
}

func (s onModel) get(d *catalog.Descriptor, k item.Key, consistent bool) string {
	it := s.tables[d.Name].get(k)
	return getText(it, Cost{Table: units4096(it.Size(), consistent)})
}

func (s onModel) transactGet(ds []*catalog.Descriptor, ks []item.Key) string {
	text := ""
	for i := range ks {
		text += s.get(ds[i], ks[i], true) + "\n"
	}
	return text
}

func (s onModel) query(d *catalog.Descriptor, q Query) (Page, string) {
	p, err := s.model.query(d.Name, q)
	return p, pageText(p, err)
}

func (s onModel) scan(d *catalog.Descriptor, q Scan) (Page, string) {
	p, err := s.model.scan(d.Name, q)
	return p, pageText(p, err)
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
