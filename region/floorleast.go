package region

import (
	"cmp"
	"math"
	"slices"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/catalog"
)

// Holding back says why a table's floor is not higher: of the others it is the least that counts.
type HoldingBack struct {
	Region string      // the member that has less, or that has not said what it has
	Origin crdt.Origin // whose writes it has less of; zero if it has said nothing that counts
	UpTo   crdt.Time   // it has these up to here
	Why    string
}

// holding is what one member holds of a table.
type holding struct {
	region string
	have   map[crdt.Origin]crdt.Time
}

// complete stands for everything of an origin that will never write again.
const complete = crdt.Time(math.MaxInt64)

// least is how far all members hold everything, and who has the least.
type least struct {
	floor crdt.Time
	by    []HoldingBack
}

// leastOf is the time up to which all of some members hold everything of all origins that any of them has heard of.
func leastOf(all []holding) least {
	l := least{floor: complete}
	origins := map[crdt.Origin]bool{}
	for _, h := range all {
		for o := range h.have {
			origins[o] = true
		}
	}
	for o := range origins {
		for _, h := range all {
			t := h.have[o]
			if t < l.floor {
				l.floor, l.by = t, nil
			}
			if t == l.floor && t < complete {
				l.by = append(l.by, HoldingBack{Region: h.region, Origin: o, UpTo: t, Why: "has not all of it yet"})
			}
		}
	}
	if l.floor == complete {
		l.floor = 0
	}
	slices.SortFunc(l.by, func(a, b HoldingBack) int { return cmp.Or(cmp.Compare(a.Region, b.Region), a.Origin.Compare(b.Origin)) })
	return l
}

// leastHeld works out a table's floor from what its members have said. A member that says nothing, goes by another description of
// the table, is being filled or was rebuilt since holds it back altogether; its old report must not be put together with the
// others' new ones.
func (r *Region) leastHeld(e *catalog.Entry) least {
	in := r.inbound
	_, own := r.End() // not under mu: seals take it
	in.mu.Lock()
	defer in.mu.Unlock()
	newest := in.newestLocked(e)
	l := least{}
	block := func(region, why string) { l.by = append(l.by, HoldingBack{Region: region, Why: why}) }
	if in.unadopted(e) {
		block(r.name, "does not read all members' logs yet")
	}
	if newest[r.name] != r.origin.Incarnation {
		block(r.name, "was rebuilt, and this is what it was before")
	}
	all := []holding{{r.name, in.allHeldLocked(e, own)}}
	for _, m := range e.Members {
		if m.Region == r.name || m.State != catalog.MemberActive && m.State != catalog.MemberCreating {
			continue
		}
		rep := in.reports[m.Region].settledLocked(in, e)
		switch {
		case m.State == catalog.MemberCreating:
			block(m.Region, "is being filled")
		case rep == nil:
			block(m.Region, "has not said what it has")
		case rep.Origin.Incarnation != newest[m.Region]:
			block(m.Region, "was rebuilt")
		default:
			t := rep.table(e.ID)
			if t == nil || t.Epoch != e.Epoch || t.Revision != e.Revision {
				block(m.Region, "goes by another description of the table")
				continue
			}
			all = append(all, holding{m.Region, t.Have})
		}
	}
	if len(l.by) > 0 {
		return l
	}
	return leastOf(all)
}

// newestLocked is the newest incarnation of each region that anybody has met; of one that is gone, the next.
func (in *inbound) newestLocked(e *catalog.Entry) map[string]uint64 {
	newest := map[string]uint64{}
	note := func(region string, incarnation uint64) { newest[region] = max(newest[region], incarnation) }
	for region, n := range in.newest {
		note(region, n)
	}
	for _, m := range e.Members {
		note(m.Region, m.Origin.Incarnation)
	}
	for region, upTo := range e.Gone {
		note(region, upTo+1)
	}
	for _, reps := range in.reports {
		for _, rep := range []*report{reps.good, reps.next} {
			if rep == nil {
				continue
			}
			for region, n := range rep.Newest {
				note(region, n)
			}
		}
	}
	return newest
}

// allHeldLocked lists up to when a table has everything of each origin that ever may have written to it: 0 for those of which
// that is not known, complete for those of which nothing can come any more.
func (in *inbound) allHeldLocked(e *catalog.Entry, own crdt.Time) map[crdt.Origin]crdt.Time {
	have, newest := in.haveLocked(e), in.newestLocked(e)
	for o := range in.region.engine.SeenOthers() {
		have[o] = max(have[o], 0)
	}
	for o := range have {
		switch {
		case e.Member(o.Region) == nil:
			delete(have, o) // it wrote to other tables
		case in.finalLocked(e, o, newest):
			have[o] = complete
		}
	}
	have[in.region.origin] = own
	return have
}

// retiredLocked lists the origins that write to a table no more: their regions were rebuilt since, or are gone.
func (in *inbound) retiredLocked(e *catalog.Entry) []crdt.Origin {
	newest := in.newestLocked(e)
	var all []crdt.Origin
	known := in.haveLocked(e)
	for o := range in.region.engine.SeenOthers() {
		known[o] = 0
	}
	for o := range known {
		if e.Member(o.Region) != nil && o.Incarnation < newest[o.Region] {
			all = append(all, o)
		}
	}
	return all
}

// finalLocked reports whether nothing of an origin can come to a table any more: its region has left it in good order, which it
// does when all others hold everything; or it is retired, and since that was known the table was compared with every other
// member's, which had not counted on its log either.
func (in *inbound) finalLocked(e *catalog.Entry, o crdt.Origin, newest map[string]uint64) bool {
	if m := e.Member(o.Region); m != nil && m.State == catalog.MemberRemoved && m.Origin == o && !e.IsGone(o) {
		return true
	}
	if o.Incarnation >= newest[o.Region] {
		return false
	}
	rounds := in.rounds[e.ID][o]
	for _, m := range e.Members {
		holds := m.State == catalog.MemberActive || m.State == catalog.MemberCreating || m.State == catalog.MemberDeleting
		if holds && m.Region != in.region.name && !rounds[m.Region] {
			return false
		}
	}
	return true
}

// compared notes that a round with a peer has ended that took of some retired origins all that the peer had.
func (in *inbound) compared(c *RepairCopy, peer string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.fillings[c.id] != c.filling {
		return
	}
	for _, o := range c.retired {
		if _, followed := c.held[o]; followed {
			continue
		}
		if in.rounds[c.id] == nil {
			in.rounds[c.id] = map[crdt.Origin]map[string]bool{}
		}
		if in.rounds[c.id][o] == nil {
			in.rounds[c.id][o] = map[string]bool{}
		}
		in.rounds[c.id][o][peer] = true
	}
}
