package region

import (
	"context"
	"encoding/json"
	"errors"
	"maps"

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
	e, err := r.catalog.Create(record.TableID(uuid.New()), spec, catalog.Member{Origin: r.origin, From: r.log.Last()})
	if err != nil {
		return catalog.View{}, r.fail(err)
	}
	v := e.View(r.name)
	v.Status = "CREATING"
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
	v.Items, v.Bytes = n.Items, n.Bytes
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
	if m := e.Member(r.name); m.State == catalog.MemberDeleting || !e.Local.Ready {
		return catalog.View{}, fault.New(fault.InUse, "The resource which you are attempting to change is in use.")
	}
	if ch.DeletionProtection != nil {
		n, err := r.catalog.SetLocal(e.ID, func(l *catalog.Local) error {
			l.DeletionProtection, l.ProtectionChanged = *ch.DeletionProtection, r.clock.Now()
			return nil
		})
		if err != nil {
			return catalog.View{}, r.fail(err)
		}
		return r.view(n), nil
	}
	n, err := r.askKeeper(ctx, e, commandFor(e, ch))
	if err != nil {
		return catalog.View{}, err
	}
	v := r.view(e)
	if ch.CreateReplica != "" || ch.DeleteReplica != "" || ch.CreateIndex != nil || ch.DeleteIndex != "" || ch.Stream != nil {
		v = r.view(n)
	}
	v.Status = "UPDATING"
	return v, nil
}

