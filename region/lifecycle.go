package region

import (
	"errors"
	"sync"
	"time"

	"github.com/meridiandb/meridian/region/catalog"
)

// The lifecycle job moves tables through their lives. Whenever the catalog changes it looks at every table, and starts for
// each that has something to do a goroutine, which does one step after the other until nothing is left; a step that cannot
// be finished, most often because another region cannot be reached, is tried again after a while and holds up no other
// table. Every step may be cut off by a crash and is simply done again: what is to do follows from the catalog alone.
//
//	this region was removed while it was dead      set aside what nobody else has, and stop (fence.go); nothing else
//	this region is a member without the data      fill: copy from another member, tail from there
//	another member is not read from yet           adopt (inbound.go)
//	it has the data, the keeper does not know     tell the keeper: activated
//	its stream is on and has not begun             begin it (streamlife.go)
//	expiry was turned on or off                   index the times, or remove them (expiry.go)
//	an index is not complete, or is to go         build it, remove it
//	it is leaving                                 wait until the others hold its last changes; drop the data; hand on what
//	                                              it keeps; tell the keeper: left
//	it has left, or the table is deleted          forget it
//	a peer's log no longer reaches back to us     copy what is missing (catchup.go)

// retryAfter is how long an unfinished step rests.
const retryAfter = 300 * time.Millisecond

// maxSteps is how many steps run at the same time. More would only compete for the disk; fewer let one slow copy hold up
// the small steps of other tables.
const maxSteps = 8

var errAlone = errors.New("no way to other regions yet")

func (r *Region) startJobs() {
	r.jobs.Go(r.lifecycle)
	r.jobs.Go(r.housekeeping)
	r.jobs.Go(r.expire)
	r.jobs.Go(r.recount)
	r.jobs.Go(r.relays)
	r.jobs.Go(r.tendFloors)
	r.jobs.Go(r.watchStore)
}

// watchStore stops the region when its store fails, whoever finds out.
func (r *Region) watchStore() {
	select {
	case <-r.ctx.Done():
	case <-r.store.Done():
		r.stop(r.store.Err())
	}
}

// fencing is what the end of this incarnation is tended under.
type fencing struct{}

// step is the next thing to do about something; nil if there is nothing.
type step func() error

func (r *Region) lifecycle() {
	var running sync.WaitGroup
	defer running.Wait()
	busy, done := map[any]bool{}, make(chan any)
	slots := make(chan struct{}, maxSteps)
	tend := func(what any, next func() step) {
		if busy[what] || next() == nil {
			return
		}
		busy[what] = true
		running.Go(func() {
			r.tend(slots, next)
			select {
			case done <- what:
			case <-r.ctx.Done():
			}
		})
	}
	for {
		changed := r.catalog.Changed()
		r.inbound.refresh(false)
		tend(fencing{}, r.fence)
		for _, e := range r.catalog.Entries() {
			id := e.ID
			tend(id, func() step { return r.nextStep(r.catalog.ByID(id)) })
		}
		for _, o := range r.inbound.behindPeers() {
			tend(o, func() step {
				if !r.inbound.isBehind(o) {
					return nil
				}
				return func() error { return r.catchUp(o) }
			})
		}
		select {
		case <-r.ctx.Done():
			return
		case <-changed:
		case <-r.wake:
		case what := <-done: // looked at once more: it may have changed while its goroutine was ending
			delete(busy, what)
		}
	}
}

// tend does steps until there are none.
func (r *Region) tend(slots chan struct{}, next func() step) {
	for {
		do := next()
		if do == nil {
			return
		}
		select {
		case slots <- struct{}{}:
		case <-r.ctx.Done():
			return
		}
		err := do()
		<-slots
		if err == nil {
			continue
		}
		if _ = r.fail(err); r.ctx.Err() != nil { // ctx says whether that was the end
			return
		}
		r.logger.Debug("step to be tried again", "err", err)
		rest := time.NewTimer(retryAfter)
		select {
		case <-rest.C:
		case <-r.ctx.Done():
			rest.Stop()
			return
		}
	}
}

// nextStep decides what is to be done about a table.
func (r *Region) nextStep(e *catalog.Entry) step {
	m := e.Member(r.name)
	switch {
	case e.Local.Dropped || m == nil || e.Expelled(r.origin): // of the last nothing goes before it is set aside
		return nil
	case e.Deleted || m.State == catalog.MemberRemoved:
		return func() error { return r.drop(e) }
	case m.State == catalog.MemberDeleting:
		return func() error { return r.leave(e) }
	case !e.Local.Ready:
		return func() error { return r.fill(e) }
	case r.inbound.unadopted(e):
		return func() error { return r.inbound.adopt(e.ID) }
	case feedWaits(e):
		return func() error { return r.catalog.Refollow(e.ID) }
	case streamWaits(e):
		return func() error { return r.beginStream(e) }
	case m.State == catalog.MemberCreating || m.Origin != r.origin:
		return func() error { return r.activate(e) }
	case e.TTL.ChangedAt != e.Local.Expiry:
		return func() error { return r.settleExpiry(e) }
	case r.unbuilt(e) != nil:
		return func() error { return r.buildIndex(e, *r.unbuilt(e)) }
	case len(e.Local.Dropping) > 0:
		return func() error { return r.removeIndex(e, e.Local.Dropping[0]) }
	}
	return nil
}

// activate tells the keeper that the data is here, and where this region's changes begin in its log.
func (r *Region) activate(e *catalog.Entry) error {
	m := catalog.Member{Region: r.name, Origin: r.origin, From: e.Local.From}
	_, err := r.askKeeper(r.ctx, e, command{Name: cmdActivated, Table: e.ID, Member: &m})
	return err
}

// unbuilt is an index that came after the data; nil if all are complete.
func (r *Region) unbuilt(e *catalog.Entry) *catalog.Index {
	for i := range e.Indexes {
		if !e.IndexBuilt(e.Indexes[i].ID) {
			return &e.Indexes[i]
		}
	}
	return nil
}
