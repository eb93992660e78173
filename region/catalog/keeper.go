package catalog

import (
	"slices"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/stream/record"
)

// What the keeper of a table may be asked for. Each call checks, in one step with the write, that this region is the keeper.

// Apply makes one UpdateTable change other than of replicas.
func (c *Catalog) Apply(id record.TableID, ch Change) (*Entry, error) {
	if ch.Trigger != nil {
		return c.changeTriggers(id, *ch.Trigger)
	}
	return c.change(id, func(e *Entry) (*Descriptor, error) {
		if err := e.Admits(ch); err != nil {
			return nil, err
		}
		return e.apply(ch, c.opts.Now())
	})
}

// AddReplica lists a region as a new member; m says where its log stands.
func (c *Catalog) AddReplica(id record.TableID, m Member) (*Entry, error) {
	return c.change(id, func(e *Entry) (*Descriptor, error) {
		if err := e.MayAdd(m.Region, m.MemberSettings); err != nil {
			return nil, err
		}
		return e.addReplica(m, c.opts.Now()), nil
	})
}

// RemoveReplica starts a region's leaving.
func (c *Catalog) RemoveReplica(id record.TableID, region string) (*Entry, error) {
	return c.change(id, func(e *Entry) (*Descriptor, error) {
		if err := e.MayRemove(region); err != nil {
			return nil, err
		}
		return e.setMemberState(region, MemberDeleting, c.opts.Now()), nil
	})
}

// Activated ends a member's joining: it has all the data. A member that was rebuilt from nothing says so too, with its new
// origin. It may be said again.
func (c *Catalog) Activated(id record.TableID, m Member) (*Entry, error) {
	return c.change(id, func(e *Entry) (*Descriptor, error) {
		have := e.Member(m.Region)
		switch {
		case have == nil || have.State != MemberCreating && have.State != MemberActive:
			return e.Descriptor, nil
		case have.State == MemberActive && have.Origin == m.Origin:
			return e.Descriptor, nil
		}
		return e.activated(m, c.opts.Now()), nil
	})
}

// Left ends a member's leaving: its log is drained and its data gone. It may be said again. Origin is who says so: one that was
// rebuilt while it left has drained nothing of what its earlier incarnation wrote.
func (c *Catalog) Left(id record.TableID, region string, origin crdt.Origin) (*Entry, error) {
	return c.change(id, func(e *Entry) (*Descriptor, error) {
		m := e.Member(region)
		if m == nil || m.State != MemberDeleting {
			return e.Descriptor, nil
		}
		if origin.IsZero() || m.Origin == origin {
			return e.left(region, c.opts.Now())
		}
		d := e.withGone(m.Origin)
		*d.Member(region) = Member{Region: region, Origin: origin, State: m.State, MemberSettings: m.MemberSettings} // it has drained its own
		return d.left(region, c.opts.Now())
	})
}

// HandOver makes another region the keeper of a table that this region, its keeper, leaves.
func (c *Catalog) HandOver(id record.TableID) (*Entry, error) {
	return c.change(id, func(e *Entry) (*Descriptor, error) {
		if e.Replicas() == 1 {
			return e.Descriptor, nil // nobody is left; the table goes with us
		}
		return e.handOver()
	})
}

// TakeOver makes this region the keeper of a table that another one keeps. It is an operator's decision: the other one may live.
func (c *Catalog) TakeOver(id record.TableID) (*Entry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.ByID(id)
	if e == nil || !e.Holds(c.opts.Region) {
		return nil, errNoTable(id)
	}
	d := e.clone()
	d.Keeper, d.Epoch = c.opts.Region, e.Epoch+1
	d.Revision = c.revisionAbove(e.Revision)
	n := &Entry{Descriptor: d, Local: c.localFor(e, d)}
	if err := c.updateLocked(n); err != nil {
		return nil, err
	}
	return n, nil
}

