package region

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/stream/record"
)

// command is one request about a table to its keeper, or to another member. Those to the keeper carry the description that
// the asker goes by: a keeper that has been made one lately, or rebuilt, may learn of it in this way first.
type command struct {
	Name       string                  `json:"name"`
	Table      record.TableID          `json:"table"`
	Region     string                  `json:"region,omitempty"`
	Settings   *catalog.MemberSettings `json:"settings,omitempty"` // of a new replica
	Change     *catalog.Change         `json:"change,omitempty"`
	Member     *catalog.Member         `json:"member,omitempty"`
	Descriptor *catalog.Descriptor     `json:"descriptor,omitempty"`
	Origin     crdt.Origin             `json:"origin,omitzero"` // whom an expulsion or a question is about, or who leaves
}

// Commands to the keeper.
const (
	cmdApply         = "table.apply"
	cmdAddReplica    = "table.addReplica"
	cmdRemoveReplica = "table.removeReplica"
	cmdActivated     = "table.activated"
	cmdLeft          = "table.left"
	cmdExpel         = "table.expel"
)

// Commands to a member, or to a region that is to be one.
const (
	cmdPrepare  = "table.prepare"
	cmdHolds    = "table.holds"
	cmdHaves    = "table.haves"
	cmdMayLeave = "table.mayLeave"
	cmdHeldOf   = "table.heldOf"
)

// reply answers a command: the table's description, a member's particulars, or an error. An error can come with the
// description, when the asker went by an older one.
type reply struct {
	Descriptor *catalog.Descriptor `json:"descriptor,omitempty"`
	Member     *catalog.Member     `json:"member,omitempty"`
	// Haves says up to when the table has everything of each origin.
	Haves map[crdt.Origin]crdt.Time `json:"haves,omitempty"`
	Floor crdt.Time                 `json:"floor,omitempty"`
	Kind  fault.Kind                `json:"kind,omitempty"`
	Error string                    `json:"error,omitempty"`
}

// askKeeper has a command carried out by the table's keeper: here, or where the keeper is. What it answers is taken over
// at once, so that the caller sees its own change. A keeper that has handed on says to whom, and that one is asked, once.
func (r *Region) askKeeper(ctx context.Context, e *catalog.Entry, c command) (*catalog.Entry, error) {
	asked := e.Keeper
	n, err := r.askOne(ctx, e, c)
	if err == nil {
		return n, nil
	}
	if now := r.catalog.ByID(e.ID); now.Keeper != asked && fault.KindOf(err) == fault.Unavailable {
		return r.askOne(ctx, now, c)
	}
	return nil, err
}

func (r *Region) askOne(ctx context.Context, e *catalog.Entry, c command) (*catalog.Entry, error) {
	if e.Keeper == r.name {
		n, err := r.keep(ctx, c)
		if err != nil {
			return nil, r.fail(err)
		}
		r.inbound.refresh(false)
		r.poke()
		return n, nil
	}
	c.Descriptor = e.Descriptor
	rep, err := r.send(ctx, e.Keeper, c)
	if rep.Descriptor != nil {
		b, merr := json.Marshal(rep.Descriptor)
		if err := errors.Join(err, merr, r.ApplyCatalog(ctx, r.origin, [][]byte{b})); err != nil {
			return nil, err
		}
		return r.catalog.ByID(e.ID), nil
	}
	if err == nil {
		err = fault.New(fault.Internal, "region %s answered %s without a description", e.Keeper, c.Name)
	}
	return nil, err
}

// send has another region handle a command. An error that the other region answered comes with its reply.
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
		return rep, &fault.Error{Kind: rep.Kind, Message: rep.Error}
	}
	return rep, nil
}

// Handle carries out a command of another region.
func (r *Region) Handle(ctx context.Context, from, name string, payload []byte) ([]byte, error) {
	switch name {
	case cmdRelay:
		return r.answerRelay(ctx, payload)
	case cmdReport:
		return r.answerReport(from, payload)
	}
	var c command
	if err := json.Unmarshal(payload, &c); err != nil || c.Name != name {
		return nil, errors.Join(errors.New("region: command "+name+" from "+from+" cannot be read"), err)
	}
	rep, err := r.carryOut(ctx, from, c)
	if err != nil {
		rep.Kind, rep.Error = fault.KindOf(r.fail(err)), said(err)
	}
	return json.Marshal(rep)
}

// said is what the other region, and perhaps its client, reads of an error.
func said(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return err.Error()
}

