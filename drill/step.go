package drill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/meridiandb/meridian/internal/wan"
)

// Event is one thing that was broken, from its beginning to its end.
type Event struct {
	From time.Duration `json:"from"`
	To   time.Duration `json:"to"`
	Do   Action        `json:"do"`
	Say  string        `json:"say"`
	// Regions are those concerned: one, or the two ends of a link.
	Regions []string `json:"regions"`
	open    bool
}

// Risk is what a region alone had when it failed.
type Risk struct {
	Region string        `json:"region"`
	At     time.Duration `json:"at"`
	Asked  int           `json:"asked"` // inserts that it had acknowledged in the seconds before
	// Missing of those were in no other region; the oldest had been acknowledged Oldest before the failure.
	Missing int           `json:"missing"`
	Oldest  time.Duration `json:"oldest"`
	Back    int           `json:"back"` // of the missing, those that were there in the end
	Error   string        `json:"error,omitempty"`
	keys    []string
}

// CatchUp is how long after something was mended all links were level again.
type CatchUp struct {
	At   time.Duration `json:"at"`
	Took time.Duration `json:"took"` // 0: something else was broken before
	Say  string        `json:"say"`
	Late bool          `json:"late"` // they were not, in the time there was
}

// step does one step. What is broken begins when it is ordered, what is mended ends when it works.
func (r *runner) step(ctx context.Context, st Step) error {
	r.say("%s", st.Say())
	at := time.Since(r.began)
	switch st.Do {
	case Kill, Pause, Isolate, Partition, Latency, Loss, Clock, FullDisk, Restart:
		r.stopSettling()
		r.open(st, at)
	}
	var err error
	switch st.Do {
	case Kill, Start, Pause, Resume, Restart, LoseDisk:
		err = r.process(ctx, st, at)
	case Isolate:
		err = r.isolate(ctx, st.Region)
	case Partition:
		err = r.link(ctx, st, wan.Fault{Cut: true})
	case Latency:
		err = r.link(ctx, st, wan.Fault{Latency: st.Add})
	case Loss:
		err = r.link(ctx, st, wan.Fault{Loss: st.Share})
	case Heal:
		err = r.heal(ctx, st)
	case Clock:
		err = r.api.setClock(ctx, r.region(st.Region), st.Jump, st.Drift)
	case SetClock:
		err = r.api.setClock(ctx, r.region(st.Region), 0, 0)
	case FullDisk, FreeDisk:
		err = r.api.setDisk(ctx, r.region(st.Region), st.Do == FullDisk)
	default:
		err = errors.New("nobody knows how")
	}
	if err != nil {
		return err
	}
	switch st.Do {
	case Kill, Pause, Isolate:
		r.lookForRisk(ctx, st.Region, at)
	case Start, Resume, Heal, SetClock, FreeDisk, Restart:
		r.shut(st, time.Since(r.began))
		r.settle(ctx, st.Say())
	}
	return nil
}

func (r *runner) region(name string) Region {
	for _, x := range r.regions {
		if x.Name == name {
			return x
		}
	}
	return Region{Name: name}
}

// process has the target do something to a region's process.
func (r *runner) process(ctx context.Context, st Step, at time.Duration) error {
	if err := r.o.Target.Do(ctx, st.Do, st.Region); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch st.Do {
	case Kill:
		r.down[st.Region], r.killedAt[st.Region] = true, at
	case Start:
		delete(r.down, st.Region)
	case Pause:
		r.paused[st.Region] = true
	case Resume:
		delete(r.paused, st.Region)
	case LoseDisk:
		r.lost[st.Region] = r.killedAt[st.Region]
	}
	return nil
}

func (r *runner) isolate(ctx context.Context, region string) error {
	if t, ok := r.o.Target.(isolater); ok {
		return t.Isolate(ctx, region)
	}
	var errs []error
	for _, x := range r.regions {
		if x.Name != region {
			errs = append(errs, r.api.setLink(ctx, r.region(region), x.Name, wan.Fault{Cut: true}),
				r.api.setLink(ctx, x, region, wan.Fault{Cut: true}))
		}
	}
	return errors.Join(errs...)
}

func (r *runner) link(ctx context.Context, st Step, f wan.Fault) error {
	err := r.api.setLink(ctx, r.region(st.From), st.To, f)
	if !st.OneWay && err == nil {
		err = r.api.setLink(ctx, r.region(st.To), st.From, f)
	}
	return err
}

func (r *runner) heal(ctx context.Context, st Step) error {
	if st.From != "" {
		return r.link(ctx, st, wan.Fault{})
	}
	return r.healAll(ctx)
}

// healAll heals all regions that are there; one that is not loses its faults by starting again.
func (r *runner) healAll(ctx context.Context) error {
	var errs []error
	if t, ok := r.o.Target.(isolater); ok {
		errs = append(errs, t.Rejoin(ctx))
	}
	for _, x := range r.regions {
		r.mu.Lock()
		gone := r.down[x.Name] || r.paused[x.Name]
		r.mu.Unlock()
		if !gone && r.faulty() {
			errs = append(errs, r.api.heal(ctx, x))
		}
	}
	return errors.Join(errs...)
}

