package drill

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// All named drills can be read, end with what they broke mended or leave it to the drill, and explain themselves.
func TestNamedScenarios(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(order) {
		t.Errorf("%d files, %d in order", len(all), len(order))
	}
	for i, s := range all {
		if s.Name != order[i] {
			t.Errorf("%s stands where %s should", s.Name, order[i])
		}
		if s.About == "" || s.Expect == "" || s.Title == s.Name || len(s.Steps) < 2 {
			t.Errorf("%s explains little: %+v", s.Name, s)
		}
		short := s.Short()
		if short.Load.For >= s.Load.For || short.Steps[0].At >= s.Steps[0].At || s.Steps[0].At < time.Second {
			t.Errorf("%s in short: %v", s.Name, short.Load.For)
		}
		for _, st := range s.Steps {
			named, err := st.resolve([]string{"us-east-1", "eu-west-1", "ap-northeast-1"})
			if err != nil || strings.Contains(named.Say(), "first") || named.Say() == string(st.Do) {
				t.Errorf("%s: %q %v", s.Name, named.Say(), err)
			}
		}
	}
	if _, err := Named("region-outrage"); err == nil || !strings.Contains(err.Error(), "there are region-outage, pause") {
		t.Errorf("a name that is none: %v", err)
	}
}

// A file's mistakes are told with their line; whatever is not understood is refused.
func TestParseRefuses(t *testing.T) {
	const good = `name: mine
load:
  for: 10s
  clients: 3
steps:
  - {at: 2s, do: kill, region: first}
  - at: 4s
    do: start
    region: first
limits:
  client-outage: 2s
`
	s, err := Parse("my.yaml", []byte(good))
	if err != nil || s.Load.Rate != 20 || s.Limits.Converge != 15*time.Second || s.Steps[1].Do != Start || s.Steps[1].At != 4*time.Second {
		t.Fatalf("%+v %v", s, err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"name: mine", "", "it has no name"},
		{"name: mine", "name: My Drill", "other characters than"},
		{"name: mine", "name: [a]", "my.yaml: line 1: name: it takes one value"},
		{"name: mine", "name: mine\nname: yours", `line 2: "name" is set twice`},
		{"clients: 3", "klients: 3", `line 4: there is no "klients" here; there are clients, for, rate`},
		{"clients: 3", "clients: three", `line 4: clients: "three" is no whole number`},
		{"clients: 3", "clients: -3", "no whole number from 0"},
		{"clients: 3", "clients: 0", "0 clients"},
		{"for: 10s", "for: 10", `line 3: for: "10" is no time`},
		{"for: 10s", "for: 1000h", "not between a second and an hour"},
		{"for: 10s", "for: 1h\n  rate: 1000", "more than 500000 calls"},
		{"for: 10s", "for: 10s\n  rate: 1e-12", "a rate of 1e-12"},
		{"do: kill", "do: kil", `line 6: do "kil" is none of clock, `},
		{"do: kill, region: first", "do: kill", `line 6: kill needs "region"`},
		{"do: kill, region: first", "do: kill, region: first, add: 3s", `line 6: kill takes no "add"`},
		{"do: kill, region: first", "do: latency, from: first, to: second, add: 0s", "line 6: step 1, latency: adding 0s"},
		{"do: kill, region: first", "do: loss, from: first, to: second, share: 1", "a share of 1"},
		{"do: kill, region: first", "do: loss, from: first, to: second, share: NaN", "no number"},
		{"do: kill, region: first", "do: partition, from: first, to: first", "no link to itself"},
		{"do: kill, region: first", "do: partition, from: first, to: second, one-way: 1", "neither true nor false"},
		{"do: kill, region: first", "do: clock, region: first", "neither jump nor drift"},
		{"do: kill, region: first", "do: lose-disk, region: first", "first was not killed before"},
		{"do: kill, region: first", "do: pause, region: first", "line 7: step 2, start: first was not killed before"},
		{"do: kill, region: first}", "do: pause, region: first}\n  - {at: 3s, do: kill, region: first}", "line 7: step 2, kill: first stands still"},
		{"do: kill, region: first}", "do: kill, region: first}\n  - {at: 3s, do: resume, region: first}", "resume: first was killed before"},
		{"{at: 2s, do", "{do", "a step says when"},
		{"{at: 2s", "{at: 5s", "line 7: step 2 comes before the one above it"},
		{"{at: 2s", "{at: 11s", "at 11s there is no load"},
		{"client-outage: 2s", "client-outrage: 2s", `line 11: there is no "client-outrage"`},
		{"limits:", "wan: mars\nlimits:", `wan "mars"`},
		{"steps:", "steps: {}\nload: {}\nx:", "line 5: steps are a list"},
		{good, "", "there is nothing in it"},
		{good, "- a", `not a list of "name: value"`},
		{good, "a: b\n---\nc: d", "more than one document"},
		{good, "a: [", "yaml:"},
	} {
		_, err := Parse("my.yaml", []byte(strings.Replace(good, c.old, c.new, 1)))
		if err == nil || !strings.HasPrefix(err.Error(), "my.yaml: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q instead of %q: %v, want %q", c.new, c.old, err, c.want)
		}
	}
}

func TestResolve(t *testing.T) {
	st, err := Step{Do: Partition, From: "second", To: "us-east-1"}.resolve([]string{"us-east-1", "eu-west-1"})
	if err != nil || st.From != "eu-west-1" || st.Say() != "nothing gets through between eu-west-1 and us-east-1" {
		t.Errorf("%+v %v", st, err)
	}
	if _, err := (Step{Region: "third", line: 7}).resolve([]string{"us-east-1", "eu-west-1"}); err == nil || !strings.Contains(err.Error(), "line 7: there is no region third") {
		t.Errorf("a third of two regions: %v", err)
	}
}

// Whatever is in a file, it is read or refused.
func FuzzParse(f *testing.F) {
	for _, name := range order {
		text, err := Source(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("name: a\nsteps: [{at: 1s, do: heal}]\n"))
	f.Add([]byte("&a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse("x.yaml", text)
		if err == nil && (s.Name == "" || !slices.IsSortedFunc(s.Steps, func(a, b Step) int { return int(a.At - b.At) })) {
			t.Errorf("%+v", s)
		}
	})
}
