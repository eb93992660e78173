package region

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/stream/record"
)

func notFound(name string) error {
	return fault.New(fault.NotFound, "Requested resource not found: Table: %s not found", name)
}

// CreateTable makes a table of this region, with no replica elsewhere yet. It can be used at once; the answer says
// CREATING, as DynamoDB's does.
func (r *Region) CreateTable(_ context.Context, spec catalog.Spec) (catalog.View, error) {
	if err := takePolicy(&spec); err != nil {
		return catalog.View{}, err
	}
	e, err := r.catalog.Create(record.TableID(uuid.New()), spec, catalog.Member{Origin: r.origin, From: r.log.Durable()})
	if err != nil {
		return catalog.View{}, r.fail(err)
	}
	v := e.View(r.name)
	v.Status, v.Settling.New = "CREATING", true
	return v, nil
}

// DescribeTable describes a table of this region.
func (r *Region) DescribeTable(name string) (catalog.View, error) {
	e := r.catalog.Lookup(name)
	if e == nil {
		return catalog.View{}, notFound(name)
	}
	return r.view(e), nil
}

func (r *Region) view(e *catalog.Entry) catalog.View {
	v := e.View(r.name)
	n := r.engine.Count(e.ID)
	v.Items, v.Bytes, v.Now = n.Items, n.Bytes, r.clock.Now()
	return v
}

// ListTables lists names in order, after a name, at most limit; last is empty when there are no more.
func (r *Region) ListTables(after string, limit int) (names []string, last string, err error) {
	all := r.catalog.Names()
	for _, n := range all {
		if n <= after {
			continue
		}
		if len(names) == limit {
			return names, names[limit-1], nil
		}
		names = append(names, n)
	}
	return names, "", nil
}

// UpdateTable makes one change of a table. Settings of the table itself are changed by its keeper, wherever that is;
// deletion protection stays in this region. The answer describes the table as DynamoDB's does: still as it was, UPDATING.
func (r *Region) UpdateTable(ctx context.Context, name string, ch catalog.Change) (catalog.View, error) {
	e := r.catalog.Lookup(name)
	if e == nil {
		return catalog.View{}, notFound(name)
	}
	if err := r.changeable(e, ch); err != nil {
		return catalog.View{}, err
	}
	if ch.DeletionProtection != nil {
		return r.protect(e, *ch.DeletionProtection)
	}
	if ch.DeleteReplica != "" {
		if err := r.mayLeave(ctx, e, ch.DeleteReplica); err != nil {
			return catalog.View{}, err
		}
	}
	n, err := r.askKeeper(ctx, e, commandFor(e, ch))
	if err != nil {
		return catalog.View{}, err
	}
	r.handle(n) // so that a new throughput holds from now on, not from the next request
	return answerTo(ch, r.view(e), r.view(n)), nil
}

// answerTo is how the service answers a change: most often with what was, and UPDATING. Some changes are done at once, or show
// elsewhere that they are under way, and leave the table ACTIVE (DYNAMODB.md 5.1, 10.2).
func answerTo(ch catalog.Change, old, now catalog.View) catalog.View {
	switch {
	case ch.DeleteReplica != "": // as if nothing had happened yet
		return old
	case ch.CreateReplica != "" || ch.CreateIndex != nil || ch.DeleteIndex != "" || ch.Stream != nil:
		old = now
	case ch.Billing != nil && *ch.Billing != old.Billing.PayPerRequest:
		old = switching(old, now)
	case ch.Billing != nil:
	case ch.Throughput != nil:
		count := old.Billing.DecreasesOn(old.Now)
		old.Billing.ThroughputChanges = now.Billing.ThroughputChanges
		old.Billing.DecreasesOfDay = count
	case ch.OnDemand != nil || ch.SettingsMode != nil:
		return now
	case ch.Warm != nil:
		old.Settling.Warm = true
		return old
	case ch.SSE != nil:
		if *ch.SSE != "" {
			old = now
		}
		old.Settling.SSE = true
		return old
	case ch.Class == nil && ch.Replicas == nil: // indexes alone
		old.Settling.Indexes = changedIndexes(ch)
		return old
	}
	old.Status = "UPDATING"
	return old
}

// switching shows the new mode at once, and of its throughput what there is yet: nothing.
func switching(old, now catalog.View) catalog.View {
	v := now
	v.Settling.Billing = true
	if !now.Billing.PayPerRequest {
		v.Throughput, v.Indexes = old.Throughput, old.Indexes
	}
	return v
}

func changedIndexes(ch catalog.Change) []string {
	names := slices.Collect(maps.Keys(ch.IndexThroughput))
	names = slices.AppendSeq(names, maps.Keys(ch.IndexOnDemand))
	return slices.AppendSeq(names, maps.Keys(ch.IndexWarm))
}

// changeable checks a change against the table as this region has it; the keeper checks it again.
func (r *Region) changeable(e *catalog.Entry, ch catalog.Change) error {
	replicas := ch.CreateReplica != "" || ch.DeleteReplica != ""
	switch m := e.Member(r.name); {
	case m.State == catalog.MemberDeleting:
		return fault.New(fault.InUse, "Attempt to change a resource which is still in use: Table is being deleted: %s", e.Name)
	case !e.Local.Ready && replicas:
		return fault.New(fault.Invalid, "Create/Update/Delete of replica is not allowed while the replica is being added to table with name: ‘%s’ in region: ‘%s’.", e.Name, r.name)
	case !e.Local.Ready:
		return notFound(e.Name) // a replica that is being added answers DescribeTable only
	case ch.CreateReplica != "":
		return e.MayAdd(ch.CreateReplica, ch.Settings)
	case ch.DeleteReplica != "":
		return e.MayRemove(ch.DeleteReplica)
	case ch.DeletionProtection != nil:
		return nil
	}
	return e.Admits(ch)
}

