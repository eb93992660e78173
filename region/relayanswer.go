package region

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/stream/record"
)

// cmdRelay asks for commits of origins that the asker does not hear.
const cmdRelay = "region.relay"

// relayBack is how many commits of the log are looked through for where to begin.
const relayBack = 1 << 20

func (r *Region) answerRelay(ctx context.Context, payload []byte) ([]byte, error) {
	var q relayAsk
	if err := json.Unmarshal(payload, &q); err != nil {
		return nil, err
	}
	a, err := r.relay(ctx, q)
	if err != nil {
		a = relayAnswer{Error: said(r.fail(err))}
	}
	return json.Marshal(a)
}

// relay answers a question. In this order: what is held, then the log, then since when it has all in whole commits: so nothing
// that is said to be held is missing in what was read, and what comes otherwise meanwhile is noticed.
func (r *Region) relay(ctx context.Context, q relayAsk) (a relayAnswer, err error) {
	entries, err := r.relayTables(q.Tables)
	if err != nil {
		return a, err
	}
	have := r.inbound.more(entries, q.After)
	if len(have) == 0 {
		return relayAnswer{Done: true}, nil
	}
	end := r.log.Durable()
	from := q.From
	if from == 0 {
		if from, err = r.log.Back(relayBack, r.older(have, q.After)); err != nil {
			return a, err
		}
	}
	wanted := map[record.TableID]bool{}
	for _, id := range q.Tables {
		wanted[id] = true
	}
	commits, next, err := r.log.Read(from, relayBytes, func(o *record.Order) bool {
		_, relayed := have[o.Stamp.Origin]
		return relayed && o.Stamp.Time > q.After[o.Stamp.Origin] &&
			slices.ContainsFunc(o.Parts, func(p record.PartRef) bool { return wanted[p.Table] })
	})
	if err != nil {
		return a, err
	}
	if anyBefore(have, q.After, r.inbound.wholeSince(q.Tables)) {
		return a, fault.New(fault.Unavailable, "the log of region %s has not all of it in whole commits", r.name)
	}
	for i := range commits {
		commits[i].Changes = keepTables(commits[i].Changes, wanted)
		a.Commits = append(a.Commits, record.AppendCommit(nil, &commits[i]))
	}
	a.Have, a.Next, a.Done = have, next, next >= end
	a.Before = r.inbound.holdsOf(entries)
	last := r.clock.Last() // not End: that is below what may still come, and this is above all that was written
	for _, have := range a.Before {
		have[r.origin] = last
	}
	return a, ctx.Err()
}

func anyBefore(have, after map[crdt.Origin]crdt.Time, since crdt.Time) bool {
	for o := range have {
		if after[o] < since {
			return true
		}
	}
	return false
}

// relayTables finds the tables, all of which this region must have.
func (r *Region) relayTables(ids []record.TableID) ([]*catalog.Entry, error) {
	var entries []*catalog.Entry
	for _, id := range ids {
		e := r.catalog.ByID(id)
		if !r.complete(e) || !e.Holds(r.name) {
			return nil, fault.New(fault.Unavailable, "region %s holds no complete replica of table %s", r.name, id)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// more lists the origins of which some tables have more than somebody else.
func (in *inbound) more(entries []*catalog.Entry, than map[crdt.Origin]crdt.Time) map[crdt.Origin]crdt.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	have := map[crdt.Origin]crdt.Time{}
	for o, t := range than {
		least := crdt.Time(1<<64 - 1)
		for _, e := range entries {
			least = min(least, in.upToLocked(e, o))
		}
		if len(entries) > 0 && o != in.region.origin && least > t {
			have[o] = least
		}
	}
	return have
}

// older finds where in the log all commits of some origins after a time have not begun yet: at one of the origin's that is not
// after it, and at an own one, for the clock had seen all that stands before it.
func (r *Region) older(have, after map[crdt.Origin]crdt.Time) func(*record.Order) bool {
	open := map[crdt.Origin]bool{}
	for o := range have {
		open[o] = true
	}
	return func(c *record.Order) bool {
		for o := range open {
			if (c.Stamp.Origin == o || c.Stamp.Origin == r.origin) && c.Stamp.Time <= after[o] {
				delete(open, o)
			}
		}
		return len(open) == 0
	}
}

// holdsOf says up to when each of some tables has everything of each origin; of what stands in the log nothing is later.
func (in *inbound) holdsOf(entries []*catalog.Entry) map[record.TableID]map[crdt.Origin]crdt.Time {
	in.gate.Lock() // batches that are in the log and whose time is not noted yet have ended
	defer in.gate.Unlock()
	in.mu.Lock()
	defer in.mu.Unlock()
	all := map[record.TableID]map[crdt.Origin]crdt.Time{}
	for _, e := range entries {
		all[e.ID] = in.haveLocked(e)
	}
	return all
}

// haves says up to when a table has everything of each origin, and so has a copy of it that is taken later, and its floor. Who
// asks is going to fill a replica. From now on nothing that is reported here is put together with what its region reported as an
// earlier incarnation, or with what others say who do not know it as a member (floorleast.go).
func (r *Region) haves(ctx context.Context, c command) (map[crdt.Origin]crdt.Time, crdt.Time, error) {
	if c.Descriptor == nil || c.Member == nil {
		return nil, 0, errors.New("region: nobody says who is going to fill a replica")
	}
	b, err := json.Marshal(c.Descriptor)
	if err := errors.Join(err, r.ApplyCatalog(ctx, r.origin, [][]byte{b}), r.inbound.meet(c.Member.Origin)); err != nil {
		return nil, 0, err
	}
	e := r.catalog.ByID(c.Table)
	if !r.complete(e) {
		return nil, 0, fault.New(fault.Unavailable, "region %s holds no complete replica of table %s", r.name, c.Table)
	}
	in := r.inbound
	in.mu.Lock()
	have := in.haveLocked(e)
	in.mu.Unlock()
	_, have[r.origin] = r.End()
	return have, r.tableFloor(c.Table), nil
}
