package replication

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridiandb/meridian/stream/record"
)

// metrics shows the links to Prometheus. All but the histogram is read when it is scraped.
type metrics struct {
	r          *Replication
	registry   prometheus.Registerer // nil: none
	visibility *prometheus.HistogramVec

	connected, offset, roundTrip         *prometheus.Desc
	lagSeconds, lagCommits, lagBytes     *prometheus.Desc
	bytes, commits, batches, linksOpened *prometheus.Desc

	repairRounds, repairBytes, repairItems, repairMended, repairSeconds, repairCells *prometheus.Desc
}

func newMetrics(r *Replication) *metrics {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("meridian_replication_"+name, help, append([]string{"peer"}, labels...), nil)
	}
	repair := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("meridian_repair_"+name, help, append([]string{"peer"}, labels...), nil)
	}
	return &metrics{
		r: r,
		visibility: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "meridian_replication_visible_after_seconds",
			Help:    "Time from a commit in its author's region to its being applied here, the clocks' offset taken out.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 18),
		}, []string{"peer"}),
		connected: d("connected", "1 while both directions to the peer flow."),
		offset:    d("clock_offset_seconds", "The peer's clock minus ours."),
		roundTrip: d("round_trip_seconds", "The shortest of the last round trips to the peer."),
		lagSeconds: d("lag_seconds", "Age of the oldest commit that is not acknowledged by the peer (sending) or not applied here (receiving).",
			"direction"),
		lagCommits:  d("lag_commits", "Commits not acknowledged (sending) or not applied (receiving).", "direction"),
		lagBytes:    d("lag_bytes", "Their bytes.", "direction"),
		bytes:       d("bytes_total", "Bytes of commits, before compression.", "direction"),
		commits:     d("commits_total", "Commits.", "direction"),
		batches:     d("batches_total", "Messages that carried commits or a position.", "direction"),
		linksOpened: d("links_opened_total", "Links opened: the first, and one for each time it had to be opened again.", "direction"),

		repairRounds: repair("rounds_total", "Comparisons of a table with the peer that this region asked for.", "outcome"),
		repairBytes:  repair("bytes_total", "Bytes of these, before compression.", "direction"),
		repairItems: repair("differences_total", "Items that differed, by what that was: missing, in flight, a clash (an origin has lived "+
			"twice), or a false alarm (sent, and known already); or a hollow node: a hash tree is wrong.", "kind"),
		repairMended:  repair("mended_total", "Items that were missing and were merged, here or at the peer.", "where"),
		repairSeconds: repair("seconds_total", "Time spent in comparisons."),
		repairCells: prometheus.NewDesc("meridian_repair_wrong_cells_total",
			"Cells of hash trees that a scrub found wrong: any is the work of a failing disk, or of a bug.", nil, nil),
	}
}

// register is all or nothing: what a failed Start leaves registered would be in the way of the next.
func (m *metrics) register(reg prometheus.Registerer) error {
	if reg == nil {
		return nil
	}
	if err := reg.Register(m); err != nil {
		return err
	}
	if err := reg.Register(m.visibility); err != nil {
		reg.Unregister(m)
		return err
	}
	m.registry = reg
	return nil
}

func (m *metrics) unregister() {
	if m.registry != nil {
		m.registry.Unregister(m)
		m.registry.Unregister(m.visibility)
	}
}

// applied notes how old commits are that were applied just now.
func (m *metrics) applied(p *peer, commits []record.Commit) {
	if len(commits) == 0 {
		return
	}
	p.mu.Lock()
	offset, _, _ := p.clock.Estimate()
	p.mu.Unlock()
	now := m.r.o.Now().Add(offset)
	h := m.visibility.WithLabelValues(p.region)
	for i := range commits {
		h.Observe(max(0, now.Sub(time.UnixMilli(commits[i].Wall)).Seconds()))
	}
}

// Describe announces each figure.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.connected, m.offset, m.roundTrip, m.lagSeconds, m.lagCommits, m.lagBytes,
		m.bytes, m.commits, m.batches, m.linksOpened,
		m.repairRounds, m.repairBytes, m.repairItems, m.repairMended, m.repairSeconds, m.repairCells} {
		ch <- d
	}
}

// Collect is prometheus.Collector's.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, p := range m.r.list() {
		s, ok := p.status(time.Now())
		if !ok {
			continue
		}
		connected := 0.0
		if s.Connected {
			connected = 1
		}
		gauge(m.connected, connected, p.region)
		gauge(m.offset, s.ClockOffset.Seconds(), p.region)
		gauge(m.roundTrip, s.RoundTrip.Seconds(), p.region)
		m.collect(ch, p, "sending", s.Outbound, &p.count.sent)
		m.collect(ch, p, "receiving", s.Inbound, &p.count.received)
		m.collectRepair(ch, p.region, &p.count.repair)
	}
	if m.r.repairs != nil {
		ch <- prometheus.MustNewConstMetric(m.repairCells, prometheus.CounterValue, float64(m.r.repairs.scrubbed.Load()))
	}
}

func (m *metrics) collectRepair(ch chan<- prometheus.Metric, peer string, t *repairTraffic) {
	counter := func(d *prometheus.Desc, n uint64, label string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), peer, label)
	}
	failed := t.failed.Load()
	counter(m.repairRounds, t.rounds.Load()-failed, "done")
	counter(m.repairRounds, failed, "failed")
	counter(m.repairBytes, t.sent.Load(), "sending")
	counter(m.repairBytes, t.received.Load(), "receiving")
	counter(m.repairItems, t.missing.Load(), "missing")
	counter(m.repairItems, t.inFlight.Load(), "in flight")
	counter(m.repairItems, t.clashes.Load(), "clash")
	counter(m.repairItems, t.falseAlarms.Load(), "false alarm")
	counter(m.repairItems, t.hollow.Load(), "hollow")
	counter(m.repairMended, t.here.Load(), "here")
	counter(m.repairMended, t.there.Load(), "there")
	ch <- prometheus.MustNewConstMetric(m.repairSeconds, prometheus.CounterValue, float64(t.micros.Load())/1e6, peer)
}

func (m *metrics) collect(ch chan<- prometheus.Metric, p *peer, direction string, l Lag, t *traffic) {
	metric := func(d *prometheus.Desc, kind prometheus.ValueType, v float64) {
		ch <- prometheus.MustNewConstMetric(d, kind, v, p.region, direction)
	}
	metric(m.lagSeconds, prometheus.GaugeValue, l.Seconds)
	metric(m.lagCommits, prometheus.GaugeValue, float64(l.Commits))
	metric(m.lagBytes, prometheus.GaugeValue, float64(l.Bytes))
	metric(m.bytes, prometheus.CounterValue, float64(t.bytes.Load()))
	metric(m.commits, prometheus.CounterValue, float64(t.commits.Load()))
	metric(m.batches, prometheus.CounterValue, float64(t.batches.Load()))
	metric(m.linksOpened, prometheus.CounterValue, float64(t.links.Load()))
}
