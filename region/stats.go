package region

import (
	"slices"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/capacity"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/clock"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/stream/record"
)

// Stats is what operators see of a region.
type Stats struct {
	LogFirst, LogDurable, LogLast record.Seq
	LogBytes                      int64
	Commits                       uint64                   // own, since start
	Applied                       uint64                   // of other regions, since start
	Relayed                       uint64                   // of these, by way of a third region, since start
	Conflicts                     map[string]uint64        // lost writes by table name, since start
	Expired                       map[string]uint64        // items that this region expired, by table name, since start
	Overdue                       map[string]time.Duration // since when the oldest expired item is due that is still there, by table name
	DiskBytes                     uint64
	Clock                         crdt.Time
	Standing                      clock.Standing // how the clock stands to the other regions'
	Tables                        []TableStatus
	Inbound                       map[string]record.Seq    // cursor by origin
	Behind                        []string                 // origins whose logs no longer reach back to us: their tables are being copied
	Partial                       []string                 // origins whose transactions may be seen in part (see Region.Partial)
	Aside                         bool                     // writes of an earlier incarnation are set aside (see Region.Asides)
	Ended                         bool                     // this incarnation is over, and not everything is set aside yet
	Forgotten                     uint64                   // deletes that are remembered no more, since start
	Floors                        []FloorStatus            // of shared tables, by name
	Held                          map[string]time.Duration // streams held, by origin: how far their next commit is ahead
}

// TableStatus is one table of a region.
type TableStatus struct {
	Name    string           `json:"name"`
	ID      string           `json:"id"`
	Status  string           `json:"status"`
	Keeper  string           `json:"keeper"`
	Ready   bool             `json:"ready"`
	Items   int64            `json:"items"`
	Bytes   int64            `json:"bytes"`
	Usage   capacity.Usage   `json:"usage"` // since start
	Members []catalog.Member `json:"members"`
}

// FloorStatus says what a table remembers of deletes, and why.
type FloorStatus struct {
	Table string
	// Floor is the time up to which deletes are forgotten; 0: none are yet.
	Floor crdt.Time
	// Remembered is what stays, as of the last look; it is looked when the floor has risen. Known says that there was one.
	Remembered table.Remembered
	Known      bool
	HeldBack   []HoldingBack // why the floor is not higher
}

func (r *Region) floorStatus(name string, e *catalog.Entry) FloorStatus {
	s := FloorStatus{Table: name, Floor: r.tableFloor(e.ID)}
	if v, ok := r.remembered.Load(e.ID); ok {
		s.Remembered, s.Known = v.(table.Remembered), true
	}
	if v, ok := r.heldBack.Load(e.ID); ok {
		s.HeldBack = v.([]HoldingBack)
	}
	return s
}

// Stats collects the figures; it is cheap enough for every scrape.
func (r *Region) Stats() Stats {
	n := r.engine.Counters()
	s := Stats{
		LogFirst: r.log.First(), LogDurable: r.log.Durable(), LogLast: r.log.Last(),
		Commits: n.Commits, Applied: n.Applied, Relayed: r.relayed.Load(), Forgotten: r.forgotten.Load(), Conflicts: map[string]uint64{},
		Clock: r.clock.Last(), Standing: r.clock.Standing(),
		Expired: map[string]uint64{}, Overdue: map[string]time.Duration{},
		Inbound: map[string]record.Seq{}, Held: map[string]time.Duration{},
	}
	// A figure less is no reason to show none.
	s.DiskBytes, _ = r.store.DiskUsage()
	size, _ := r.log.Bytes()
	s.LogBytes = int64(size)
	for id, c := range n.Conflicts {
		if e := r.catalog.ByID(id); e != nil {
			s.Conflicts[e.Name] += c
		}
	}
	for id, c := range n.Expired {
		if e := r.catalog.ByID(id); e != nil {
			s.Expired[e.Name] += c
		}
	}
	for _, name := range r.catalog.Names() {
		if e := r.catalog.Lookup(name); e != nil {
			if at := r.overdue.get(e.ID); at > 0 {
				s.Overdue[name] = time.Duration(max(0, r.clock.Now()-at)) * time.Millisecond
			}
			if e.Shared() && e.Local.Ready {
				s.Floors = append(s.Floors, r.floorStatus(name, e))
			}
			v := r.view(e)
			s.Tables = append(s.Tables, TableStatus{
				Name: name, ID: e.ID.String(), Status: v.Status, Keeper: e.Keeper, Ready: e.Local.Ready,
				Items: v.Items, Bytes: v.Bytes, Usage: r.engine.Usage(e.ID), Members: e.Members,
			})
		}
	}
	for _, o := range r.Partial() {
		s.Partial = append(s.Partial, o.String())
	}
	slices.Sort(s.Partial)
	s.Aside, s.Ended = r.asides.Load(), r.clock.Ended()
	r.inbound.mu.Lock()
	defer r.inbound.mu.Unlock()
	for o, c := range r.inbound.cursors {
		s.Inbound[o.String()] = c
	}
	for o := range r.inbound.behind {
		s.Behind = append(s.Behind, o.String())
	}
	slices.Sort(s.Behind)
	for o, by := range r.inbound.held {
		s.Held[o.String()] = by
	}
	return s
}
