package drill

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// evidence is all that a verdict goes by.
type evidence struct {
	limits   Limits
	calls    []Call
	contents map[string]contents      // by region, in the end
	regions  []string                 // in order
	lost     map[string]time.Duration // regions whose disk was lost, and when they had been killed
	catchUps []CatchUp
	differ   string
	took     time.Duration // to converge; 0: they did not
}

// Verdict is one question to a drill, and its answer.
type Verdict struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	Found  string `json:"found"`
	Limit  string `json:"limit"`
	Say    string `json:"say"` // what it means, for somebody new to it
}

// findings are the verdicts and what they rest on.
type findings struct {
	verdicts   []Verdict
	violations []Violation
	missing    []string // acknowledged inserts that are not everywhere
	outage     Outage
}

// Outage is what clients suffered, in all, over a drill.
type Outage struct {
	Worst   time.Duration `json:"worst"` // of any client
	P99     time.Duration `json:"p99"`   // of all clients
	Median  time.Duration `json:"median"`
	Clients int           `json:"clients"`
	Touched int           `json:"touched"` // clients that met any error or delay
}

// judge answers all questions. It is pure.
func judge(e evidence) findings {
	var f findings
	all := suffered(e.calls, e.limits.Slow)
	f.outage = Outage{Worst: percentile(all, 100), P99: percentile(all, 99), Median: percentile(all, 50), Clients: len(all)}
	for _, d := range all {
		if d > 0 {
			f.outage.Touched++
		}
	}
	violations, l := checkSessions(e.calls)
	for _, name := range e.regions {
		violations = append(violations, l.checkEnd(name, e.contents[name].items, e.wentWithDisk)...)
	}
	f.violations = violations
	f.missing = e.missingInserts()
	f.verdicts = []Verdict{
		e.served(f.outage), e.errors(), e.nothingLost(f.missing), sessionsKept(f.violations), e.counted(), e.caughtUp(), e.converged(),
	}
	return f
}

func (e evidence) served(o Outage) Verdict {
	return Verdict{
		Name: outageVerdict, Passed: o.Worst <= e.limits.ClientOutage && o.Clients > 0,
		Found: "worst client " + short(o.Worst), Limit: "at most " + short(e.limits.ClientOutage),
		Say: fmt.Sprintf("How long the unluckiest client met errors, or answers later than %v, in all. %d of %d clients noticed anything.",
			e.limits.Slow, o.Touched, o.Clients),
	}
}

func (e evidence) errors() Verdict {
	bad := 0
	for i := range e.calls {
		if c := &e.calls[i]; c.Result != OK && c.Result != Condition {
			bad++
		}
	}
	share := float64(bad) / max(1, float64(len(e.calls)))
	return Verdict{
		Name: "Few calls fail", Passed: share <= e.limits.Errors && len(e.calls) > 0,
		Found: fmt.Sprintf("%d of %d (%.2f%%)", bad, len(e.calls), 100*share), Limit: fmt.Sprintf("at most %g%%", 100*e.limits.Errors),
		Say: "Calls that ended in an error, after all that the router could safely try elsewhere.",
	}
}

// wentWithDisk reports whether a write may be gone with a disk: its region had acknowledged it shortly before.
func (e evidence) wentWithDisk(c *Call) bool {
	at, lost := e.lost[c.Region]
	return lost && c.End > at-riskWindow && c.Begin <= at
}

// missingInserts lists the acknowledged inserts that some region does not have in the end.
func (e evidence) missingInserts() (missing []string) {
	for i := range e.calls {
		c := &e.calls[i]
		if c.Op != Insert || c.Result != OK {
			continue
		}
		for _, name := range e.regions {
			if e.contents[name].items[c.Key] != c.Wrote {
				missing = append(missing, c.Key)
				break
			}
		}
	}
	return missing
}

