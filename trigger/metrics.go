package trigger

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// figures count what a trigger did in this region since the process started.
type figures struct {
	records, filtered, invocations, errors, unavailable, retries, bisected, onFailure, dropped atomic.Uint64
}

// collector shows the figures when they are scraped. Its labels name triggers and tables, never keys.
type collector struct {
	m                                                                                        *Manager
	active, age, checkpoint                                                                  *prometheus.Desc
	records, filtered, invocations, errors, throttles, retries, bisected, onFailure, dropped *prometheus.Desc
}

func newCollector(m *Manager) *collector {
	d := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("meridian_trigger_"+name, help, []string{"trigger", "table"}, nil)
	}
	return &collector{
		m:           m,
		active:      d("active", "1 where this region runs the trigger, 0 where it stands by."),
		age:         d("iterator_age_seconds", "Age of the oldest record that the trigger has read and is not done with; 0: it is level."),
		checkpoint:  d("checkpoint_seconds", "As unix seconds: up to when the changes of all regions are done with, as far as this region knows; what came later is delivered again if it takes over."),
		records:     d("records_total", "Records that were taken for the function since start, after the filters."),
		filtered:    d("filtered_records_total", "Records that the filters kept from the function since start."),
		invocations: d("invocations_total", "Calls of the function, or batches sent to a sink, since start."),
		errors:      d("errors_total", "Calls that failed since start: the function's error, or no answer in time."),
		throttles:   d("throttles_total", "Calls since start that did not reach the function: refused by its server, or no connection."),
		retries:     d("retries_total", "Batches since start that were to be tried again."),
		bisected:    d("bisected_batches_total", "Batches since start that were split after a failure."),
		onFailure:   d("on_failure_records_total", "Records since start that were given up and reported to the destination for failures."),
		dropped:     d("dropped_records_total", "Records since start that were given up where there is no destination for failures."),
	}
}

// Describe announces nothing: triggers come and go.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect is prometheus.Collector's.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	now := time.Now()
	for _, u := range c.m.list() {
		table, runs, oldest, covered := u.standing()
		gauge := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, u.id, table)
		}
		counter := func(d *prometheus.Desc, v *atomic.Uint64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v.Load()), u.id, table)
		}
		if runs {
			age := 0.0
			if !oldest.IsZero() {
				age = max(now.Sub(oldest).Seconds(), 0)
			}
			gauge(c.age, age)
			gauge(c.active, 1)
		} else {
			gauge(c.active, 0)
		}
		gauge(c.checkpoint, float64(covered)/1000)
		f := &u.figures
		counter(c.records, &f.records)
		counter(c.filtered, &f.filtered)
		counter(c.invocations, &f.invocations)
		counter(c.errors, &f.errors)
		counter(c.throttles, &f.unavailable)
		counter(c.retries, &f.retries)
		counter(c.bisected, &f.bisected)
		counter(c.onFailure, &f.onFailure)
		counter(c.dropped, &f.dropped)
	}
}

// standing is what the metrics show of a unit besides its figures.
func (u *unit) standing() (table string, runs bool, oldest time.Time, covered int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, t := range u.oldest {
		if !t.IsZero() && (oldest.IsZero() || t.Before(oldest)) {
			oldest = t
		}
	}
	return u.trigger.Name, u.duty.Runs() && u.settings.Enabled, oldest, u.coveredLocked()
}

// coveredLocked is up to when the changes of all members are covered, in unix milliseconds.
func (u *unit) coveredLocked() int64 {
	low := int64(math.MaxInt64)
	for _, m := range u.trigger.Members {
		newest := int64(0)
		for s := range u.covered.Seen() {
			if s.Origin.Region == m {
				newest = max(newest, s.Time.Millis())
			}
		}
		low = min(low, newest)
	}
	if low == math.MaxInt64 {
		return 0
	}
	return low
}
