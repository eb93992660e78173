package admin

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// NewRegistry makes a region's registry with the process's own figures, and the registerer by which the region's parts add
// theirs: it labels each figure with the region, because in `meridian dev` several regions share a process and a host.
func NewRegistry(region string) (*prometheus.Registry, prometheus.Registerer) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return reg, prometheus.WrapRegistererWith(prometheus.Labels{"region": region}, reg)
}

// NewMetrics serves a registry's figures. A collector that fails leaves its own figures out, not the whole page.
func NewMetrics(reg *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, Registry: reg})
}

// Figure is one figure of the storage engine: the engine knows which it has, this package only shows them. Labels come in
// pairs of name and value; figures of one name have the same label names.
type Figure struct {
	Name, Help string // Name without the meridian_ prefix
	Counter    bool   // it only grows while the process runs
	Value      float64
	Labels     []string
}

// Collector shows a region's own figures. Everything is read when it is scraped; nothing is kept.
type Collector struct {
	status func() Status
	engine func() []Figure // nil: none to show

	info, ready, alarms, uptime               *prometheus.Desc
	clock, ahead                              *prometheus.Desc
	commits, conflicts, dropped               *prometheus.Desc
	expired, overdue                          *prometheus.Desc
	logFirst, logDurable, logEntries, logSize *prometheus.Desc
	disk, tables, items, itemBytes            *prometheus.Desc
	readUnits, writeUnits, throttled          *prometheus.Desc
}

// NewCollector makes a collector over a region and its storage engine; engine may be nil.
func NewCollector(status func() Status, engine func() []Figure) *Collector {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("meridian_"+name, help, labels, nil)
	}
	return &Collector{
		status: status, engine: engine,
		info:       d("build_info", "Always 1; the labels name the build and the region's origin.", "version", "origin"),
		ready:      d("ready", "1 while the region serves requests."),
		alarms:     d("alarms", "Things that an operator should see to; /admin/status has them in words."),
		uptime:     d("uptime_seconds", "Time since the region was opened."),
		clock:      d("clock_seconds", "The region's hybrid time, as unix seconds."),
		ahead:      d("clock_ahead_seconds", "The region's hybrid time less the majority's clock, as measured over the links."),
		commits:    d("commits_total", "Commits since start, by who wrote them: this region (own) or another (applied).", "kind"),
		conflicts:  d("conflicts_total", "Writes since start that lost to one which had not seen them, by table, policy and the two writes' regions.", "table", "policy", "loser", "winner"),
		dropped:    d("conflicts_dropped_total", "Conflicts that the feed has dropped here because of their age or its size.", "table"),
		expired:    d("expired_items_total", "Items since start that this region deleted because their time was over.", "table"),
		overdue:    d("expiry_overdue_seconds", "For how long the oldest expired item is due that is still there; none: no series.", "table"),
		logFirst:   d("log_first_seq", "The oldest commit kept in the log."),
		logDurable: d("log_durable_seq", "The newest commit that survives a power cut."),
		logEntries: d("log_entries", "Commits kept in the log."),
		logSize:    d("log_bytes", "Approximate size of the log."),
		disk:       d("disk_bytes", "Space that the region's data folder takes."),
		tables:     d("tables", "Tables by status.", "status"),
		items:      d("table_items", "Approximate number of items.", "table"),
		itemBytes:  d("table_bytes", "Approximate size of the items.", "table"),
		readUnits:  d("table_consumed_read_units_total", "Read capacity units consumed since start, of the table and its indexes.", "table"),
		writeUnits: d("table_consumed_write_units_total", "Write capacity units consumed since start, of the table and its indexes; what came from other regions is in it.", "table"),
		throttled:  d("table_throttled_requests_total", "Requests refused since start for want of capacity; a batch counts for each of its items.", "table"),
	}
}

// Describe announces nothing, which is Prometheus's way to say that the set of figures varies: tables come and go, and the
// engine has its own.
func (c *Collector) Describe(chan<- *prometheus.Desc) {}

// Collect is prometheus.Collector's.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	s := c.status()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge(c.info, 1, s.Version, s.Origin)
	gauge(c.ready, oneIf(s.Ready))
	gauge(c.uptime, s.UptimeSeconds)
	gauge(c.alarms, float64(len(s.Alarms)))
	gauge(c.clock, float64(s.Clock)/1000)
	gauge(c.ahead, s.ClockAheadSeconds)
	counter(c.commits, float64(s.Commits), "own")
	counter(c.commits, float64(s.Applied), "applied")
	for _, n := range s.ConflictCounts {
		counter(c.conflicts, float64(n.Count), n.Table, n.Policy, n.Loser, n.Winner)
	}
	for table, n := range s.ConflictsDropped {
		counter(c.dropped, float64(n), table)
	}
	for table, n := range s.Expired {
		counter(c.expired, float64(n), table)
	}
	for table, seconds := range s.OverdueSeconds {
		gauge(c.overdue, seconds, table)
	}
	gauge(c.logFirst, float64(s.Log.First))
	gauge(c.logDurable, float64(s.Log.Durable))
	gauge(c.logEntries, float64(s.Log.Entries()))
	gauge(c.logSize, float64(s.Log.Bytes))
	gauge(c.disk, float64(s.DiskBytes))
	byStatus := map[string]int{"ACTIVE": 0}
	for _, t := range s.Tables {
		byStatus[t.Status]++
		gauge(c.items, float64(t.Items), t.Name)
		gauge(c.itemBytes, float64(t.Bytes), t.Name)
		counter(c.readUnits, t.Usage.ReadUnits, t.Name)
		counter(c.writeUnits, t.Usage.WriteUnits, t.Name)
		counter(c.throttled, float64(t.Usage.Throttled), t.Name)
	}
	for status, n := range byStatus {
		gauge(c.tables, float64(n), status)
	}
	if c.engine == nil {
		return
	}
	for _, f := range c.engine() {
		ch <- f.metric()
	}
}

func (f Figure) metric() prometheus.Metric {
	kind := prometheus.GaugeValue
	if f.Counter {
		kind = prometheus.CounterValue
	}
	var names, values []string
	for i := 0; i+1 < len(f.Labels); i += 2 {
		names, values = append(names, f.Labels[i]), append(values, f.Labels[i+1])
	}
	d := prometheus.NewDesc("meridian_"+f.Name, f.Help, names, nil)
	return prometheus.MustNewConstMetric(d, kind, f.Value, values...)
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
