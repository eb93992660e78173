package region

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
)

// A replica of a dead region that is deleted (UpdateTable) stays DELETING: what it alone has may still come. Until it does, deletes
// are remembered. Only an operator knows that it never will, and has the region expelled.

// Expelled says what became of one table of a region that was expelled.
type Expelled struct {
	Table string
	Err   error // nil: the region has no replica of it any more
}

// expelPatience is how long a region is waited for that is said to be gone.
const expelPatience = 2 * time.Second

// Expel removes a region that is gone for good from all tables that it shares with this one, whatever it may still have. Tables that
// it keeps are taken over first. It refuses while the region answers, and, for the descriptions' sake, to take over tables of which
// another member does not; force expels in spite of that. Each table has a result of its own: Expel may be said again.
//
// What the region wrote and nobody else has is void then. Should the region come back, it sets that aside and begins anew
// (fence.go).
func (r *Region) Expel(ctx context.Context, region string, force bool) ([]Expelled, error) {
	if region == r.name {
		return nil, fault.New(fault.Invalid, "region %s cannot expel itself", region)
	}
	var shared []*catalog.Entry
	for _, e := range r.catalog.Entries() {
		m := e.Member(region)
		if m != nil && e.Holds(r.name) && (m.State != catalog.MemberRemoved || len(e.Gone) > 0) {
			shared = append(shared, e)
		}
	}
	if len(shared) == 0 {
		return nil, fault.New(fault.NotFound, "region %s shares no table with region %s", region, r.name)
	}
	if !force && r.answers(ctx, region) {
		return nil, fault.New(fault.InUse, "region %s answers: it is not gone. Remove its replicas with UpdateTable, and nothing is lost", region)
	}
	slices.SortFunc(shared, func(a, b *catalog.Entry) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	upTo := r.inbound.newestOf(crdt.Origin{Region: region})
	done := make([]Expelled, len(shared))
	for i, e := range shared {
		done[i] = Expelled{e.Name, r.expelFrom(ctx, e, upTo, force)}
		r.logger.Warn("a region is expelled", "gone", upTo.String(), "table", e.Name, "err", done[i].Err)
	}
	return done, nil
}

// answers reports whether a region can be reached.
func (r *Region) answers(ctx context.Context, region string) bool {
	ctx, cancel := context.WithTimeout(ctx, expelPatience)
	defer cancel()
	p := r.peersOrNil()
	q, err := json.Marshal(r.origin)
	if p == nil || err != nil {
		return false
	}
	_, err = p.Call(ctx, region, cmdReport, q)
	return err == nil
}

func (r *Region) expelFrom(ctx context.Context, e *catalog.Entry, upTo crdt.Origin, force bool) error {
	if !e.Local.Ready {
		return fault.New(fault.Unavailable, "region %s is still filling its replica of table %s", r.name, e.Name)
	}
	if e.Keeper == upTo.Region {
		if _, err := r.TakeOver(ctx, e.Name, force); err != nil {
			return err
		}
		e = r.catalog.ByID(e.ID)
	}
	_, err := r.askKeeper(ctx, e, command{Name: cmdExpel, Table: e.ID, Origin: upTo})
	return err
}
