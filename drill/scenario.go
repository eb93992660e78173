package drill

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Scenario is one rehearsal: a load, what is broken when, and what may come of it at most.
type Scenario struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	About  string `json:"about"`  // what happens, for somebody who has read nothing
	Expect string `json:"expect"` // what clients should see of it
	WAN    string `json:"wan"`    // distances between regions, and from clients to regions: aws or none
	Load   Load   `json:"load"`
	Steps  []Step `json:"steps"` // in order of time
	Limits Limits `json:"limits"`
}

// Load is what clients do meanwhile. Each region has as many.
type Load struct {
	For     time.Duration `json:"for"`
	Clients int           `json:"clients"` // of each region; each is a session
	Rate    float64       `json:"rate"`    // calls a second by each client
}

// MaxCalls bounds a history, which is kept in memory.
const MaxCalls = 500_000

// Action is what a step does.
type Action string

// The actions. Those of the second group undo those of the first.
const (
	Kill      Action = "kill"      // the process dies, as by kill -9
	Pause     Action = "pause"     // the process stands still, as by SIGSTOP: connections stay open and nobody answers
	Isolate   Action = "isolate"   // no link of the region carries anything
	Partition Action = "partition" // nothing gets through between two regions
	Latency   Action = "latency"   // a link takes longer
	Loss      Action = "loss"      // a link loses packets
	Clock     Action = "clock"     // the region's clock is wrong
	FullDisk  Action = "full-disk" // the region's disk has no room
	LoseDisk  Action = "lose-disk" // the killed region's data is gone
	Restart   Action = "restart"   // the process is asked to stop, and started again

	Start    Action = "start"
	Resume   Action = "resume"
	Heal     Action = "heal" // links: those named, or all
	FreeDisk Action = "free-disk"
	SetClock Action = "set-clock" // right
)

// fields are what each action must be told (with !), or may.
var fields = map[Action][]string{
	Kill: {"region!"}, Pause: {"region!"}, Isolate: {"region!"}, FullDisk: {"region!"}, LoseDisk: {"region!"}, Restart: {"region!"},
	Start: {"region!"}, Resume: {"region!"}, FreeDisk: {"region!"}, SetClock: {"region!"},
	Partition: {"from!", "to!", "one-way"},
	Latency:   {"from!", "to!", "one-way", "add!"},
	Loss:      {"from!", "to!", "one-way", "share!"},
	Heal:      {"from", "to", "one-way"},
	Clock:     {"region!", "jump", "drift"},
}

// Step breaks or mends something At a time after the load has begun. Region, From and To are a region's name or its place:
// first, second, third.
type Step struct {
	At     time.Duration `json:"at"`
	Do     Action        `json:"do"`
	Region string        `json:"region,omitempty"`
	From   string        `json:"from,omitempty"`
	To     string        `json:"to,omitempty"`
	OneWay bool          `json:"oneWay,omitempty"`
	Add    time.Duration `json:"add,omitempty"`   // latency
	Share  float64       `json:"share,omitempty"` // of packets lost
	Jump   time.Duration `json:"jump,omitempty"`  // of the clock
	Drift  time.Duration `json:"drift,omitempty"` // of the clock, each second

	line int // in the file; for errors
}

// Limits are what a drill may find at most. That all regions are equal in the end, that counters are right and that no
// session was lied to is always asked for.
type Limits struct {
	// ClientOutage is how long any one client may see errors, or answers later than Slow, in all.
	ClientOutage time.Duration `json:"clientOutage"`
	Slow         time.Duration `json:"slow"`
	// CatchUp is how long after a region or a link is back all links may be more than a second behind.
	CatchUp time.Duration `json:"catchUp"`
	// Converge is how long after the load's end the regions may differ.
	Converge time.Duration `json:"converge"`
	// LostWrites is how many acknowledged writes may be gone in the end. Only a lost disk can lose any.
	LostWrites int `json:"lostWrites"`
	// Errors is the share of calls that may fail.
	Errors float64 `json:"errors"`
}

// defaults are those of a file that does not say.
func defaults() Scenario {
	return Scenario{
		WAN:  "aws",
		Load: Load{For: 15 * time.Second, Clients: 6, Rate: 20},
		Limits: Limits{
			ClientOutage: 2 * time.Second, Slow: time.Second, CatchUp: 10 * time.Second, Converge: 15 * time.Second, Errors: 0.02,
		},
	}
}

var places = []string{"first", "second", "third", "fourth", "fifth"}

// Short is the scenario with all its times divided: for a quick look, and for CI. Limits stay.
func (s Scenario) Short() Scenario {
	const by = 3
	s.Load.For /= by
	s.Steps = slices.Clone(s.Steps)
	for i := range s.Steps {
		s.Steps[i].At /= by
	}
	return s
}

