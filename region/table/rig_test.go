package table

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/clock"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/storage/pebblestore"
	"github.com/meridiandb/meridian/stream"
	"github.com/meridiandb/meridian/stream/record"
)

var bg = context.Background()

// rig is an engine with a catalog that the test writes by hand.
type rig struct {
	t      testing.TB
	store  storage.Store
	log    *stream.Log
	clock  *clock.Clock
	engine *Engine

	mu     sync.Mutex
	tables map[record.TableID]*Table
	now    int64 // unix milliseconds
}

func newRig(t testing.TB, s storage.Store, region string) *rig {
	t.Helper()
	r := &rig{t: t, store: s, tables: map[record.TableID]*Table{}, now: 1_764_000_000_000}
	origin := crdt.Origin{Region: region, Incarnation: 1}
	var err error
	if r.clock, err = clock.Open(s, origin, r.wall); err != nil {
		t.Fatal(err)
	}
	if r.log, err = stream.Open(s); err != nil {
		t.Fatal(err)
	}
	r.engine = NewEngine(Options{Store: s, Log: r.log, Clock: r.clock, Origin: origin, Resolve: r.table})
	return r
}

// wall is a clock that goes on by a millisecond now and then, so that stamps of one millisecond occur too.
func (r *rig) wall() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) pass(ms int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now += ms
}

func (r *rig) table(id record.TableID) *Table {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tables[id]
}

// describe makes a description the table's present one, as the catalog would. All indexes count as built unless listed.
func (r *rig) describe(d *catalog.Descriptor, unbuilt ...uint32) *Table {
	e := &catalog.Entry{Descriptor: d, Local: catalog.Local{Ready: true}}
next:
	for _, ix := range d.Indexes {
		for _, u := range unbuilt {
			if u == ix.ID {
				continue next
			}
		}
		e.Local.Built = append(e.Local.Built, ix.ID)
	}
	t := r.engine.Table(e)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tables[d.ID] = t
	return t
}

func (r *rig) drop(id record.TableID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.tables, id)
}

func (r *rig) close() {
	r.t.Helper()
	if err := r.store.Close(); err != nil {
		r.t.Error(err)
	}
}

// engines are the stores that everything must be the same on.
var engines = map[string]func(testing.TB) storage.Store{
	"memstore":    func(testing.TB) storage.Store { return memstore.New() },
	"pebblestore": func(t testing.TB) storage.Store { return openPebble(t, vfs.NewMem()) },
}

func openPebble(t testing.TB, fs vfs.FS) storage.Store {
	t.Helper()
	// Small memory tables, so that flushes, compactions and with them merges of operands happen in every test.
	s, err := pebblestore.Open("data", pebblestore.Options{FS: fs, CacheBytes: 1 << 20, MemTableBytes: 256 << 10})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func onEngines(t *testing.T, fn func(t *testing.T, s storage.Store)) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			fn(t, s)
		})
	}
}

func attrs(kind item.Kind, names ...string) []item.KeyAttr {
	var as []item.KeyAttr
	for _, n := range names {
		as = append(as, item.KeyAttr{Name: n, Kind: kind})
	}
	return as
}

func tableID(n byte) record.TableID { return record.TableID{15: n} }

// wide is a table with a sort key and one index of every sort.
func wide(shared bool) *catalog.Descriptor {
	pk := attrs(item.String, "pk")
	d := &catalog.Descriptor{
		ID: tableID(1), Name: "wide", Schema: item.KeySchema{Hash: pk, Range: attrs(item.Number, "sk")},
		Members: []catalog.Member{{Region: "a", State: catalog.MemberActive}},
		Indexes: []catalog.Index{
			{ID: 1, Name: "local-keys", Schema: item.KeySchema{Hash: pk, Range: attrs(item.Number, "l")}, Projection: "KEYS_ONLY"},
			{ID: 2, Name: "local-some", Schema: item.KeySchema{Hash: pk, Range: attrs(item.String, "g")}, Projection: "INCLUDE", NonKey: []string{"n", "a"}},
			{ID: 3, Name: "global-all", Global: true, Schema: item.KeySchema{Hash: attrs(item.String, "g")}, Projection: "ALL"},
			{ID: 4, Name: "global-keys", Global: true, Projection: "KEYS_ONLY",
				Schema: item.KeySchema{Hash: attrs(item.String, "g"), Range: attrs(item.Number, "l")}},
			{ID: 5, Name: "global-many", Global: true, Projection: "INCLUDE", NonKey: []string{"ss"},
				Schema: item.KeySchema{
					Hash:  append(attrs(item.String, "g"), attrs(item.Number, "l")...),
					Range: append(attrs(item.Number, "n"), attrs(item.Binary, "x")...),
				}},
		},
	}
	if shared {
		share(d)
	}
	return d
}

// narrow is a table with a partition key only, and no index.
func narrow(shared bool) *catalog.Descriptor {
	d := &catalog.Descriptor{
		ID: tableID(2), Name: "narrow", Schema: item.KeySchema{Hash: attrs(item.Binary, "id")},
		Members: []catalog.Member{{Region: "a", State: catalog.MemberActive}},
	}
	if shared {
		share(d)
	}
	return d
}

func share(d *catalog.Descriptor) {
	for _, r := range []string{"b", "c"} {
		d.Members = append(d.Members, catalog.Member{Region: r, State: catalog.MemberActive})
	}
}

// js reads an item in DynamoDB JSON.
func js(text string) item.Item {
	it, err := item.ReadItem(jsontext.NewDecoder(strings.NewReader(text)))
	if err != nil {
		panic(fmt.Sprintf("%s: %v", text, err))
	}
	return it
}

func num(n int) item.Value { return item.NumVal(item.NumFromInt(int64(n))) }

// values are the placeholders of an expression.
type values map[string]item.Value

func cond(text string, vs values) *expr.Condition {
	if text == "" {
		return nil
	}
	return must(must(expr.ParseCondition(expr.ConditionExpression, text)).Bind(expr.NewParams(nil, vs)))
}

func update(text string, vs values) *expr.Update {
	return must(must(expr.ParseUpdate(text)).Bind(expr.NewParams(nil, vs)))
}

func projection(text string) *expr.Projection {
	if text == "" {
		return nil
	}
	return must(must(expr.ParseProjection(text)).Bind(expr.NewParams(nil, nil)))
}

func keyRange(s item.KeySchema, text string, vs values) expr.KeyRange {
	return must(must(must(expr.ParseKeyCondition(text)).Bind(expr.NewParams(nil, vs))).Resolve(s))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func show(it item.Item) string { return string(it.AppendJSON(nil)) }
