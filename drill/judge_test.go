package drill

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// story makes calls of single letters, each a second after the last: client, operation, key, what it wrote or saw, and how it
// ended when that is not ok: "1 write k 5", "2 read k 5", "1 write k 6 unknown".
func story(t *testing.T, lines ...string) (calls []Call) {
	t.Helper()
	for i, line := range lines {
		c := Call{Result: OK, Attempts: 1, Region: "here", Home: "here", Begin: time.Duration(i) * time.Second}
		c.End = c.Begin + time.Millisecond
		var id ID
		if n, err := fmt.Sscanf(line, "%d %s %s %d %s", &c.Client, &c.Op, &c.Key, &id, &c.Result); n < 4 {
			t.Fatalf("%q: %v", line, err)
		}
		if c.Wrote = id; c.Op == Read {
			c.Wrote, c.Saw = 0, id
		}
		calls = append(calls, c)
	}
	return calls
}

// Each guarantee is broken once, and each way of keeping it is none.
func TestSessions(t *testing.T) {
	for _, c := range []struct {
		name  string
		calls []string
		end   map[string]ID
		want  []string
	}{
		{"reads its own", []string{"1 write k 5", "1 read k 5"}, map[string]ID{"k": 5}, nil},
		{"does not read its own", []string{"1 write k 5", "1 read k 0"}, map[string]ID{"k": 5}, []string{ReadYourWrites}},
		{"reads its own, older", []string{"1 write k 5", "1 write k 6", "1 read k 5"}, map[string]ID{"k": 6}, []string{ReadYourWrites}},
		{"reads a concurrent one", []string{"1 write k 5", "2 write k 6", "1 read k 6"}, map[string]ID{"k": 6}, nil},
		{"reads its own of unknown fate", []string{"1 write k 5", "1 write k 6 unknown", "1 read k 6", "1 read k 6"}, map[string]ID{"k": 6}, nil},
		{"need not read one of unknown fate", []string{"1 write k 5", "1 write k 6 unknown", "1 read k 5"}, map[string]ID{"k": 5}, nil},
		{"back in time", []string{"1 write k 5", "1 write k 6", "2 read k 6", "2 read k 5"}, map[string]ID{"k": 6}, []string{MonotonicReads}},
		{"back to nothing", []string{"1 write k 5", "2 read k 5", "2 read k 0"}, map[string]ID{"k": 5}, []string{MonotonicReads}},
		{"forward", []string{"1 write k 5", "1 write k 6", "2 read k 5", "2 read k 6"}, map[string]ID{"k": 6}, nil},
		{"between concurrent ones", []string{"1 write k 5", "2 write k 6", "3 read k 5", "3 read k 6"}, map[string]ID{"k": 6}, nil},
		{"back by way of others", []string{"1 write k 5", "2 read k 5", "2 write k 6", "3 read k 6", "3 write k 7", "4 read k 7", "4 read k 5"},
			map[string]ID{"k": 7}, []string{MonotonicReads}},
		{"an own write undone", []string{"1 write k 5", "1 write k 6"}, map[string]ID{"k": 5}, []string{MonotonicWrites}},
		{"a write undone by what it had read", []string{"1 write k 5", "2 read k 5", "2 write k 6"}, map[string]ID{"k": 5}, []string{WritesFollowReads}},
		{"a write gone", []string{"1 write k 5"}, map[string]ID{}, []string{MonotonicWrites}},
		{"a write of unknown fate in the end", []string{"1 write k 5", "1 write k 6 unknown"}, map[string]ID{"k": 6}, nil},
		{"its own condition fails", []string{"1 replace k 5", "1 replace k 6 condition"}, map[string]ID{"k": 5}, []string{ReadYourWrites}},
		{"a failed write is none", []string{"1 write k 5", "1 write k 6 failed", "1 read k 5"}, map[string]ID{"k": 5}, nil},
	} {
		violations, l := checkSessions(story(t, c.calls...))
		violations = append(violations, l.checkEnd("here", c.end, func(*Call) bool { return false })...)
		var got []string
		for _, v := range violations {
			got = append(got, v.Guarantee)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q: %+v", c.name, got, c.want, violations)
		}
	}
}

