package trigger

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/trigger/duty"
)

// unit is one trigger in this region, whether it runs here or stands by.
type unit struct {
	m       *Manager
	id      string
	figures figures

	changed chan struct{} // size 1: tend has something to look at
	unsaved chan struct{} // size 1: something is to be saved soon
	end     context.CancelFunc
	ended   chan struct{} // closed when tend and keep have ended

	saving sync.Mutex // one save at a time, so that the last one has the newest; before mu

	mu       sync.Mutex
	trigger  region.Trigger // as the catalog has it
	settings Settings
	broken   error // why settings cannot be read
	duty     *duty.Duty
	covered  crdt.Context         // everything up to here is done with, here or elsewhere; grows only
	begin    string               // everything in this region's log up to here is covered
	shards   map[string]shardMark // how far those of this region's stream are done with
	oldest   map[string]time.Time // by shard: the oldest record that is read and not done with
	holds    marks                // Holds marks that the shards have not passed
	status   status               // as the region that runs it says
	dirty    bool                 // not saved
	claiming bool                 // the claim is not saved, so it is not acted by
}

// status is what the region that runs a trigger says of it.
type status struct {
	Revision uint64 `json:"revision"` // of the settings that are in force
	Result   string `json:"result,omitempty"`
}

// noResult is LastProcessingResult before there is one.
const noResult = "No records processed"

func (m *Manager) newUnit(t region.Trigger) (*unit, error) {
	st, err := load(m.o.Store, t.ID)
	if err != nil {
		return nil, err
	}
	if st.Created != t.Created {
		st = stored{}
	}
	u := &unit{
		m: m, id: t.ID, changed: make(chan struct{}, 1), unsaved: make(chan struct{}, 1), ended: make(chan struct{}),
		duty: duty.New(m.name, st.Claim, time.Now()), begin: st.Begin, shards: st.Shards, oldest: map[string]time.Time{},
		covered: st.Covered.context().Join(crdt.NewContext(0, t.Start...)),
	}
	if u.shards == nil {
		u.shards = map[string]shardMark{}
	}
	if n, ok := m.seenMark(u.begin, u.covered); ok {
		u.begin = n.After
	}
	u.follow(t)
	ctx, cancel := context.WithCancel(m.ctx)
	u.end = cancel
	var running sync.WaitGroup
	running.Go(func() { u.tend(ctx) })
	running.Go(func() { u.keep(ctx) })
	go func() { // waited for by whoever ends the unit
		running.Wait()
		close(u.ended)
	}()
	return u, nil
}

func (u *unit) created() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.trigger.Created
}

// follow takes what the catalog says of the trigger.
func (u *unit) follow(t region.Trigger) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if t.Revision != u.trigger.Revision {
		u.settings, u.broken = decodeSettings(t.Spec)
	}
	u.trigger = t
	u.duty.Members(t.Members)
	u.duty.Learn(time.Now(), duty.Claim{Epoch: t.Epoch, Region: t.Region})
	u.poke()
}

// poke has tend look again.
func (u *unit) poke() { signal(u.changed) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// soilLocked notes that something is to be saved: soon, or at the next occasion.
func (u *unit) soilLocked(soon bool) {
	u.dirty = true
	if soon {
		signal(u.unsaved)
	}
}

// isFeed reports whether the trigger follows a conflict feed, for which vectors mean nothing.
func isFeed(t region.Trigger) bool { return t.Stream == region.FeedRef }

// work is a trigger that is to run, as it is to run.
type work struct {
	trigger  region.Trigger
	settings Settings
}

// wanted is the trigger as it is to be, and whether it is to run here.
func (u *unit) wanted() (w work, runs bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return work{u.trigger, u.settings}, u.duty.Runs() && !u.claiming && u.broken == nil && u.settings.Enabled
}

// inForce notes that the trigger is as it was to be, if this region is the one to say so.
func (u *unit) inForce(w work) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case !u.duty.Runs() || u.claiming:
	case u.broken != nil:
		u.status.Result = "PROBLEM: " + u.broken.Error()
	default:
		u.status.Revision = w.trigger.Revision
	}
}

// tend starts and stops the runner as the duty and the settings ask for.
func (u *unit) tend(ctx context.Context) {
	var now *running
	for {
		w, ok := u.wanted()
		if now != nil && (!ok || now.revision != w.trigger.Revision) {
			now.stop()
			now = nil
		}
		if ok && now == nil && ctx.Err() == nil {
			now = u.start(w)
		}
		u.inForce(w)
		select {
		case <-u.changed:
		case <-ctx.Done():
			if now != nil {
				now.stop()
			}
			return
		}
	}
}

// running is a runner that was started.
type running struct {
	revision uint64
	cancel   context.CancelFunc
	ended    chan struct{}
}

