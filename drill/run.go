package drill

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/wan"
)

// Options says what to rehearse and on what. Scenario and Target are required.
type Options struct {
	Scenario Scenario
	Target   Target
	Seed     uint64       // decides what clients do; 0: by chance
	Progress func(string) // told what happens, from one goroutine at a time; nil: nobody
}

// runner is one drill under way.
type runner struct {
	o       Options
	api     *adminAPI
	regions []Region
	profile *wan.Profile
	tables  tables
	load    *load
	watch   watch
	log     routerLog
	began   time.Time
	aside   sync.WaitGroup // what goes on beside the steps: looking for what is at risk, waiting for links to be level

	mu       sync.Mutex // guards what follows, and calls of Progress
	events   []Event
	down     map[string]bool // killed
	paused   map[string]bool
	killedAt map[string]time.Duration
	lost     map[string]time.Duration // disks, by when their region had been killed
	risks    []*Risk
	catchUps []CatchUp
	settling context.CancelFunc // of the newest catch-up
}

// Run rehearses a scenario. The error says why that could not be done; what was found wrong is in the report.
func Run(ctx context.Context, o Options) (report *Report, err error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	profile, err := wan.ParseProfile(o.Scenario.WAN)
	if err != nil {
		return nil, err
	}
	if o.Seed == 0 {
		n, err := rand.Int(rand.Reader, big.NewInt(1<<53))
		if err != nil {
			return nil, err
		}
		o.Seed = n.Uint64()
	}
	r := &runner{
		o: o, api: newAdminAPI(), profile: profile, tables: newTables(strconv.FormatInt(time.Now().UnixMilli(), 36)),
		down: map[string]bool{}, paused: map[string]bool{}, killedAt: map[string]time.Duration{}, lost: map[string]time.Duration{},
	}
	defer r.api.close()
	defer func() { err = errors.Join(err, o.Target.Close()) }()
	if err := r.prepare(ctx); err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	defer r.load.close()
	end, err := r.rehearse(ctx)
	if err != nil {
		return nil, err
	}
	report = r.judge(end)
	// The regions may be there tomorrow; the report is worth more than a table that could not be removed.
	if err := r.tables.remove(ctx, r.regions); err != nil {
		r.say("the drill's tables could not all be removed: %v", err)
	}
	return report, nil
}

func (r *runner) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.o.Progress(fmt.Sprintf(format, args...))
}

// prepare starts the regions, makes tables, and clients that have found their regions.
func (r *runner) prepare(ctx context.Context) (err error) {
	r.say("starting regions")
	if r.regions, err = r.o.Target.Open(ctx, r.o.Scenario.WAN); err != nil {
		return err
	}
	if len(r.regions) < 2 {
		return errors.New("a drill needs two regions at least")
	}
	if l := r.o.Scenario.Load; float64(len(r.regions)*l.Clients)*l.Rate*l.For.Seconds() > MaxCalls {
		return fmt.Errorf("in %d regions that is more than %d calls", len(r.regions), MaxCalls)
	}
	r.o.Scenario.Steps = slices.Clone(r.o.Scenario.Steps)
	for i := range r.o.Scenario.Steps {
		var names []string
		for _, x := range r.regions {
			names = append(names, x.Name)
		}
		if r.o.Scenario.Steps[i], err = r.o.Scenario.Steps[i].resolve(names); err != nil {
			return err
		}
	}
	if err := r.profileKnows(); err != nil {
		return err
	}
	if err := r.awaitLevel(ctx, 30*time.Second, 1); err != nil {
		return err
	}
	r.say("making tables in %d regions", len(r.regions))
	if err := r.tables.make(ctx, r.regions); err != nil {
		return err
	}
	r.log.start(time.Now())
	r.load, err = newLoad(r.o.Scenario.Load, r.regions, r.profile, r.tables, r.o.Seed, &r.log)
	return err
}

func (r *runner) profileKnows() error {
	for _, x := range r.regions {
		if err := r.profile.Check(x.Name); err != nil {
			return err
		}
	}
	return nil
}

// awaitLevel returns when all regions have links to all others, at most so many seconds behind; 0: nothing is under way.
func (r *runner) awaitLevel(ctx context.Context, patience time.Duration, within float64) error {
	return await(ctx, patience, func() error {
		for _, x := range r.regions {
			s, err := r.api.status(ctx, x)
			if err != nil {
				return err
			}
			if !s.level(len(r.regions)-1, within) {
				return fmt.Errorf("the links of %s are not level", x.Name)
			}
		}
		return nil
	})
}

