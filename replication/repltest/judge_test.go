package repltest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/replication"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// patience is how long, in virtual time, regions get to agree once everything is well: clocks that were ahead must be caught
// up with, and refused links are tried again.
const patience = 3 * time.Minute

// settle waits until nothing is on its way any more.
func (w *world) settle() {
	why := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if why = w.unsettled(); why == "" {
			return
		}
		if w.failed() {
			break
		}
	}
	if !w.failed() {
		w.fail("promise 3: %v after all is well, %s", patience, why)
	}
	for _, n := range w.nodes {
		w.describe(n)
	}
}

// unsettled says what is still under way; empty if nothing is.
func (w *world) unsettled() string {
	descriptors := map[record.TableID]catalog.View{}
	for _, n := range w.nodes {
		l := n.at()
		if l == nil {
			return n.name + " is down"
		}
		for _, p := range l.links.Peers() {
			if !p.Connected || p.Inbound.Commits > 0 || p.Outbound.Commits > 0 || p.Inbound.Bytes > 0 || p.Outbound.Bytes > 0 {
				return fmt.Sprintf("%s has the link to %s as %+v", n.name, p.Region, p)
			}
		}
		if s := l.region.Stats(); len(s.Behind) > 0 || len(s.Held) > 0 {
			return fmt.Sprintf("%s is behind %v and holds %v", n.name, s.Behind, s.Held)
		}
		names, _, err := l.region.ListTables("", 100)
		if err != nil {
			return err.Error()
		}
		for _, name := range names {
			v, err := l.region.DescribeTable(name)
			if err != nil {
				return err.Error()
			}
			if why := unsettledTable(n.name, v); why != "" {
				return why
			}
			if d, ok := descriptors[v.ID]; ok && d.Revision != v.Revision {
				return fmt.Sprintf("table %s is at revision %v in %s, and at %v in %s", name, v.Revision, n.name, d.Revision, d.Region)
			}
			descriptors[v.ID] = v
		}
	}
	for id, v := range descriptors {
		for _, m := range v.Members {
			if m.State != catalog.MemberActive {
				continue
			}
			if l := w.node(m.Region).at(); !l.holds(v.Name, id) {
				return fmt.Sprintf("%s does not serve table %s", m.Region, v.Name)
			}
		}
	}
	return ""
}

func (w *world) node(name string) *node {
	for _, n := range w.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}

func (l *life) holds(name string, id record.TableID) bool {
	v, err := l.region.DescribeTable(name)
	return err == nil && v.ID == id && v.Local.Ready
}

func unsettledTable(at string, v catalog.View) string {
	for _, m := range v.Members {
		if m.State == catalog.MemberCreating || m.State == catalog.MemberDeleting {
			return fmt.Sprintf("%s describes %s's replica of %s as %s", at, m.Region, v.Name, m.State)
		}
	}
	for _, ix := range v.Indexes {
		if !slices.Contains(v.Local.Built, ix.ID) {
			return fmt.Sprintf("%s has not built index %s of %s", at, ix.Name, v.Name)
		}
	}
	if v.Status != "ACTIVE" || !v.Local.Ready || len(v.Local.Dropping) > 0 {
		return fmt.Sprintf("%s describes %s as %s %+v", at, v.Name, v.Status, v.Local)
	}
	return ""
}

func (w *world) describe(n *node) {
	l := n.at()
	if l == nil {
		w.say("%s is down", n.name)
		return
	}
	s := l.region.Stats()
	w.say("%v: log %d to %d, from others %v, behind %v, held %v, clock %+v", l.region.Origin(), s.LogFirst, s.LogLast, s.Inbound, s.Behind, s.Held, s.Standing)
	for _, p := range l.links.Peers() {
		w.say("  %+v", p)
	}
	for _, t := range s.Tables {
		v, _ := l.region.DescribeTable(t.Name)
		w.say("  %s %s keeper %s members %v local %+v", t.Name, t.Status, t.Keeper, t.Members, v.Local)
	}
}

// judge holds what is there at the end against the promises.
func (w *world) judge(cs *clients) {
	for _, n := range w.nodes {
		w.history.reopened(n.at()) // what was acknowledged since the last start
		s := n.at().region.Stats()
		w.say("since its last start %s had %d commits by relay and forgot %d deletes", n.name, s.Relayed, s.Forgotten)
	}
	w.history.increasing()
	w.settleFeeds()
	w.resting.Store(true)
	for _, n := range w.nodes {
		for _, c := range cs.writers() {
			n.at().readGroup(c)
		}
	}
	for _, t := range w.tables {
		w.judgeTable(t, cs)
	}
	w.judgeRepair()
}