// A new session of the same client need not see what the old one wrote; writes that went with a disk need not be there.
func TestSessionsBegunAnew(t *testing.T) {
	calls := story(t, "1 write k 5", "1 read k 0")
	calls[1].Session = 1
	if v, l := checkSessions(calls); len(v) > 0 || len(l.checkEnd("here", nil, func(*Call) bool { return true })) > 0 {
		t.Errorf("%+v", v)
	}
}

func TestOutages(t *testing.T) {
	call := func(client int, begin, took int, r Result) Call {
		return Call{Client: client, Begin: time.Duration(begin) * time.Millisecond, End: time.Duration(begin+took) * time.Millisecond, Result: r}
	}
	calls := []Call{
		call(1, 0, 5, OK), call(1, 100, 50, Failed), call(1, 200, 300, Unknown), call(1, 600, 5, OK), // out from 100 to 500
		call(2, 0, 1500, OK), call(2, 1600, 5, Condition), call(2, 2000, 100, Behind), // late for 1500, out for 100
		call(3, 0, 5, OK),
	}
	got := suffered(calls, time.Second)
	want := []time.Duration{0, 400 * time.Millisecond, 1600 * time.Millisecond}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if p := percentile(got, 50); p != want[1] || percentile(nil, 99) != 0 || percentile(got, 99) != want[2] {
		t.Errorf("the median is %v", p)
	}
}

// Each verdict is shown evidence that it must not pass, and is the only one that does not.
func TestVerdicts(t *testing.T) {
	limits := defaults().Limits
	good := func() evidence {
		calls := story(t, "1 insert new/1 5", "1 add count/0 6", "2 add count/0 7", "1 write own/1 8", "1 read own/1 8")
		held := contents{map[string]ID{"new/1": 5, "own/1": 8}, map[string]int64{"count/0": 2}}
		other := contents{map[string]ID{"new/1": 5, "own/1": 8}, map[string]int64{"count/0": 2}}
		return evidence{limits: limits, calls: calls, contents: map[string]contents{"here": held, "there": other}, regions: []string{"here", "there"},
			catchUps: []CatchUp{{Took: time.Second}}, took: time.Second}
	}
	for _, c := range []struct {
		name  string
		spoil func(*evidence)
		want  string // the verdict that fails
	}{
		{"good", func(*evidence) {}, ""},
		{"slow answers", func(e *evidence) { e.calls[4].End += 3 * time.Second }, outageVerdict},
		{"errors", func(e *evidence) {
			for range 3 {
				e.calls = append(e.calls, Call{Client: 9, Op: Read, Key: "own/1", Result: Failed})
			}
		}, "Few calls fail"},
		{"an insert missing in one region", func(e *evidence) { delete(e.contents["there"].items, "new/1") }, "Nothing acknowledged is lost,No session was lied to"},
		{"an insert overwritten", func(e *evidence) { e.contents["there"].items["new/1"] = 99 }, "Nothing acknowledged is lost"},
		{"a stale read", func(e *evidence) { e.calls[4].Saw = 0 }, "No session was lied to"},
		{"an addition lost", func(e *evidence) { e.contents["here"].counters["count/0"] = 1 }, "Counters are right"},
		{"an addition counted twice", func(e *evidence) { e.contents["there"].counters["count/0"] = 3 }, "Counters are right"},
		{"an addition that may have been done twice", func(e *evidence) {
			e.calls[1].Attempts = 2
			e.contents["here"].counters["count/0"] = 3
		}, ""},
		{"links that do not catch up", func(e *evidence) { e.catchUps[0].Late = true }, "Links catch up"},
		{"links that catch up late", func(e *evidence) { e.catchUps[0].Took = time.Minute }, "Links catch up"},
		{"regions that differ", func(e *evidence) { e.differ = "here and there: all" }, "All regions hold the same"},
		{"regions that are equal too late", func(e *evidence) { e.took = time.Hour }, "All regions hold the same"},
		{"nobody asked", func(e *evidence) {
			e.calls = nil
			clear(e.contents["here"].counters)
			clear(e.contents["there"].counters)
		},
			"Clients go on,Few calls fail,Nothing acknowledged is lost"},
	} {
		e := good()
		c.spoil(&e)
		var failed []string
		for _, v := range judge(e).verdicts {
			if !v.Passed {
				failed = append(failed, v.Name)
			}
			if v.Say == "" || v.Found == "" || v.Limit == "" {
				t.Errorf("%s: %+v says too little", c.name, v)
			}
		}
		if got := strings.Join(failed, ","); got != c.want {
			t.Errorf("%s: %q fail, want %q", c.name, got, c.want)
		}
	}
}

