package region

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/clock"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// A region that was removed while it was dead, or replaced by a later incarnation, finds that out from its tables' descriptions
// when it comes back. Nobody takes its log any more. What it does then, as one step of the lifecycle job that may be cut off and
// done again:
//
//	it stamps no more writes; those that have a number become durable
//	for each table that others hold it asks them how much they have of its log
//	the rest of its log is set aside (aside.go): every write that it acknowledged and nobody else has
//	it notes that its incarnation is over, and stops with ErrRebuild
//
// When it is opened again it is a new incarnation: tables that others hold too are filled anew, or dropped if it is no member; those
// that it alone has stay. While no other member of a table answers it waits, and serves reads: the only copy may be here.

// ErrRebuild says that the region has ended an incarnation that is over. It must be opened again, on the same store, and begins anew.
var ErrRebuild = errors.New("the region was removed while it was dead, or replaced: it begins anew under a new incarnation")

// over notes, in the store, that an incarnation is to end.
type over struct {
	Incarnation uint64 `json:"incarnation"`
	Above       uint64 `json:"above"` // the next one must be above
}

var overKey = storage.MetaKey("over")

// expelled lists the tables that say that this region's incarnation is over.
func (r *Region) expelled(all []*catalog.Entry) (by []*catalog.Entry) {
	for _, e := range all {
		if e.Expelled(r.origin) {
			by = append(by, e)
		}
	}
	return by
}

// fence is the step of a region whose incarnation is over; nil while it is not.
func (r *Region) fence() step {
	by := r.expelled(r.catalog.Entries())
	if len(by) == 0 || r.ctx.Err() != nil { // or it is done, and what is set aside must stay
		return nil
	}
	return func() error {
		err := r.endIncarnation(by)
		if err != nil && r.ctx.Err() == nil {
			r.logger.Debug("what nobody else has cannot be set aside yet", "err", err)
		}
		return err
	}
}

func (r *Region) endIncarnation(by []*catalog.Entry) error {
	if !r.clock.Ended() {
		r.logger.Error("this region was removed while it was dead, or replaced: it refuses writes and begins anew", "origin", r.origin.String(), "table", by[0].Name)
		r.clock.End()
	}
	end, err := r.engine.Edge(r.ctx)
	if err != nil {
		return err
	}
	held, err := r.heldByOthers()
	if err != nil {
		return err
	}
	n, err := r.setAside(held, end)
	if err != nil {
		return err
	}
	o := over{Incarnation: r.origin.Incarnation, Above: r.origin.Incarnation}
	for _, e := range by {
		o.Above = max(o.Above, e.Gone[r.name], e.Member(r.name).Origin.Incarnation)
	}
	b, err := json.Marshal(o)
	if err == nil {
		err = put(r.store, overKey, b)
	}
	if err != nil {
		return err
	}
	r.stop(fmt.Errorf("%w (%d writes of %s that nobody else has are set aside)", ErrRebuild, n, r.origin))
	return nil
}

// heldByOthers asks, for each table that others hold too, up to when any of them has everything of this region.
func (r *Region) heldByOthers() (map[record.TableID]crdt.Time, error) {
	held := map[record.TableID]crdt.Time{}
	for _, e := range r.catalog.Entries() {
		if e.Deleted || e.Local.Dropped || !e.Local.Ready || e.Member(r.name) == nil {
			continue
		}
		answered, shared := false, false
		var errs []error
		for _, m := range e.Members {
			if m.Region == r.name || m.State == catalog.MemberRemoved {
				continue
			}
			shared = true
			rep, err := r.send(r.ctx, m.Region, command{Name: cmdHeldOf, Table: e.ID, Origin: r.origin})
			if err != nil && fault.KindOf(err) != fault.Unbuilt { // an older version does not say: all is set aside
				errs = append(errs, err)
				continue
			}
			answered = true
			held[e.ID] = max(held[e.ID], rep.Haves[r.origin])
		}
		if shared && !answered {
			return nil, fmt.Errorf("no other replica of table %s answers: %w", e.Name, errors.Join(errs...))
		}
	}
	return held, nil
}

