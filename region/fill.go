package region

import (
	"errors"
	"fmt"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// fill copies a table from another member, any that answers. Changes are wanted from where the copy was taken, so copy and
// tail arrive side by side and the merge makes their order indifferent.
func (r *Region) fill(e *catalog.Entry) error {
	p := r.peersOrNil()
	if p == nil {
		return errAlone
	}
	// What is there is from an attempt that was cut off, or from an earlier membership.
	if err := r.empty(e.ID); err != nil {
		return err
	}
	r.engine.SetCount(e.ID, table.Count{})
	var errs []error
	// One that leaves has everything until the others have it: if we were rebuilt, it may be the only one that does.
	for _, state := range []catalog.MemberState{catalog.MemberActive, catalog.MemberDeleting} {
		for _, m := range e.Members {
			if m.Region == r.name || m.State != state {
				continue
			}
			err := r.fillFrom(p, e, m.Region)
			if err == nil {
				return nil
			}
			r.inbound.endJoin(e.ID)
			errs = append(errs, fmt.Errorf("fill from %s: %w", m.Region, err))
		}
	}
	return errors.Join(append(errs, fmt.Errorf("table %s (%s): no member to fill from", e.Name, e.ID))...)
}

var errNoPosition = errors.New("the copy does not say where it was taken")

func (r *Region) fillFrom(p Peers, e *catalog.Entry, source string) error {
	start := time.Now()
	items := 0
	said, err := r.askHaves(e, source)
	if err != nil {
		return err
	}
	err = p.FetchSnapshot(r.ctx, source, e.ID, func(c Chunk) error {
		if c.Positions != nil {
			now, err := r.askHaves(e, source)
			if err == nil && now.Floor != said.Floor {
				err = errors.New("the floor has risen while the copy began")
			}
			if err == nil {
				err = r.inbound.beginJoin(e.ID, c.Positions, said.Floor)
			}
			if err != nil {
				return err
			}
		}
		if !r.inbound.joining(e.ID) {
			return errNoPosition
		}
		if err := r.checkCopied(source, c.Changes); err != nil {
			return err
		}
		items += len(c.Changes)
		return r.engine.Apply(r.ctx, table.Batch{Silent: true, Keep: true, Commits: asCommits(c.Changes)})
	})
	if err != nil {
		return err
	}
	if !r.inbound.joining(e.ID) {
		return errNoPosition
	}
	r.awaitOthers()
	if err := r.filled(e); err != nil {
		return err
	}
	r.inbound.endJoin(e.ID)
	if err := r.inbound.raise(e.ID, r.inbound.filling(e.ID), said.Haves); err != nil {
		return err
	}
	r.logger.Info("replica filled", "table", e.Name, "from", source, "items", items, "took", time.Since(start))
	return nil
}

// askHaves asks a source what a copy has that is taken from now on, and makes sure that it knows who fills a replica. One of an
// earlier version does not say; it forgets no deletes either, and what is held of origins that are gone shows after a round of
// repair.
func (r *Region) askHaves(e *catalog.Entry, source string) (reply, error) {
	self := catalog.Member{Region: r.name, Origin: r.origin}
	said, err := r.send(r.ctx, source, command{Name: cmdHaves, Table: e.ID, Descriptor: e.Descriptor, Member: &self})
	if fault.KindOf(err) == fault.Unbuilt {
		return reply{}, nil
	}
	return said, err
}

// filled notes that the data is here. Clients may write from then on, so From is taken before.
func (r *Region) filled(e *catalog.Entry) error {
	from := r.log.Durable()
	// What the logs brought before was without this table, or with a copy of it in part.
	err := write(r.store, func(w storage.Writer) error { return r.inbound.mixed(w, e.ID) })
	if err != nil {
		return err
	}
	_, err = r.catalog.SetLocal(e.ID, func(l *catalog.Local) error {
		l.Ready, l.From = true, from
		l.Sources, l.Past = r.inbound.joinedFrom(e.ID), nil
		l.Built = nil
		for _, ix := range e.Indexes { // kept by every merge since before the copy began
			if r.catalog.ByID(e.ID).HasIndex(ix.ID) {
				l.Built = append(l.Built, ix.ID)
			}
		}
		return nil
	})
	return err
}

// asCommits makes one commit of the states of a copy. It has no stamp: it is nobody's commit, and logged under the newest
// stamp among them it would be given to others as a commit of that origin, be that this region's own.
func asCommits(changes []record.Change) []record.Commit {
	if len(changes) == 0 {
		return nil
	}
	var newest crdt.Time
	for _, ch := range changes {
		newest = max(newest, ch.Base.Time)
	}
	return []record.Commit{{Wall: newest.Millis(), Changes: changes}}
}