// joining reports whether a replica is on its way in; DynamoDB takes no other change meanwhile.
func (d *Descriptor) joining() bool {
	for _, m := range d.Members {
		if m.State == MemberCreating {
			return true
		}
	}
	return false
}

// errBusy says it as DynamoDB does: a member of a global table is told no more than that (DYNAMODB.md 5.1).
func (d *Descriptor) errBusy() error {
	if d.Replicas() > 1 {
		return fault.New(fault.InUse, "The resource which you are attempting to change is in use.")
	}
	return fault.New(fault.InUse, "Attempt to change a resource which is still in use: Table is being updated: %s", d.Name)
}

// Admits says why a change must wait for another: a replica that joins is alone, and indexes are added and removed one at a
// time, but one that is being filled may be deleted. TTL and tags are not part of that. It looks at the table as this region
// has it.
func (e *Entry) Admits(ch Change) error {
	switch {
	case ch.TTL != nil || ch.Policy != nil:
		return nil
	case e.joining():
		return e.errBusy()
	case e.indexesBuilt() || e.building(ch.DeleteIndex):
		return nil
	case ch.CreateIndex != nil || ch.DeleteIndex != "":
		return fault.New(fault.Limit, "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
	case ch.capacityOnly(): // which an index that is being filled does not mind
		return nil
	}
	return e.errBusy()
}

// capacityOnly reports a change of throughput within the table's mode.
func (ch *Change) capacityOnly() bool {
	return ch.Billing == nil && (ch.Throughput != nil || ch.OnDemand != nil || ch.Warm != nil ||
		len(ch.IndexThroughput)+len(ch.IndexOnDemand)+len(ch.IndexWarm) > 0)
}

// building reports whether an index of a name is being filled here.
func (e *Entry) building(name string) bool {
	ix := e.Index(name)
	return ix != nil && !e.IndexBuilt(ix.ID)
}

// MayAdd says why a region cannot be listed as a new member: what can never be, then what is not possible now.
func (e *Entry) MayAdd(region string, settings MemberSettings) error {
	if m := e.Member(region); m != nil && m.State != MemberRemoved {
		return errReplicaExists(e.Name)
	}
	if !e.Billing.PayPerRequest {
		return invalid("Table write capacity should either be Pay-Per-Request or AutoScaled.")
	}
	if err := e.mayKey(settings); err != nil {
		return err
	}
	return e.Admits(Change{CreateReplica: region})
}

// MayRemove says why a member cannot leave now. One that is still joining can: it may have died in the middle.
func (e *Entry) MayRemove(region string) error {
	if !e.Holds(region) {
		return errNoReplica(region)
	}
	for _, m := range e.Members {
		if m.State == MemberCreating && m.Region != region {
			return e.errBusy()
		}
	}
	return nil
}

// View describes an entry for DescribeTable; the counts are filled in by the caller.
func (e *Entry) View(region string) View {
	return View{Descriptor: *e.Descriptor, Local: e.Local, Region: region, Status: e.status(region)}
}

func (e *Entry) status(region string) string {
	m := e.Member(region)
	switch {
	case e.Deleted || m == nil || m.State == MemberDeleting || m.State == MemberRemoved:
		return "DELETING"
	case !e.Local.Ready || m.State == MemberCreating:
		return "CREATING"
	case e.joining() || !e.indexesBuilt() || e.streamStarts():
		return "UPDATING"
	}
	return "ACTIVE"
}

// IndexBuilt reports whether an index's entries are complete in this region.
func (e *Entry) IndexBuilt(id uint32) bool {
	return slices.Contains(e.Local.Built, id)
}

// streamStarts reports whether the stream is on and not every write is in it yet here.
func (e *Entry) streamStarts() bool {
	s := e.Local.OpenStream()
	return s != nil && len(s.Generations) == 0
}

func (e *Entry) indexesBuilt() bool {
	for _, ix := range e.Indexes {
		if !e.IndexBuilt(ix.ID) {
			return false
		}
	}
	return true
}