func (e evidence) nothingLost(missing []string) Verdict {
	acked := 0
	for i := range e.calls {
		if c := &e.calls[i]; c.Op == Insert && c.Result == OK {
			acked++
		}
	}
	v := Verdict{
		Name: "Nothing acknowledged is lost", Passed: len(missing) <= e.limits.LostWrites && acked > 0,
		Found: fmt.Sprintf("%d of %d missing", len(missing), acked), Limit: fmt.Sprintf("at most %d", e.limits.LostWrites),
		Say: "New items that were acknowledged, and that some region does not have in the end.",
	}
	if len(e.lost) > 0 {
		v.Say += " A lost disk takes with it what no other region had yet."
	}
	return v
}

func sessionsKept(violations []Violation) Verdict {
	count := map[string]int{}
	for _, v := range violations {
		count[v.Guarantee]++
	}
	found := "none"
	if len(violations) > 0 {
		var all []string
		for _, g := range []string{ReadYourWrites, MonotonicReads, MonotonicWrites, WritesFollowReads} {
			if count[g] > 0 {
				all = append(all, fmt.Sprintf("%s: %d", g, count[g]))
			}
		}
		found = strings.Join(all, ", ")
	}
	return Verdict{
		Name: "No session was lied to", Passed: len(violations) == 0, Found: found, Limit: "none",
		Say: "A client reads what it has written, never something older than it has read, and what it writes comes after both.",
	}
}

// counted holds the counters against what was added to them. A call of several attempts may have been done several times.
func (e evidence) counted() Verdict {
	least, most := map[string]int64{}, map[string]int64{}
	for i := range e.calls {
		c := &e.calls[i]
		if c.Op != Add {
			continue
		}
		switch {
		case c.Result == OK && !e.wentWithDisk(c):
			least[c.Key]++
			most[c.Key] += int64(max(1, c.Attempts))
		case c.Result == OK, c.Result == Unknown:
			most[c.Key] += int64(max(1, c.Attempts))
		}
	}
	v := Verdict{Name: "Counters are right", Passed: true, Limit: "exact", Found: "right everywhere",
		Say: "What stands in each counter is what was added to it, in whichever region (conflict policy crdt)."}
	var wrong []string
	for _, name := range e.regions {
		for i := range countKeys {
			k := countKey(i)
			if n := e.contents[name].counters[k]; n < least[k] || n > most[k] {
				wrong = append(wrong, fmt.Sprintf("%s in %s is %d, not %d to %d", k, name, n, least[k], most[k]))
			}
		}
	}
	if len(wrong) > 0 {
		v.Passed, v.Found = false, strings.Join(wrong[:min(3, len(wrong))], "; ")
	}
	return v
}

func (e evidence) caughtUp() Verdict {
	v := Verdict{Name: "Links catch up", Passed: true, Limit: "at most " + short(e.limits.CatchUp), Found: "nothing to catch up with",
		Say: "How long after something was mended every region was at most a second behind every other, under load."}
	if len(e.catchUps) == 0 {
		return v
	}
	v.Found = "nothing had time to"
	if !slices.ContainsFunc(e.catchUps, func(c CatchUp) bool { return c.Took > 0 }) {
		return v
	}
	worst := slices.MaxFunc(e.catchUps, func(a, b CatchUp) int { return cmp.Compare(a.Took, b.Took) })
	v.Found = short(worst.Took)
	if worst.Late {
		v.Found = "not within " + short(worst.Took)
	}
	v.Passed = !worst.Late && worst.Took <= e.limits.CatchUp
	return v
}

func (e evidence) converged() Verdict {
	v := Verdict{Name: "All regions hold the same", Limit: "within " + short(e.limits.Converge),
		Say: "How long after the last write every region held exactly the same items."}
	switch {
	case e.differ != "":
		v.Found = "they differ: " + e.differ
	case e.took == 0:
		v.Found = "not known"
	default:
		v.Found, v.Passed = "after "+short(e.took), e.took <= e.limits.Converge
	}
	return v
}

// short rounds a time to what a person reads.
func short(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}
