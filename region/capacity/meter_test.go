package capacity

import (
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func limits(read, write int64) Limits { return Limits{{Units: read}, {Units: write}} }

func cost(table float64, indexes ...IndexCost) Cost { return Cost{Table: table, Indexes: indexes} }

func global(name string, units float64) IndexCost {
	return IndexCost{Name: name, Global: true, Units: units}
}

func local(name string, units float64) IndexCost { return IndexCost{Name: name, Units: units} }

// TestUnits is section 6's prices.
func TestUnits(t *testing.T) {
	for _, c := range []struct {
		bytes                         int
		write, consistent, eventually float64
	}{
		{0, 1, 1, 0.5}, {1, 1, 1, 0.5}, {1024, 1, 1, 0.5}, {1025, 2, 1, 0.5}, {4096, 4, 1, 0.5}, {4097, 5, 2, 1}, {8193, 9, 3, 1.5},
		{409600, 400, 100, 50}, {1 << 20, 1024, 256, 128},
	} {
		if w, r, e := WriteUnits(c.bytes), ReadUnits(c.bytes, true), ReadUnits(c.bytes, false); w != c.write || r != c.consistent || e != c.eventually {
			t.Errorf("%d bytes: %v %v %v", c.bytes, w, r, e)
		}
	}
	c := cost(1.5, local("l", 2), global("g", 4))
	if c.Total() != 7.5 || c.own() != 3.5 || c.Doubled().Total() != 9 || c.Total() != 7.5 {
		t.Error("sums are wrong:", c.Total(), c.own(), c.Doubled().Total())
	}
}

// TestTake says who pays for what, and what is refused.
func TestTake(t *testing.T) {
	plan := Plan{Table: limits(1, 2), Indexes: map[string]Limits{"g": limits(1, 1), "h": {}}}
	for _, c := range []struct {
		name   string
		before []Cost // writes
		ask    []Cost
		want   []Reason
	}{
		{"all is there", nil, []Cost{cost(1, local("l", 1), global("g", 1))}, nil},
		{"the table is used up", []Cost{cost(600)}, []Cost{cost(1)}, []Reason{{Way: Write}}},
		{"local indexes pay from the table's", []Cost{cost(300, local("l", 300))}, []Cost{cost(1)}, []Reason{{Way: Write}}},
		{"so a local index alone asks the table", []Cost{cost(600)}, []Cost{cost(0, local("l", 1))}, []Reason{{Way: Write}}},
		{"an index pushes back on its table", []Cost{cost(1, global("g", 300))}, []Cost{cost(1, global("g", 1))}, []Reason{{Index: "g", Way: Write}}},
		{"but only for writes that touch it", []Cost{cost(1, global("g", 300))}, []Cost{cost(1)}, nil},
		{"and an index of cost zero is not touched", []Cost{cost(1, global("g", 300))}, []Cost{cost(1, global("g", 0))}, nil},
		{"both", []Cost{cost(600, global("g", 300))}, []Cost{cost(1, global("g", 1))}, []Reason{{Way: Write}, {Index: "g", Way: Write}}},
		{"each reason once", []Cost{cost(600, global("g", 300))}, []Cost{cost(1), cost(1, global("g", 1)), cost(1, global("g", 1))},
			[]Reason{{Way: Write}, {Index: "g", Way: Write}}},
		{"an index without limit", []Cost{cost(1, global("h", 1e6))}, []Cost{cost(1, global("h", 1))}, nil},
		{"an index that the plan does not know", []Cost{cost(1, global("new", 1e6))}, []Cost{cost(1, global("new", 1))}, nil},
		{"an index alone does not ask the table", []Cost{cost(600)}, []Cost{cost(0, global("g", 1))}, nil},
		{"nothing costs nothing", []Cost{cost(600, global("g", 300))}, []Cost{{}}, nil},
		{"one request may overdraw with all its parts", []Cost{cost(599)}, []Cost{cost(400), cost(400)}, nil},
	} {
		var m Meter
		m.Set(start, plan)
		for _, b := range c.before {
			if r := m.Take(start, Write, b); r != nil {
				t.Fatalf("%s: before: %v", c.name, r)
			}
		}
		used := m.Usage()
		got := m.Take(start, Write, c.ask...)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", c.name, got)
		}
		now := m.Usage()
		if refused := now.Throttled == 1; refused != (c.want != nil) || (now.Write == used.Write) != (refused || c.name == "nothing costs nothing") {
			t.Errorf("%s: %+v, before %+v", c.name, now, used)
		}
		if r := m.Take(start, Read, cost(0.5)); r != nil || m.Usage().Read != 0.5 {
			t.Errorf("%s: reads are refused: %v", c.name, r)
		}
	}
}

