package table

import (
	"errors"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/capacity"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage/memstore"
)

// limited is a table with a limit on writes, and the same on those of its global indexes.
func limited(write int64) *catalog.Descriptor {
	d := wide(true)
	d.Throughput.Write = write
	for i := range d.Indexes {
		d.Indexes[i].Throughput.Write = write
	}
	return d
}

// TestUsageIsWhatAnswersSaid runs random operations: what the meters say was used is what the answers said they cost.
func TestUsageIsWhatAnswersSaid(t *testing.T) {
	g := newGen(seed(t))
	r := newRig(t, memstore.New(), "a")
	defer r.close()
	ds := []*catalog.Descriptor{wide(false), narrow(false)}
	want := map[string]*capacity.Usage{}
	for _, d := range ds {
		r.describe(d)
		want[d.Name] = &capacity.Usage{}
	}
	wrote := func(d *catalog.Descriptor, res WriteResult, err error) {
		var cf *ConditionFailed
		if errors.As(err, &cf) {
			res.Cost = cf.Cost
		}
		want[d.Name].Write += res.Cost.Total()
	}
	for range 3000 {
		d := pick(g, ds...)
		tab := r.table(d.ID)
		switch g.IntN(6) {
		case 0, 1:
			res, err := tab.Write(bg, g.write(d, Put, Update, Delete))
			wrote(d, res, err)
		case 2:
			ws := []TableWrite{{tab, g.write(d, Put, Delete)}, {r.table(ds[0].ID), g.write(ds[0], Put)}}
			res, errs := r.engine.WriteBatch(bg, ws)
			for i := range ws {
				wrote(ws[i].Table.entry.Descriptor, res[i], errs[i])
			}
		case 3:
			n := 1 + g.IntN(2)
			ws := []TableWrite{}
			for i := range n {
				ws = append(ws, TableWrite{r.table(ds[i].ID), g.write(ds[i], Put, Update, Delete, Check)})
			}
			before := []capacity.Usage{r.engine.Usage(ds[0].ID), r.engine.Usage(ds[1].ID)}
			res, err := r.engine.Transact(bg, nil, ws)
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range ws {
				if res.Reasons == nil {
					want[ds[i].Name].Write += res.Results[i].Cost.Doubled().Total()
					continue
				}
				// A cancelled one tells no costs; those of false conditions are known.
				used := r.engine.Usage(w.Table.entry.ID).Write - before[i].Write
				var cf *ConditionFailed
				if least := 2.0; errors.As(res.Reasons[i], &cf) && used != 2*cf.Cost.Table || res.Reasons[i] == nil && used < least {
					t.Fatalf("a cancelled transaction used %v: %v", used, res.Reasons)
				}
				want[ds[i].Name].Write += used
			}
		case 4:
			res, err := tab.Get(bg, g.key(d), g.one(2))
			if err != nil {
				t.Fatal(err)
			}
			want[d.Name].Read += res.Cost.Total()
			both, err := r.engine.TransactGet(bg, []TableKey{{r.table(ds[0].ID), g.key(ds[0])}, {r.table(ds[1].ID), g.key(ds[1])}})
			if err != nil {
				t.Fatal(err)
			}
			for i := range both {
				want[ds[i].Name].Read += both[i].Cost.Doubled().Total()
			}
		case 5:
			page, _ := tab.Query(bg, g.query(d))
			want[d.Name].Read += page.Cost.Total()
			page, _ = tab.Scan(bg, g.scan(d))
			want[d.Name].Read += page.Cost.Total()
		}
		for _, d := range ds {
			if u := r.engine.Usage(d.ID); u != *want[d.Name] {
				t.Fatalf("table %s: used %+v, answers said %+v", d.Name, u, *want[d.Name])
			}
		}
	}
}

// TestDoneAgainIsPaidOnce: a commit that is done again under a new description has its first price back.
func TestDoneAgainIsPaidOnce(t *testing.T) {
	s := &gated{Store: memstore.New()}
	r := newRig(t, s, "a")
	defer r.close()
	tab := r.describe(limited(1))
	s.before = func() { r.describe(limited(1)) }
	put := Write{Op: Put, Item: js(`{"pk":{"S":"p"},"sk":{"N":"1"},"g":{"S":"g"}}`)}
	if _, err := tab.Write(bg, put); err != nil || s.before != nil {
		t.Fatal(err)
	}
	if u := r.engine.Usage(tab.entry.ID); u != (capacity.Usage{Write: 3}) { // the item, a local index's entry and a global one's
		t.Errorf("used %+v", u)
	}
}

// TestNotDoneIsNotPaid: a write that the clock guard refuses costs nothing.
func TestNotDoneIsNotPaid(t *testing.T) {
	r := newRig(t, memstore.New(), "a")
	defer r.close()
	tab := r.describe(limited(1))
	r.clock.Report(map[string]time.Duration{"b": -time.Hour, "c": -time.Hour})
	for range 400 { // more than the bucket holds
		_, err := tab.Write(bg, Write{Op: Put, Item: js(`{"pk":{"S":"p"},"sk":{"N":"1"},"g":{"S":"g"}}`)})
		if fault.KindOf(err) != fault.Unavailable {
			t.Fatal(err)
		}
	}
	if u := r.engine.Usage(tab.entry.ID); u != (capacity.Usage{}) {
		t.Errorf("used %+v", u)
	}
}

// TestReplicatedWritesArePaidAndNeverRefused (DYNAMODB.md 10.4): they cost what they cost where they were made, once, and a
// backfill costs nothing.
func TestReplicatedWritesArePaidAndNeverRefused(t *testing.T) {
	g := newGen(seed(t))
	src, dst, filled := newRig(t, memstore.New(), "a"), newRig(t, memstore.New(), "b"), newRig(t, memstore.New(), "c")
	defer src.close()
	defer dst.close()
	defer filled.close()
	d := limited(1)
	tab := src.describe(wide(true))
	dst.describe(d)
	filled.describe(d)
	var want float64
	for len(src.commits()) < 700 {
		if res, err := tab.Write(bg, g.write(d, Put, Update, Delete)); err == nil && !(res.Old.IsZero() && res.New.IsZero()) {
			want += res.Cost.Total()
		}
	}
	commits := src.commits()
	apply(t, dst, commits)
	apply(t, dst, commits)
	if u := dst.engine.Usage(d.ID); u != (capacity.Usage{Write: want}) {
		t.Errorf("used %+v instead of %v", u, want)
	}
	if err := filled.engine.Apply(bg, Batch{Commits: commits, Silent: true}); err != nil {
		t.Fatal(err)
	}
	if u := filled.engine.Usage(d.ID); u != (capacity.Usage{}) {
		t.Errorf("a backfill used %+v", u)
	}
	// Local writes are refused now, for a second at most: then they are as good as any.
	write := Write{Op: Delete, Key: item.Key{Hash: []item.Value{item.Str("none")}, Range: []item.Value{num(1)}}}
	_, err := dst.table(d.ID).Write(bg, write)
	var over *Throttled
	if fault.KindOf(err) != fault.Throttled || !errors.As(err, &over) || over.Table != "wide" || over.First().Index != "" {
		t.Errorf("%v", err)
	}
	dst.pass(1001)
	if _, err := dst.table(d.ID).Write(bg, write); err != nil {
		t.Error(err)
	}
}
