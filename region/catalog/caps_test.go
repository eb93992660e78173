package catalog

import (
	"testing"

	"github.com/meridiandb/meridian/internal/fault"
)

// TestIndexCaps: an on-demand table's global indexes have caps of their own, and lose them with the mode.
func TestIndexCaps(t *testing.T) {
	d := &Descriptor{Billing: Billing{PayPerRequest: true}, OnDemand: OnDemand{MaxRead: 9}, Indexes: []Index{
		{ID: 1, Name: "g", Global: true}, {ID: 2, Name: "l"},
	}}
	caps := func(name string) Change {
		return Change{IndexOnDemand: map[string]OnDemand{name: {MaxRead: 3, MaxWrite: 4}}}
	}
	for name, kind := range map[string]fault.Kind{"l": fault.Invalid, "none": fault.NotFound} {
		if _, err := d.apply(caps(name), 1); fault.KindOf(err) != kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	n, err := d.apply(caps("g"), 1)
	if err != nil || n.Index("g").OnDemand != (OnDemand{MaxRead: 3, MaxWrite: 4}) || d.Index("g").OnDemand != (OnDemand{}) || n.OnDemand != d.OnDemand {
		t.Fatalf("%v %+v", err, n)
	}
	provisioned := false
	n, err = n.apply(Change{Billing: &provisioned, Throughput: &Throughput{1, 1}, IndexThroughput: map[string]Throughput{"g": {1, 1}}}, 2)
	if err != nil || n.Index("g").OnDemand != (OnDemand{}) || n.OnDemand != (OnDemand{}) || n.Index("g").Changes != (ThroughputChanges{}) {
		t.Fatalf("%v %+v", err, n)
	}
	if _, err = n.apply(caps("g"), 3); fault.KindOf(err) != fault.Invalid {
		t.Fatal(err)
	}
}