func (r *Region) protect(e *catalog.Entry, on bool) (catalog.View, error) {
	n, err := r.catalog.SetLocal(e.ID, func(l *catalog.Local) error {
		if l.DeletionProtection != on {
			l.DeletionProtection, l.ProtectionChanged = on, r.clock.Now()
		}
		return nil
	})
	if err != nil {
		return catalog.View{}, r.fail(err)
	}
	return r.view(n), nil
}

// protectionPatience is how long a region is waited for that may not be there any more.
const protectionPatience = 2 * time.Second

// mayLeave asks another region whether its replica is protected; that is known to it alone. A region that cannot be reached
// is not waited for: one that is gone for good could never be removed, and the data that a removal deletes there is what the
// other members hold.
func (r *Region) mayLeave(ctx context.Context, e *catalog.Entry, region string) error {
	ctx, cancel := context.WithTimeout(ctx, protectionPatience)
	defer cancel()
	_, err := r.send(ctx, region, command{Name: cmdMayLeave, Table: e.ID})
	if fault.KindOf(err) == fault.Unavailable {
		return nil
	}
	return err
}

// protected answers mayLeave.
func (r *Region) protected(c command) error {
	if e := r.catalog.ByID(c.Table); e != nil && e.Local.DeletionProtection {
		return fault.New(fault.Invalid, "Cannot delete table %s in region %s because it has deletion protection enabled. Disable deletion protection first.",
			e.Name, r.name)
	}
	return nil
}

func commandFor(e *catalog.Entry, ch catalog.Change) command {
	switch {
	case ch.CreateReplica != "":
		return command{Name: cmdAddReplica, Table: e.ID, Region: ch.CreateReplica, Settings: &ch.Settings}
	case ch.DeleteReplica != "":
		return command{Name: cmdRemoveReplica, Table: e.ID, Region: ch.DeleteReplica}
	}
	return command{Name: cmdApply, Table: e.ID, Change: &ch}
}

// DeleteTable takes this region's replica of a table away, and the table with it if that was the last.
func (r *Region) DeleteTable(ctx context.Context, name string) (catalog.View, error) {
	e := r.catalog.Lookup(name)
	if e == nil {
		return catalog.View{}, notFound(name)
	}
	m := e.Member(r.name)
	switch {
	case m.State == catalog.MemberDeleting:
		return catalog.View{}, fault.New(fault.InUse, "Attempt to change a resource which is still in use: Table is being deleted: %s", name)
	case !e.Local.Ready:
		return catalog.View{}, fault.New(fault.InUse, "Attempt to change a resource which is still in use: Table is being created: %s", name)
	case e.Local.DeletionProtection:
		return catalog.View{}, fault.New(fault.Invalid, "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	v := r.view(e)
	if _, err := r.askKeeper(ctx, e, command{Name: cmdRemoveReplica, Table: e.ID, Region: r.name}); err != nil {
		return catalog.View{}, err
	}
	v.Status = "DELETING"
	return v, nil
}

// SetTags sets and removes tags of a table in this region; tags do not travel (DYNAMODB.md 10.3), except the conflict
// policy's, which the keeper sets for all regions, first.
func (r *Region) SetTags(ctx context.Context, name string, set map[string]string, remove []string) error {
	e := r.catalog.Lookup(name)
	if e == nil || !e.Local.Ready {
		return notFound(name)
	}
	policy, asked, err := policyIn(set, remove)
	if err != nil {
		return err
	}
	if !asked {
		policy = e.Policy
	}
	if _, err := changeTags(e.Local.Tags, set, remove, policy != ""); err != nil {
		return err // before the keeper is asked
	}
	if asked {
		if err := r.changePolicy(ctx, e, policy); err != nil {
			return err
		}
	}
	_, err = r.catalog.SetLocal(e.ID, func(l *catalog.Local) (err error) {
		l.Tags, err = changeTags(l.Tags, set, remove, policy != "")
		return err
	})
	return r.fail(err)
}

// ChangeLocal changes what this region keeps of a table for itself. fn must not keep what it is given.
func (r *Region) ChangeLocal(name string, fn func(*catalog.Local) error) (catalog.View, error) {
	e := r.catalog.Lookup(name)
	if e == nil || !e.Local.Ready {
		return catalog.View{}, notFound(name)
	}
	n, err := r.catalog.SetLocal(e.ID, fn)
	if err != nil {
		return catalog.View{}, r.fail(err)
	}
	return r.view(n), nil
}

const maxTags = 50

// changeTags returns a table's own tags after a change. The policy's counts among them.
func changeTags(old, set map[string]string, remove []string, policy bool) (map[string]string, error) {
	tags := maps.Clone(old)
	if tags == nil {
		tags = map[string]string{}
	}
	maps.Copy(tags, set)
	for _, k := range remove {
		delete(tags, k)
	}
	delete(tags, catalog.PolicyTag)
	n := len(tags)
	if policy {
		n++
	}
	if n > maxTags {
		return nil, fault.New(fault.Invalid, "Number of Tags exceed the current limit for the provided ResourceArn")
	}
	return tags, nil
}