// judgeRepair: at rest repair finds nothing, and what it compares includes the hash trees.
func (w *world) judgeRepair() {
	for _, n := range w.nodes {
		if w.failed() {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		err := n.at().links.Repair(ctx, replication.RepairRequest{}, func(r replication.RepairReport) {
			if strings.HasSuffix(r.Table, "~conflicts") && w.loose() {
				return
			}
			if !r.Done {
				w.say("%s compares for long: %+v", n.name, r)
			}
			// What one side has forgotten and the other not yet is no difference that counts; where floors are whole hours it is
			// not looked at either.
			differences := r.Differences
			if w.floorStep() < time.Hour {
				differences -= r.InFlight
			}
			if r.Done && (differences > 0 || r.Hollow > 0 || r.Clashes > 0 || r.FalseAlarms > 0) || r.Error != "" {
				w.fail("repair: at rest %s finds %+v", n.name, r)
			}
		})
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			w.fail("repair: at rest %s finds no end", n.name)
		} else if err != nil {
			w.say("%s compares nothing: %v", n.name, err) // it may share no table
		}
	}
}

func (w *world) judgeTable(t *tableInfo, cs *clients) {
	var first map[string]conflict.State
	var feeds []*feed
	var at string
	for _, n := range w.nodes {
		l := n.at()
		v, err := l.region.DescribeTable(t.name)
		if err != nil || v.ID != t.id {
			continue
		}
		l.judgeStored(v)
		states := l.states(t.id)
		l.judgeHeld(t, states)
		feeds = append(feeds, l.feed(t))
		if first == nil {
			first, at = states, n.name
			continue
		}
		w.judgeEqual(t, at, n.name, first, states)
	}
	if first == nil {
		w.fail("promise 3: no region holds table %s", t.name)
		return
	}
	if t == w.counter() {
		w.judgeCounter(first, cs)
	}
	w.judgeFeeds(t, first, feeds)
	w.judgeWrites(t, first, feeds)
}

// states reads a table, its tombstones too.
func (l *life) states(id record.TableID) map[string]conflict.State {
	all := map[string]conflict.State{}
	l.walk(storage.AppendTable(nil, storage.KindItem, id), func(k, v string) {
		s, err := conflict.DecodeState([]byte(v))
		if err != nil {
			l.n.w.fail("%s: item %q: %v", l.n.name, k, err)
		}
		all[k] = s
	})
	return all
}

// walk reads everything under a prefix, which it cuts off.
func (l *life) walk(prefix []byte, fn func(k, v string)) {
	it, err := l.store.NewIter(storage.PrefixRange(prefix))
	if err != nil {
		l.n.w.fail("%s: %v", l.n.name, err)
		return
	}
	for ok := it.First(); ok; ok = it.Next() {
		fn(string(it.Key()[len(prefix):]), string(it.Value()))
	}
	if err := it.Err(); err != nil {
		l.n.w.fail("%s: %v", l.n.name, err)
	}
	if err := it.Close(); err != nil {
		l.n.w.fail("%s: %v", l.n.name, err)
	}
}

func (w *world) judgeEqual(t *tableInfo, a, b string, x, y map[string]conflict.State) {
	keys := slices.Sorted(maps.Keys(x))
	for k := range y {
		if _, ok := x[k]; !ok {
			keys = append(keys, k)
		}
	}
	for _, k := range keys {
		if !x[k].Equal(y[k]) && !w.forgotten(t, a, x[k], y[k]) && !w.forgotten(t, b, y[k], x[k]) {
			w.fail("promise 3: item %q of %s is %s in %s, and %s in %s", k, t.name, show(x[k]), a, show(y[k]), b)
			w.lineage(itemID{t.id, k})
		}
	}
}

// forgotten reports whether a region has forgotten a delete that another one remembers.
func (w *world) forgotten(t *tableInfo, at string, here, there conflict.State) bool {
	return here.IsZero() && !there.Visible() && there.Context().Newest() <= w.node(at).at().region.Floor(t.id)
}

// lineage tells all that is known of an item.
func (w *world) lineage(id itemID) {
	h := w.history
	h.mu.Lock()
	defer h.mu.Unlock()
	w.tell(id, nil)
}

// tell is lineage under history's lock.
func (w *world) tell(id itemID, feeds []*feed) {
	all := slices.SortedFunc(maps.Values(w.history.writes[id]), func(a, b *written) int { return a.stamp.Compare(b.stamp) })
	for _, x := range all[max(0, len(all)-16):] {
		w.say("  %v wrote %q over %v, had seen %v", x.stamp, x.marks, x.base, x.ctx)
	}
	for _, f := range feeds {
		for _, n := range f.notes[id.key] {
			w.say("  in %s the feed has %s", f.at, showNote(&n))
		}
	}
}

func show(s conflict.State) string {
	if s.IsZero() {
		return "unknown"
	}
	return fmt.Sprintf("%s (%v, seen %v)", s.Item().AppendJSON(nil), s.Stamp(), s.Context())
}

