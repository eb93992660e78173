package region

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// inbound is where this region stands in the others' logs, and which tables it wants from them.
//
// The one thing that must never happen is that a cursor moves past a change of a table that was not wanted when that
// stretch of the log was read. Two events could cause it: a table begins to be filled here, and another region becomes a
// member of a table that is here (its description may reach us later than its changes would have). Both do the same under
// gate, alone: move the peers' cursors back to before any change that could be missed, make the table wanted, and start a
// new generation of all streams. Apply takes only batches of streams that have asked Wanted in this generation, and they
// ask Cursor after that: so no batch that was read without the table moves the cursor again.
//
//	filling     back to where the copy was taken (its positions), or to where the member stood when it joined
//	a member    back to where it stood when it joined (catalog.Member.From)
//
// A table's Sources (catalog.Local) are the regions for which this has been done, so that it is done once, whatever
// restarts come between. They are regions and not origins: a region that was rebuilt has a new log, which is read from its
// beginning.
type inbound struct {
	region *Region

	// gate lets batches of any peers pass side by side, and what moves cursors otherwise alone.
	gate sync.RWMutex

	mu      sync.Mutex // never held while the store is waited for: seals take it
	cursors map[crdt.Origin]record.Seq
	closed  map[crdt.Origin]crdt.Time     // everything wanted of the origin up to here is applied
	waiters int                           // sessions that wait for closed to rise
	risen   chan struct{}                 // closed when it does, if somebody waits
	joins   map[record.TableID][]string   // tables being filled whose changes are wanted already, and from whom
	wants   map[string]*want              // by peer region that has asked
	behind  map[crdt.Origin]bool          // peers whose log no longer reaches back to our cursor
	held    map[crdt.Origin]time.Duration // peers whose next commit is too far ahead, by how much

	mended   map[record.TableID]map[crdt.Origin]crdt.Time // what tables have by other ways than logs (mended.go)
	fillings map[record.TableID]uint64                    // how often a table's data went since the start
	whole    map[record.TableID]crdt.Time                 // since when all came by commits (whole.go)
	heard    map[crdt.Origin]time.Time                    // when an origin's log was heard last (relay.go)

	reports map[string]*reports                                // what others hold, by region (floorreport.go)
	newest  map[string]uint64                                  // the newest incarnation of each region that was met
	over    map[string]uint64                                  // incarnations below write no more (over.go)
	rounds  map[record.TableID]map[crdt.Origin]map[string]bool // with whom a table was compared since an origin was retired
}

// want is one answer of Wanted.
type want struct {
	tables  []record.TableID
	changed chan struct{}
	current bool // a stream of the peer has asked in this generation
}

func openInbound(r *Region) (*inbound, error) {
	cursors, err := readCursors(r.store)
	closed, e := readTimes(r.store, appliedPrefix)
	mended, e2 := readMended(r.store)
	in := &inbound{
		region: r, cursors: cursors, closed: closed, risen: make(chan struct{}),
		joins: map[record.TableID][]string{}, wants: map[string]*want{},
		behind: map[crdt.Origin]bool{}, held: map[crdt.Origin]time.Duration{},
		mended: mended, fillings: map[record.TableID]uint64{},
		heard: map[crdt.Origin]time.Time{}, reports: map[string]*reports{}, newest: map[string]uint64{}, over: map[string]uint64{},
		rounds: map[record.TableID]map[crdt.Origin]map[string]bool{},
	}
	in.learnGoneLocked()
	return in, errors.Join(err, e, e2, in.beginWhole(), in.loadNewest())
}

// cursorLocked begins, in a log that nothing was read from yet, where nothing that is wanted is missed.
func (in *inbound) cursorLocked(peer crdt.Origin) record.Seq {
	if s, ok := in.cursors[peer]; ok {
		return s
	}
	from, _ := in.startLocked(peer)
	return from
}

// startLocked is the earliest position before which nothing wanted stands in a peer's log; found is false if nothing is
// wanted.
func (in *inbound) startLocked(peer crdt.Origin) (from record.Seq, found bool) {
	for _, e := range in.region.catalog.Entries() {
		if !in.wantedLocked(e, peer.Region) {
			continue
		}
		if at := memberStart(e.Member(peer.Region), peer); !found || at < from {
			from, found = at, true
		}
	}
	return from, found
}

// memberStart is where a member's changes of a table begin in a log of its region. Of a log that the description does not
// know, that of a region that was rebuilt, all may be such.
func memberStart(m *catalog.Member, log crdt.Origin) record.Seq {
	if m != nil && m.Origin == log {
		return m.From
	}
	return 0
}

// wantedLocked reports whether this region wants a table's changes from a peer: both hold it, or the peer is leaving and
// has not said its last; and the peer has been adopted.
func (in *inbound) wantedLocked(e *catalog.Entry, peer string) bool {
	m := e.Member(peer)
	if peer == in.region.name || m == nil || m.State == catalog.MemberRemoved || !e.Holds(in.region.name) {
		return false
	}
	if e.Local.Ready {
		return slices.Contains(e.Local.Sources, peer)
	}
	return slices.Contains(in.joins[e.ID], peer)
}

func (in *inbound) tablesLocked(peer string) []record.TableID {
	ids := []record.TableID{}
	for _, e := range in.region.catalog.Entries() {
		if in.wantedLocked(e, peer) {
			ids = append(ids, e.ID)
		}
	}
	slices.SortFunc(ids, func(a, b record.TableID) int { return slices.Compare(a[:], b[:]) })
	return ids
}

// refresh works out the answers anew and starts a new generation for the peers whose answer changed, or for all.
func (in *inbound) refresh(all bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.refreshLocked(all)
}