// faulty reports whether the scenario has faults that regions make themselves: others need not allow any.
func (r *runner) faulty() bool {
	for _, st := range r.o.Scenario.Steps {
		switch st.Do {
		case Partition, Latency, Loss, Clock, FullDisk:
			return true
		case Isolate:
			if _, outside := r.o.Target.(isolater); !outside {
				return true
			}
		}
	}
	return false
}

// mend undoes whatever is still broken.
func (r *runner) mend(ctx context.Context) error {
	var errs []error
	for _, x := range r.regions {
		r.mu.Lock()
		down, paused := r.down[x.Name], r.paused[x.Name]
		r.mu.Unlock()
		if paused {
			errs = append(errs, r.process(ctx, Step{Do: Resume, Region: x.Name}, 0))
		}
		if down {
			errs = append(errs, r.process(ctx, Step{Do: Start, Region: x.Name}, 0))
		}
	}
	errs = append(errs, r.healAll(ctx))
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.events {
		if e := &r.events[i]; e.open {
			e.To, e.open = time.Since(r.began), false
		}
	}
	return errors.Join(errs...)
}

func (r *runner) open(st Step, at time.Duration) {
	e := Event{From: at, To: at, Do: st.Do, Say: st.Say(), open: true}
	for _, name := range []string{st.Region, st.From, st.To} {
		if name != "" {
			e.Regions = append(e.Regions, name)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// ends says which events each mending step ends.
var ends = map[Action][]Action{
	Start: {Kill}, Resume: {Pause}, Restart: {Restart}, SetClock: {Clock}, FreeDisk: {FullDisk},
	Heal: {Partition, Latency, Loss, Isolate, Clock, FullDisk},
}

func (r *runner) shut(st Step, at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.events {
		e := &r.events[i]
		if !e.open || !slices.Contains(ends[st.Do], e.Do) {
			continue
		}
		if st.Region != "" && e.Regions[0] != st.Region || st.From != "" && !(slices.Contains(e.Regions, st.From) && slices.Contains(e.Regions, st.To)) {
			continue
		}
		e.To, e.open = at, false
	}
}

const (
	riskWindow = 5 * time.Second        // writes acknowledged earlier are elsewhere, or the drill's other figures show it
	riskAfter  = 300 * time.Millisecond // what is on its way when a region fails may still arrive
	maxRisk    = 1000
)

// lookForRisk finds out, beside the steps, which writes only a region has that has just failed.
func (r *runner) lookForRisk(ctx context.Context, region string, at time.Duration) {
	k := &Risk{Region: region, At: at}
	r.mu.Lock()
	r.risks = append(r.risks, k)
	r.mu.Unlock()
	r.aside.Go(func() {
		if travel(ctx, riskAfter) != nil {
			return
		}
		if err := r.findRisk(ctx, k); err != nil {
			k.Error = err.Error()
		}
	})
}

func (r *runner) findRisk(ctx context.Context, k *Risk) error {
	acked := map[string]time.Duration{}
	var keys []string
	calls := r.load.history.all()
	for i := len(calls) - 1; i >= 0 && calls[i].End > k.At-riskWindow && len(keys) < maxRisk; i-- {
		if c := &calls[i]; c.Op == Insert && c.Result == OK && c.Region == k.Region && c.End <= k.At {
			acked[c.Key] = c.End
			keys = append(keys, c.Key)
		}
	}
	k.Asked = len(keys)
	asked := false
	for _, x := range r.regions {
		r.mu.Lock()
		gone := r.down[x.Name] || r.paused[x.Name] || x.Name == k.Region
		r.mu.Unlock()
		if gone {
			continue
		}
		found, err := r.tables.have(ctx, x, keys)
		if err != nil {
			return fmt.Errorf("ask %s: %w", x.Name, err)
		}
		asked = true
		var left []string
		for _, key := range keys {
			if !found[key] {
				left = append(left, key)
			}
		}
		keys = left
	}
	if !asked {
		return errors.New("there is no other region to ask")
	}
	k.keys, k.Missing = keys, len(keys)
	for _, key := range keys {
		k.Oldest = max(k.Oldest, k.At-acked[key])
	}
	return nil
}

// settle measures, beside the steps, how long it takes until all links are at most a second behind.
func (r *runner) settle(ctx context.Context, say string) {
	r.stopSettling()
	ctx, cancel := context.WithCancel(ctx)
	began := time.Now()
	r.mu.Lock()
	r.settling = cancel
	at := len(r.catchUps)
	r.catchUps = append(r.catchUps, CatchUp{At: began.Sub(r.began), Say: say})
	r.mu.Unlock()
	r.aside.Go(func() {
		err := r.awaitLevel(ctx, r.o.Scenario.Limits.CatchUp+5*time.Second, 1)
		r.mu.Lock()
		defer r.mu.Unlock()
		switch c := &r.catchUps[at]; {
		case err == nil:
			c.Took = max(time.Since(began), time.Millisecond)
		case ctx.Err() == nil:
			c.Took, c.Late = time.Since(began), true
		}
	})
}

// stopSettling ends the newest catch-up: something else is broken now.
func (r *runner) stopSettling() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.settling != nil {
		r.settling()
		r.settling = nil
	}
}
