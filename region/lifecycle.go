package region

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// The lifecycle job moves tables through their lives. It looks at every table when the catalog changed, and again after a
// while as long as something could not be finished, most often because another region cannot be reached. Every step may
// be cut off by a crash and is simply done again: what is to do follows from the catalog alone.
//
//	this region is a member without the data    → fill: copy from another member, tail from there
//	it has the data, the keeper does not know   → tell the keeper: activated
//	an index is not complete                    → build it
//	it is leaving, or the table is deleted      → drain: wait until the others have read its log; drop the data; tell the
//	                                              keeper: left

// retryAfter is how long an unfinished step rests.
const retryAfter = 300 * time.Millisecond

func (r *Region) startJobs() {
	r.jobs.Add(2)
	go func() { defer r.jobs.Done(); r.lifecycle() }()
	go func() { defer r.jobs.Done(); r.housekeeping() }()
}

func (r *Region) lifecycle() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		changed := r.catalog.Changed()
		again := r.lookAfterTables()
		if again {
			timer.Reset(retryAfter)
		}
		select {
		case <-r.ctx.Done():
			return
		case <-changed:
			r.inbound.refresh(false)
		case <-r.wake:
		case <-timer.C:
		}
	}
}

// lookAfterTables takes each table one step on; again asks for another look soon.
func (r *Region) lookAfterTables() (again bool) {
	draining := false
	for _, e := range r.catalog.Entries() {
		if r.ctx.Err() != nil {
			return false
		}
		err := r.lookAfter(e)
		if errors.Is(err, errDraining) {
			draining = true
		}
		if err != nil {
			again = true
			if r.fail(err); r.ctx.Err() == nil {
				r.logger.Debug("table step to be tried again", "table", e.Name, "id", e.ID.String(), "err", err)
			}
		}
	}
	r.draining.Store(draining)
	return again
}

func (r *Region) lookAfter(e *catalog.Entry) error {
	m := e.Member(r.name)
	switch {
	case e.Local.Dropped || m == nil:
		return nil
	case e.Deleted || m.State == catalog.MemberRemoved:
		return r.drop(e)
	case m.State == catalog.MemberDeleting:
		return r.leave(e)
	case !e.Local.Ready:
		return r.fill(e)
	case m.State == catalog.MemberCreating:
		_, err := r.askKeeper(r.ctx, e, command{Name: cmdActivated, Table: e.ID, Region: r.name})
		return err
	}
	return r.buildIndexes(e)
}

// leave lets the others read what this region wrote last, drops the data and tells the keeper.
func (r *Region) leave(e *catalog.Entry) error {
	if err := r.drained(e); err != nil {
		return err
	}
	if err := r.engine.RemoveTable(r.ctx, e.ID); err != nil {
		return err
	}
	_, err := r.askKeeper(r.ctx, e, command{Name: cmdLeft, Table: e.ID, Region: r.name})
	if err != nil {
		return err
	}
	return r.drop(r.catalog.ByID(e.ID))
}

var errDraining = errors.New("other members have not read the last changes yet")

// drained reports whether every other member holds all that this region wrote. No write to the table can begin any more:
// a commit checks in its seal that the table is still held.
func (r *Region) drained(e *catalog.Entry) error {
	if err := r.engine.Barrier(r.ctx); err != nil { // one that passed that check before has its number then
		return err
	}
	end := r.log.Last()
	for _, m := range e.Members {
		if m.Region == r.name || m.State == catalog.MemberRemoved || m.State == catalog.MemberDeleting {
			continue
		}
		if at, ok := r.ackedBy(m.Region); !ok || at < end {
			return errDraining
		}
	}
	return nil
}

// drop forgets a table that this region no longer holds.
func (r *Region) drop(e *catalog.Entry) error {
	if err := r.engine.RemoveTable(r.ctx, e.ID); err != nil {
		return err
	}
	r.inbound.endJoin(e.ID)
	_, err := r.catalog.SetLocal(e.ID, func(l *catalog.Local) error {
		l.Ready, l.Dropped = false, true
		return nil
	})
	if err == nil {
		r.engine.Forget(e.ID)
		r.handles.Delete(e.ID)
		r.inbound.refresh(false)
		r.logger.Info("table dropped", "table", e.Name, "id", e.ID.String())
	}
	return err
}

// fill copies the table from another member, any that answers. Changes are wanted from where the copy begins, so copy and
// tail arrive side by side and the merge makes their order indifferent.
func (r *Region) fill(e *catalog.Entry) error {
	p := r.peersOrNil()
	if p == nil {
		return errors.New("no way to other regions yet")
	}
	var errs []error
	for _, m := range e.Members {
		if m.Region == r.name || m.State != catalog.MemberActive {
			continue
		}
		err := r.fillFrom(p, e, m.Region)
		if err == nil {
			return nil
		}
		r.inbound.endJoin(e.ID)
		errs = append(errs, fmt.Errorf("fill from %s: %w", m.Region, err))
	}
	return errors.Join(append(errs, errors.New("no member to fill from"))...)
}

