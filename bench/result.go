package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Result is how a run went, after its warm-up. Rates are per second.
type Result struct {
	Workload    string             `json:"workload"`
	Table       string             `json:"table"`
	Connections int                `json:"connections"`
	Rate        float64            `json:"rate"` // asked for; 0: closed loop
	Seconds     float64            `json:"seconds"`
	Requests    uint64             `json:"requests"`
	PerSecond   float64            `json:"requestsPerSecond"`
	ItemsPerSec float64            `json:"itemsPerSecond"`
	MBPerSecond float64            `json:"megabytesPerSecond"` // bodies, both ways
	Errors      map[string]uint64  `json:"errors"`
	Latency     map[string]Latency `json:"latency"` // by operation, of requests that succeeded
}

// Latency is the distribution of one operation, in microseconds.
type Latency struct {
	Count uint64  `json:"count"`
	Mean  float64 `json:"meanMicros"`
	P50   int64   `json:"p50Micros"`
	P90   int64   `json:"p90Micros"`
	P99   int64   `json:"p99Micros"`
	P999  int64   `json:"p999Micros"`
	Max   int64   `json:"maxMicros"`
}

func summarise(c *Config, workers []*worker) *Result {
	r := &Result{
		Workload: c.Workload, Table: c.Table, Connections: c.Connections, Rate: c.Rate, Seconds: c.Duration.Seconds(),
		Errors: map[string]uint64{}, Latency: map[string]Latency{},
	}
	var items, bytes uint64
	all := map[string]*hdrhistogram.Histogram{}
	for _, k := range workers {
		r.Requests += k.tally.requests
		items += k.tally.items
		bytes += k.tally.bytes
		for name, n := range k.tally.errors {
			r.Errors[name] += n
		}
		for target, h := range k.tally.latency {
			if all[target] == nil {
				all[target] = newHistogram()
			}
			all[target].Merge(h)
		}
	}
	r.PerSecond = float64(r.Requests) / r.Seconds
	r.ItemsPerSec = float64(items) / r.Seconds
	r.MBPerSecond = float64(bytes) / r.Seconds / 1e6
	for target, h := range all {
		r.Latency[target] = Latency{
			Count: uint64(h.TotalCount()), Mean: h.Mean(), P50: h.ValueAtQuantile(50), P90: h.ValueAtQuantile(90),
			P99: h.ValueAtQuantile(99), P999: h.ValueAtQuantile(99.9), Max: h.Max(),
		}
	}
	return r
}

// WriteText writes a result for people.
func (r *Result) WriteText(w io.Writer) error {
	loop := "closed loop"
	if r.Rate > 0 {
		loop = fmt.Sprintf("open loop, %.0f requests/s asked for", r.Rate)
	}
	fmt.Fprintf(w, "%s, %d connections, %s, %.0f s\n", r.Workload, r.Connections, loop, r.Seconds)
	fmt.Fprintf(w, "%.0f requests/s   %.0f items/s   %.1f MB/s\n\n", r.PerSecond, r.ItemsPerSec, r.MBPerSecond)
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "operation\tcount\tmean\tp50\tp90\tp99\tp99.9\tmax\t")
	for _, target := range slices.Sorted(maps.Keys(r.Latency)) {
		l := r.Latency[target]
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t\n", target, l.Count, micros(int64(l.Mean)), micros(l.P50), micros(l.P90),
			micros(l.P99), micros(l.P999), micros(l.Max))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Errors)) {
		fmt.Fprintf(t, "%s\t%d\t\t\t\t\t\t\t\n", name, r.Errors[name])
	}
	return t.Flush()
}

func micros(us int64) string {
	switch d := time.Duration(us) * time.Microsecond; {
	case us < 1000:
		return fmt.Sprintf("%d µs", us)
	case us < 1_000_000:
		return fmt.Sprintf("%.2f ms", float64(us)/1000)
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}
