package admin

import (
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetricsPage(t *testing.T) {
	f := &fake{status: Status{
		Version: "v1", Origin: "us-east-1@a1", Ready: true, UptimeSeconds: 2, Clock: 1500, ClockAheadSeconds: 0.25, Alarms: []string{"a"}, DiskBytes: 4096,
		Log: Log{First: 3, Durable: 9, Last: 10, Bytes: 77}, Commits: 5, Applied: 6, ConflictCounts: []ConflictCount{{"t", "crdt", "a", "b", 2}}, ConflictsDropped: map[string]uint64{"t": 9},
		Tables: []Table{{Name: "t", Status: "ACTIVE", Items: 8, Bytes: 80, Usage: Usage{ReadUnits: 1.5, WriteUnits: 7, Throttled: 4}}, {Name: "u", Status: "CREATING"}},
	}}
	code, body, _ := ask(t, f, "GET", "/metrics")
	if code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	for _, line := range []string{
		`meridian_build_info{origin="us-east-1@a1",region="us-east-1",version="v1"} 1`,
		`meridian_ready{region="us-east-1"} 1`,
		`meridian_commits_total{kind="own",region="us-east-1"} 5`,
		`meridian_commits_total{kind="applied",region="us-east-1"} 6`,
		`meridian_conflicts_total{loser="a",policy="crdt",region="us-east-1",table="t",winner="b"} 2`,
		`meridian_conflicts_dropped_total{region="us-east-1",table="t"} 9`,
		`meridian_log_durable_seq{region="us-east-1"} 9`,
		`meridian_log_entries{region="us-east-1"} 7`,
		`meridian_log_bytes{region="us-east-1"} 77`,
		`meridian_disk_bytes{region="us-east-1"} 4096`,
		`meridian_clock_seconds{region="us-east-1"} 1.5`,
		`meridian_clock_ahead_seconds{region="us-east-1"} 0.25`,
		`meridian_alarms{region="us-east-1"} 1`,
		`meridian_tables{region="us-east-1",status="ACTIVE"} 1`,
		`meridian_tables{region="us-east-1",status="CREATING"} 1`,
		`meridian_table_items{region="us-east-1",table="t"} 8`,
		`meridian_table_bytes{region="us-east-1",table="t"} 80`,
		`meridian_table_consumed_read_units_total{region="us-east-1",table="t"} 1.5`,
		`meridian_table_consumed_write_units_total{region="us-east-1",table="t"} 7`,
		`meridian_table_throttled_requests_total{region="us-east-1",table="t"} 4`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	if !strings.Contains(body, "go_goroutines") {
		t.Error("the process's own figures are missing")
	}
}

// A table that appears after the first scrape must not spoil the page: Prometheus refuses figures that a collector had not
// announced, unless it announces none.
func TestTablesMayComeAndGo(t *testing.T) {
	f := &fake{}
	reg, registerer := NewRegistry("r")
	registerer.MustRegister(NewCollector(f.Status, func() []Figure {
		return []Figure{{Name: "store_files", Help: "Files.", Value: 3, Labels: []string{"level", "0"}},
			{Name: "store_flushes_total", Help: "Flushes.", Counter: true, Value: 1}}
	}))
	for _, tables := range [][]Table{nil, {{Name: "t", Status: "ACTIVE"}}, nil} {
		f.status.Tables = tables
		f.status.ConflictCounts = []ConflictCount{{Table: "t", Count: 1}}[:len(tables)]
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, m := range families {
			if strings.HasPrefix(m.GetName(), "meridian_store_") {
				found++
			}
		}
		if found != 2 {
			t.Errorf("%d figures of the engine, want 2", found)
		}
	}
}

func TestLogEntries(t *testing.T) {
	for _, c := range []struct {
		log  Log
		want uint64
	}{{Log{}, 0}, {Log{First: 1, Durable: 1}, 1}, {Log{First: 4, Durable: 3}, 0}, {Log{First: 4, Durable: 9}, 6}} {
		if got := c.log.Entries(); got != c.want {
			t.Errorf("%+v: %d, want %d", c.log, got, c.want)
		}
	}
}

func TestProblems(t *testing.T) {
	healthy := Status{Region: "a", Ready: true, Peers: []Peer{{Region: "b", State: "connected", Connected: true,
		Sending: Lag{Seconds: 60, Commits: 1000}}}}
	for _, maxLag := range []time.Duration{0, time.Minute} {
		if p := Problems([]Status{healthy}, maxLag); len(p) != 0 {
			t.Errorf("such a lag is no problem: %q", p)
		}
	}
	if p := Problems([]Status{healthy}, time.Minute-1); len(p) != 1 || p[0] != "region a and b are 1m0s apart" {
		t.Errorf("got %q", p)
	}
	got := Problems([]Status{
		{Region: "a", Ready: true, Peers: []Peer{{Region: "b", State: "dead", Error: "refused"}}},
		{Region: "b", Unreachable: "refused"},
		{Region: "c", NotReady: "starting", Alarms: []string{"its clock is 1s behind"}},
	}, time.Second)
	want := []string{"region a has no link to b (dead: refused)", "region b does not answer: refused", "region c is not ready: starting",
		"region c: its clock is 1s behind"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q", got)
	}
}

// TestNamesOfMetrics holds the collector to Prometheus's conventions: a help text, base units, _total for counters only.
func TestNamesOfMetrics(t *testing.T) {
	f := &fake{status: Status{ConflictCounts: []ConflictCount{{Table: "t", Count: 1}}, ConflictsDropped: map[string]uint64{"t": 1}, Tables: []Table{{Name: "t", Status: "ACTIVE"}}}}
	reg, registerer := NewRegistry("r")
	registerer.MustRegister(NewCollector(f.Status, nil))
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestVersionOf(t *testing.T) {
	set := func(rev, modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: rev}, {Key: "vcs.modified", Value: modified}}
	}
	for _, c := range []struct {
		info debug.BuildInfo
		want string
	}{
		{debug.BuildInfo{}, "devel"},
		{debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "v1.2.3"},
		{debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: set("0123456789abcdef", "false")}, "devel-0123456789ab"},
		{debug.BuildInfo{Settings: set("0123", "true")}, "devel-0123+dirty"},
	} {
		if got := versionOf(&c.info); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if Version() == "" {
		t.Error("no version")
	}
}
