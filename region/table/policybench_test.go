package table

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
)

// BenchmarkPolicies writes the same under all policies in turn, in short stretches, so that whatever else the machine does is in
// all figures alike. It reports what attribute and crdt take of the time of last-writer-wins, as the median over all turns of the
// ratio within a turn; at most 1.15 is asked for (issue 5).
//
//	go test ./region/table -run - -bench Policies -benchtime 20000x
func BenchmarkPolicies(b *testing.B) {
	policies := []string{"last-writer-wins", "attribute", "crdt"}
	keys := make([]item.Key, benchItems)
	for i := range keys {
		keys[i] = benchKey(i)
	}
	long := item.Str(strings.Repeat("w", 40))
	for _, c := range []struct {
		name   string
		before bool // after updates of all items, so that they have registers
		write  func(t *Table, i int) Write
	}{
		{"put", false, func(t *Table, i int) Write { return Write{Op: Put, Item: benchItem(t.entry.Descriptor, i, i)} }},
		{"put-over-updates", true, func(t *Table, i int) Write { return Write{Op: Put, Item: benchItem(t.entry.Descriptor, i, i)} }},
		{"update", false, updates(keys, update("SET attribute1 = :v", values{":v": long}))},
		{"update-add", false, updates(keys, update("SET attribute1 = :v ADD n :n", values{":v": long, ":n": num(1)}))},
	} {
		b.Run(c.name, func(b *testing.B) {
			tabs := make([]*Table, len(policies))
			for i, p := range policies {
				_, tabs[i] = benchRig(b, p, 0)
				fill(b, tabs[i])
				if c.before {
					u := updates(keys, update("SET attribute1 = :v ADD n :n", values{":v": long, ":n": num(1)}))
					for k := range keys {
						must(tabs[i].Write(bg, u(tabs[i], k)))
					}
				}
			}
			took := make([][]time.Duration, len(policies))
			b.ResetTimer()
			const step = 10
			for n := 0; n < b.N; n += step {
				for p := range policies {
					p = (p + n/step) % len(policies)
					var ws [step]Write
					for i := range ws {
						ws[i] = c.write(tabs[p], (n+i)%benchItems)
					}
					start := time.Now()
					for i := range ws {
						if _, err := tabs[p].Write(bg, ws[i]); err != nil {
							b.Fatal(err)
						}
					}
					took[p] = append(took[p], time.Since(start)/step)
				}
			}
			for p, name := range policies {
				if p > 0 {
					ratios := make([]float64, len(took[p]))
					for i := range ratios {
						ratios[i] = took[p][i].Seconds() / took[0][i].Seconds()
					}
					b.ReportMetric(median(ratios), name+"/lww")
				}
			}
			for p, name := range policies {
				b.ReportMetric(float64(median(took[p]).Nanoseconds()), "ns/"+name)
			}
		})
	}
}

func median[T cmp.Ordered](all []T) T {
	slices.Sort(all)
	return all[len(all)/2]
}

func updates(keys []item.Key, u *expr.Update) func(*Table, int) Write {
	return func(_ *Table, i int) Write { return Write{Op: Update, Key: keys[i%len(keys)], Update: u} }
}
