package catalog

import (
	"strings"
	"testing"
)

// DYNAMODB.md section 6: warm throughput can only increase. It begins with what the mode comes with, and follows throughput up.
func TestWarm(t *testing.T) {
	units := func(n int64) *int64 { return &n }
	yes, no := true, false
	d := &Descriptor{Name: "t", Throughput: Throughput{1, 2}, Indexes: []Index{{ID: 1, Name: "g", Global: true, Throughput: Throughput{3, 3}}, {ID: 2, Name: "l"}}}
	for _, s := range []struct {
		what      string
		change    Change
		refused   string
		table, ix Warm
	}{
		{"as provisioned", Change{}, "", Warm{1, 2}, Warm{3, 3}},
		{"more throughput", Change{Throughput: &Throughput{9, 9}}, "", Warm{9, 9}, Warm{3, 3}},
		{"less throughput", Change{Throughput: &Throughput{1, 1}}, "", Warm{9, 9}, Warm{3, 3}},
		{"less than it is", Change{Warm: &WarmChange{Read: units(8)}},
			"Requested ReadUnitsPerSecond for WarmThroughput for table is lower than current WarmThroughput, decreasing WarmThroughput is not supported", Warm{9, 9}, Warm{3, 3}},
		{"less writes", Change{Warm: &WarmChange{Read: units(50), Write: units(0)}}, "Requested WriteUnitsPerSecond for WarmThroughput for table is lower", Warm{9, 9}, Warm{3, 3}},
		{"as it is", Change{Warm: &WarmChange{units(9), units(9)}}, "", Warm{9, 9}, Warm{3, 3}},
		{"one member", Change{Warm: &WarmChange{Write: units(50)}}, "", Warm{9, 50}, Warm{3, 3}},
		{"an index", Change{IndexWarm: map[string]WarmChange{"g": {Read: units(4)}}}, "", Warm{9, 50}, Warm{4, 3}},
		{"less of an index", Change{IndexWarm: map[string]WarmChange{"g": {Read: units(3)}}},
			"Requested ReadUnitsPerSecond for WarmThroughput for index g is lower than current WarmThroughput", Warm{9, 50}, Warm{4, 3}},
		{"a local index", Change{IndexWarm: map[string]WarmChange{"l": {Read: units(30000)}}}, "Cannot update an index that is not a GlobalSecondaryIndex: l", Warm{9, 50}, Warm{4, 3}},
		{"on demand", Change{Billing: &yes}, "", InitialWarm, InitialWarm},
		{"provisioned again", Change{Billing: &no, Throughput: &Throughput{1, 1}, IndexThroughput: map[string]Throughput{"g": {1, 1}}}, "", InitialWarm, InitialWarm},
	} {
		n, err := d.apply(s.change, 1)
		if (err == nil) != (s.refused == "") || err != nil && !strings.Contains(err.Error(), s.refused) {
			t.Fatalf("%s: %v", s.what, err)
		}
		if err == nil {
			d = n
		}
		if got, ix := d.WarmNow(), d.IndexWarm(d.Index("g")); got != s.table || ix != s.ix {
			t.Fatalf("%s: %v, index %v", s.what, got, ix)
		}
	}
}
