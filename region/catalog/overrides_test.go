package catalog

import (
	"reflect"
	"testing"
)

// DYNAMODB.md 10.3: settings that a replica can have for itself, and when it has them no more.
func TestOverrides(t *testing.T) {
	yes, rare := true, "STANDARD_INFREQUENT_ACCESS"
	provisioned := func() *Descriptor {
		return &Descriptor{
			Name: "t", Throughput: Throughput{10, 10}, Indexes: []Index{{ID: 1, Name: "g", Global: true, Throughput: Throughput{20, 20}}, {ID: 2, Name: "l"}},
			Members: []Member{{Region: "east", State: MemberActive}, {Region: "west", State: MemberActive}, {Region: "gone", State: MemberRemoved}},
		}
	}
	west := func(m MemberSettings) Change { return Change{Replicas: map[string]MemberSettings{"west": m}} }
	read := func(n int64) ReadOverride { return ReadOverride{Read: n} }
	all := MemberSettings{ReadOverride: read(100), Class: rare, Indexes: map[string]ReadOverride{"g": read(200), "l": read(1), "none": read(1)}}
	kept := MemberSettings{ReadOverride: read(100), Class: rare, Indexes: map[string]ReadOverride{"g": read(200)}}
	without := func(fn func(*MemberSettings)) MemberSettings {
		m := kept
		m.Indexes = map[string]ReadOverride{"g": read(200)}
		fn(&m)
		return m
	}
	for name, c := range map[string]struct {
		ch   Change
		want MemberSettings
	}{
		"nothing":                       {west(MemberSettings{}), kept},
		"the same":                      {west(all), kept},
		"as the table":                  {west(MemberSettings{ReadOverride: read(10)}), without(func(m *MemberSettings) { m.Read = 0 })},
		"as the index":                  {west(MemberSettings{Indexes: map[string]ReadOverride{"g": read(20)}}), without(func(m *MemberSettings) { delete(m.Indexes, "g") })},
		"the usual class":               {west(MemberSettings{Class: "STANDARD"}), without(func(m *MemberSettings) { m.Class = "" })},
		"another region's":              {Change{Replicas: map[string]MemberSettings{"east": all}}, kept},
		"the table reads more":          {Change{Throughput: &Throughput{30, 10}}, without(func(m *MemberSettings) { m.Read = 0 })},
		"the table writes more":         {Change{Throughput: &Throughput{10, 30}}, kept},
		"the index reads more":          {Change{IndexThroughput: map[string]Throughput{"g": {30, 20}}}, without(func(m *MemberSettings) { delete(m.Indexes, "g") })},
		"the index goes":                {Change{DeleteIndex: "g"}, without(func(m *MemberSettings) { delete(m.Indexes, "g") })},
		"the table's class":             {Change{Class: &rare}, without(func(m *MemberSettings) { m.Class = "" })},
		"on demand":                     {Change{Billing: &yes}, without(func(m *MemberSettings) { m.Read = 0; delete(m.Indexes, "g") })},
		"encryption is another setting": {Change{SSE: &rare}, kept},
	} {
		d, err := provisioned().apply(west(all), 1)
		if err != nil {
			t.Fatal(err)
		}
		before := d.In("west")
		if before.Throughput != (Throughput{100, 10}) || before.Class != rare || before.Index("g").Throughput != (Throughput{200, 20}) || d.In("east") != d || d.In("nowhere") != d {
			t.Fatalf("in west %+v", before)
		}
		n, err := d.apply(c.ch, 2)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := n.Member("west").MemberSettings
		if len(got.Indexes) == 0 {
			got.Indexes = nil
		}
		if len(c.want.Indexes) == 0 {
			c.want.Indexes = nil
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		if !reflect.DeepEqual(d.Member("west").MemberSettings, kept) {
			t.Errorf("%s: the older description was changed too: %+v", name, d.Member("west"))
		}
	}
	if _, err := provisioned().apply(Change{Replicas: map[string]MemberSettings{"gone": all}}, 1); err == nil {
		t.Error("a replica that has left was changed")
	}
}

// Caps of a replica's own end with on-demand mode, as the table's do, be there any of the table's or not.
func TestOverriddenCapsEndWithTheirMode(t *testing.T) {
	no, yes := false, true
	for _, caps := range []OnDemand{{}, {MaxRead: 100}} {
		d := &Descriptor{
			Name: "t", Billing: Billing{PayPerRequest: true}, OnDemand: caps, Indexes: []Index{{ID: 1, Name: "g", Global: true, OnDemand: caps}},
			Members: []Member{{Region: "east", State: MemberActive}, {Region: "west", State: MemberActive}},
		}
		own := ReadOverride{MaxRead: 50}
		for _, ch := range []Change{
			{Replicas: map[string]MemberSettings{"west": {ReadOverride: own, Indexes: map[string]ReadOverride{"g": own}}}},
			{Billing: &no, Throughput: &Throughput{10, 10}, IndexThroughput: map[string]Throughput{"g": {10, 10}}},
			{Billing: &yes},
		} {
			n, err := d.apply(ch, 1)
			if err != nil {
				t.Fatal(err)
			}
			d = n
			want := ReadOverride{}
			if ch.Replicas != nil {
				want = own
			}
			if m := d.Member("west"); m.ReadOverride != want || m.Indexes["g"] != want {
				t.Errorf("the table's caps were %+v: after %+v west has %+v", caps, ch, m.MemberSettings)
			}
		}
	}
}