// TestRefusedTakesNothing: an index in the way leaves the table's bucket as it was.
func TestRefusedTakesNothing(t *testing.T) {
	var m Meter
	m.Set(start, Plan{Table: limits(1, 1), Indexes: map[string]Limits{"g": limits(1, 1)}})
	if r := m.Take(start, Write, cost(0, global("g", 300))); r != nil {
		t.Fatal(r)
	}
	for range 1000 {
		if r := m.Take(start, Write, cost(1, global("g", 1))); len(r) != 1 {
			t.Fatal("admitted")
		}
	}
	if l := m.table[Write].level(start); l != 300 {
		t.Fatalf("%v left in the table's bucket", l)
	}
}

// TestGiveBack undoes a Take to the last bit.
func TestGiveBack(t *testing.T) {
	var m Meter
	m.Set(start, Plan{Table: limits(1, 3), Indexes: map[string]Limits{"g": limits(1, 7)}})
	c := []Cost{cost(100, local("l", 7), global("g", 11)), cost(1)}
	m.Take(start, Write, cost(5, global("g", 1)))
	before, index := m.table[Write], m.indexes["g"][Write]
	m.Take(start, Write, c...)
	m.GiveBack(Write, c...)
	if m.table[Write] != before || m.indexes["g"][Write] != index || m.Usage() != (Usage{Write: 6}) {
		t.Fatalf("%+v, %+v", m.table[Write], m.Usage())
	}
}

// TestOpenTakesNothing asks in advance.
func TestOpenTakesNothing(t *testing.T) {
	var m Meter
	if m.Open(start, Read, "") != nil || m.Open(start, Read, "g") != nil {
		t.Fatal("a meter without limits refuses")
	}
	m.Set(start, Plan{Table: Limits{{Units: 1, OnDemand: true}}, Indexes: map[string]Limits{"g": limits(2, 0)}})
	for range 10_000 {
		if m.Open(start, Read, "") != nil || m.Open(start, Read, "g") != nil || m.Open(start, Read, "gone") != nil {
			t.Fatal("asking took something")
		}
	}
	m.Take(start, Read, cost(300))
	m.Take(start, Read, cost(0, global("g", 600)))
	if r := m.Open(start, Read, ""); !slices.Equal(r, []Reason{{Way: Read, OnDemand: true}}) {
		t.Error(r)
	}
	if r := m.Open(start, Read, "g"); !slices.Equal(r, []Reason{{Index: "g", Way: Read}}) {
		t.Error(r)
	}
	if u := m.Usage(); u != (Usage{Read: 900, Throttled: 2}) {
		t.Error(u)
	}
}

// TestCharge: what cannot be refused counts in full, and holds local requests up for a second at most.
func TestCharge(t *testing.T) {
	var m Meter
	m.Set(start, Plan{Table: limits(0, 1), Indexes: map[string]Limits{"g": limits(0, 1)}})
	for range 1000 {
		m.Charge(start, Write, cost(10, global("g", 10)))
	}
	if u := m.Usage(); u != (Usage{Write: 20_000}) {
		t.Error(u)
	}
	if r := m.Take(start+1000, Write, cost(1, global("g", 1))); len(r) != 2 {
		t.Errorf("after a second: %v", r)
	}
	if r := m.Take(start+1001, Write, cost(1, global("g", 1))); r != nil {
		t.Errorf("later: %v", r)
	}
}

