package catalog

import (
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/stream/record"
)

// What the keeper of a table may be asked for. Each call checks, in one step with the write, that this region is the keeper.

// Apply makes one UpdateTable change other than of replicas.
func (c *Catalog) Apply(id record.TableID, ch Change) (*Entry, error) {
	return c.change(id, func(d *Descriptor) (*Descriptor, error) {
		if d.busy() {
			return nil, errBusy()
		}
		return d.apply(ch, c.opts.Now())
	})
}

// AddReplica lists a region as a new member; m says where its log stands.
func (c *Catalog) AddReplica(id record.TableID, m Member) (*Entry, error) {
	return c.change(id, func(d *Descriptor) (*Descriptor, error) {
		if d.busy() && !d.Holds(m.Region) {
			return nil, errBusy()
		}
		return d.addReplica(m, c.opts.Now())
	})
}

// RemoveReplica starts a region's leaving.
func (c *Catalog) RemoveReplica(id record.TableID, region string) (*Entry, error) {
	return c.change(id, func(d *Descriptor) (*Descriptor, error) { return d.removeReplica(region, c.opts.Now()) })
}

// Activated ends a member's joining: it has all the data. It may be said again.
func (c *Catalog) Activated(id record.TableID, region string) (*Entry, error) {
	return c.change(id, func(d *Descriptor) (*Descriptor, error) {
		m := d.Member(region)
		if m == nil || m.State != MemberCreating {
			return d, nil
		}
		return d.setMemberState(region, MemberActive, c.opts.Now())
	})
}

// Left ends a member's leaving: its log is drained and its data gone. It may be said again.
func (c *Catalog) Left(id record.TableID, region string) (*Entry, error) {
	return c.change(id, func(d *Descriptor) (*Descriptor, error) {
		if m := d.Member(region); m == nil || m.State != MemberDeleting {
			return d, nil
		}
		return d.left(region, c.opts.Now())
	})
}

// busy reports whether a replica is on its way in; DynamoDB takes no other change meanwhile.
func (d *Descriptor) busy() bool {
	for _, m := range d.Members {
		if m.State == MemberCreating {
			return true
		}
	}
	return false
}

func errBusy() error {
	return fault.New(fault.InUse, "The resource which you are attempting to change is in use.")
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
	case !e.Local.Ready:
		return "CREATING"
	case e.busy() || !e.indexesBuilt():
		return "UPDATING"
	}
	return "ACTIVE"
}

// IndexBuilt reports whether an index's entries are complete in this region.
func (e *Entry) IndexBuilt(id uint32) bool {
	for _, b := range e.Local.Built {
		if b == id {
			return true
		}
	}
	return false
}

func (e *Entry) indexesBuilt() bool {
	for _, ix := range e.Indexes {
		if !e.IndexBuilt(ix.ID) {
			return false
		}
	}
	return true
}