// heldOf answers heldByOthers.
func (r *Region) heldOf(from string, c command) (map[crdt.Origin]crdt.Time, error) {
	if c.Origin.Region != from { // it would end another region
		return nil, fmt.Errorf("region %s asks about %q", from, c.Origin.Region)
	}
	e := r.catalog.ByID(c.Table)
	if !r.complete(e) || !e.Holds(r.name) {
		return nil, fault.New(fault.Unavailable, "region %s holds no complete replica of table %s", r.name, c.Table)
	}
	in := r.inbound
	in.end([]crdt.Origin{c.Origin}) // what it says is set aside there is not taken here any more
	in.mu.Lock()
	defer in.mu.Unlock()
	return map[crdt.Origin]crdt.Time{c.Origin: in.upToLocked(e, c.Origin)}, nil
}

// setAside writes down all own commits' changes of some tables that are after what others hold; it returns how many.
func (r *Region) setAside(held map[record.TableID]crdt.Time, end record.Seq) (n int, err error) {
	if err := r.forgetAside(r.origin); err != nil { // of an attempt that was cut off
		return 0, err
	}
	for from := r.log.First() - 1; from < end; {
		if r.ctx.Err() != nil {
			return n, errClosed
		}
		commits, next, err := r.log.Read(from, 1<<20, func(o *record.Order) bool {
			return o.Stamp.Origin == r.origin && slices.ContainsFunc(o.Parts, func(p record.PartRef) bool {
				t, shared := held[p.Table]
				return shared && o.Stamp.Time > t
			})
		})
		if err != nil {
			return n, r.fail(err)
		}
		if len(commits) > 0 {
			k, err := r.writeAside(commits, held)
			if n += k; err != nil {
				return n, err
			}
		}
		if next <= from {
			break
		}
		from = next
	}
	return n, nil
}

func (r *Region) writeAside(commits []record.Commit, held map[record.TableID]crdt.Time) (n int, err error) {
	err = write(r.store, func(w storage.Writer) error {
		for i := range commits {
			c := &commits[i]
			for j := range c.Changes {
				ch := &c.Changes[j]
				if t, shared := held[ch.Table]; !shared || ch.Note || c.Stamp.Time <= t {
					continue
				}
				a, err := r.asideOf(c, ch)
				if err == nil {
					err = w.Set(asideKey(c.Stamp.Origin, c.Seq, j), a)
				}
				if err != nil {
					return err
				}
				n++
			}
		}
		return nil
	})
	return n, err
}

func (r *Region) asideOf(c *record.Commit, ch *record.Change) ([]byte, error) {
	e := r.catalog.ByID(ch.Table)
	s, err := conflict.DecodeState(ch.State)
	if err != nil {
		return nil, err
	}
	key, rest, err := e.Schema.ReadKey(ch.Key)
	if err != nil || len(rest) > 0 {
		return nil, storage.Corruptf(fmt.Sprintf("commit %s", c.Seq), "%x is no key of table %s", ch.Key, e.Name)
	}
	a := Aside{
		Table: e.Name, TableID: ch.Table, Stamp: c.Stamp, Wall: c.Wall, Base: ch.Base,
		Key: item.NewItem(e.Schema.Fields(key)).AppendJSON(nil),
	}
	if s.Visible() {
		a.Item = s.Item().AppendJSON(nil)
	}
	return json.Marshal(a)
}

// rebirth makes a store whose incarnation is over that of a new one, in one batch.
func rebirth(s storage.Store, id *identity, now int64, fresh uint64, end record.Seq) (bool, error) {
	v, err := s.Get(overKey)
	if storage.IsNotFound(err) {
		return false, nil
	}
	var o over
	if err == nil {
		if err = json.Unmarshal(v, &o); err != nil {
			err = &storage.CorruptionError{Where: "incarnation that is over", Err: err}
		}
	}
	if err != nil {
		return false, err
	}
	if o.Incarnation != id.Incarnation {
		return false, storage.Corruptf("incarnation that is over", "%x is, the store's is %x", o.Incarnation, id.Incarnation)
	}
	before := id.origin()
	id.Incarnation, id.Begins = max(fresh, o.Above+1), end
	b, err := json.Marshal(id)
	if err != nil {
		return false, err
	}
	last, err := clock.Ceiling(s)
	if err != nil {
		return false, err
	}
	return true, write(s, func(w storage.Writer) error {
		stay, err := catalog.Restart(s, w, id.Region, end, now)
		for _, table := range stay { // they have everything of the incarnation before: sessions ask
			err = errors.Join(err, w.Set(mendedKey(table, before), storage.AppendSeq(nil, uint64(last))))
		}
		return errors.Join(err, w.Set(identityKey, b), w.Delete(overKey))
	})
}
