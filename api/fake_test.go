package api

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/stream/record"
)

// fake is a Backend of plain maps: just enough of a region to see what the protocol makes of it.
type fake struct {
	mu      sync.Mutex
	tables  map[string]*fakeTable
	fail    error  // what every item operation answers, if set
	failKey string // the partition key of which reads and writes are throttled
	panics  bool

	reported   []error
	collection uint64 // the size of every item collection

	transacting func() // called by Transact, if set
}

type fakeTable struct {
	fake  *fake
	view  catalog.View
	items map[string]item.Item
}

func newFake() *fake { return &fake{tables: map[string]*fakeTable{}} }

func (f *fake) Name() string { return "us-east-1" }

func (f *fake) Report(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reported = append(f.reported, err)
}

func (f *fake) CreateTable(_ context.Context, s catalog.Spec) (catalog.View, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tables[s.Name] != nil {
		return catalog.View{}, fault.New(fault.Exists, "Table already exists: %s", s.Name)
	}
	v := catalog.View{Descriptor: s.Descriptor, Region: f.Name(), Status: "ACTIVE"}
	v.ID = record.TableID{byte(len(f.tables) + 1)}
	v.Created, v.Local.Joined = 1700000000123, 1700000000123
	v.Local.Ready, v.Local.DeletionProtection, v.Local.Tags = true, s.DeletionProtection, maps.Clone(s.Tags)
	v.Members = []catalog.Member{{Region: f.Name(), State: catalog.MemberActive}}
	for i := range v.Indexes {
		v.Indexes[i].ID, v.Indexes[i].State = uint32(i+1), catalog.IndexActive
		v.Local.Built = append(v.Local.Built, uint32(i+1))
	}
	f.tables[s.Name] = &fakeTable{fake: f, view: v, items: map[string]item.Item{}}
	v.Status = "CREATING"
	return v, nil
}

func (f *fake) find(name string) (*fakeTable, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.tables[name]; t != nil {
		return t, nil
	}
	return nil, fault.New(fault.NotFound, "Requested resource not found: Table: %s not found", name)
}

func (f *fake) DescribeTable(name string) (catalog.View, error) {
	t, err := f.find(name)
	if err != nil {
		return catalog.View{}, err
	}
	return t.view, nil
}

func (f *fake) UpdateTable(_ context.Context, name string, ch catalog.Change) (catalog.View, error) {
	t, err := f.find(name)
	if err != nil {
		return catalog.View{}, err
	}
	if ch.TTL != nil {
		t.view.TTL = *ch.TTL
	}
	if ch.Throughput != nil {
		t.view.Throughput = *ch.Throughput
	}
	v := t.view
	v.Status = "UPDATING"
	return v, nil
}

