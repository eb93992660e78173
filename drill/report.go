package drill

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what a drill found. Times are nanoseconds; those named At, From and To count from the beginning of the load.
type Report struct {
	Scenario string    `json:"scenario"`
	Title    string    `json:"title"`
	About    string    `json:"about"`
	Expect   string    `json:"expect"`
	Target   string    `json:"target"` // what the regions were
	WAN      string    `json:"wan"`
	Began    time.Time `json:"began"`
	Seed     uint64    `json:"seed"`
	Regions  []string  `json:"regions"`

	Passed   bool      `json:"passed"`
	Verdicts []Verdict `json:"verdicts"`

	Outage     Outage         `json:"outage"`
	LoadEnd    time.Duration  `json:"loadEnd"`
	Calls      map[Result]int `json:"calls"`
	NewStarts  int            `json:"newSessions"` // sessions begun anew, the old one's writes being in no region that answered
	Conflicts  int            `json:"conflicts"`
	Risks      []*Risk        `json:"risks"`
	CatchUps   []CatchUp      `json:"catchUps"`
	Violations []Violation    `json:"violations"` // the first of them
	Missing    []string       `json:"missing"`    // the first keys of acknowledged inserts that are missing
	Failures   []Failure      `json:"failures"`   // what calls failed with, the most frequent first
	Events     []Event        `json:"events"`
	Router     []RouterEvent  `json:"router"`
	Timeline   []Bucket       `json:"timeline"`
	Samples    []Sample       `json:"samples"`

	history []Call
}

// Failure is what some calls failed with.
type Failure struct {
	Result Result `json:"result"`
	Error  string `json:"error"` // of one of them
	Count  int    `json:"count"`
}

// Bucket is what the clients of one region met in a short time.
type Bucket struct {
	At     time.Duration  `json:"at"`
	Home   string         `json:"home"`
	Calls  int            `json:"calls"`
	Errors int            `json:"errors"`
	P50    time.Duration  `json:"p50"`
	Max    time.Duration  `json:"max"`
	By     map[string]int `json:"by"` // region that answered → calls
}

// shown bounds the lists of a report that a bad day makes long.
const shown = 20

// judge makes the report of a drill.
func (r *runner) judge(end ending) *Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.o.Scenario
	e := evidence{
		limits: s.Limits, calls: r.load.history.all(), contents: end.contents, lost: r.lost, catchUps: r.catchUps,
		differ: end.differ, took: end.converged,
	}
	for _, x := range r.regions {
		e.regions = append(e.regions, x.Name)
	}
	f := judge(e)
	rep := &Report{
		Scenario: s.Name, Title: s.Title, About: s.About, Expect: s.Expect, Target: r.o.Target.About(), WAN: s.WAN,
		Began: r.began.UTC().Truncate(time.Millisecond), Seed: r.o.Seed, Regions: e.regions,
		Passed: true, Verdicts: f.verdicts, Outage: f.outage, LoadEnd: end.loadEnd, Calls: map[Result]int{}, Conflicts: end.conflicts,
		Risks: r.risks, CatchUps: r.catchUps, Events: r.events, Router: r.log.events(), Samples: r.watch.all(),
		Violations: f.violations[:min(shown, len(f.violations))], Missing: f.missing[:min(shown, len(f.missing))],
		Failures: failures(e.calls), Timeline: timeline(e.calls, e.regions, bucketLength(end.loadEnd)), history: e.calls,
	}
	for _, v := range f.verdicts {
		rep.Passed = rep.Passed && v.Passed
	}
	for i := range e.calls {
		rep.Calls[e.calls[i].Result]++
		if e.calls[i].Result == Behind {
			rep.NewStarts++
		}
	}
	for _, k := range rep.Risks {
		for _, key := range k.keys {
			if !slices.Contains(f.missing, key) {
				k.Back++
			}
		}
	}
	return rep
}

// History is every call of the drill, in the order in which they ended.
func (r *Report) History() []Call { return r.history }

func failures(calls []Call) []Failure {
	count := map[Failure]int{}
	for i := range calls {
		c := &calls[i]
		if c.Result == OK || c.Result == Condition {
			continue
		}
		count[Failure{Result: c.Result, Error: gist(c.Error)}]++
	}
	var all []Failure
	for f, n := range count {
		f.Count = n
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b Failure) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Error, b.Error)) })
	return all[:min(shown, len(all))]
}

// gist is an error without what differs from one to the next: the SDK's words around it, ports, identities.
func gist(text string) string {
	if _, after, ok := strings.Cut(text, "route: "); ok {
		text = "route: " + after
	}
	if before, _, ok := strings.Cut(text, ": region "); ok && strings.HasPrefix(text, "route: no region could") {
		text = before
	}
	if i := strings.Index(text, "RequestID: "); i >= 0 {
		if j := strings.IndexAny(text[i:], ", "); j >= 0 {
			rest := text[i+len("RequestID: "):]
			if _, after, ok := strings.Cut(rest, ", "); ok {
				text = text[:i] + after
			}
		}
	}
	fields := strings.Fields(text)
	for i, f := range fields {
		if strings.Contains(f, "127.0.0.1:") && strings.Contains(f, "->") {
			fields[i] = "connection:"
		}
	}
	text = strings.Join(fields, " ")
	return text[:min(len(text), 300)]
}

