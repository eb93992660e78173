package catalog

import (
	"encoding/json"
	"errors"
	"maps"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// A region that is gone for good cannot leave its tables in good order. An operator has it expelled: its member is removed at once,
// and its incarnations are listed as gone. From then on nobody takes of them what no other member has.

// IsGone reports whether an origin's region was removed from the table while that origin was dead.
func (d *Descriptor) IsGone(o crdt.Origin) bool {
	upTo, ok := d.Gone[o.Region]
	return ok && o.Incarnation <= upTo
}

func (d *Descriptor) withGone(o crdt.Origin) *Descriptor {
	n := d.clone()
	n.Gone = maps.Clone(d.Gone)
	if n.Gone == nil {
		n.Gone = map[string]uint64{}
	}
	n.Gone[o.Region] = max(n.Gone[o.Region], o.Incarnation)
	return n
}

// Expel removes a member that is gone for good, up to an incarnation. It may be said again, with a later one.
func (c *Catalog) Expel(id record.TableID, upTo crdt.Origin) (*Entry, error) {
	return c.change(id, func(e *Entry) (*Descriptor, error) {
		m := e.Member(upTo.Region)
		switch {
		case m == nil:
			return nil, errNoReplica(upTo.Region)
		case upTo.Region == c.opts.Region:
			return nil, fault.New(fault.Invalid, "region %s keeps table %s and is not gone", upTo.Region, e.Name)
		case m.State == MemberRemoved && !e.someGone(upTo.Region):
			return e.Descriptor, nil // it has left in good order
		case m.State == MemberRemoved && e.IsGone(upTo):
			return e.Descriptor, nil
		}
		upTo.Incarnation = max(upTo.Incarnation, m.Origin.Incarnation)
		d := e.withGone(upTo)
		if m.State == MemberRemoved {
			return d, nil
		}
		return d.setMemberState(upTo.Region, MemberRemoved, c.opts.Now()), nil
	})
}

func (d *Descriptor) someGone(region string) bool {
	_, ok := d.Gone[region]
	return ok
}

// Expelled reports whether a region was removed, or replaced, while it was dead, as it reads in a table's description: it was
// removed with its data in place; its incarnation is listed as gone; or a later one is a member. Without the second a region that
// fills a replica again would forget.
func (e *Entry) Expelled(self crdt.Origin) bool {
	m := e.Member(self.Region)
	switch {
	case m == nil || e.Local.Dropped:
		return false
	case e.IsGone(self), m.Origin.Incarnation > self.Incarnation:
		return true
	}
	return m.State == MemberRemoved && e.Local.Ready
}

// heldElsewhere reports whether another region has a replica.
func (d *Descriptor) heldElsewhere(region string) bool {
	for _, m := range d.Members {
		if m.Region != region && m.State != MemberRemoved {
			return true
		}
	}
	return false
}

// Restart makes, in a batch of a store that is not open as a catalog, all replicas that other regions hold too empty ones, which
// are to be filled again or dropped. Their streams end where the log does: what was void in them, and what a copy brings, no record
// tells, so that others begin when they are filled. Tables that this region alone has stay: those are returned.
func Restart(s storage.Reader, w storage.Writer, region string, end record.Seq, now int64) (stay []record.TableID, err error) {
	alone := map[record.TableID]bool{}
	err = scan(s, storage.KindCatalog, func(id record.TableID, v []byte) error {
		d := new(Descriptor)
		if err := json.Unmarshal(v, d); err != nil {
			return err
		}
		m := d.Member(region)
		alone[id] = m != nil && m.State != MemberRemoved && !d.heldElsewhere(region)
		return nil
	})
	err = errors.Join(err, scan(s, storage.KindLocal, func(id record.TableID, v []byte) error {
		var l Local
		if err := json.Unmarshal(v, &l); err != nil {
			return err
		}
		switch {
		case l.Dropped:
			return nil
		case alone[id]:
			stay = append(stay, id)
			return nil
		}
		for _, all := range [][]Stream{l.Streams, l.Feeds} {
			if open := openIn(all); open != nil {
				open.close(end, now)
			}
		}
		l.Ready, l.From, l.Sources, l.Past, l.Built, l.Dropping, l.Expiry = false, 0, nil, nil, nil, nil, 0
		b, err := json.Marshal(l)
		if err != nil {
			return err
		}
		return w.Set(key(storage.KindLocal, id), b)
	}))
	return stay, err
}
