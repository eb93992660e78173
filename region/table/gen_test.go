package table

import (
	"math/rand/v2"
	"strings"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
)

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