func (u *unit) start(w work) *running {
	ctx, cancel := context.WithCancel(context.Background()) // stop ends it
	r := &running{w.trigger.Revision, cancel, make(chan struct{})}
	u.m.o.Logger.Info("trigger runs", "trigger", u.id, "table", w.trigger.Name, "function", w.settings.Function)
	go func() {
		defer close(r.ended)
		newRunner(u, w).run(ctx)
	}()
	return r
}

// stop lets calls under way end, for a while, and waits.
func (r *running) stop() {
	r.cancel()
	<-r.ended
}

// keep saves what has changed.
func (u *unit) keep(ctx context.Context) {
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		select {
		case <-u.unsaved:
		case <-ctx.Done():
			return
		}
		rest.Reset(saveEvery)
		select {
		case <-rest.C:
		case <-ctx.Done():
			return // whoever ended the unit saves
		}
		u.save()
	}
}

// saveEvery bounds how much is delivered again after a crash, and how often a busy trigger waits for the disk.
const saveEvery = 100 * time.Millisecond

// saveSoon has what has changed saved.
func (u *unit) saveSoon() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.dirty {
		signal(u.unsaved)
	}
}

// save writes what has changed, and reports whether all is on the disk. A store that fails has stopped the region; there is
// nothing to do about it here.
func (u *unit) save() bool {
	u.saving.Lock()
	defer u.saving.Unlock()
	u.mu.Lock()
	st, dirty := u.storedLocked(), u.dirty
	u.dirty = false
	u.mu.Unlock()
	if !dirty {
		return true
	}
	if err := save(u.m.o.Store, u.id, st); err != nil {
		u.mu.Lock()
		u.dirty = true
		u.mu.Unlock()
		u.m.o.Logger.Error("a trigger's checkpoint cannot be saved", "trigger", u.id, "err", err)
		return false
	}
	return true
}

func (u *unit) storedLocked() stored {
	st := stored{
		Created: u.trigger.Created, Claim: u.duty.Claim(), Covered: vectorOf(u.covered), Begin: u.begin, Shards: make(map[string]shardMark, len(u.shards)),
	}
	for id, s := range u.shards {
		st.Shards[id] = s
	}
	return st
}

// coverLocked takes a vector of what is done with, and finds where this region would begin.
func (u *unit) coverLocked(c crdt.Context) {
	if c.SubsetOf(u.covered) {
		return
	}
	u.covered = u.covered.Join(c)
	u.soilLocked(false)
	if n, ok := u.m.seenMark(u.begin, u.covered); ok {
		u.begin = n.After
	}
}

// shard says how far a shard is done with, and from where this region begins in its log.
func (u *unit) shard(id string) (s shardMark, begin string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.shards[id], u.begin
}

// progress notes how far a shard is done with. worked says that something was done, not only passed by.
func (u *unit) progress(id string, s shardMark, worked bool, oldest time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.oldest[id] = oldest
	if have := u.shards[id]; have == s || have.Done {
		return
	}
	u.shards[id] = s
	u.soilLocked(worked || s.Done)
}

// keepShards forgets shards that the stream no longer has.
func (u *unit) keepShards(all []region.StreamShard) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for id := range u.shards {
		if !slices.ContainsFunc(all, func(s region.StreamShard) bool { return s.ID == id }) {
			delete(u.shards, id)
			delete(u.oldest, id)
		}
	}
}

// result notes what became of the last batch; news reports whether that is another thing than before.
func (u *unit) result(text string) (news bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	news = u.status.Result != text
	u.status.Result = text
	return news
}

// settle notes what the log holds now, and what is done with everywhere up to a mark that all shards have passed.
func (u *unit) settle() {
	u.mu.Lock()
	t, runs := u.trigger, u.duty.Runs() && u.settings.Enabled
	u.mu.Unlock()
	if !runs || isFeed(t) {
		return
	}
	held := u.m.o.Source.Holds(t.Table) // before where the log ends
	end, _ := u.m.o.Source.LogEnd()
	low, ok := u.low(t)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.holds.add(mark{end, vectorOf(held)})
	if ok {
		u.coverLocked(u.holds.passed(low))
	}
}

// low is the place in this region's log up to which all shards are done with. It looks at all shards that there are now: one
// that came since a mark was made begins after that mark, or stands in the place of a parent that is not done with.
func (u *unit) low(t region.Trigger) (low string, ok bool) {
	name, err := u.m.o.Source.StreamOf(t.Table, t.Stream)
	if err != nil {
		return "", false
	}
	view, err := u.m.o.Source.DescribeStream(name)
	if err != nil || len(view.Shards) == 0 {
		return "", false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	low = infinity
	for _, s := range view.Shards {
		if have := u.shards[s.ID]; !have.Done {
			low = min(low, max(s.First, have.At, u.begin)) // of what is before First this shard has nothing
		}
	}
	return low, true
}

// infinity is above all sequence numbers.
const infinity = "~"

// close ends the unit's goroutines, waits for them, and saves.
func (u *unit) close() {
	u.end()
	<-u.ended
	u.save()
}