func commandFor(e *catalog.Entry, ch catalog.Change) command {
	switch {
	case ch.CreateReplica != "":
		return command{Name: cmdAddReplica, Table: e.ID, Region: ch.CreateReplica}
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

// SetTags sets and removes tags of a table in this region; tags do not travel (DYNAMODB.md 10.3).
func (r *Region) SetTags(_ context.Context, name string, set map[string]string, remove []string) error {
	e := r.catalog.Lookup(name)
	if e == nil {
		return notFound(name)
	}
	_, err := r.catalog.SetLocal(e.ID, func(l *catalog.Local) error {
		tags := maps.Clone(l.Tags)
		if tags == nil {
			tags = map[string]string{}
		}
		maps.Copy(tags, set)
		for _, k := range remove {
			delete(tags, k)
		}
		if len(tags) > 50 {
			return fault.New(fault.Invalid, "Number of Tags exceed the current limit for the provided ResourceArn")
		}
		l.Tags = tags
		return nil
	})
	return r.fail(err)
}

// command is one request about a table to its keeper, or to a region that is to hold it.
type command struct {
	Name       string              `json:"name"`
	Table      record.TableID      `json:"table"`
	Region     string              `json:"region,omitempty"`
	Change     *catalog.Change     `json:"change,omitempty"`
	Descriptor *catalog.Descriptor `json:"descriptor,omitempty"`
}

const (
	cmdApply         = "table.apply"
	cmdAddReplica    = "table.addReplica"
	cmdRemoveReplica = "table.removeReplica"
	cmdActivated     = "table.activated"
	cmdLeft          = "table.left"
	cmdPrepare       = "table.prepare"
)

// reply answers a command: the table's new description, a member's particulars, or an error.
type reply struct {
	Descriptor *catalog.Descriptor `json:"descriptor,omitempty"`
	Member     *catalog.Member     `json:"member,omitempty"`
	Kind       fault.Kind          `json:"kind,omitempty"`
	Error      string              `json:"error,omitempty"`
}

// askKeeper has a command carried out by the table's keeper: here, or where the keeper is. What it answers is taken over
// at once, so that the caller sees its own change.
func (r *Region) askKeeper(ctx context.Context, e *catalog.Entry, c command) (*catalog.Entry, error) {
	if e.Keeper == r.name {
		n, err := r.keep(ctx, c)
		if err != nil {
			return nil, r.fail(err)
		}
		r.inbound.refresh(false)
		r.poke()
		return n, nil
	}
	rep, err := r.send(ctx, e.Keeper, c)
	if err != nil {
		return nil, err
	}
	if rep.Descriptor == nil {
		return nil, fault.New(fault.Internal, "region %s answered %s without a description", e.Keeper, c.Name)
	}
	b, err := json.Marshal(rep.Descriptor)
	if err != nil {
		return nil, err
	}
	if err := r.ApplyCatalog(ctx, r.origin, [][]byte{b}); err != nil {
		return nil, err
	}
	return r.catalog.ByID(e.ID), nil
}

// send has another region handle a command.
func (r *Region) send(ctx context.Context, to string, c command) (reply, error) {
	p := r.peersOrNil()
	if p == nil {
		return reply{}, fault.New(fault.Unavailable, "region %s cannot be reached: this region works alone", to)
	}
	b, err := json.Marshal(c)
	if err != nil {
		return reply{}, err
	}
	b, err = p.Call(ctx, to, c.Name, b)
	if err != nil {
		return reply{}, fault.Wrap(fault.Unavailable, err, "region %s cannot be reached", to)
	}
	var rep reply
	if err := json.Unmarshal(b, &rep); err != nil {
		return reply{}, fault.Wrap(fault.Internal, err, "region %s answered %s with something else", to, c.Name)
	}
	if rep.Error != "" {
		return reply{}, &fault.Error{Kind: rep.Kind, Message: rep.Error}
	}
	return rep, nil
}

// Handle carries out a command of another region.
func (r *Region) Handle(ctx context.Context, from, name string, payload []byte) ([]byte, error) {
	var c command
	if err := json.Unmarshal(payload, &c); err != nil || c.Name != name {
		return nil, errors.Join(errors.New("region: command "+name+" from "+from+" cannot be read"), err)
	}
	var rep reply
	err := func() error {
		if name == cmdPrepare {
			m, err := r.prepare(c)
			rep.Member = m
			return err
		}
		e, err := r.keep(ctx, c)
		if err == nil {
			rep.Descriptor = e.Descriptor
			r.inbound.refresh(false)
			r.poke()
		}
		return r.fail(err)
	}()
	if err != nil {
		rep = reply{Kind: fault.KindOf(err), Error: err.Error()}
	}
	return json.Marshal(rep)
}

// keep carries out a command as the table's keeper.
func (r *Region) keep(ctx context.Context, c command) (*catalog.Entry, error) {
	switch c.Name {
	case cmdApply:
		if c.Change == nil {
			return nil, errors.New("region: a change without content")
		}
		return r.catalog.Apply(c.Table, *c.Change)
	case cmdAddReplica:
		return r.addReplica(ctx, c)
	case cmdRemoveReplica:
		return r.catalog.RemoveReplica(c.Table, c.Region)
	case cmdActivated:
		return r.catalog.Activated(c.Table, c.Region)
	case cmdLeft:
		return r.catalog.Left(c.Table, c.Region)
	}
	return nil, fault.New(fault.Unbuilt, "this version knows no command %s", c.Name)
}

// addReplica asks the new region whether it can hold the table before it is listed: names are each region's own affair.
func (r *Region) addReplica(ctx context.Context, c command) (*catalog.Entry, error) {
	e := r.catalog.ByID(c.Table)
	if e == nil || e.Deleted {
		return nil, fault.New(fault.NotFound, "Requested resource not found")
	}
	rep, err := r.send(ctx, c.Region, command{Name: cmdPrepare, Table: c.Table, Descriptor: e.Descriptor})
	if err != nil {
		return nil, err
	}
	if rep.Member == nil {
		return nil, fault.New(fault.Internal, "region %s prepared table %s without saying where it stands", c.Region, e.Name)
	}
	m := *rep.Member
	m.Region = c.Region
	return r.catalog.AddReplica(c.Table, m)
}

// prepare promises the table's name and says where this region's log stands.
func (r *Region) prepare(c command) (*catalog.Member, error) {
	if c.Descriptor == nil {
		return nil, errors.New("region: nothing to prepare")
	}
	if err := r.catalog.Reserve(c.Descriptor.Name, c.Table); err != nil {
		return nil, err
	}
	return &catalog.Member{Region: r.name, Origin: r.origin, From: r.log.Last()}, nil
}
