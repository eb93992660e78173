package catalog

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/stream/record"
)

var seedFlag = flag.Uint64("seed", 0, "seed of random tests; 0: another each time")

// rig is one region's catalog with a clock that the test moves.
type rig struct {
	t      *testing.T
	store  storage.Store
	region string
	now    int64
	clock  crdt.Clock
	*Catalog
}

func newRig(t *testing.T, region string, now int64) *rig {
	r := &rig{t: t, store: memstore.New(), region: region, now: now}
	r.reopen()
	return r
}

func (r *rig) reopen() {
	r.t.Helper()
	c, err := Open(Options{Region: r.region, Store: r.store, Now: func() int64 { return r.now }, Stamp: func() crdt.Stamp {
		return crdt.Stamp{Time: r.clock.Next(r.now), Origin: crdt.Origin{Region: r.region, Incarnation: 1}}
	}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Catalog = c
}

func (r *rig) create(name string) *Entry {
	r.t.Helper()
	pk := []item.KeyAttr{{Name: "pk", Kind: item.String}}
	e, err := r.Create(record.TableID(uuid.New()), Spec{Descriptor: Descriptor{
		Name: name, Schema: item.KeySchema{Hash: pk}, Attributes: pk, Billing: Billing{PayPerRequest: true},
	}}, r.member())
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

func (r *rig) member() Member {
	return Member{Region: r.region, Origin: crdt.Origin{Region: r.region, Incarnation: 1}}
}

func (r *rig) ready(id record.TableID) {
	r.t.Helper()
	if _, err := r.SetLocal(id, func(l *Local) error { l.Ready = true; return nil }); err != nil {
		r.t.Fatal(err)
	}
}

// send brings what b knows, as of the beginning, to a.
func send(t *testing.T, from, to *rig) {
	t.Helper()
	entries, _ := from.For(to.region, 0)
	if err := to.Receive(entries); err != nil {
		t.Fatal(err)
	}
}

// TestTransitions is the whole table of a member's states and what the keeper may be asked for: what becomes of the member,
// and what DynamoDB says where nothing does (DYNAMODB.md 10.2).
func TestTransitions(t *testing.T) {
	const exists, unknown = "because one or more replicas already existed as tables", "were not part of the global table"
	states := []MemberState{"", MemberCreating, MemberActive, MemberDeleting, MemberRemoved}
	asks := map[string]func(c *rig, id record.TableID) (*Entry, error){
		"add":       func(c *rig, id record.TableID) (*Entry, error) { return c.AddReplica(id, Member{Region: "b-1"}) },
		"remove":    func(c *rig, id record.TableID) (*Entry, error) { return c.RemoveReplica(id, "b-1") },
		"activated": func(c *rig, id record.TableID) (*Entry, error) { return c.Activated(id, Member{Region: "b-1"}) },
		"left":      func(c *rig, id record.TableID) (*Entry, error) { return c.Left(id, "b-1", crdt.Origin{}) },
	}
	want := map[string][]string{ // by state, in order; an error by its words
		"add":       {"CREATING", exists, exists, exists, "CREATING"},
		"remove":    {unknown, "DELETING", "DELETING", unknown, unknown},
		"activated": {"", "ACTIVE", "ACTIVE", "DELETING", "REMOVED"},
		"left":      {"", "CREATING", "ACTIVE", "REMOVED", "REMOVED"},
	}
	for ask, do := range asks {
		for i, state := range states {
			t.Run(ask+" "+string(state), func(t *testing.T) {
				a := newRig(t, "a-1", 1000)
				id := a.create("T").ID
				if state != "" {
					a.force(id, Member{Region: "b-1", State: state})
				}
				before := a.ByID(id).Revision
				e, err := do(a, id)
				var got string
				if err != nil {
					got = err.Error()
				} else if m := e.Member("b-1"); m != nil {
					got = string(m.State)
				}
				if err != nil && !strings.Contains(got, want[ask][i]) || err == nil && got != want[ask][i] {
					t.Errorf("got %q, want %q", got, want[ask][i])
				}
				if changed := err == nil && got != string(state); changed != (a.ByID(id).Revision != before) {
					t.Errorf("from %q to %q the revision went from %s to %s", state, got, before, a.ByID(id).Revision)
				}
			})
		}
	}
}

// force lists a member in a state, whatever the rules say.
func (r *rig) force(id record.TableID, m Member) {
	r.t.Helper()
	if _, err := r.change(id, func(e *Entry) (*Descriptor, error) {
		n := e.clone()
		n.setMember(m)
		return n, nil
	}); err != nil {
		r.t.Fatal(err)
	}
}

// TestOneChangeAtATime: what waits for what (DYNAMODB.md 5.1, 10.2).
func TestOneChangeAtATime(t *testing.T) {
	class := "STANDARD_INFREQUENT_ACCESS"
	index := func(name string) *Index {
		return &Index{Name: name, Projection: "ALL", Schema: item.KeySchema{Hash: []item.KeyAttr{{Name: "pk"}}}}
	}
	a := newRig(t, "a-1", 1000)
	id := a.create("T").ID
	if _, err := a.Apply(id, Change{CreateIndex: index("x")}); err != nil {
		t.Fatal(err)
	}
	check := func(what string, err error, kind fault.Kind, words string) {
		t.Helper()
		if err == nil || fault.KindOf(err) != kind || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// x is being built here.
	_, err := a.Apply(id, Change{CreateIndex: index("y")})
	check("a second index", err, fault.Limit, "Only 1 online index")
	_, err = a.Apply(id, Change{Class: &class})
	check("another change of a regional table", err, fault.InUse, "Attempt to change a resource which is still in use: ")
	_, err = a.Apply(id, Change{DeleteIndex: "another"})
	check("deleting another index", err, fault.Limit, "Only 1 online index")
	_, err = a.Apply(id, Change{Stream: &StreamSpec{Enabled: true, View: "KEYS_ONLY"}})
	check("a stream", err, fault.InUse, "still in use")
	if _, err = a.Apply(id, Change{OnDemand: &OnDemand{MaxRead: 5}}); err != nil {
		t.Errorf("a throughput waits for no index: %v", err)
	}
	_, err = a.AddReplica(id, Member{Region: "b-1"})
	check("a replica", err, fault.InUse, "still in use")
	if got := a.ByID(id).View("a-1").Status; got != "UPDATING" {
		t.Errorf("status %s", got)
	}
	if _, err := a.Apply(id, Change{TTL: &TTLSpec{Enabled: true, Attribute: "t"}}); err != nil {
		t.Errorf("expiry waits for nothing: %v", err)
	}
	e, err := a.Apply(id, Change{DeleteIndex: "x"})
	if err != nil {
		t.Fatalf("an index that is being built can be deleted: %v", err)
	}
	if !slices.Equal(e.Local.Dropping, []uint32{1}) || len(e.Local.Built) > 0 {
		t.Errorf("its entries are not noted for removal: %+v", e.Local)
	}
	if e, err = a.AddReplica(id, Member{Region: "b-1"}); err != nil {
		t.Fatal(err)
	}
	if !e.Stream.Enabled || e.Stream.View != "NEW_AND_OLD_IMAGES" || e.Stream.Label == "" {
		t.Errorf("the stream is %+v", e.Stream)
	}
	_, err = a.Apply(id, Change{Class: &class})
	check("a change while a replica is added", err, fault.InUse, "The resource which you are attempting to change is in use.")
	_, err = a.AddReplica(id, Member{Region: "c-1"})
	check("another replica", err, fault.InUse, "in use")
	_, err = a.RemoveReplica(id, "a-1")
	check("leaving while another is filled", err, fault.InUse, "in use")
	if _, err := a.RemoveReplica(id, "b-1"); err != nil {
		t.Errorf("one that is being filled can be given up: %v", err)
	}
}

// TestProvisionedTablesHaveNoReplicas, until autoscaling is there (DYNAMODB.md 10.2).
func TestProvisionedTablesHaveNoReplicas(t *testing.T) {
	a := newRig(t, "a-1", 1000)
	id := a.create("T").ID
	no := false
	if _, err := a.Apply(id, Change{Billing: &no, Throughput: &Throughput{5, 5}}); err != nil {
		t.Fatal(err)
	}
	_, err := a.AddReplica(id, Member{Region: "b-1"})
	if err == nil || err.Error() != "Table write capacity should either be Pay-Per-Request or AutoScaled." {
		t.Errorf("got %v", err)
	}
}

// TestStreams: on, off, on again has a new label, however soon; a re-send is refused; a member's cannot be turned off.
func TestStreams(t *testing.T) {
	a := newRig(t, "a-1", 1000)
	id := a.create("T").ID
	on, off := Change{Stream: &StreamSpec{Enabled: true, View: "KEYS_ONLY"}}, Change{Stream: &StreamSpec{}}
	labels := map[string]bool{}
	for range 3 {
		e, err := a.Apply(id, on)
		if err != nil {
			t.Fatal(err)
		}
		if labels[e.Stream.Label] {
			t.Errorf("label %s again", e.Stream.Label)
		}
		labels[e.Stream.Label] = true
		if _, err := a.Apply(id, on); err == nil || err.Error() != "Table already has an enabled stream: TableName: T" {
			t.Errorf("enabled again: %v", err)
		}
		if e, err = a.Apply(id, off); err != nil || e.Local.OpenStream() != nil {
			t.Fatalf("off: %v", err)
		}
		if _, err := a.Apply(id, off); err == nil || err.Error() != "Table has no stream to disable: TableName: T" {
			t.Errorf("disabled again: %v", err)
		}
	}
	if _, err := a.Apply(id, on); err != nil {
		t.Fatal(err)
	}
	e, err := a.AddReplica(id, Member{Region: "b-1"})
	if err != nil || e.Stream.View != "KEYS_ONLY" {
		t.Errorf("a stream of another view is taken as it is: %+v, %v", e.Stream, err)
	}
	if _, err = a.Activated(id, Member{Region: "b-1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Apply(id, off); err == nil || !strings.Contains(err.Error(), "Disabling Stream is not allowed for a Global Table replica.") {
		t.Errorf("off on a member: %v", err)
	}
}

// TestHandOver: the oldest active member inherits; the last one out deletes.
func TestHandOver(t *testing.T) {
	a := newRig(t, "a-1", 1000)
	id := a.create("T").ID
	a.force(id, Member{Region: "c-1", State: MemberActive, Since: 2000})
	a.force(id, Member{Region: "b-1", State: MemberActive, Since: 3000})
	a.force(id, Member{Region: "d-1", State: MemberDeleting, Since: 1})
	if _, err := a.RemoveReplica(id, "a-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Left(id, "a-1", crdt.Origin{}); fault.KindOf(err) != fault.Internal {
		t.Errorf("left without handing on: %v", err)
	}
	e, err := a.HandOver(id)
	if err != nil || e.Keeper != "c-1" || e.Epoch != 2 {
		t.Fatalf("keeper %s in epoch %d, %v", e.Keeper, e.Epoch, err)
	}
	if _, err := a.Left(id, "a-1", crdt.Origin{}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("who keeps no more decides: %v", err)
	}
	c := newRig(t, "c-1", 10) // whose clock is behind
	send(t, a, c)
	old := e.Revision
	if e, err = c.Left(id, "a-1", crdt.Origin{}); err != nil || e.Member("a-1").State != MemberRemoved {
		t.Fatalf("left: %v", err)
	}
	for _, m := range []string{"b-1", "d-1"} {
		if e.Member(m).State == MemberActive {
			if _, err = c.RemoveReplica(id, m); err != nil {
				t.Fatal(err)
			}
		}
		if e, err = c.Left(id, m, crdt.Origin{}); err != nil || e.Deleted {
			t.Fatalf("%s left: %v, deleted %v", m, err, e.Deleted)
		}
	}
	if !old.Less(e.Revision) {
		t.Errorf("revision %s after %s: a clock that is behind made an older one", e.Revision, old)
	}
	if _, err = c.RemoveReplica(id, "c-1"); err != nil {
		t.Fatal(err)
	}
	if e, err = c.HandOver(id); err != nil || e.Keeper != "c-1" {
		t.Fatalf("nobody to hand on to: %s, %v", e.Keeper, err)
	}
	if e, err = c.Left(id, "c-1", crdt.Origin{}); err != nil || !e.Deleted {
		t.Errorf("the last one out: %v, deleted %v", err, e.Deleted)
	}
}

// TestBackAgain: a region that left and is a member again has nothing from before; one whose data is not dropped yet cannot
// come back.
func TestBackAgain(t *testing.T) {
	a, b := newRig(t, "a-1", 1000), newRig(t, "b-1", 1000)
	id := a.create("T").ID
	step := func(_ *Entry, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		send(t, a, b)
	}
	if err := b.Reserve("T", id); err != nil {
		t.Fatal(err)
	}
	step(a.AddReplica(id, Member{Region: "b-1"}))
	if _, err := b.SetLocal(id, func(l *Local) error {
		l.Ready, l.DeletionProtection, l.Tags, l.Sources = true, true, map[string]string{"k": "v"}, []string{"a-1"}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	step(a.Activated(id, Member{Region: "b-1"}))
	step(a.RemoveReplica(id, "b-1"))
	step(a.Left(id, "b-1", crdt.Origin{}))
	if err := b.Reserve("T", id); err == nil {
		t.Error("comes back before its data is gone")
	}
	if _, err := b.SetLocal(id, func(l *Local) error { l.Dropped = true; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := b.Reserve("T", id); err != nil {
		t.Error(err)
	}
	step(a.AddReplica(id, Member{Region: "b-1"}))
	if l := b.ByID(id).Local; l.Ready || l.DeletionProtection || l.Tags != nil || l.Sources != nil || l.Dropped {
		t.Errorf("it has %+v from before", l)
	}
}

// TestNames: reserved for a minute, taken by what has a replica here, and never given to two.
func TestNames(t *testing.T) {
	a, b := newRig(t, "a-1", 1000), newRig(t, "b-1", 1000)
	id := a.create("T").ID
	if err := b.Reserve("T", id); err != nil {
		t.Fatal(err)
	}
	pk := []item.KeyAttr{{Name: "pk", Kind: item.String}}
	mk := func() error {
		_, err := b.Create(record.TableID(uuid.New()), Spec{Descriptor: Descriptor{Name: "T", Schema: item.KeySchema{Hash: pk}}}, b.member())
		return err
	}
	if err := mk(); fault.KindOf(err) != fault.Exists {
		t.Errorf("a promised name was given away: %v", err)
	}
	b.now += 60_000
	if err := mk(); err != nil {
		t.Errorf("the promise is over: %v", err)
	}
	own := b.Lookup("T").ID
	// The replica comes all the same, late: the name stays with the table that was first here.
	b.now++
	if _, err := a.AddReplica(id, Member{Region: "b-1"}); err != nil {
		t.Fatal(err)
	}
	send(t, a, b)
	b.reopen()
	if b.Lookup("T").ID != own || len(b.Names()) != 1 {
		t.Errorf("the name went to %s, names are %q", b.Lookup("T").ID, b.Names())
	}
	if _, err := b.RemoveReplica(own, "b-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Left(own, "b-1", crdt.Origin{}); err != nil {
		t.Fatal(err)
	}
	if e := b.Lookup("T"); e == nil || e.ID != id {
		t.Errorf("the other table does not get the name that is free now: %v", e)
	}
}

// TestReceive takes what is newer, in any order, twice, several of one table at once; and refuses what is none.
func TestReceive(t *testing.T) {
	a := newRig(t, "a-1", 1000)
	id := a.create("T").ID
	var all [][]byte
	add := func(_ *Entry, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, encode(a.ByID(id).Descriptor))
	}
	add(a.AddReplica(id, Member{Region: "b-1"}))
	add(a.Activated(id, Member{Region: "b-1"}))
	add(a.RemoveReplica(id, "b-1"))
	b := newRig(t, "b-1", 1000)
	if err := b.Receive([][]byte{all[1], all[2], all[0]}); err != nil {
		t.Fatal(err)
	}
	if got := b.ByID(id).Member("b-1").State; got != MemberDeleting {
		t.Errorf("of three revisions at once %s was kept", got)
	}
	for _, bad := range []string{"", "{", "null", "{}", `{"id":"00000000-0000-0000-0000-000000000000","name":"x","keeper":"a-1"}`, `[]`} {
		if err := b.Receive([][]byte{[]byte(bad)}); err == nil {
			t.Errorf("took %q", bad)
		}
	}
	// What a newer version adds is no reason to refuse it.
	var m map[string]any
	if err := json.Unmarshal(all[0], &m); err != nil {
		t.Fatal(err)
	}
	m["later"], m["epoch"] = 1, 7
	newer, _ := json.Marshal(m)
	if err := b.Receive([][]byte{newer}); err != nil || b.ByID(id).Epoch != 7 {
		t.Errorf("epoch %d, %v", b.ByID(id).Epoch, err)
	}
}

// TestConvergence: regions make random changes and exchange descriptors in any order, repeated and late. Once everybody has
// heard from everybody all agree, whoever kept a table meanwhile, and a restart changes nothing.
func TestConvergence(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d (run again with -seed=%d)", seed, seed)
	for run := range 300 {
		g := rand.New(rand.NewPCG(seed, uint64(run)))
		rigs := []*rig{newRig(t, "a-1", 1000), newRig(t, "b-1", 1000+g.Int64N(5000)), newRig(t, "c-1", g.Int64N(1000))}
		id := rigs[0].create("T").ID
		var sent [][]byte
		for range 60 {
			r := rigs[g.IntN(3)]
			r.now += g.Int64N(3)
			switch k := g.IntN(10); {
			case k < 5:
				r.randomChange(g, id)
				if e := r.ByID(id); e != nil {
					sent = append(sent, encode(e.Descriptor))
				}
			case k < 9 && len(sent) > 0:
				if err := r.Receive([][]byte{sent[g.IntN(len(sent))]}); err != nil {
					t.Fatal(err)
				}
			default:
				before := r.ByID(id)
				r.reopen()
				if after := r.ByID(id); (before == nil) != (after == nil) || before != nil &&
					(string(encode(before.Descriptor)) != string(encode(after.Descriptor)) || !sameJSON(before.Local, after.Local)) {
					t.Fatalf("run %d: a restart changed %+v to %+v", run, before, after)
				}
			}
		}
		for _, i := range g.Perm(len(sent)) {
			for _, r := range rigs {
				if err := r.Receive([][]byte{sent[i]}); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, r := range rigs[1:] {
			if a, b := rigs[0].ByID(id), r.ByID(id); b != nil && string(encode(a.Descriptor)) != string(encode(b.Descriptor)) {
				t.Fatalf("seed %d run %d: %s has %+v, a-1 has %+v", seed, run, r.region, b.Descriptor, a.Descriptor)
			}
		}
		if a := rigs[0].ByID(id); !a.Deleted && !slices.ContainsFunc(a.Members, func(m Member) bool { return m.Region == a.Keeper && m.State != MemberRemoved }) {
			t.Fatalf("seed %d run %d: the keeper %s is no member: %+v", seed, run, a.Keeper, a.Members)
		}
	}
}

// randomChange is something that a region, or its lifecycle, might ask of its catalog. Most of it is refused.
func (r *rig) randomChange(g *rand.Rand, id record.TableID) {
	e := r.ByID(id)
	if e == nil {
		return
	}
	other := []string{"a-1", "b-1", "c-1"}[g.IntN(3)]
	switch g.IntN(7) {
	case 0:
		_, _ = r.AddReplica(id, Member{Region: other})
	case 1:
		_, _ = r.Activated(id, Member{Region: other, Origin: crdt.Origin{Region: other, Incarnation: g.Uint64N(2)}})
	case 2:
		_, _ = r.RemoveReplica(id, other)
	case 3:
		if m := e.Member(other); m != nil && m.State == MemberDeleting && other == e.Keeper {
			_, _ = r.HandOver(id)
		} else {
			_, _ = r.Left(id, other, crdt.Origin{})
		}
	case 4:
		name := fmt.Sprint("i", g.IntN(2))
		_, _ = r.Apply(id, Change{CreateIndex: &Index{Name: name, Schema: item.KeySchema{Hash: []item.KeyAttr{{Name: "pk"}}}}})
	case 5:
		_, _ = r.Apply(id, Change{DeleteIndex: fmt.Sprint("i", g.IntN(2))})
	case 6:
		_, _ = r.SetLocal(id, func(l *Local) error {
			l.Ready = true
			for _, ix := range e.Indexes {
				if !e.IndexBuilt(ix.ID) {
					l.Built = append(l.Built, ix.ID)
				}
			}
			return nil
		})
	}
}

// TestForAndWait: a region is sent what it is, or was, a member of, and only what changed.
func TestForAndWait(t *testing.T) {
	a := newRig(t, "a-1", 1000)
	first, second := a.create("T").ID, a.create("U").ID
	if _, err := a.AddReplica(first, Member{Region: "b-1"}); err != nil {
		t.Fatal(err)
	}
	all, v := a.For("b-1", 0)
	if len(all) != 1 {
		t.Fatalf("b-1 is sent %d tables", len(all))
	}
	a.ready(second)
	if news, _ := a.For("b-1", v); len(news) != 0 {
		t.Errorf("b-1 is sent a table that it has no part in: %s", news)
	}
	changed := a.Changed()
	if _, err := a.Activated(first, Member{Region: "b-1"}); err != nil {
		t.Fatal(err)
	}
	<-changed
	if err := a.WaitChange(t.Context(), v); err != nil {
		t.Error(err)
	}
	if news, _ := a.For("b-1", v); len(news) != 1 {
		t.Errorf("b-1 is sent %d changes", len(news))
	}
}

// TestCorrupt: bytes that are no catalog stop the region; they are not skipped.
func TestCorrupt(t *testing.T) {
	for _, kv := range [][2]string{{"c", "{}"}, {"c0123456789abcdef", "{"}, {"c0123456789abcdef", "{}"}, {"d0123456789abcdef", "["}} {
		s := memstore.New()
		tx, err := s.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Set([]byte(kv[0]), []byte(kv[1])); err != nil {
			t.Fatal(err)
		}
		d, err := tx.Commit(nil)
		if err != nil || d.Wait() != nil {
			t.Fatal(err)
		}
		_, err = Open(Options{Region: "a-1", Store: s})
		if c := new(storage.CorruptionError); !asCorruption(err, &c) {
			t.Errorf("%q: %v", kv, err)
		}
	}
}

func asCorruption(err error, c **storage.CorruptionError) bool { return errors.As(err, c) }

func sameJSON(a, b any) bool {
	x, xerr := json.Marshal(a)
	y, yerr := json.Marshal(b)
	return xerr == nil && yerr == nil && string(x) == string(y)
}

// TestLeftRebuilt: a region was rebuilt, and leaves before the keeper knows. Its earlier life is gone; the present one has drained
// what it wrote, and is the one that has left.
func TestLeftRebuilt(t *testing.T) {
	a := newRig(t, "a-1", 1000)
	id := a.create("T").ID
	before, now := crdt.Origin{Region: "b-1", Incarnation: 5}, crdt.Origin{Region: "b-1", Incarnation: 7}
	if _, err := a.AddReplica(id, Member{Region: "b-1", Origin: before, From: 30}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Activated(id, Member{Region: "b-1", Origin: before, From: 30}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.RemoveReplica(id, "b-1"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		e, err := a.Left(id, "b-1", now)
		if err != nil {
			t.Fatal(err)
		}
		if m := e.Member("b-1"); m.State != MemberRemoved || m.Origin != now || m.From != 0 {
			t.Errorf("%+v has left, not %v", m, now)
		}
		if !e.IsGone(before) || e.IsGone(now) {
			t.Errorf("gone: %v", e.Gone)
		}
	}
}