func (in *inbound) refreshLocked(all bool) {
	in.learnGoneLocked()
	for id, from := range in.joins { // as the catalog does with Sources
		in.joins[id] = slices.DeleteFunc(slices.Clone(from), func(p string) bool {
			m := in.region.catalog.ByID(id).Member(p)
			return m == nil || m.State == catalog.MemberRemoved
		})
	}
	for peer, w := range in.wants {
		tables := in.tablesLocked(peer)
		if all || !slices.Equal(tables, w.tables) {
			close(w.changed)
			in.wants[peer] = &want{tables: tables, changed: make(chan struct{})}
		}
	}
}

func (in *inbound) current(peer string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	w := in.wants[peer]
	return w != nil && w.current
}

func (in *inbound) joining(id record.TableID) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	_, ok := in.joins[id]
	return ok
}

func (in *inbound) joinedFrom(id record.TableID) []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.joins[id]
}

// sources lists the other members of a table.
func (in *inbound) sources(e *catalog.Entry) []string {
	regions := []string{}
	for _, m := range e.Members {
		if m.Region != in.region.name && m.State != catalog.MemberRemoved {
			regions = append(regions, m.Region)
		}
	}
	return regions
}

// beginJoin makes a table's changes wanted from the positions that its copy includes.
// Floor is that of the source when the copy was taken: what of older logs comes after it and is covered by it is old.
func (in *inbound) beginJoin(id record.TableID, positions map[crdt.Origin]record.Seq, floor crdt.Time) error {
	in.gate.Lock()
	defer in.gate.Unlock()
	if floor > 0 {
		if err := in.region.setFloor(id, floor); err != nil {
			return err
		}
	}
	e := in.region.catalog.ByID(id)
	regions := in.sources(e)
	if err := in.moveBack(e, regions, positions); err != nil {
		return err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.joins[id] = regions
	in.refreshLocked(true)
	return nil
}

func (in *inbound) endJoin(id record.TableID) {
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.joins, id)
	in.refreshLocked(false)
}

// unadopted reports whether a table's Sources are other than its members.
func (in *inbound) unadopted(e *catalog.Entry) bool {
	have := slices.Sorted(slices.Values(e.Local.Sources))
	return !slices.Equal(have, slices.Sorted(slices.Values(in.sources(e))))
}

// adopt makes a table's changes wanted from members that came since, and no longer from those that went.
func (in *inbound) adopt(id record.TableID) error {
	in.gate.Lock()
	defer in.gate.Unlock()
	e := in.region.catalog.ByID(id)
	members := in.sources(e)
	news := slices.DeleteFunc(slices.Clone(members), func(p string) bool { return slices.Contains(e.Local.Sources, p) })
	if len(news) > 0 {
		in.region.shown.note(in.region.engine.SeenOthers()) // of a transaction of theirs other tables may have their parts
	}
	if err := in.moveBack(e, news, nil); err != nil {
		return err
	}
	if len(news) > 0 { // what its log brought so far was without this table
		if err := write(in.region.store, func(w storage.Writer) error { return in.mixed(w, id) }); err != nil {
			return err
		}
	}
	// A member that came between these two is adopted next time: it is not in members.
	_, err := in.region.catalog.SetLocal(id, func(l *catalog.Local) error {
		l.Sources = members
		return nil
	})
	if err == nil {
		in.refresh(len(news) > 0)
	}
	return err
}

// moveBack moves the cursors in the logs of some members back to before any change of a table that a copy with such
// positions does not include. The caller holds gate alone.
func (in *inbound) moveBack(e *catalog.Entry, regions []string, positions map[crdt.Origin]record.Seq) error {
	moved := map[crdt.Origin]record.Seq{}
	in.mu.Lock()
	for _, p := range regions {
		m := e.Member(p)
		for o, have := range in.cursors {
			if o.Region == p {
				if at := max(memberStart(m, o), positions[o]); at < have {
					moved[o] = at
				}
			}
		}
		for o, at := range positions {
			if _, known := in.cursors[o]; known || o.Region != p {
				continue
			}
			at = max(at, memberStart(m, o))
			if other, found := in.startLocked(o); found { // another table may want it from earlier on
				at = min(at, other)
			}
			moved[o] = at
		}
	}
	in.mu.Unlock()
	return in.setCursors(moved)
}

// setCursors is called with gate held alone.
func (in *inbound) setCursors(moved map[crdt.Origin]record.Seq) error {
	if len(moved) == 0 {
		return nil
	}
	in.mu.Lock()
	kept := in.keptLocked(moved)
	in.mu.Unlock()
	err := write(in.region.store, func(w storage.Writer) error {
		for id, up := range kept {
			if err := in.setMended(w, id, up); err != nil {
				return err
			}
		}
		for o, at := range moved {
			if err := errors.Join(setCursor(w, o, at), w.Delete(appliedKey(o))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for id, up := range kept {
		in.raisedLocked(id, up)
	}
	for o, at := range moved {
		in.cursors[o] = at
		delete(in.closed, o) // the next batch says it for what is wanted now
	}
	return nil
}

// keptLocked is what tables have, by logs of which no batch comes any more, of origins whose cursors move: that stays true, and
// nobody would say it again.
func (in *inbound) keptLocked(moved map[crdt.Origin]record.Seq) map[record.TableID]map[crdt.Origin]crdt.Time {
	kept := map[record.TableID]map[crdt.Origin]crdt.Time{}
	for o := range moved {
		if !in.isOverLocked(o) {
			continue
		}
		for _, e := range in.region.catalog.Entries() {
			if t := in.upToLocked(e, o); e.Local.Ready && t > in.mended[e.ID][o] {
				if kept[e.ID] == nil {
					kept[e.ID] = map[crdt.Origin]crdt.Time{}
				}
				kept[e.ID][o] = t
			}
		}
	}
	return kept
}
