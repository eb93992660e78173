package catalog

import (
	"testing"

	"github.com/meridiandb/meridian/internal/fault"
)

// TestDecreases lets throughput be lowered four times a day and then once an hour (DYNAMODB.md section 6).
func TestDecreases(t *testing.T) {
	const minute = int64(60_000)
	day0 := 20_000 * msPerDay
	type step struct {
		at    int64
		ok    bool
		today int64 // afterwards
	}
	for name, steps := range map[string][]step{
		"four at once": {{0, true, 1}, {0, true, 2}, {0, true, 3}, {0, true, 4}, {0, false, 4}},
		"one an hour then": {
			{0, true, 1}, {0, true, 2}, {0, true, 3}, {0, true, 4}, {59 * minute, false, 4}, {60 * minute, true, 5}, {61 * minute, false, 5},
			{120 * minute, true, 6}, {121 * minute, false, 6},
		},
		"hours add up, to four": {
			{0, true, 1}, {0, true, 2}, {0, true, 3}, {0, true, 4}, {150 * minute, true, 5}, {150 * minute, true, 6}, {150 * minute, false, 6},
			{1200 * minute, true, 7}, {1200 * minute, true, 8}, {1200 * minute, true, 9}, {1200 * minute, true, 10}, {1200 * minute, false, 10},
		},
		"a new day begins anew": {
			{1439 * minute, true, 1}, {1439 * minute, true, 2}, {1439 * minute, true, 3}, {1439 * minute, true, 4}, {1439 * minute, false, 4},
			{1440 * minute, true, 1}, {1440 * minute, true, 2}, {1440 * minute, true, 3}, {1440 * minute, true, 4}, {1440 * minute, false, 4},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var c ThroughputChanges
			units := int64(1000)
			for i, s := range steps {
				before := c
				err := c.note(Throughput{units, 5}, Throughput{units - 1, 9}, day0+s.at)
				if (err == nil) != s.ok || c.DecreasesOn(day0+s.at) != s.today {
					t.Fatalf("step %d: %v, %+v", i, err, c)
				}
				if err == nil && (c.LastIncreasedAt != day0+s.at || c.LastDecreasedAt != day0+s.at) {
					t.Fatalf("step %d: %+v", i, c)
				}
				if err != nil && (fault.KindOf(err) != fault.Limit || c.LastIncreasedAt != before.LastIncreasedAt) {
					t.Fatalf("step %d: %v, %+v", i, err, c)
				}
			}
		})
	}
	var c ThroughputChanges
	n := 0
	for at := day0; at < day0+msPerDay; at += minute {
		if c.note(Throughput{5, 5}, Throughput{4, 5}, at) == nil {
			n++
		}
	}
	if n != 27 || c.DecreasesOn(day0+msPerDay-1) != 27 || c.DecreasesOn(day0+msPerDay) != 0 {
		t.Fatalf("%d decreases in a day: %+v", n, c)
	}
}

// TestDecreasesOfIndexes counts the table's and each index's apart.
func TestDecreasesOfIndexes(t *testing.T) {
	d := &Descriptor{Throughput: Throughput{90, 90}, Indexes: []Index{
		{ID: 1, Name: "g", Global: true, Throughput: Throughput{90, 90}}, {ID: 2, Name: "h", Global: true, Throughput: Throughput{90, 90}},
	}}
	const now = 1_532_543_436_000 // Wednesday, July 25, 2018 6:30:36 PM
	lower := func(table bool, indexes ...string) error {
		ch := Change{}
		if table {
			ch.Throughput = &Throughput{d.Throughput.Read, d.Throughput.Write - 1}
		}
		for _, name := range indexes {
			if ch.IndexThroughput == nil {
				ch.IndexThroughput = map[string]Throughput{}
			}
			have := d.Index(name).Throughput
			ch.IndexThroughput[name] = Throughput{have.Read - 1, have.Write}
		}
		n, err := d.apply(ch, now)
		if err == nil {
			d = n
		}
		return err
	}
	for i := range 4 {
		if err := lower(true, "g"); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	for i := range 4 {
		if err := lower(false, "h"); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	const text = "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. " +
		"After the first 4 decreases, each subsequent decrease in the same UTC day can be performed at most once every 3600 seconds. " +
		"Number of decreases today: 4. Last decrease at Wednesday, July 25, 2018 6:30:36 PM UTC. " +
		"Next decrease can be made at Wednesday, July 25, 2018 7:30:36 PM UTC"
	for _, err := range []error{lower(true), lower(false, "g"), lower(false, "h")} {
		if fault.KindOf(err) != fault.Limit || err.Error() != text {
			t.Errorf("got  %v\nwant %s", err, text)
		}
	}
	if d.Throughput != (Throughput{90, 86}) || d.Indexes[0].Throughput != (Throughput{86, 90}) || d.Indexes[1].Changes.DecreasesOn(now) != 4 {
		t.Errorf("%+v", d)
	}
}
