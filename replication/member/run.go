package member

import (
	"context"
	"maps"
	"math/rand/v2"
	"time"
)

// run keeps the view up to date and looks for those who are missing, until Close.
func (m *Member) run() {
	r := runner{
		Member: m, answered: map[string]bool{}, targets: map[string]*target{}, done: make(chan attempt),
		greeted: map[string]time.Time{}, doubtful: map[string]time.Time{}, told: map[string]State{}, rivalsTold: map[string]bool{},
	}
	defer r.wait()
	delay := m.pace.retryMin
	timer := time.NewTimer(0)
	defer timer.Stop()
	hurry := func() {
		delay = m.pace.retryMin
		timer.Reset(delay)
	}
	for {
		if r.refresh() {
			hurry()
		}
		select {
		case <-m.ctx.Done():
			return
		case <-m.kick:
		case a := <-r.done:
			if r.settle(a) {
				hurry()
			}
		case <-timer.C:
			r.tryAll()
			timer.Reset(delay/2 + rand.N(delay))
			delay = min(2*delay, m.pace.retryMax)
		}
	}
}

// runner is run's state.
type runner struct {
	*Member
	answered map[string]bool    // seeds that did, once
	targets  map[string]*target // by gossip endpoint
	busy     int                // attempts under way
	done     chan attempt
	greeted  map[string]time.Time // gossip endpoints, and when we last exchanged everything with them

	doubtful   map[string]time.Time // regions of which two processes seem to live, and since when
	told       map[string]State     // what stands in the log, by region
	rivalsTold map[string]bool      // likewise, regions with two processes
}

// target is an endpoint that should answer and does not.
type target struct {
	busy bool
	// hits counts attempts that succeeded while it still is a target: in the first, the two sides tell each other that
	// rumours of their deaths are wrong, so the second makes them alive. It need not wait its turn.
	hits int
}

const quickHits = 3

type attempt struct {
	endpoint string
	err      error
}

// wait collects the attempts under way; they end with ctx.
func (r *runner) wait() {
	for ; r.busy > 0; r.busy-- {
		<-r.done
	}
}

// tryAll tries everybody who should answer and is not being tried already: one goroutine for each region or seed.
func (r *runner) tryAll() {
	want := r.missing()
	maps.DeleteFunc(r.greeted, func(_ string, at time.Time) bool { return time.Since(at) > time.Minute })
	for endpoint, t := range r.targets {
		if !want[endpoint] && !t.busy {
			delete(r.targets, endpoint)
		}
	}
	for endpoint := range want {
		t := r.targets[endpoint]
		if t == nil {
			t = &target{}
			r.targets[endpoint] = t
		}
		if t.busy {
			continue
		}
		t.busy = true
		r.busy++
		go func() { r.done <- attempt{endpoint, r.join(endpoint)} }()
	}
}

// missing lists the endpoints of regions that are not alive, of seeds that never answered, of all seeds while nobody is
// alive, and of those who seem alive and were not greeted for a while.
func (r *runner) missing() map[string]bool {
	want, alone := map[string]bool{}, true
	for _, e := range r.view.peers { // nobody else writes the view
		if e.state == Alive {
			alone = false
		}
		if e.state != Alive || r.pace.greet > 0 && time.Since(r.greeted[e.gossip]) >= r.pace.greet {
			want[e.gossip] = true
		}
	}
	for _, s := range r.o.Seeds {
		if alone || !r.answered[s] {
			want[s] = true
		}
	}
	return want
}

// join exchanges with an endpoint what both know.
func (r *runner) join(endpoint string) error {
	ctx, cancel := context.WithTimeout(r.ctx, r.pace.dial)
	defer cancel()
	at, err := resolve(ctx, endpoint)
	if err != nil {
		return err
	}
	_, err = r.serf.Memberlist().Join([]string{at.String()})
	return err
}

// settle notes how an attempt ended; it reports whether the next one should be soon.
func (r *runner) settle(a attempt) bool {
	r.busy--
	t := r.targets[a.endpoint]
	t.busy = false
	if a.err != nil {
		r.logger.Debug("no answer", "gossip", a.endpoint, "err", a.err)
		t.hits = 0
		return false
	}
	r.answered[a.endpoint], r.greeted[a.endpoint] = true, time.Now()
	t.hits++
	return t.hits <= quickHits
}

// refresh takes over what Serf knows; it reports whether anything changed.
func (r *runner) refresh() bool {
	var all []entry
	for _, s := range r.serf.Members() {
		if e, ok := entryOf(s); ok && s.Name != r.name {
			all = append(all, e)
		}
	}
	v := look(all, entry{name: r.name, origin: r.o.Origin, started: r.started, gossip: r.advert})
	r.judge(&v)
	r.tell(v)
	return r.set(v)
}

// judge drops the doubts that may still turn out to be a region's restart: the old process is not noticed to be dead yet.
func (r *runner) judge(v *view) {
	doubts := map[string]time.Time{}
	lasts := func(region string) bool {
		since, ok := r.doubtful[region]
		if !ok {
			since = time.Now()
		}
		doubts[region] = since
		return time.Since(since) >= r.pace.patience
	}
	if v.clash != nil && !lasts(v.clash.Region) && !v.certain {
		v.clash = nil
	}
	sure := v.rivals[:0]
	for _, p := range v.rivals {
		if lasts(p.kept.origin.Region) {
			sure = append(sure, p)
		}
	}
	v.rivals, r.doubtful = sure, doubts
}

// tell writes what is new into the log.
func (r *runner) tell(v view) {
	for _, e := range v.peers {
		region := e.origin.Region
		was, known := r.told[region]
		if known && was == e.state {
			continue
		}
		r.told[region] = e.state
		switch {
		case e.state == Failed:
			r.logger.Warn("region does not answer", "peer", region, "gossip", e.gossip)
		case e.state == Left:
			r.logger.Info("region left", "peer", region)
		default:
			r.logger.Info("region found", "peer", region, "origin", e.origin, "gossip", e.gossip, "replication", e.replication)
		}
	}
	rivals := map[string]bool{}
	for _, p := range v.rivals {
		region := p.kept.origin.Region
		rivals[region] = true
		if !r.rivalsTold[region] {
			r.logger.Error("two living processes are one region; stop one of them", "peer", region,
				"used", p.kept.origin, "used_gossip", p.kept.gossip, "other", p.other.origin, "other_gossip", p.other.gossip)
		}
	}
	if v.clash != nil {
		rivals[v.clash.Region] = true
		if !r.rivalsTold[v.clash.Region] {
			r.logger.Error(v.clash.Error())
		}
	}
	r.rivalsTold = rivals
}
