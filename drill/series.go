package drill

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Series is one scenario, run several times and judged together: what clients suffer is judged by its 99th percentile, all
// else each time.
type Series struct {
	scenario Scenario
	runs     []Summed
	worst    *Report // with the most outage, one that failed before one that passed
}

// Summed is what a series keeps of one run.
type Summed struct {
	Passed     bool          `json:"passed"`
	Seed       uint64        `json:"seed"`
	Outage     time.Duration `json:"outage"` // of the worst client
	Violations int           `json:"violations"`
	Failed     []string      `json:"failed"` // verdicts
}

// NewSeries begins an empty one.
func NewSeries(s Scenario) *Series { return &Series{scenario: s} }

// outageVerdict is the name of the verdict that a series judges over all its runs.
const outageVerdict = "Clients go on"

// Add takes a run. Of its history nothing is kept unless it is the worst.
func (s *Series) Add(r *Report) {
	sum := Summed{Passed: r.Passed, Seed: r.Seed, Outage: r.Outage.Worst, Violations: len(r.Violations)}
	for _, v := range r.Verdicts {
		if !v.Passed {
			sum.Failed = append(sum.Failed, v.Name)
		}
	}
	s.runs = append(s.runs, sum)
	if s.worst == nil || s.worst.Passed && !r.Passed || s.worst.Passed == r.Passed && r.Outage.Worst > s.worst.Outage.Worst {
		s.worst = r
	}
}

// Worst is the report of the worst run.
func (s *Series) Worst() *Report { return s.worst }

// Summary is what Series says of all runs.
type Summary struct {
	Scenario string        `json:"scenario"`
	Passed   bool          `json:"passed"`
	Runs     []Summed      `json:"runs"`
	P50      time.Duration `json:"outageP50"` // over the runs, of each one's worst client
	P99      time.Duration `json:"outageP99"`
	Max      time.Duration `json:"outageMax"`
	Limit    time.Duration `json:"outageLimit"`
}

// Summary judges the runs together.
func (s *Series) Summary() Summary {
	var all []time.Duration
	sum := Summary{Scenario: s.scenario.Name, Passed: len(s.runs) > 0, Runs: s.runs, Limit: s.scenario.Limits.ClientOutage}
	for _, r := range s.runs {
		all = append(all, r.Outage)
		for _, name := range r.Failed {
			if name != outageVerdict || len(s.runs) == 1 {
				sum.Passed = false
			}
		}
	}
	slices.Sort(all)
	sum.P50, sum.P99, sum.Max = percentile(all, 50), percentile(all, 99), percentile(all, 100)
	sum.Passed = sum.Passed && sum.P99 <= sum.Limit
	return sum
}

// Passed reports whether the series keeps its limits.
func (s *Series) Passed() bool { return s.Summary().Passed }

// WriteText writes the summary for a terminal.
func (s *Series) WriteText(w io.Writer) error {
	sum := s.Summary()
	violations := 0
	failed := map[string]int{}
	for _, r := range sum.Runs {
		violations += r.Violations
		for _, name := range r.Failed {
			failed[name]++
		}
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s, %d times: the worst client of each was out for %s at the median, %s at the 99th percentile, %s at most (limit %s)\n",
		sum.Scenario, len(sum.Runs), short(sum.P50), short(sum.P99), short(sum.Max), short(sum.Limit))
	fmt.Fprintf(b, "session violations: %d\n", violations)
	for name, n := range failed {
		fmt.Fprintf(b, "%d times not: %s\n", n, name)
	}
	fmt.Fprintf(b, "%s\n", map[bool]string{true: "passed", false: "FAILED"}[sum.Passed])
	_, err := io.WriteString(w, b.String())
	return err
}

// Line is the report in one line.
func (r *Report) Line() string {
	say := "passed"
	if !r.Passed {
		say = "FAILED"
		for _, v := range r.Verdicts {
			if !v.Passed {
				say += "; " + v.Name + ": " + v.Found
			}
		}
	}
	return fmt.Sprintf("%s, worst client %s, %d calls", say, short(r.Outage.Worst), len(r.history))
}