func (f *fake) DeleteTable(_ context.Context, name string) (catalog.View, error) {
	t, err := f.find(name)
	if err != nil {
		return catalog.View{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.tables, name)
	v := t.view
	v.Status = "DELETING"
	return v, nil
}

func (f *fake) ListTables(after string, limit int) (names []string, last string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range slices.Sorted(maps.Keys(f.tables)) {
		if n <= after {
			continue
		}
		if len(names) == limit {
			return names, names[limit-1], nil
		}
		names = append(names, n)
	}
	return names, "", nil
}

func (f *fake) SetTags(_ context.Context, name string, set map[string]string, remove []string) error {
	t, err := f.find(name)
	if err != nil {
		return err
	}
	if t.view.Local.Tags == nil {
		t.view.Local.Tags = map[string]string{}
	}
	maps.Copy(t.view.Local.Tags, set)
	for _, k := range remove {
		delete(t.view.Local.Tags, k)
	}
	return nil
}

func (f *fake) ChangeLocal(name string, fn func(*catalog.Local) error) (catalog.View, error) {
	t, err := f.find(name)
	if err != nil {
		return catalog.View{}, err
	}
	return t.view, fn(&t.view.Local)
}

func (f *fake) Table(name string) (Table, error) {
	if f.panics {
		panic("fake: told to")
	}
	t, err := f.find(name)
	if err != nil {
		return nil, fault.New(fault.NotFound, "Requested resource not found")
	}
	return t, nil
}

func (f *fake) WriteBatch(ctx context.Context, ws []Write) ([]table.WriteResult, []error) {
	res, errs := make([]table.WriteResult, len(ws)), make([]error, len(ws))
	for i, w := range ws {
		res[i], errs[i] = w.Table.Write(ctx, w.Write)
	}
	return res, errs
}

func (f *fake) Transact(ctx context.Context, _ *table.Token, ws []Write) (table.Transacted, error) {
	if f.transacting != nil {
		f.transacting()
	}
	res, errs := f.WriteBatch(ctx, ws)
	return table.Transacted{Results: res}, errors.Join(errs...)
}

func (f *fake) TransactGet(ctx context.Context, keys []Key) ([]table.GetResult, error) {
	out := make([]table.GetResult, len(keys))
	for i, k := range keys {
		r, err := k.Table.Get(ctx, k.Key, true)
		if err != nil {
			return nil, err
		}
		out[i] = r
	}
	return out, nil
}

// A fake has no streams.

func (f *fake) Streams(string, region.StreamName, int) ([]region.StreamName, bool) { return nil, false }

func (f *fake) DescribeStream(region.StreamName) (region.StreamView, error) {
	return region.StreamView{}, fault.New(fault.NotFound, "%s", region.NoStream)
}

func (f *fake) ShardIterator(region.StreamName, string, region.StreamStart) (string, error) {
	return "", fault.New(fault.NotFound, "%s", region.NoStream)
}

func (f *fake) StreamRecords(string, int) ([]region.StreamRecord, string, error) {
	return nil, "", fault.New(fault.Invalid, "Invalid ShardIterator")
}

func (t *fakeTable) Descriptor() *catalog.Descriptor { return &t.view.Descriptor }
func (t *fakeTable) Schema() item.KeySchema          { return t.view.Schema }
func (t *fakeTable) CheckPut(item.Item) error        { return nil }

func (t *fakeTable) CollectionSize([]item.Value) (uint64, error) { return t.fake.collection, nil }

func (t *fakeTable) Write(_ context.Context, w table.Write) (res table.WriteResult, err error) {
	t.fake.mu.Lock()
	defer t.fake.mu.Unlock()
	if err := t.fake.failure(w.Key); err != nil {
		return res, err
	}
	var room [64]byte
	k := w.Key.Append(room[:0])
	res.Old = t.items[string(k)]
	if w.Condition != nil {
		ok, err := w.Condition.Eval(res.Old)
		if err != nil {
			return res, err
		}
		if !ok {
			return res, &table.ConditionFailed{Item: res.Old}
		}
	}
	switch w.Op {
	case table.Put:
		res.New = w.Item
	case table.Update:
		if res.New, err = t.updated(&res, w); err != nil {
			return res, err
		}
	case table.Check:
		res.New = res.Old
	}
	if t.items[string(k)] = res.New; res.New.IsZero() {
		delete(t.items, string(k))
	}
	res.Cost.Table = 1
	return res, nil
}

func (t *fakeTable) updated(res *table.WriteResult, w table.Write) (item.Item, error) {
	key := t.view.Schema.Fields(w.Key)
	if w.Update == nil {
		if res.Old.IsZero() {
			return item.NewItem(key), nil
		}
		return res.Old, nil
	}
	u, err := w.Update.Apply(res.Old, key)
	res.UpdatedOld, res.UpdatedNew = u.UpdatedOld, u.UpdatedNew
	return u.Item, err
}

func (t *fakeTable) Get(_ context.Context, key item.Key, consistent bool) (table.GetResult, error) {
	t.fake.mu.Lock()
	defer t.fake.mu.Unlock()
	cost := 0.5
	if consistent {
		cost = 1
	}
	var room [64]byte
	return table.GetResult{Item: t.items[string(key.Append(room[:0]))], Cost: table.Cost{Table: cost}}, t.fake.failure(key)
}

// failure is what an operation on a key is told to answer.
func (f *fake) failure(key item.Key) error {
	if f.failKey != "" && key.Hash[0].Text() == f.failKey {
		return fault.New(fault.Throttled, "slow")
	}
	return f.fail
}

func (t *fakeTable) Query(_ context.Context, q table.Query) (table.Page, error) {
	return t.page(q.Reading)
}

func (t *fakeTable) Scan(_ context.Context, s table.Scan) (table.Page, error) {
	return t.page(s.Reading)
}

// page returns everything, in the order of keys: reading is the region's business and tested there.
func (t *fakeTable) page(r table.Reading) (p table.Page, err error) {
	t.fake.mu.Lock()
	defer t.fake.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(t.items)) {
		switch {
		case r.CountOnly:
		case r.Each != nil:
			r.Each(t.items[k])
		default:
			p.Items = append(p.Items, t.items[k])
		}
		p.Scanned++
		p.Count++
	}
	return p, t.fake.fail
}
