package region

import (
	"context"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/stream"
	"github.com/meridiandb/meridian/stream/record"
)

// What package trigger needs to know of a region: which triggers there are, which stream of this region one follows, and what
// of all regions' writes this region's streams have.

// Trigger is a trigger with its table as this region knows it.
type Trigger struct {
	catalog.Trigger
	Table   record.TableID
	Name    string   // the table's
	Members []string // the regions that can run it, in the order in which they joined
}

// Triggers lists the triggers of all tables that this region has, or had, a replica of; and gives a channel that is closed
// when the catalog changes.
func (r *Region) Triggers() ([]Trigger, <-chan struct{}) {
	changed := r.catalog.Changed()
	var all []Trigger
	for _, e := range r.catalog.Entries() {
		if len(e.Triggers) == 0 || e.Member(r.name) == nil {
			continue
		}
		members := e.TriggerMembers()
		for _, t := range e.Triggers {
			all = append(all, Trigger{Trigger: t, Table: e.ID, Name: e.Name, Members: members})
		}
	}
	return all, changed
}

// ChangeTriggers has the table's keeper make one change.
func (r *Region) ChangeTriggers(ctx context.Context, id record.TableID, ch catalog.TriggerChange) error {
	e := r.catalog.ByID(id)
	if e == nil {
		return fault.New(fault.NotFound, "Requested resource not found: Table: %s not found", id)
	}
	_, err := r.askKeeper(ctx, e, command{Name: cmdApply, Table: id, Change: &catalog.Change{Trigger: &ch}})
	return err
}

// FeedRef is what every region calls the stream of a table's conflict feed.
const FeedRef = "conflicts"

// StreamRef is what a stream of this region is called everywhere: the table, and the enabling that it belongs to or FeedRef.
// Labels are each region's own.
func (r *Region) StreamRef(n StreamName) (id record.TableID, ref string, err error) {
	src, s, err := r.findStream(n)
	if err != nil {
		return id, "", err
	}
	if src.feed {
		return src.entry.ID, FeedRef, nil
	}
	return src.entry.ID, s.Of, nil
}

// StreamOf finds this region's stream by what it is called everywhere.
func (r *Region) StreamOf(id record.TableID, ref string) (StreamName, error) {
	e := r.catalog.ByID(id)
	if e == nil {
		return StreamName{}, fault.New(fault.NotFound, "Requested resource not found: Table: %s not found", id)
	}
	src := source{e, ref == FeedRef}
	for _, s := range slices.Backward(src.streams()) {
		if src.feed || s.Of == ref {
			return StreamName{src.name(), s.Label}, nil
		}
	}
	return StreamName{}, errNoStream(StreamName{src.name(), ref})
}

// EnabledStream is the stream that a table, or its conflict feed (FeedSuffix), has now.
func (r *Region) EnabledStream(name string) (StreamName, error) {
	table, feed := strings.CutSuffix(name, FeedSuffix)
	e := r.catalog.Lookup(table)
	if e == nil {
		return StreamName{}, notFound(name)
	}
	s := source{e, feed}.open()
	if s == nil {
		return StreamName{}, fault.New(fault.NotFound, "Requested resource not found: Table: %s has no stream", name)
	}
	return StreamName{name, s.Label}, nil
}

// IteratorPosition is where an iterator stands: it has passed every record of its shard up to this sequence number, and none
// after it.
func (r *Region) IteratorPosition(iter string) (string, error) {
	it, err := decodeIterator(iter, r.origin.String())
	if err != nil {
		return "", err
	}
	return sequence(passed(it.after)), nil
}

// passed is a position as that of a change, which may not exist.
func passed(p stream.Position) stream.Position {
	if p.Place < 0 && p.Seq > 0 {
		return stream.Position{Seq: p.Seq - 1, Place: lastPlace}
	}
	return stream.Position{Seq: p.Seq, Place: max(p.Place, 0)}
}

// LogEnd is the sequence number that all durable changes are at or before, and the number of the last commit.
func (r *Region) LogEnd() (string, record.Seq) {
	end := r.log.Durable()
	return sequence(stream.Position{Seq: end, Place: lastPlace}), end
}

// Holds covers no write to a table that this region's log does not have by the time of the return: ask LogEnd after it.
func (r *Region) Holds(id record.TableID) crdt.Context {
	_, own := r.End()
	c := crdt.NewContext(0, crdt.Stamp{Time: own, Origin: r.origin})
	e := r.catalog.ByID(id)
	if e == nil || !e.Local.Ready {
		return c
	}
	// The table's sources were read before the times: one that is new among them had its time taken back before (inbound.adopt).
	in := r.inbound
	in.mu.Lock()
	defer in.mu.Unlock()
	for o, t := range in.haveLocked(e) {
		c = c.With(crdt.Stamp{Time: t, Origin: o})
	}
	return c
}
