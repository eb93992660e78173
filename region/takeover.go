package region

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
)

// cmdDescribed asks a member for its description of a table, and brings it the asker's.
const cmdDescribed = "table.described"

// takeOverPatience is how long a region is waited for that may be dead.
const takeOverPatience = 2 * time.Second

// TakeOver makes this region the keeper of a table whose keeper is gone for good, or for too long. It is an operator's decision:
// what the old keeper has changed of the table's description, and told nobody, is void when it returns. Items are another matter,
// nothing of them is lost by it.
//
// It refuses while the keeper answers, and, for the newest description may be with any member, while another member does not;
// force takes over in spite of that.
func (r *Region) TakeOver(ctx context.Context, name string, force bool) (catalog.View, error) {
	e := r.catalog.Lookup(name)
	switch {
	case e == nil:
		return catalog.View{}, notFound(name)
	case e.Keeper == r.name:
		return catalog.View{}, fault.New(fault.Invalid, "region %s keeps table %s already", r.name, name)
	case !e.Holds(r.name) || !e.Local.Ready:
		return catalog.View{}, fault.New(fault.Unavailable, "region %s has no complete replica of table %s", r.name, name)
	}
	var silent []string
	for _, m := range e.Members {
		if m.Region == r.name || m.State == catalog.MemberRemoved {
			continue
		}
		err := r.hearDescription(ctx, e, m.Region)
		switch {
		case err == nil && m.Region == e.Keeper && !force:
			return catalog.View{}, fault.New(fault.InUse, "region %s keeps table %s and answers: nothing need be taken over", e.Keeper, name)
		case err != nil && m.Region != e.Keeper:
			silent = append(silent, m.Region)
		}
	}
	if len(silent) > 0 && !force {
		return catalog.View{}, fault.New(fault.Unavailable, "region %s does not answer, and may know a newer description of table %s",
			strings.Join(silent, ", "), name)
	}
	n, err := r.catalog.TakeOver(e.ID)
	if err != nil {
		return catalog.View{}, r.fail(err)
	}
	r.inbound.refresh(false)
	r.poke()
	r.logger.Warn("table taken over", "table", name, "from", e.Keeper, "epoch", n.Epoch)
	return r.view(n), nil
}

// hearDescription takes a member's description of a table, if it is newer.
func (r *Region) hearDescription(ctx context.Context, e *catalog.Entry, from string) error {
	ctx, cancel := context.WithTimeout(ctx, takeOverPatience)
	defer cancel()
	rep, err := r.send(ctx, from, command{Name: cmdDescribed, Table: e.ID, Descriptor: e.Descriptor})
	if err != nil || rep.Descriptor == nil {
		return err
	}
	b, err := json.Marshal(rep.Descriptor)
	return errors.Join(err, r.ApplyCatalog(ctx, r.origin, [][]byte{b}))
}

// described answers hearDescription.
func (r *Region) described(ctx context.Context, c command) (*catalog.Descriptor, error) {
	if c.Descriptor == nil {
		return nil, errors.New("region: a description is asked for without one")
	}
	b, err := json.Marshal(c.Descriptor)
	if err := errors.Join(err, r.ApplyCatalog(ctx, r.origin, [][]byte{b})); err != nil {
		return nil, err
	}
	e := r.catalog.ByID(c.Table)
	if e == nil {
		return nil, fault.New(fault.NotFound, "region %s knows no table %s", r.name, c.Table)
	}
	return e.Descriptor, nil
}