// check refuses what cannot be done. Its errors begin with a line where there is one.
func (s *Scenario) check() error {
	switch {
	case s.Name == "":
		return errors.New("it has no name")
	case strings.Trim(s.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return fmt.Errorf("the name %q has other characters than a-z, 0-9 and -", s.Name)
	case s.WAN != "aws" && s.WAN != "none":
		return fmt.Errorf("wan %q is none of aws, none", s.WAN)
	case s.Load.For < time.Second || s.Load.For > time.Hour:
		return fmt.Errorf("a load for %v is not between a second and an hour", s.Load.For)
	case s.Load.Clients < 1 || s.Load.Clients > 200:
		return fmt.Errorf("%d clients for each region are not between 1 and 200", s.Load.Clients)
	case s.Load.Rate < 0.01 || s.Load.Rate > 1000:
		return fmt.Errorf("a rate of %g is not between 0.01 and 1000", s.Load.Rate)
	case float64(3*s.Load.Clients)*s.Load.Rate*s.Load.For.Seconds() > MaxCalls:
		return fmt.Errorf("that is more than %d calls: make it shorter, or rate or clients smaller", MaxCalls)
	}
	state := map[string]Action{}
	for i, st := range s.Steps {
		if err := st.check(s.Load.For, state); err != nil {
			return fmt.Errorf("line %d: step %d, %s: %w", st.line, i+1, st.Do, err)
		}
		if i > 0 && st.At < s.Steps[i-1].At {
			return fmt.Errorf("line %d: step %d comes before the one above it", st.line, i+1)
		}
	}
	return nil
}

// check refuses a step; state has the regions that are not there then, and what was done to them: Kill or Pause.
func (st Step) check(end time.Duration, state map[string]Action) error {
	switch {
	case st.At < 0 || st.At > end:
		return fmt.Errorf("at %v there is no load: it lasts %v", st.At, end)
	case st.From != "" && st.From == st.To:
		return fmt.Errorf("%s has no link to itself", st.From)
	case st.Do == Latency && (st.Add <= 0 || st.Add > time.Minute):
		return fmt.Errorf("adding %v is not above 0 and at most a minute", st.Add)
	case st.Do == Loss && (st.Share <= 0 || st.Share >= 1):
		return fmt.Errorf("a share of %g is not between 0 and 1", st.Share)
	case st.Do == Clock && st.Jump == 0 && st.Drift == 0:
		return errors.New("it says neither jump nor drift")
	case st.Do == Clock && (st.Jump.Abs() > 24*time.Hour || st.Drift.Abs() > time.Second):
		return errors.New("a clock jumps a day and drifts a second each second at most")
	case st.Do == Heal && (st.From == "") != (st.To == ""):
		return errors.New("it names one end of a link")
	case (st.Do == Start || st.Do == LoseDisk) && state[st.Region] != Kill:
		return fmt.Errorf("%s was not killed before", st.Region)
	case (st.Do == Kill || st.Do == Pause || st.Do == Restart || st.Do == Resume) && state[st.Region] == Kill:
		return fmt.Errorf("%s was killed before", st.Region)
	case (st.Do == Kill || st.Do == Pause || st.Do == Restart) && state[st.Region] == Pause:
		return fmt.Errorf("%s stands still: it must resume before", st.Region)
	}
	switch st.Do {
	case Kill, Pause:
		state[st.Region] = st.Do
	case Start, Resume:
		delete(state, st.Region)
	}
	return nil
}

// resolve names the regions of a step that are given by their place.
func (st Step) resolve(regions []string) (Step, error) {
	for _, name := range []*string{&st.Region, &st.From, &st.To} {
		if i := slices.Index(places, *name); i >= 0 && i < len(regions) {
			*name = regions[i]
		}
		if *name != "" && !slices.Contains(regions, *name) {
			return st, fmt.Errorf("line %d: there is no region %s; there are %s", st.line, *name, strings.Join(regions, ", "))
		}
	}
	return st, nil
}

// Say tells what a step does, in a few words.
func (st Step) Say() string {
	link := " between " + st.From + " and " + st.To
	if st.OneWay {
		link = " from " + st.From + " to " + st.To
	}
	switch st.Do {
	case Kill:
		return st.Region + " is killed"
	case Pause:
		return st.Region + " stands still"
	case Isolate:
		return st.Region + " is cut off from all others"
	case Partition:
		return "nothing gets through" + link
	case Latency:
		return fmt.Sprintf("%v more%s", st.Add, link)
	case Loss:
		return fmt.Sprintf("%g%% of packets are lost%s", st.Share*100, link)
	case Clock:
		return "the clock of " + st.Region + sayClock(st.Jump, st.Drift)
	case FullDisk:
		return "the disk of " + st.Region + " is full"
	case LoseDisk:
		return "the disk of " + st.Region + " is lost"
	case Restart:
		return st.Region + " is restarted"
	case Start:
		return st.Region + " is started again"
	case Resume:
		return st.Region + " goes on"
	case FreeDisk:
		return "the disk of " + st.Region + " has room again"
	case SetClock:
		return "the clock of " + st.Region + " is right again"
	case Heal:
		if st.From == "" {
			return "all links are healed"
		}
		return "the way is open again" + link
	}
	return string(st.Do)
}

func sayClock(jump, drift time.Duration) string {
	var say []string
	if jump != 0 {
		say = append(say, fmt.Sprintf(" jumps by %v", jump))
	}
	if drift != 0 {
		say = append(say, fmt.Sprintf(" drifts by %v each second", drift))
	}
	return strings.Join(say, " and")
}