// judgeStored holds a region's indexes and hash cells against its items.
func (l *life) judgeStored(v catalog.View) {
	have, err := table.Cells(context.Background(), l.store, v.ID)
	want, err2 := table.RecomputeCells(context.Background(), l.store, v.ID)
	if err != nil || err2 != nil || !maps.Equal(have, want) {
		l.n.w.fail("hash cells: those of %s in %s are not those of its items (%v, %v): %d instead of %d",
			v.Name, l.n.name, err, err2, len(have), len(want))
	}
	entries := map[string]string{}
	for k, s := range l.states(v.ID) {
		it := s.Item()
		for i := range v.Indexes {
			ix := &v.Indexes[i]
			if key, ok := indexKey(ix, it); ok { // their projection is ALL
				entries[string(storage.AppendSeq(nil, uint64(ix.ID))[4:])+key+k] = string(it.Encoded())
			}
		}
	}
	found := map[string]string{}
	l.walk(storage.AppendTable(nil, storage.KindIndex, v.ID), func(k, v string) { found[k] = v })
	if !maps.Equal(entries, found) {
		l.n.w.fail("index: that of %s in %s has %d entries and should have %d, or others", v.Name, l.n.name, len(found), len(entries))
	}
}

func indexKey(ix *catalog.Index, it item.Item) (string, bool) {
	if it.IsZero() {
		return "", false
	}
	k, ok := ix.Schema.IndexKey(it)
	if !ok {
		return "", false
	}
	return string(k.Append(nil)), true
}

// judgeCounter: every addition counts once, wherever and whenever it was made.
func (w *world) judgeCounter(states map[string]conflict.State, cs *clients) {
	var low, high, have int64
	for _, c := range cs.all {
		low += c.counts.acknowledged
		high += c.counts.acknowledged + c.counts.unknown
	}
	if s, ok := states[string(key("counter").Append(nil))]; ok {
		_, _ = fmt.Sscan(s.Item().Get("n").Num().String(), &have)
	}
	if have < low || have > high {
		w.fail("exactly once: %d additions were acknowledged and %d may have happened; the counter is %d", low, high-low, have)
	}
	w.say("counter %d of %d to %d", have, low, high)
}

// judgeWrites: each acknowledged write is current, or somebody who saw it replaced it, or the conflict feed has it; and what is
// current is what must be.
func (w *world) judgeWrites(t *tableInfo, states map[string]conflict.State, feeds []*feed) {
	h := w.history
	h.mu.Lock()
	defer h.mu.Unlock()
	var current, superseded, lost int
	for _, a := range h.acks {
		if a.table != t {
			continue
		}
		s, x := states[a.id.key], h.findLocked(a)
		switch {
		case x == nil && h.mayBeLocked(a):
		case x == nil:
			w.fail("promise 1: %v acknowledged %s, which is in no log", a.origin, a)
		case s.IsZero() && h.lastLocked(a.id).visible:
			w.fail("promise 4: %s (%v): nothing is known of its item any more", a, x.stamp)
		case s.IsZero(): // the delete that it lost to, or was, need not be remembered any more
			superseded++
		case !s.Context().Covers(x.stamp):
			w.fail("promise 4: %s (%v) vanished: its item is %s", a, x.stamp, show(s))
		case s.Stamp() == x.stamp || a.mark != "" && s.Visible() && s.Item().Get(a.attr).Equal(item.Str(a.mark)):
			current++
		case h.replacedLocked(t, a.id, x), h.forgottenLocked(a.id, x):
			superseded++
		case inFeeds(feeds, a.id.key, x) || h.deletedTooLocked(a.id, x):
			lost++
		default:
			w.fail("promise 4: %s (%v) is neither current nor replaced, and not in the conflict feed: its item is %s", a, x.stamp, show(s))
			w.tell(a.id, feeds)
		}
	}
	w.say("%s: of %d acknowledged writes %d are current, %d superseded, %d lost", t.name, current+superseded+lost, current, superseded, lost)
	if !t.plain() {
		return
	}
	for id, all := range h.writes {
		if id.table == t.id {
			w.judgeItem(t, id, states[id.key], all, h.lastLocked(id))
		}
	}
}

// lastLocked is the last write of an item.
func (h *history) lastLocked(id itemID) *written {
	var last *written
	for _, x := range h.writes[id] {
		if last == nil || last.stamp.Less(x.stamp) {
			last = x
		}
	}
	return last
}

// judgeItem: of all writes the last one wins, and a context is above each write that it had seen; so nobody who saw a delete
// is before it, and nothing that it deleted comes back.
func (w *world) judgeItem(t *tableInfo, id itemID, s conflict.State, all map[crdt.Stamp]*written, last *written) {
	if s.IsZero() && !last.visible { // forgotten
		return
	}
	for _, x := range all {
		if !s.Context().Covers(x.stamp) {
			w.fail("promise 3: write %v (%q) of item %q of %s stands in a log, and its item is %s", x.stamp, x.marks, id.key, t.name, show(s))
		}
	}
	if s.IsZero() || s.Stamp() != last.stamp || s.Visible() != last.visible {
		promise := "promise 4"
		if !last.visible {
			promise = "promise 6"
		}
		w.fail("%s: item %q of %s is %s; the last write is %v (%q)", promise, id.key, t.name, show(s), last.stamp, last.marks)
	}
}