func (r *Region) fillFrom(p Peers, e *catalog.Entry, source string) error {
	start := time.Now()
	items := 0
	err := p.FetchSnapshot(r.ctx, source, e.ID, func(c Chunk) error {
		if c.Positions != nil {
			if err := r.inbound.beginJoin(e.ID, c.Positions); err != nil {
				return err
			}
		}
		items += len(c.Changes)
		return r.engine.Apply(r.ctx, table.Batch{Silent: true, Commits: oneByOne(c.Changes)})
	})
	if err != nil {
		return err
	}
	_, err = r.catalog.SetLocal(e.ID, func(l *catalog.Local) error {
		l.Ready = true
		l.Built = nil
		for _, ix := range e.Indexes {
			l.Built = append(l.Built, ix.ID) // kept by every merge since the copy began
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.inbound.endJoin(e.ID)
	r.logger.Info("replica filled", "table", e.Name, "from", source, "items", items, "took", time.Since(start))
	return nil
}

// oneByOne gives each copied item a commit of its own under its newest stamp, which is what the clock must observe.
func oneByOne(changes []record.Change) []record.Commit {
	var newest crdt.Stamp
	for _, ch := range changes {
		if newest.Less(ch.Base) {
			newest = ch.Base
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return []record.Commit{{Stamp: newest, Changes: changes}}
}

// buildIndexes completes the indexes that came after the data, and removes the entries of those that went.
func (r *Region) buildIndexes(e *catalog.Entry) error {
	for _, ix := range e.Indexes {
		if e.IndexBuilt(ix.ID) {
			continue
		}
		if err := r.engine.BuildIndex(r.ctx, e.ID, ix.ID); err != nil {
			return fmt.Errorf("build index %s: %w", ix.Name, err)
		}
		_, err := r.catalog.SetLocal(e.ID, func(l *catalog.Local) error {
			l.Built = append(l.Built, ix.ID)
			return nil
		})
		if err != nil {
			return err
		}
		r.logger.Info("index built", "table", e.Name, "index", ix.Name)
	}
	return r.removeIndexes(e)
}

func (r *Region) removeIndexes(e *catalog.Entry) error {
	for _, id := range e.Local.Built {
		if slices.ContainsFunc(e.Indexes, func(ix catalog.Index) bool { return ix.ID == id }) {
			continue
		}
		if err := r.engine.RemoveIndex(r.ctx, e.ID, id); err != nil {
			return err
		}
		_, err := r.catalog.SetLocal(e.ID, func(l *catalog.Local) error {
			l.Built = slices.DeleteFunc(l.Built, func(b uint32) bool { return b == id })
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// housekeeping raises the clock's ceiling, trims the log, forgets tokens that are over and saves counts.
func (r *Region) housekeeping() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-r.ctx.Done():
			return
		case <-tick.C:
		}
		err := r.raiseClock()
		if err == nil && n%10 == 0 {
			err = r.trim(r.ctx)
		}
		if err == nil && n%10 == 0 {
			_, err = r.engine.ForgetTokens(r.ctx, r.clock.Now())
		}
		if err == nil && n%30 == 0 {
			err = r.saveCounts()
		}
		if err != nil && r.ctx.Err() == nil {
			r.logger.Error("housekeeping", "region", r.name, "err", err)
			_ = r.fail(err)
		}
	}
}

func (r *Region) raiseClock() error {
	raised := false
	tx, err := r.store.Begin(background)
	if err != nil {
		return err
	}
	defer tx.Discard()
	if raised, err = r.clock.Raise(tx); err != nil || !raised {
		return err
	}
	durable, err := tx.Commit(func(storage.Writer) error { return nil })
	if err != nil {
		return err
	}
	return durable.Wait()
}

// trim drops the part of the log that every member of every shared table has read.
func (r *Region) trim(ctx context.Context) error {
	upTo := r.log.Durable()
	streams := map[record.TableID]bool{}
	for _, e := range r.catalog.Entries() {
		if !e.Visible(r.name) {
			continue
		}
		if e.Stream.Enabled {
			streams[e.ID] = true
		}
		for _, m := range e.Members {
			if m.Region == r.name || m.State == catalog.MemberRemoved {
				continue
			}
			at, _ := r.ackedBy(m.Region) // unknown: nothing may go
			upTo = min(upTo, at)
		}
	}
	if upTo == 0 {
		return nil
	}
	return r.log.Trim(ctx, upTo, func(id record.TableID) bool { return streams[id] })
}