// TestSet changes plans: the same again changes nothing, indexes come and go, and limits hold at once.
func TestSet(t *testing.T) {
	var m Meter
	one := Plan{Table: limits(1, 1), Indexes: map[string]Limits{"g": limits(1, 1)}}
	m.Set(start, one)
	m.Take(start, Write, cost(300, global("g", 300)))
	m.Set(start, one)
	if r := m.Take(start, Write, cost(1, global("g", 1))); len(r) != 2 {
		t.Fatalf("setting the same filled the buckets: %v", r)
	}
	m.Set(start, Plan{Table: limits(1, 1)})
	m.Set(start, one)
	if r := m.Take(start, Write, cost(0, global("g", 1))); r != nil {
		t.Fatalf("a new index of an old name is not new: %v", r)
	}
	m.Set(start, Plan{})
	if m.limited[Read].Load() || m.limited[Write].Load() || m.indexes["g"] != nil {
		t.Fatal("limits are left")
	}
	if r := m.Take(start, Write, cost(1e6)); r != nil {
		t.Fatal(r)
	}
	m.Set(start, Plan{Indexes: map[string]Limits{"g": limits(0, 1)}})
	if m.limited[Read].Load() || !m.limited[Write].Load() {
		t.Fatal("an index's limit does not limit")
	}
}

// TestTakeByMany: however many ask at one moment, the bucket and one overdraft are given out.
func TestTakeByMany(t *testing.T) {
	var m Meter
	m.Set(start, Plan{Table: limits(1, 10)})
	var admitted atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				if m.Take(start, Write, cost(7)) == nil {
					admitted.Add(7)
				} else {
					m.Set(start, Plan{Table: limits(1, 10)})
				}
			}
		})
	}
	wg.Wait()
	if n := admitted.Load(); n != 3003 { // 429 requests: the 429th found two units left
		t.Errorf("%d units were admitted", n)
	}
	if u := m.Usage(); u.Write != 3003 || u.Throttled != 8000-429 {
		t.Errorf("%+v", u)
	}
}

// TestReasons has the names and texts of section 6.
func TestReasons(t *testing.T) {
	for _, c := range []struct {
		reasons []Reason
		names   []string
		text    string
	}{
		{[]Reason{{Way: Read}}, []string{"TableReadProvisionedThroughputExceeded"}, provisionedTable},
		{[]Reason{{Way: Write}}, []string{"TableWriteProvisionedThroughputExceeded"}, provisionedTable},
		{[]Reason{{Index: "g", Way: Read}}, []string{"IndexReadProvisionedThroughputExceeded"}, provisionedIndex},
		{[]Reason{{Index: "g", Way: Write}}, []string{"IndexWriteProvisionedThroughputExceeded"}, provisionedIndex},
		{[]Reason{{Way: Read, OnDemand: true}}, []string{"TableReadMaxOnDemandThroughputExceeded"}, onDemandTable},
		{[]Reason{{Way: Write, OnDemand: true}}, []string{"TableWriteMaxOnDemandThroughputExceeded"}, onDemandTable},
		{[]Reason{{Index: "g", Way: Read, OnDemand: true}}, []string{"IndexReadMaxOnDemandThroughputExceeded"}, onDemandTable},
		{[]Reason{{Index: "g", Way: Write, OnDemand: true}}, []string{"IndexWriteMaxOnDemandThroughputExceeded"}, onDemandIndexWrite},
		{[]Reason{{Index: "g", Way: Write}, {Way: Write}}, []string{"IndexWriteProvisionedThroughputExceeded", "TableWriteProvisionedThroughputExceeded"}, provisionedTable},
	} {
		var names []string
		for _, r := range c.reasons {
			names = append(names, r.String())
		}
		e := &Throttled{Table: "t", Reasons: c.reasons}
		if !reflect.DeepEqual(names, c.names) || e.Error() != c.text {
			t.Errorf("%v: %v, %q", c.reasons, names, e.Error())
		}
	}
}

func BenchmarkTake(b *testing.B) {
	for name, p := range map[string]Plan{
		"unlimited": {}, "limited": {Table: limits(1e9, 1e9), Indexes: map[string]Limits{"g": limits(1e9, 1e9)}},
	} {
		b.Run(name, func(b *testing.B) {
			var m Meter
			m.Set(start, p)
			c := cost(1, global("g", 1))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				m.Take(start+int64(i), Write, c)
			}
		})
	}
}
