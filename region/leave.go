package region

import (
	"fmt"
	"slices"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
)

// leave waits until the others hold what this region wrote last, drops the data, hands on the table if this region keeps
// it, and tells the keeper. While a member cannot be reached it waits: its changes may be nowhere else.
func (r *Region) leave(e *catalog.Entry) error {
	if e.Local.Ready {
		if err := r.drained(e); err != nil {
			return err
		}
		// Before anything goes: nobody may take what is left for a whole table.
		if _, err := r.catalog.SetLocal(e.ID, func(l *catalog.Local) error { l.Ready = false; return nil }); err != nil {
			return err
		}
	}
	if err := r.empty(e.ID); err != nil {
		return err
	}
	if e.Keeper == r.name {
		n, err := r.catalog.HandOver(e.ID)
		if err != nil {
			return err
		}
		e = n
	}
	_, err := r.askKeeper(r.ctx, e, command{Name: cmdLeft, Table: e.ID, Region: r.name, Origin: r.origin})
	return err
}

// drained asks every other member whether it holds all that this region wrote to a table. Acknowledgements would not do:
// a member that does not want the table yet, because it is still to be filled, acknowledges what it never read. No write
// to the table begins any more: a commit finds in its seal that the table is no longer held, and those that passed that
// before the barrier have their number.
func (r *Region) drained(e *catalog.Entry) error {
	if err := r.engine.Barrier(r.ctx); err != nil {
		return err
	}
	end := r.log.Last()
	if err := r.log.WaitDurable(r.ctx, end); err != nil {
		return err
	}
	for _, m := range e.Members {
		if m.Region == r.name || m.State == catalog.MemberRemoved || m.State == catalog.MemberDeleting {
			continue
		}
		c := command{Name: cmdHolds, Table: e.ID, Member: &catalog.Member{Region: r.name, Origin: r.origin, From: end}}
		if _, err := r.send(r.ctx, m.Region, c); err != nil {
			return fmt.Errorf("region %s does not hold the last changes of table %s yet: %w", m.Region, e.Name, err)
		}
	}
	return nil
}

// holds answers drained: this region has all of a table's data, and of the asker's log all up to a position.
func (r *Region) holds(c command) error {
	e := r.catalog.ByID(c.Table)
	if c.Member == nil || e == nil || !e.Holds(r.name) || !e.Local.Ready || !slices.Contains(e.Local.Sources, c.Member.Region) {
		return fault.New(fault.Unavailable, "region %s has no complete replica of table %s yet", r.name, c.Table)
	}
	if at := r.Cursor(c.Member.Origin); at < c.Member.From {
		return fault.New(fault.Unavailable, "region %s has read %s's log up to %d of %d", r.name, c.Member.Region, at, c.Member.From)
	}
	return nil
}

// drop forgets a table that this region no longer holds.
func (r *Region) drop(e *catalog.Entry) error {
	if err := r.empty(e.ID); err != nil {
		return err
	}
	r.inbound.endJoin(e.ID)
	_, err := r.catalog.SetLocal(e.ID, func(l *catalog.Local) error {
		*l = catalog.Local{
			Dropped: true, Joined: l.Joined, Streams: l.Streams, StreamLabel: l.StreamLabel, Feeds: l.Feeds, FeedLabel: l.FeedLabel,
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.engine.Forget(e.ID)
	r.inbound.refresh(false)
	r.logger.Info("table dropped", "table", e.Name, "id", e.ID.String())
	return nil
}
