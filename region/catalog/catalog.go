package catalog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Entry is one table as this region has it. It is immutable: a change makes a new Entry.
type Entry struct {
	*Descriptor
	Local   Local
	version uint64 // of the catalog's last change of this entry, counted from this process's start

	// Kept is what the region makes of the entry once and looks at with every request. A change makes another entry.
	Kept atomic.Value
}

// Visible reports whether the table has its name in a region: it has a replica there that has not left.
func (e *Entry) Visible(region string) bool {
	m := e.Member(region)
	return !e.Deleted && !e.Local.Dropped && m != nil && m.State != MemberRemoved
}

// Options is what a Catalog needs. All fields but Position are required.
type Options struct {
	Region string
	Store  storage.Store
	Stamp  func() crdt.Stamp // a fresh stamp of this region
	Now    func() int64      // unix milliseconds
	// Position is where the region's log stands, durably: streams begin and end there. Nil: at 0.
	Position func() record.Seq
}

// Catalog is a region's tables. It is safe for concurrent use; see the package comment.
type Catalog struct {
	opts  Options
	state atomic.Pointer[state]

	mu       sync.Mutex             // held over a whole change, its sync included
	reserved map[string]reservation // names promised to a replica that is about to be added here
}

type reservation struct {
	id    record.TableID
	until int64 // unix ms
}

// state is one immutable snapshot of all entries.
type state struct {
	byID    map[record.TableID]*Entry
	byName  map[string]*Entry
	names   []string // sorted
	version uint64
	changed chan struct{} // closed when a newer state is there
}

// Open reads the catalog from its store.
func Open(o Options) (*Catalog, error) {
	if o.Position == nil {
		o.Position = func() record.Seq { return 0 }
	}
	c := &Catalog{opts: o, reserved: map[string]reservation{}}
	st := &state{byID: map[record.TableID]*Entry{}, changed: make(chan struct{})}
	locals := map[record.TableID]Local{}
	err := scan(o.Store, storage.KindLocal, func(id record.TableID, v []byte) error {
		var l Local
		err := json.Unmarshal(v, &l)
		locals[id] = l
		return err
	})
	if err != nil {
		return nil, err
	}
	err = scan(o.Store, storage.KindCatalog, func(id record.TableID, v []byte) error {
		d := new(Descriptor)
		if err := json.Unmarshal(v, d); err != nil {
			return err
		}
		if d.ID != id {
			return fmt.Errorf("descriptor names table %s", d.ID)
		}
		st.byID[id] = &Entry{Descriptor: d, Local: locals[id], version: 1}
		return nil
	})
	if err != nil {
		return nil, err
	}
	st.version = 1
	st.index(o.Region)
	c.state.Store(st)
	return c, nil
}

func scan(s storage.Reader, kind byte, fn func(record.TableID, []byte) error) error {
	it, err := s.NewIter(storage.IterOptions{Lower: []byte{kind}, Upper: []byte{kind + 1}})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		var id record.TableID
		if len(it.Key()) != 1+len(id) {
			err = errors.New("key has a wrong length")
		} else {
			copy(id[:], it.Key()[1:])
			err = fn(id, it.Value())
		}
		if err != nil {
			err = &storage.CorruptionError{Where: fmt.Sprintf("catalog key %x", it.Key()), Err: err}
			break
		}
	}
	return errors.Join(err, it.Err(), it.Close())
}

// index finds who has which name. Two tables can claim one: a region that was rebuilt from nothing makes a table before it
// hears that a global one of that name has a replica here. Then the one that came here first keeps it, and the other
// waits, filled but without a name, until the first is deleted.
func (st *state) index(region string) {
	st.byName, st.names = map[string]*Entry{}, nil
	for _, e := range st.byID {
		if !e.Visible(region) {
			continue
		}
		have := st.byName[e.Name]
		if have == nil {
			st.names = append(st.names, e.Name)
		}
		if have == nil || e.cameBefore(have) {
			st.byName[e.Name] = e
		}
	}
	slices.Sort(st.names)
}

func (e *Entry) cameBefore(o *Entry) bool {
	if e.Local.Joined != o.Local.Joined {
		return e.Local.Joined < o.Local.Joined
	}
	return bytes.Compare(e.ID[:], o.ID[:]) < 0
}

// Lookup finds the table of a name in this region, nil if there is none.
func (c *Catalog) Lookup(name string) *Entry { return c.state.Load().byName[name] }

// ByID finds a table by its id, deleted ones too; nil if it was never heard of.
func (c *Catalog) ByID(id record.TableID) *Entry { return c.state.Load().byID[id] }

// Names lists the tables of this region in order. The slice is shared: it must not be changed.
func (c *Catalog) Names() []string { return c.state.Load().names }

// Entries lists everything known, deleted tables too, in no order.
func (c *Catalog) Entries() []*Entry {
	st := c.state.Load()
	all := make([]*Entry, 0, len(st.byID))
	for _, e := range st.byID {
		all = append(all, e)
	}
	return all
}

// Changed returns a channel that is closed at the next change.
func (c *Catalog) Changed() <-chan struct{} { return c.state.Load().changed }