func (r *Region) carryOut(ctx context.Context, from string, c command) (rep reply, err error) {
	switch c.Name {
	case cmdPrepare:
		rep.Member, err = r.prepare(c)
		return rep, err
	case cmdHolds:
		return rep, r.holds(c)
	case cmdHaves:
		rep.Haves, rep.Floor, err = r.haves(ctx, c)
		return rep, err
	case cmdMayLeave:
		return rep, r.protected(c)
	case cmdDescribed:
		rep.Descriptor, err = r.described(ctx, c)
		return rep, err
	case cmdHeldOf:
		rep.Haves, err = r.heldOf(from, c)
		return rep, err
	}
	if c.Descriptor != nil {
		b, err := json.Marshal(c.Descriptor)
		if err := errors.Join(err, r.ApplyCatalog(ctx, r.origin, [][]byte{b})); err != nil {
			return rep, err
		}
	}
	e, err := r.keep(ctx, c)
	if err != nil {
		if have := r.catalog.ByID(c.Table); have != nil && have.Keeper != r.name {
			rep.Descriptor = have.Descriptor
		}
		return rep, err
	}
	r.inbound.refresh(false)
	r.poke()
	rep.Descriptor = e.Descriptor
	return rep, nil
}

// keep carries out a command as the table's keeper.
func (r *Region) keep(ctx context.Context, c command) (*catalog.Entry, error) {
	switch c.Name {
	case cmdApply:
		if c.Change == nil {
			return nil, errors.New("region: a change without content")
		}
		return r.closing(func() (*catalog.Entry, error) { return r.catalog.Apply(c.Table, *c.Change) })
	case cmdAddReplica:
		return r.addReplica(ctx, c)
	case cmdRemoveReplica:
		return r.closing(func() (*catalog.Entry, error) { return r.catalog.RemoveReplica(c.Table, c.Region) })
	case cmdActivated:
		if c.Member == nil {
			return nil, errors.New("region: activated without saying who")
		}
		return r.catalog.Activated(c.Table, *c.Member)
	case cmdLeft:
		return r.catalog.Left(c.Table, c.Region, c.Origin)
	case cmdExpel:
		return r.catalog.Expel(c.Table, r.inbound.newestOf(c.Origin))
	}
	return nil, fault.New(fault.Unbuilt, "this version knows no command %s", c.Name)
}

// addReplica asks the new region whether it can hold the table before it is listed: names are each region's own affair.
func (r *Region) addReplica(ctx context.Context, c command) (*catalog.Entry, error) {
	e := r.catalog.ByID(c.Table)
	if e == nil || e.Deleted {
		return nil, fault.New(fault.NotFound, "Requested resource not found")
	}
	var settings catalog.MemberSettings
	if c.Settings != nil {
		settings = *c.Settings
	}
	if err := e.MayAdd(c.Region, settings); err != nil {
		return nil, err
	}
	if CheckName(c.Region) != nil {
		return nil, r.errUnsupported(c.Region)
	}
	rep, err := r.sendToNew(ctx, c.Region, command{Name: cmdPrepare, Table: c.Table, Descriptor: e.Descriptor})
	if err != nil {
		return nil, err
	}
	if rep.Member == nil {
		return nil, fault.New(fault.Internal, "region %s prepared table %s without saying where it stands", c.Region, e.Name)
	}
	if rep.Member.Region != c.Region || rep.Member.Origin.Region != c.Region {
		return nil, fault.New(fault.Internal, "region %s answered for region %s", rep.Member.Region, c.Region)
	}
	rep.Member.MemberSettings = settings
	return r.catalog.AddReplica(c.Table, *rep.Member)
}

// newRegionPatience is how long a region that nobody has heard of may take to be heard of: it may be just starting.
const newRegionPatience = 2 * time.Second

// sendToNew is send for a region that may not exist.
func (r *Region) sendToNew(ctx context.Context, to string, c command) (reply, error) {
	for tries := 0; ; tries++ {
		rep, err := r.send(ctx, to, c)
		var unknown interface{ UnknownRegion() }
		if !errors.As(err, &unknown) {
			return rep, err
		}
		const rest = 100 * time.Millisecond
		if tries == int(newRegionPatience/rest) {
			return reply{}, r.errUnsupported(to)
		}
		select {
		case <-ctx.Done():
			return reply{}, err
		case <-r.ctx.Done():
			return reply{}, err
		case <-time.After(rest):
		}
	}
}

func (r *Region) errUnsupported(region string) error {
	return fault.New(fault.Invalid, "Region %s is not supported. The latest version of global tables are only supported in the following regions: [%s]",
		region, strings.Join(r.knownRegions(), ", "))
}

// knownRegions are those that this region has met in tables.
func (r *Region) knownRegions() []string {
	names := []string{r.name}
	for _, e := range r.catalog.Entries() {
		for _, m := range e.Members {
			names = append(names, m.Region)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// prepare promises the table's name and says where this region's log stands.
func (r *Region) prepare(c command) (*catalog.Member, error) {
	if c.Descriptor == nil {
		return nil, fmt.Errorf("region: nothing to prepare")
	}
	if err := r.catalog.Reserve(c.Descriptor.Name, c.Table); err != nil {
		return nil, err
	}
	return &catalog.Member{Region: r.name, Origin: r.origin, From: r.log.Durable()}, nil
}