// ending is what was found when the load had ended.
type ending struct {
	loadEnd   time.Duration
	converged time.Duration // after the load's end; 0: not
	differ    string        // in which way regions differ, if they do
	contents  map[string]contents
	conflicts int
}

// rehearse runs load and steps, mends everything, and looks at what is there.
func (r *runner) rehearse(ctx context.Context) (end ending, err error) {
	r.began = time.Now()
	r.log.start(r.began)
	ctx, cancel := context.WithCancel(ctx)
	defer r.aside.Wait()
	defer cancel()
	loading, stopLoad := context.WithTimeout(ctx, r.o.Scenario.Load.For)
	defer stopLoad()
	watching, stopWatch := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer stopWatch()
	defer stopLoad()
	beside.Go(func() { r.watch.run(watching, r.api, r.regions, r.began) })
	loaded := make(chan struct{})
	beside.Go(func() {
		defer close(loaded)
		r.load.run(loading, r.began)
	})
	defer r.stopSettling()
	r.say("%d clients at work for %v", len(r.regions)*r.o.Scenario.Load.Clients, r.o.Scenario.Load.For)
	if err := r.steps(ctx); err != nil {
		return end, err
	}
	<-loaded
	if ctx.Err() != nil {
		return end, context.Cause(ctx)
	}
	r.say("load ended; mending what is broken")
	if err := r.mend(ctx); err != nil {
		return end, fmt.Errorf("mend: %w", err)
	}
	end.loadEnd = time.Since(r.began)
	r.aside.Wait()
	if err := r.converge(ctx, &end); err != nil {
		return end, err
	}
	end.conflicts, err = r.countConflicts(ctx)
	return end, err
}

// steps does what is due when it is due. Steps of the same time are done at the same time.
func (r *runner) steps(ctx context.Context) error {
	all := r.o.Scenario.Steps
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].At == all[0].At {
			n++
		}
		if err := travel(ctx, time.Until(r.began.Add(all[0].At))); err != nil {
			return err
		}
		var doing sync.WaitGroup
		errs := make([]error, n)
		for i, st := range all[:n] {
			doing.Go(func() {
				if err := r.step(ctx, st); err != nil {
					errs[i] = fmt.Errorf("at %v, %s: %w", st.At, st.Say(), err)
				}
			})
		}
		doing.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// converge waits until all regions hold the same, as long as the limit allows, and keeps what they hold.
func (r *runner) converge(ctx context.Context, end *ending) error {
	began := r.began.Add(end.loadEnd)
	limit := r.o.Scenario.Limits.Converge
	r.say("waiting until all regions hold the same")
	for {
		_ = r.awaitLevel(ctx, max(time.Second, limit-time.Since(began)), 0) // the contents say whether it is so
		level := time.Since(began)
		end.contents, end.differ = map[string]contents{}, ""
		for i, x := range r.regions {
			c, err := r.tables.read(ctx, x)
			end.contents[x.Name] = c
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil { // a region that was rebuilt may not have the tables yet
				end.differ = fmt.Sprintf("%s cannot be read: %v", x.Name, err)
			}
			if i > 0 && end.differ == "" {
				if d := end.contents[r.regions[0].Name].differ(c); d != "" {
					end.differ = fmt.Sprintf("%s and %s: %s", r.regions[0].Name, x.Name, d)
				}
			}
		}
		if end.differ == "" {
			end.converged = max(level, time.Millisecond)
			return nil
		}
		if time.Since(began) >= limit {
			return nil
		}
		if err := travel(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// maxConflicts bounds how many are counted.
const maxConflicts = 100_000

// countConflicts counts the writes that lost to others, by the feed of the first region: all have the same.
func (r *runner) countConflicts(ctx context.Context) (n int, err error) {
	for _, table := range r.tables.names() {
		for from := ""; ; {
			var page struct {
				Conflicts []json.RawMessage
				Next      string
			}
			q := url.Values{"table": {table}, "limit": {"1000"}, "from": {from}}
			b, err := r.api.ask(ctx, http.MethodGet, r.regions[0].Admin+"/admin/conflicts?"+q.Encode(), nil)
			if err == nil {
				err = json.Unmarshal(b, &page)
			}
			if err != nil {
				return n, fmt.Errorf("count conflicts: %w", err)
			}
			n += len(page.Conflicts)
			if from = page.Next; from == "" || n >= maxConflicts {
				break
			}
		}
	}
	return n, nil
}
