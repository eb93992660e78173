package catalog

import (
	"fmt"
	"testing"

	"github.com/meridiandb/meridian/internal/fault"
)

// TestChangeTriggers: one trigger for a stream and a function; each change of its settings is a revision; a region runs it
// from the highest epoch on, and in one epoch the region whose name comes first.
func TestChangeTriggers(t *testing.T) {
	d := &Descriptor{}
	change := func(ch TriggerChange) (bool, error) {
		n := d.clone()
		changed, err := n.applyTrigger(ch, 1000)
		if err == nil && changed {
			d = n
		}
		return changed, err
	}
	made := func(id, stream, function string) TriggerChange {
		return TriggerChange{Create: &Trigger{ID: id, Stream: stream, Function: function, Region: "us"}}
	}
	for _, c := range []struct {
		ch   TriggerChange
		kind fault.Kind
		ok   bool
	}{
		{made("1", "s", "f"), 0, true},
		{made("1", "s", "g"), fault.Exists, false},
		{made("2", "s", "f"), fault.Exists, false},
		{made("2", "s2", "f"), 0, true},
		{TriggerChange{Update: &Trigger{ID: "3"}}, fault.NotFound, false},
		{TriggerChange{Update: &Trigger{ID: "1", Function: "h", Doing: "Updating"}}, 0, true},
		{made("3", "s", "f"), 0, true},
		{TriggerChange{Update: &Trigger{ID: "1", Function: "f"}}, fault.Exists, false},
		{TriggerChange{Delete: "4"}, fault.NotFound, false},
		{TriggerChange{Delete: "3"}, 0, true},
		{TriggerChange{}, fault.Invalid, false},
		{TriggerChange{Assign: &TriggerAssignment{ID: "4", Region: "eu", Epoch: 2}}, fault.NotFound, false},
	} {
		_, err := change(c.ch)
		if (err == nil) != c.ok || err != nil && fault.KindOf(err) != c.kind {
			t.Fatalf("%+v: %v", c.ch, err)
		}
	}
	one := d.Trigger("1")
	if one.Revision != 2 || one.Function != "h" || one.Created != 1000 || one.Modified != 1001 || one.Region != "us" || one.Epoch != 1 {
		t.Fatalf("%+v", one)
	}
	for _, c := range []struct {
		region  string
		epoch   uint64
		changed bool
	}{{"eu", 1, true}, {"us", 1, false}, {"us", 2, true}, {"us", 2, false}, {"zz", 2, false}, {"eu", 2, true}, {"aa", 1, false}} {
		changed, err := change(TriggerChange{Assign: &TriggerAssignment{"1", c.region, c.epoch}})
		if err != nil || changed != c.changed {
			t.Fatalf("%+v: %v %v, %+v", c, changed, err, d.Trigger("1"))
		}
	}
	for i := len(d.Triggers); i < maxTriggers; i++ {
		if _, err := change(made(fmt.Sprint("more", i), "s", fmt.Sprint("more", i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := change(made("more", "s", "more")); fault.KindOf(err) != fault.Limit {
		t.Fatal(err)
	}
}