// bucketLength is how finely a timeline is drawn: a long drill's is no larger than a short one's.
func bucketLength(end time.Duration) time.Duration {
	return max(100*time.Millisecond, (end / 200).Truncate(100*time.Millisecond))
}

// timeline sorts calls into buckets by when they began: a call that hangs is seen where the trouble was.
func timeline(calls []Call, homes []string, length time.Duration) []Bucket {
	type place struct {
		home string
		at   time.Duration
	}
	sorted := map[place][]*Call{}
	for i := range calls {
		at := place{calls[i].Home, calls[i].Begin.Truncate(length)}
		sorted[at] = append(sorted[at], &calls[i])
	}
	var all []Bucket
	for at, list := range sorted {
		b := Bucket{At: at.at, Home: at.home, Calls: len(list), By: map[string]int{}}
		var took []time.Duration
		for _, c := range list {
			if c.Result != OK && c.Result != Condition {
				b.Errors++
			} else {
				b.By[c.Region]++
			}
			took = append(took, c.Took())
		}
		slices.Sort(took)
		b.P50, b.Max = percentile(took, 50), took[len(took)-1]
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b Bucket) int {
		return cmp.Or(slices.Index(homes, a.Home)-slices.Index(homes, b.Home), cmp.Compare(a.At, b.At))
	})
	return all
}

// WriteText writes the report for a terminal.
func (r *Report) WriteText(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s: %s\n", r.Scenario, r.Title)
	fmt.Fprintf(b, "%s; seed %d; %d calls in %v\n\n", r.Target, r.Seed, len(r.history), r.LoadEnd.Round(100*time.Millisecond))
	t := tabwriter.NewWriter(b, 0, 0, 3, ' ', 0)
	for _, e := range r.Events {
		fmt.Fprintf(t, "  %s\tto %s\t%s\n", short(e.From), short(e.To), e.Say)
	}
	fmt.Fprintln(t)
	for _, v := range r.Verdicts {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", mark(v.Passed), v.Name, v.Found, v.Limit)
	}
	_ = t.Flush() // into memory
	fmt.Fprintln(b)
	for _, line := range r.notes() {
		fmt.Fprintln(b, "  "+line)
	}
	for _, v := range r.Violations {
		fmt.Fprintf(b, "  violation of %s at %s, client %d, %s, %s: %s\n", v.Guarantee, short(v.At), v.Client, v.Key, v.Region, v.Say)
	}
	if len(r.Missing) > 0 {
		fmt.Fprintf(b, "  missing: %s\n", strings.Join(r.Missing, ", "))
	}
	for _, f := range r.Failures {
		fmt.Fprintf(b, "  %d times %s: %s\n", f.Count, f.Result, f.Error)
	}
	fmt.Fprintf(b, "\n%s\n", map[bool]string{true: "passed", false: "FAILED"}[r.Passed])
	_, err := io.WriteString(w, b.String())
	return err
}

func mark(passed bool) string {
	if passed {
		return "ok"
	}
	return "FAIL"
}

// notes are the figures that have no limit, as sentences.
func (r *Report) notes() (all []string) {
	for _, k := range r.Risks {
		switch {
		case k.Error != "":
			all = append(all, fmt.Sprintf("What %s alone had when it failed is not known: %s.", k.Region, k.Error))
		case k.Missing == 0:
			all = append(all, fmt.Sprintf("When %s failed, all of the %d writes that it had just acknowledged were elsewhere already.", k.Region, k.Asked))
		default:
			all = append(all, fmt.Sprintf("When %s failed, %d of the %d writes that it had just acknowledged were nowhere else, the oldest for %s; %d of them came back.",
				k.Region, k.Missing, k.Asked, short(k.Oldest), k.Back))
		}
	}
	if r.NewStarts > 0 {
		all = append(all, fmt.Sprintf("%d sessions had seen what no reachable region had, were told so, and began anew.", r.NewStarts))
	}
	if n := r.Calls[Unknown]; n > 0 {
		all = append(all, fmt.Sprintf("%d writes have an unknown fate: their clients were told that they may have happened.", n))
	}
	return append(all, fmt.Sprintf("%d writes lost to a concurrent one and stand in the conflict feed.", r.Conflicts))
}

// Results lists the results of calls that there were, the good ones first.
func (r *Report) Results() []Result {
	order := []Result{OK, Condition, Behind, Unknown, Failed}
	all := slices.Collect(maps.Keys(r.Calls))
	slices.SortFunc(all, func(a, b Result) int { return slices.Index(order, a) - slices.Index(order, b) })
	return all
}