// What was lost with a disk counts against its own limit only.
func TestLostDisk(t *testing.T) {
	e := evidence{limits: defaults().Limits, regions: []string{"here"}, lost: map[string]time.Duration{"here": 3 * time.Second}, took: time.Second,
		calls:    story(t, "1 insert new/1 5", "1 add count/0 6", "1 write own/1 7", "1 read own/1 7"),
		contents: map[string]contents{"here": {map[string]ID{}, map[string]int64{}}}}
	e.limits.LostWrites, e.limits.Slow = 1, time.Minute
	for _, v := range judge(e).verdicts {
		if !v.Passed {
			t.Errorf("%+v", v)
		}
	}
	e.limits.LostWrites = 0
	if v := e.nothingLost(e.missingInserts()); v.Passed {
		t.Error("a write more than the limit was lost, and the verdict is good")
	}
}

func TestDiffer(t *testing.T) {
	a := contents{map[string]ID{"x": 1, "y": 2}, map[string]int64{"n": 3}}
	if d := a.differ(contents{map[string]ID{"x": 1, "y": 2}, map[string]int64{"n": 3}}); d != "" {
		t.Errorf("equal ones differ: %s", d)
	}
	for _, b := range []contents{
		{map[string]ID{"x": 1, "y": 3}, a.counters}, {map[string]ID{"x": 1}, a.counters}, {a.items, map[string]int64{"n": 4}},
		{map[string]ID{"x": 1, "y": 2, "z": 3}, a.counters}, {a.items, map[string]int64{}},
	} {
		if a.differ(b) == "" {
			t.Errorf("%v and %v are called equal", a, b)
		}
	}
}

func TestSeries(t *testing.T) {
	s := NewSeries(Scenario{Name: "x", Limits: Limits{ClientOutage: 2 * time.Second}})
	report := func(out time.Duration, failed ...string) *Report {
		r := &Report{Passed: len(failed) == 0, Outage: Outage{Worst: out}}
		for _, f := range failed {
			r.Verdicts = append(r.Verdicts, Verdict{Name: f})
		}
		return r
	}
	for range 199 {
		s.Add(report(time.Second))
	}
	s.Add(report(5*time.Second, outageVerdict)) // one in two hundred is past the 99th percentile
	if sum := s.Summary(); !sum.Passed || sum.P99 != time.Second || sum.Max != 5*time.Second || s.Worst().Outage.Worst != 5*time.Second {
		t.Errorf("%v %v", sum.Passed, sum.P99)
	}
	s.Add(report(time.Second, "No session was lied to"))
	if s.Passed() {
		t.Error("a session was lied to once, and the series passes")
	}
	var b strings.Builder
	if err := s.WriteText(&b); err != nil || !strings.Contains(b.String(), "FAILED") {
		t.Errorf("%q %v", b.String(), err)
	}
}