// For returns the descriptors that another region must know and that changed after since (0: all), and the version to
// ask from next time: those of tables it is, or was, a member of.
func (c *Catalog) For(region string, since uint64) (entries [][]byte, version uint64) {
	st := c.state.Load()
	for _, e := range st.byID {
		if e.version > since && e.Member(region) != nil {
			entries = append(entries, encode(e.Descriptor))
		}
	}
	return entries, st.version
}

// WaitChange returns when the version is above since, or with ctx's error.
func (c *Catalog) WaitChange(ctx context.Context, since uint64) error {
	for {
		st := c.state.Load()
		if st.version > since {
			return nil
		}
		select {
		case <-st.changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// update writes changed entries in one synced batch and then makes them visible. Callers hold mu.
func (c *Catalog) updateLocked(changed ...*Entry) error {
	if len(changed) == 0 {
		return nil
	}
	tx, err := c.opts.Store.Begin(context.Background())
	if err != nil {
		return err
	}
	defer tx.Discard()
	for _, e := range changed {
		local, err := json.Marshal(e.Local)
		if err == nil {
			err = errors.Join(
				tx.Set(key(storage.KindCatalog, e.ID), encode(e.Descriptor)),
				tx.Set(key(storage.KindLocal, e.ID), local))
		}
		if err != nil {
			return err
		}
	}
	durable, err := tx.Commit(func(storage.Writer) error { return nil })
	if err != nil {
		return err
	}
	if err := durable.Wait(); err != nil {
		return err
	}
	old := c.state.Load()
	st := &state{byID: make(map[record.TableID]*Entry, len(old.byID)+1), version: old.version + 1, changed: make(chan struct{})}
	for id, e := range old.byID {
		st.byID[id] = e
	}
	for _, e := range changed {
		e.version = st.version
		st.byID[e.ID] = e
	}
	st.index(c.opts.Region)
	c.state.Store(st)
	close(old.changed)
	return nil
}

func key(kind byte, id record.TableID) []byte { return append([]byte{kind}, id[:]...) }

func encode(d *Descriptor) []byte {
	b, err := json.Marshal(d)
	if err != nil {
		panic(err) // a plain struct of strings, numbers and lists
	}
	return b
}

// Create makes a table with this region as its keeper and only member.
func (c *Catalog) Create(id record.TableID, spec Spec, self Member) (*Entry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.opts.Now()
	if err := c.freeLocked(spec.Name, id, now); err != nil {
		return nil, err
	}
	d := spec.Descriptor.clone()
	d.ID, d.Keeper, d.Epoch, d.Revision, d.Created = id, c.opts.Region, 1, c.opts.Stamp(), now
	self.Region, self.State, self.Since = c.opts.Region, MemberActive, now
	self.Key = spec.Key
	d.Members = []Member{self}
	l := Local{Ready: true, Joined: now, From: self.From, DeletionProtection: spec.DeletionProtection, Tags: spec.Tags}
	if spec.Resource.Revision != "" {
		l.SetResource("", spec.Resource)
	}
	for i := range d.Indexes {
		d.NextIndex++
		d.Indexes[i].ID, d.Indexes[i].State = d.NextIndex, IndexActive
		l.Built = append(l.Built, d.NextIndex)
	}
	if d.Stream.Enabled {
		d.Stream.Label = StreamLabel(now)
	}
	c.followStream(&l, d)
	if s := l.OpenStream(); s != nil { // nobody writes to the table yet
		s.Begin(c.opts.Position(), now)
	}
	e := &Entry{Descriptor: d, Local: l}
	if err := c.updateLocked(e); err != nil {
		return nil, err
	}
	return e, nil
}

// freeLocked refuses a name that is taken here, or promised to another table.
func (c *Catalog) freeLocked(name string, id record.TableID, now int64) error {
	if e := c.Lookup(name); e != nil && e.ID != id {
		return fault.New(fault.Exists, "Table already exists: %s", name)
	}
	if r, ok := c.reserved[name]; ok {
		if r.id != id && r.until > now {
			return fault.New(fault.Exists, "Table already exists: %s", name)
		}
		delete(c.reserved, name)
	}
	return nil
}

// Reserve promises a name to a replica that is about to be added here, for a minute. An earlier replica of the table must be
// gone altogether: what is left of it is not what the table is now.
func (c *Catalog) Reserve(name string, id record.TableID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.opts.Now()
	if e := c.ByID(id); e != nil && !e.Local.Dropped {
		return errReplicaExists(name)
	}
	if err := c.freeLocked(name, id, now); err != nil {
		return errReplicaExists(name)
	}
	c.reserved[name] = reservation{id, now + 60_000}
	return nil
}

// change replaces a descriptor by what fn makes of it, with a fresh revision; fn returns the same one for no change. Only the
// keeper may.
func (c *Catalog) change(id record.TableID, fn func(*Entry) (*Descriptor, error)) (*Entry, error) {
	return c.changeAny(id, func(e *Entry) (*Descriptor, error) {
		if e.Deleted {
			return nil, errNoTable(id)
		}
		return fn(e)
	})
}

func errNoTable(id record.TableID) error {
	return fault.New(fault.NotFound, "Requested resource not found: Table: %s not found", id)
}

// changeAny is change for deleted tables too.
func (c *Catalog) changeAny(id record.TableID, fn func(*Entry) (*Descriptor, error)) (*Entry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.ByID(id)
	if e == nil {
		return nil, errNoTable(id)
	}
	if e.Keeper != c.opts.Region {
		return nil, fault.New(fault.Unavailable, "table %s is kept by region %s, not by %s", e.Name, e.Keeper, c.opts.Region)
	}
	d, err := fn(e)
	if err != nil {
		return nil, err
	}
	if d == e.Descriptor {
		return e, nil
	}
	d.Revision = c.revisionAbove(e.Revision)
	n := &Entry{Descriptor: d, Local: c.localFor(e, d)}
	if err := c.updateLocked(n); err != nil {
		return nil, err
	}
	return n, nil
}

// revisionAbove makes a revision that replaces an earlier one, also where the clock is behind the one that made that: a
// keeper that was rebuilt on another machine, or that took over.
func (c *Catalog) revisionAbove(old crdt.Stamp) crdt.Stamp {
	s := c.opts.Stamp()
	s.Time = max(s.Time, old.Time+1)
	return s
}

// SetLocal changes what this region keeps of a table for itself.
func (c *Catalog) SetLocal(id record.TableID, fn func(*Local) error) (*Entry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.ByID(id)
	if e == nil {
		return nil, errNoTable(id)
	}
	l := e.Local.Clone()
	if err := fn(&l); err != nil {
		return nil, err
	}
	n := &Entry{Descriptor: e.Descriptor, Local: l}
	if err := c.updateLocked(n); err != nil {
		return nil, err
	}
	return n, nil
}

// Receive takes descriptors from another region, keeping those that are newer than what is here.
func (c *Catalog) Receive(entries [][]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	news := map[record.TableID]*Entry{}
	for _, b := range entries {
		d := new(Descriptor)
		dec := json.NewDecoder(bytes.NewReader(b))
		if err := dec.Decode(d); err != nil {
			return fmt.Errorf("catalog: a peer sent a descriptor that cannot be read: %w", err)
		}
		if d.ID.IsZero() || d.Name == "" || d.Keeper == "" {
			return fmt.Errorf("catalog: a peer sent a descriptor without id, name or keeper: %.200s", b)
		}
		old := news[d.ID]
		if old == nil {
			old = c.ByID(d.ID)
		}
		if old != nil && !d.Newer(old.Descriptor) {
			continue
		}
		if old == nil {
			old = &Entry{Descriptor: &Descriptor{}, Local: Local{Joined: c.opts.Now()}}
		}
		news[d.ID] = &Entry{Descriptor: d, Local: c.localFor(old, d)}
		if c.reserved[d.Name].id == d.ID {
			delete(c.reserved, d.Name)
		}
	}
	return c.updateLocked(slices.Collect(maps.Values(news))...)
}

func (c *Catalog) followStream(l *Local, d *Descriptor) {
	now := c.opts.Now()
	l.followStream(d, c.opts.Region, now, c.opts.Position, func(after string) string {
		return c.streamLabel(d.Name, after, now, func(l *Local) string { return l.StreamLabel })
	})
	l.followFeed(d, c.opts.Region, now, c.opts.Position, func(after string) string {
		return c.streamLabel(d.Name, after, now, func(l *Local) string { return l.FeedLabel })
	})
}

// Refollow makes a table's streams those of its description, if they are not.
func (c *Catalog) Refollow(id record.TableID) error {
	_, err := c.SetLocal(id, func(l *Local) error {
		c.followStream(l, c.ByID(id).Descriptor)
		return nil
	})
	return err
}

// localFor carries a region's own settings over to a new descriptor. A region that left and is a member again starts from
// nothing: what it had is behind. Indexes that went are noted, so that their entries go too, however far they had come.
func (c *Catalog) localFor(e *Entry, d *Descriptor) Local {
	l := e.Local.Clone()
	if l.Dropped && d.Holds(c.opts.Region) {
		l = Local{Joined: c.opts.Now(), Streams: l.Streams, StreamLabel: l.StreamLabel, Feeds: l.Feeds, FeedLabel: l.FeedLabel}
		c.followStream(&l, d)
		return l
	}
	c.followStream(&l, d)
	// A member that went is no source any more. It is forgotten in the same step, so that one that comes back is adopted anew.
	l.Sources = slices.DeleteFunc(l.Sources, func(p string) bool {
		m := d.Member(p)
		went := m == nil || m.State == MemberRemoved
		if _, gone := d.Gone[p]; went && gone && !slices.Contains(l.Past, p) {
			l.Past = append(l.Past, p)
		}
		return went
	})
	for _, ix := range e.Indexes {
		if !d.HasIndex(ix.ID) {
			l.Built = slices.DeleteFunc(l.Built, func(id uint32) bool { return id == ix.ID })
			l.Dropping = append(l.Dropping, ix.ID)
			l.Insights = maps.Clone(l.Insights)
			delete(l.Insights, ix.Name)
		}
	}
	return l
}
