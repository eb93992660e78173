package replication

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/stream/record"
)

// RepairRequest says what to compare.
type RepairRequest struct {
	Table string // empty: all
	Peer  string // empty: all that can be reached
	Scrub bool   // work out this region's hash trees anew first
}

// Repair compares tables now and mends what differs, here and at the peers. Each report is told as it is, unfinished ones of a
// long round too; a round that failed has its error in its report, and the others go on. The error says that nothing could
// be done at all.
func (r *Replication) Repair(ctx context.Context, q RepairRequest, tell func(RepairReport)) error {
	s := r.repairs
	if s == nil {
		return errNoRepair
	}
	ctx, cancel := r.bound(ctx)
	defer cancel(nil)
	if q.Scrub {
		if err := s.scrubAll(ctx, q.Table, tell); err != nil {
			return err
		}
	}
	todo := slices.DeleteFunc(s.pairs(func(peer string) bool { return q.Peer == "" || peer == q.Peer }), func(p pair) bool {
		return q.Table != "" && p.name != q.Table
	})
	if len(todo) == 0 && (!q.Scrub || q.Peer != "") {
		return errors.New(s.nothing(q))
	}
	slices.SortFunc(todo, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.peer.region, b.peer.region))
	})
	for _, p := range todo {
		report, err := s.round(ctx, p, tell)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		tell(report)
		if err == nil && report.Hollow > 0 {
			s.scrub(ctx, p.id)
		}
	}
	return nil
}

// nothing says why there is nothing to compare.
func (s *repairs) nothing(q RepairRequest) string {
	switch {
	case q.Peer != "" && s.r.known(q.Peer) == nil:
		return fmt.Sprintf("no region %s is known here", q.Peer)
	case q.Peer != "" && !s.r.known(q.Peer).connected():
		return fmt.Sprintf("region %s cannot be reached", q.Peer)
	case q.Table != "":
		return fmt.Sprintf("no table %s is shared with a region that can be reached", q.Table)
	}
	return "no table is shared with a region that can be reached"
}

// known finds a peer; nil if there is none.
func (r *Replication) known(region string) *peer {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.peers[region]
}

// scrubAll scrubs one table, or all that this region serves.
func (s *repairs) scrubAll(ctx context.Context, table string, tell func(RepairReport)) error {
	found := false
	for id, name := range s.region.RepairTables("") {
		if table != "" && name != table {
			continue
		}
		found = true
		bad, err := s.region.Scrub(ctx, id)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.scrubbed.Add(uint64(max(0, bad)))
		report := RepairReport{Table: name, TableID: id, CellsMended: bad, Done: err == nil}
		if err != nil {
			report.Error = err.Error()
		}
		tell(report)
	}
	if !found && table != "" {
		return fmt.Errorf("no table %s is served here", table)
	}
	return nil
}

// MendWhole makes a table hold all that a region's copy of it holds, and that region's likewise: not only what is missing for
// sure, but everything that differs. On return this region has everything that stood in the log of origin up to at. It is for a
// region to which the other's log no longer reaches back.
func (r *Replication) MendWhole(ctx context.Context, region string, id record.TableID) (origin crdt.Origin, at record.Seq, err error) {
	if r.repairs == nil {
		return origin, 0, errNoRepair
	}
	p := r.known(region)
	if p == nil {
		return origin, 0, fmt.Errorf("no region %s is known here", region)
	}
	ctx, cancel := r.bound(ctx)
	defer cancel(nil)
	k := &comparing{s: r.repairs, pair: pair{id, r.repairs.region.RepairTables("")[id], p}}
	if err := k.all(ctx, true); err != nil {
		return origin, 0, err
	}
	return k.at.origin, k.at.at, nil
}
