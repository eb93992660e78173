package table

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/stream/record"
)

// feedWorld is three regions that write the same few items and the oracle of what they wrote.
type feedWorld struct {
	t      *testing.T
	g      *gen
	rigs   []*rig
	writes map[crdt.Stamp]*written
	values int
}

// written is an acknowledged write as the oracle keeps it: as its author's log has it.
type written struct {
	key   string
	op    Op
	state conflict.State
	set   map[string]item.Value // what it wrote that nobody else writes; of a put, all but the key
	whole bool
}

func newFeedWorld(t *testing.T, g *gen, policies ...string) *feedWorld {
	w := &feedWorld{t: t, g: g, writes: map[crdt.Stamp]*written{}}
	for i, name := range []string{"a", "b", "c"} {
		r := newRig(t, memstore.New(), name)
		t.Cleanup(r.close)
		r.pass(int64(g.IntN(5)))
		w.rigs = append(w.rigs, r)
		w.policy(r, policies[i%len(policies)])
	}
	return w
}

func (w *feedWorld) policy(r *rig, policy string) {
	d := narrow(true)
	d.Policy = policy
	r.describe(d)
}

func (w *feedWorld) fresh() item.Value {
	w.values++
	return item.Str(fmt.Sprint("v", w.values))
}

// write makes a random write of one of three items and keeps what its author's log says of it.
func (w *feedWorld) write(r *rig) {
	w.t.Helper()
	key := item.Key{Hash: []item.Value{item.Bin([]byte{byte(w.g.IntN(3))})}}
	d := r.table(tableID(2)).entry.Descriptor
	wr := Write{Op: pick(w.g, Put, Put, Update, Update, Update, Delete), Key: key}
	set := map[string]item.Value{}
	switch wr.Op {
	case Put:
		set["x"], set["y"] = w.fresh(), w.fresh()
		wr.Item = item.NewItem(append(d.Schema.Fields(key), item.Field{Name: "x", Value: set["x"]}, item.Field{Name: "y", Value: set["y"]}))
	case Update:
		if w.g.one(4) {
			set["z"] = w.fresh() // two equal items would be no conflict
			wr.Update = update("SET z = :z ADD n :n", values{":n": num(1), ":z": set["z"]})
			break
		}
		name := pick(w.g, "x", "y")
		set[name] = w.fresh()
		wr.Update = update("SET "+name+" = :v", values{":v": set[name]})
	}
	before := r.log.Last()
	if _, err := r.table(tableID(2)).Write(bg, wr); err != nil {
		w.t.Fatal(err)
	}
	if r.log.Last() == before {
		return // a delete of nothing
	}
	c := r.commits()
	last := c[len(c)-1]
	state := must(conflict.DecodeState(last.Changes[0].State))
	w.writes[last.Stamp] = &written{string(last.Changes[0].Key), wr.Op, state, set, state.Whole()}
}

// run lets the regions write and hear of each other in any order, with duplicates, and then brings all to rest.
func (w *feedWorld) run(steps int, now func()) {
	w.t.Helper()
	for range steps {
		r := pick(w.g, w.rigs...)
		r.pass(int64(w.g.IntN(3)))
		if w.g.one(3) {
			w.write(r)
		} else {
			deliver(w.t, w.g, r, pick(w.g, w.rigs...).commits())
		}
		now()
	}
	w.rest()
}

func (w *feedWorld) rest() {
	w.t.Helper()
	for moved := true; moved; {
		moved = false
		for _, r := range w.rigs {
			before := r.log.Last()
			for _, from := range w.rigs {
				all := from.commits()
				if w.g.one(2) {
					w.g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
				}
				for batch := range slices.Chunk(all, 1+w.g.IntN(40)) {
					apply(w.t, r, batch)
				}
			}
			moved = moved || r.log.Last() != before
		}
	}
}

// feedBytes is all that a region has of a table's feed, without when it heard of it.
func (r *rig) feedBytes(id record.TableID) map[string]string {
	r.t.Helper()
	all := map[string]string{}
	err := walk(bg, r.store, feedPrefix(nil, id, nil), func(key, value []byte) error {
		if len(key) > 1+16 {
			value = value[heardSize:]
		}
		all[string(key)] = string(value)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.checkFeedCells(id)
	return all
}

// checkFeedCells compares the cells of a feed with what they should be.
func (r *rig) checkFeedCells(id record.TableID) {
	r.t.Helper()
	have, want := must(Cells(bg, r.store, id.Feed())), must(RecomputeFeedCells(bg, r.store, id))
	if !maps.Equal(have, want) {
		r.t.Errorf("region %s: the cells of the feed are\n%v, not\n%v", r.engine.origin.Region, have, want)
	}
}

func (r *rig) conflicts(id record.TableID, q ConflictQuery) (all []Conflict) {
	r.t.Helper()
	if q.Limit == 0 {
		q.Limit = 3
	}
	for {
		page, next, err := r.table(id).Conflicts(bg, q)
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, page...)
		if next == nil {
			return all
		}
		q.After = next
	}
}

// check compares the feeds with each other and with the oracle.
func (w *feedWorld) check(lww bool) {
	w.t.Helper()
	first := w.rigs[0].feedBytes(tableID(2))
	for _, r := range w.rigs {
		r.check()
		r.checkLog()
		if have := r.feedBytes(tableID(2)); !maps.Equal(have, first) {
			w.t.Errorf("region %s has another feed than a: %d notes, not %d", r.engine.origin.Region, len(have), len(first))
		}
		list := r.conflicts(tableID(2), ConflictQuery{})
		w.checkTrue(list)
		w.checkComplete(r, list, lww)
		w.checkCounted(r, list, len(first))
		w.checkStream(r, list)
	}
}

// checkTrue: nothing is listed that the winner's author had seen, and images are what was written.
func (w *feedWorld) checkTrue(list []Conflict) {
	w.t.Helper()
	for _, c := range list {
		loser, winner := w.writes[c.Loser], w.writes[c.Winner]
		switch {
		case loser == nil || winner == nil || loser.key != string(c.Key.Append(nil)) || winner.key != loser.key:
			w.t.Errorf("%s lost to %s: nobody wrote that", c.Loser, c.Winner)
			continue
		case winner.state.Context().Covers(c.Loser):
			w.t.Errorf("%s had seen %s", c.Winner, c.Loser)
		case c.Base != (crdt.Stamp{}) && c.Base != loser.state.Base():
			w.t.Errorf("%s has base %s, noted as %s", c.Loser, loser.state.Base(), c.Base)
		}
		for name, v := range loser.set {
			if (c.All || hasField(&c, name)) && !c.Item().Get(name).Equal(v) && !w.replaced(c.Loser, name) {
				w.t.Errorf("%s wrote %s = %s, its image has %s", c.Loser, name, v.Text(), show(c.Item()))
			}
		}
	}
}

// checkComplete: under last-writer-wins the feed is exactly what lost and nobody replaced who had seen it; under the other
// policies every value is the present one, listed, or was replaced by somebody who had seen it.
func (w *feedWorld) checkComplete(r *rig, list []Conflict, lww bool) {
	w.t.Helper()
	listed := map[crdt.Stamp]*Conflict{}
	for i := range list {
		listed[list[i].Loser] = &list[i]
	}
	bases := map[crdt.Stamp]bool{}
	for _, x := range w.writes {
		bases[x.state.Base()] = true
	}
	states := r.states(tableID(2), true)
	for stamp, x := range w.writes {
		now := must(conflict.DecodeState([]byte(states[x.key])))
		c := listed[stamp]
		if lww {
			lost := !bases[stamp] && now.Stamp() != stamp
			switch {
			case lost && c == nil && x.op != Delete:
				w.t.Errorf("region %s: %s is gone in silence", r.engine.origin.Region, stamp)
			case !lost && c != nil:
				w.t.Errorf("region %s lists %s, which somebody replaced who had seen it, or which stands", r.engine.origin.Region, stamp)
			case c != nil && !c.Item().Equal(x.state.Item()), c != nil && !c.Beaten.Equal(w.writes[c.Winner].state.Item()):
				w.t.Errorf("region %s: %s has the image %s, its winner %s", r.engine.origin.Region, stamp, show(c.Item()), show(c.Beaten))
			}
			continue
		}
		for name, v := range x.set {
			if !now.Item().Get(name).Equal(v) && !w.replaced(stamp, name) && (c == nil || !c.All && !hasField(c, name)) {
				w.t.Errorf("region %s: %s of %s is gone in silence", r.engine.origin.Region, name, stamp)
			}
		}
	}
}

func hasField(c *Conflict, name string) bool {
	return slices.ContainsFunc(c.Fields, func(f conflict.LostField) bool { return f.Name == name })
}

// replaced reports whether somebody who had seen a write wrote one of its attributes, or the whole item.
func (w *feedWorld) replaced(stamp crdt.Stamp, name string) bool {
	for s, x := range w.writes {
		_, set := x.set[name]
		if s != stamp && x.key == w.writes[stamp].key && x.state.Context().Covers(stamp) && (set || x.whole) {
			return true
		}
	}
	return false
}

// checkCounted: what is listed has been counted, and nothing twice.
func (w *feedWorld) checkCounted(r *rig, list []Conflict, notes int) {
	w.t.Helper()
	if n := r.engine.Counters().Conflicts[tableID(2)]; n < uint64(len(list)) || n > uint64(notes) {
		w.t.Errorf("region %s counts %d conflicts, lists %d and has %d notes", r.engine.origin.Region, n, len(list), notes)
	}
}

// TestFeed: after any history, all regions have the same feed; what lost is in it with its image, and nothing else.
func TestFeed(t *testing.T) {
	first := seed(t)
	runs := 25
	if *historyOps > 0 {
		runs = *historyOps / 100
	}
	for name, policies := range map[string][]string{
		"last-writer-wins": {""}, "attribute": {"attribute"}, "crdt": {"crdt"}, "mixed": {"crdt", "", "attribute"},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range uint64(runs) {
				g := newGen(first + i)
				w := newFeedWorld(t, g, policies...)
				w.run(20+g.IntN(60), func() {
					if name == "mixed" && g.one(10) { // policies change while regions disagree about them
						w.policy(pick(g, w.rigs...), pick(g, "", "attribute", "crdt"))
					}
				})
				w.check(name == "last-writer-wins")
				if t.Failed() {
					t.Fatalf("seed %d (-history.seed=%d)", first+i, first+i)
				}
			}
		})
	}
}

func binKey(b byte) item.Key { return item.Key{Hash: []item.Value{item.Bin([]byte{b})}} }

func put(r *rig, b byte, text string) crdt.Stamp {
	must(r.table(tableID(2)).Write(bg, Write{Op: Put, Item: item.NewItem([]item.Field{
		{Name: "id", Value: item.Bin([]byte{b})}, {Name: "v", Value: item.Str(text)},
	})}))
	return must(r.table(tableID(2)).State(bg, binKey(b))).Stamp()
}

// A conflict is told once by each region that sees it, counted once, and by whom it was lost to whom.
func TestFeedCounts(t *testing.T) {
	w := newFeedWorld(t, newGen(1), "attribute")
	for _, r := range w.rigs {
		put(r, 0, r.engine.origin.Region)
		r.pass(10)
	}
	w.rest()
	for _, r := range w.rigs {
		list := r.conflicts(tableID(2), ConflictQuery{})
		c := r.engine.Counters()
		if len(list) != 2 || c.Conflicts[tableID(2)] != 2 || len(c.Pairs) != 2 {
			t.Errorf("region %s lists %d conflicts and counts %v", r.engine.origin.Region, len(list), c.Pairs)
		}
		for p := range c.Pairs {
			if p.Loser == p.Winner || p.Policy != conflict.Attribute {
				t.Errorf("region %s counts %+v", r.engine.origin.Region, p)
			}
		}
	}
}

// A detector that dies has told the others: its log has the notes, under its own stamps.
func TestFeedIsTold(t *testing.T) {
	w := newFeedWorld(t, newGen(1), "")
	a, b, c := w.rigs[0], w.rigs[1], w.rigs[2]
	loser := put(a, 0, "lost")
	b.pass(100)
	put(b, 0, "won")
	apply(t, b, a.commits())
	var told []record.Commit
	for _, cm := range b.commits() {
		if cm.Stamp.Origin == b.engine.origin {
			told = append(told, cm)
		}
	}
	apply(t, c, told)
	list := c.conflicts(tableID(2), ConflictQuery{})
	if len(list) != 1 || list[0].Loser != loser || list[0].Image.Get("v").Text() != "lost" || list[0].Beaten.Get("v").Text() != "won" || !list[0].Direct {
		t.Errorf("c has heard of %+v", list)
	}
	if stored := c.states(tableID(2), true); len(stored) != 1 {
		t.Errorf("a note changes items: %v", stored)
	}
}

// A relayed state is what the relaying region had joined it to: the loser's image is its author's only if its author sent it
// (found by simulation: images differed from what had been written).
func TestFeedImageOfRelayed(t *testing.T) {
	w := newFeedWorld(t, newGen(1), "attribute")
	a, b, c := w.rigs[0], w.rigs[1], w.rigs[2]
	set := func(r *rig, name, v string) crdt.Stamp {
		must(r.table(tableID(2)).Write(bg, Write{Op: Update, Key: binKey(0), Update: update("SET "+name+" = :v", values{":v": item.Str(v)})}))
		return must(r.table(tableID(2)).State(bg, binKey(0))).Stamp()
	}
	put(a, 0, "first")
	w.rest()
	set(b, "x", "b's")
	a.pass(100)
	loser := set(a, "v", "a's")
	apply(t, b, a.commits())
	c.pass(200)
	set(c, "v", "c's")
	all := b.commits()
	if err := c.engine.Apply(bg, Batch{Commits: all[len(all)-1:], Relayed: true}); err != nil {
		t.Fatal(err)
	}
	list := c.conflicts(tableID(2), ConflictQuery{})
	if len(list) != 1 || list[0].Loser != loser || list[0].Image.Get("x").IsZero() || list[0].Direct {
		t.Errorf("c takes for what a wrote: %+v", list)
	}
	apply(t, c, a.commits())
	w.rest()
	list = c.conflicts(tableID(2), ConflictQuery{})
	if len(list) != 1 || list[0].Image.Get("v").Text() != "a's" {
		t.Errorf("at rest c has %+v", list)
	}
}

// TestFeedLimits: a region whose feed is too old or too large raises the floor, everywhere; what is below is not let in again.
func TestFeedLimits(t *testing.T) {
	w := newFeedWorld(t, newGen(1), "")
	a, b := w.rigs[0], w.rigs[1]
	for i := range byte(10) {
		put(a, i, "lost")
		b.pass(100)
		put(b, i, "won")
		a.pass(100)
	}
	w.rest()
	size := 0
	for _, v := range a.feedBytes(tableID(2)) {
		size += len(v)
	}
	if err := a.engine.TrimFeed(bg, tableID(2), FeedLimits{Age: 1 << 40, Bytes: int64(size) - 1}); err != nil {
		t.Fatal(err)
	}
	w.rest()
	for _, r := range w.rigs {
		if n := len(r.conflicts(tableID(2), ConflictQuery{})); n == 0 || n > 8 {
			t.Errorf("region %s lists %d conflicts", r.engine.origin.Region, n)
		}
		if err := r.engine.TrimFeed(bg, tableID(2), FeedLimits{Age: 1 << 40, Bytes: 1 << 40}); err != nil {
			t.Fatal(err)
		}
		f := must(r.table(tableID(2)).Feed())
		if list := r.conflicts(tableID(2), ConflictQuery{}); f.Dropped+uint64(len(list)) != 10 || f.Floor == 0 {
			t.Errorf("region %s: %+v, %d left", r.engine.origin.Region, f, len(list))
		}
	}
	a.pass(1000)
	if err := a.engine.TrimFeed(bg, tableID(2), FeedLimits{Age: 1, Bytes: 1 << 40}); err != nil {
		t.Fatal(err)
	}
	w.rest()
	for _, r := range w.rigs {
		if err := r.engine.TrimFeed(bg, tableID(2), FeedLimits{Age: 1 << 40, Bytes: 1 << 40}); err != nil {
			t.Fatal(err)
		}
		if f := must(r.table(tableID(2)).Feed()); f.Dropped != 10 || len(r.feedBytes(tableID(2))) != 1 {
			t.Errorf("region %s: %+v and %d left", r.engine.origin.Region, f, len(r.feedBytes(tableID(2))))
		}
	}
}

// Malformed notes are refused and change nothing.
func TestFeedRefusesMalformed(t *testing.T) {
	w := newFeedWorld(t, newGen(1), "")
	a, b, c := w.rigs[0], w.rigs[1], w.rigs[2]
	put(a, 0, "lost")
	put(b, 0, "won")
	apply(t, b, a.commits())
	all := slices.DeleteFunc(b.commits(), func(c record.Commit) bool { return !c.Changes[0].Note })
	good := all[len(all)-1]
	for name, spoil := range map[string]func(ch *record.Change){
		"cut":           func(ch *record.Change) { ch.State = ch.State[:len(ch.State)-1] },
		"none":          func(ch *record.Change) { ch.State = nil },
		"another write": func(ch *record.Change) { ch.Base.Time++ },
		"another's key": func(ch *record.Change) { ch.Key = ch.Key[:3] },
		"floor":         func(ch *record.Change) { ch.Key = nil },
	} {
		bad := good
		bad.Changes = slices.Clone(good.Changes)
		spoil(&bad.Changes[0])
		if err := c.engine.Apply(bg, Batch{Commits: []record.Commit{bad}}); err == nil || len(c.feedBytes(tableID(2))) > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is asked for by key, by write or by time is found, page by page.
func TestFeedQueries(t *testing.T) {
	w := newFeedWorld(t, newGen(1), "")
	a, b := w.rigs[0], w.rigs[1]
	losers := map[byte]crdt.Stamp{}
	for i := range byte(5) {
		losers[i] = put(a, i, "lost")
		b.pass(100)
		a.pass(100)
		put(b, i, "won")
	}
	w.rest()
	k := binKey(3)
	ms := losers[2].Time.Millis()
	for name, tc := range map[string]struct {
		q    ConflictQuery
		want []byte
	}{
		"all":   {ConflictQuery{Limit: 1}, []byte{0, 1, 2, 3, 4}},
		"key":   {ConflictQuery{Key: &k}, []byte{3}},
		"write": {ConflictQuery{Loser: losers[4]}, []byte{4}},
		"since": {ConflictQuery{Since: ms}, []byte{2, 3, 4}},
		"until": {ConflictQuery{Until: ms}, []byte{0, 1}},
	} {
		var got []byte
		for _, c := range a.conflicts(tableID(2), tc.q) {
			got = append(got, c.Key.Hash[0].Bytes()[0])
			if c.Loser != losers[got[len(got)-1]] {
				t.Errorf("%s: %s", name, c.Loser)
			}
		}
		if slices.Sort(got); !bytes.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	if _, _, err := a.table(tableID(2)).Conflicts(bg, ConflictQuery{Limit: 1, After: []byte("nowhere")}); err == nil {
		t.Error("a place that is none was taken")
	}
}

// Of two notes of one write that are on their way neither has seen the other, nor does a floor cover them: who takes all that
// differs takes both. No side is held to lack one.
func TestFeedNotesUnderWay(t *testing.T) {
	w := newFeedWorld(t, newGen(1), "")
	a, b := w.rigs[0], w.rigs[1]
	for i := range byte(20) {
		put(a, i, "lost")
		b.pass(10)
		put(b, i, "won")
	}
	mine, theirs := a.commits(), b.commits()
	apply(t, b, mine)
	a.pass(1000) // each saw it at a time of its own
	apply(t, a, theirs)
	x := must(OpenFeedTree(bg, a.store, tableID(2), 0))
	y := must(OpenFeedTree(bg, b.store, tableID(2), 0))
	floor := crdt.Context{}.WithFloor(crdt.TimeFromMillis(a.now))
	n := 0
	for k := range a.feedBytes(tableID(2)) {
		p := x.hash.path([]byte(k[len(x.prefix):]))
		c, found, _, err := x.Context(p)
		d, found2, _, err2 := y.Context(p)
		if !found || !found2 || err != nil || err2 != nil {
			t.Fatal(found, found2, err, err2)
		}
		if n++; c.SubsetOf(d) || d.SubsetOf(c) || c.SubsetOf(floor) || d.SubsetOf(floor) {
			t.Errorf("note %x has seen %v here and %v there", k, c, d)
		}
		for s := range c.Seen() {
			if up, listed := FeedHeld()[s.Origin]; !listed || s.Time <= up {
				t.Errorf("note %x has seen %v, of which all is said to be held up to %v, %v", k, s, up, listed)
			}
		}
	}
	if n != 20 {
		t.Errorf("%d notes", n)
	}
}

// The feed goes with its table.
func TestFeedGoesWithTable(t *testing.T) {
	w := newFeedWorld(t, newGen(1), "")
	put(w.rigs[0], 0, "lost")
	put(w.rigs[1], 0, "won")
	w.rest()
	r := w.rigs[0]
	r.drop(tableID(2))
	if err := r.engine.RemoveTable(bg, tableID(2)); err != nil {
		t.Fatal(err)
	}
	if n := len(r.feedBytes(tableID(2))); n > 0 {
		t.Errorf("%d notes are left", n)
	}
}

// What is restored is what was lost, only while what it lost to is unchanged.
func TestRestore(t *testing.T) {
	for name, tc := range map[string]struct {
		policy    string
		lose, win Write
		want      string // after the restore; empty: none
		disturb   Write  // what makes it refuse
	}{
		"put":         {"", itemWrite("1"), itemWrite("2"), "1", itemWrite("3")},
		"delete":      {"", Write{Op: Delete, Key: binKey(0)}, itemWrite("2"), "", itemWrite("3")},
		"to a delete": {"", itemWrite("1"), Write{Op: Delete, Key: binKey(0)}, "1", itemWrite("3")},
		"attribute":   {"attribute", setWrite("1"), setWrite("2"), "1", setWrite("3")},
		"crdt":        {"crdt", setWrite("1"), setWrite("2"), "1", setWrite("3")},
	} {
		for _, disturbed := range []bool{false, true} {
			w := newFeedWorld(t, newGen(1), tc.policy)
			a, b := w.rigs[0], w.rigs[1]
			write := func(r *rig, x Write) { must(r.table(tableID(2)).Write(bg, x)) }
			write(a, itemWrite("0"))
			w.rest()
			write(a, tc.lose)
			b.pass(100)
			write(b, tc.win)
			w.rest()
			if disturbed {
				write(b, tc.disturb)
				w.rest()
			}
			list := b.conflicts(tableID(2), ConflictQuery{})
			if len(list) != 1 {
				t.Fatalf("%s: %d conflicts", name, len(list))
			}
			it, err := b.table(tableID(2)).Restore(bg, list[0].Key, list[0].Loser)
			if disturbed {
				if fault.KindOf(err) != fault.ConditionFailed {
					t.Errorf("%s: over a later write: %s, %v", name, show(it), err)
				}
				continue
			}
			w.rest()
			for _, r := range w.rigs {
				s := must(r.table(tableID(2)).State(bg, binKey(0)))
				if err != nil || tc.want == "" != s.Item().IsZero() || tc.want != "" && s.Item().Get("v").Text() != tc.want {
					t.Errorf("%s: restored %s, %v; region %s has %s", name, show(it), err, r.engine.origin.Region, show(s.Item()))
				}
			}
		}
	}
}

func itemWrite(v string) Write {
	return Write{Op: Put, Item: item.NewItem([]item.Field{{Name: "id", Value: item.Bin([]byte{0})}, {Name: "v", Value: item.Str(v)}})}
}

func setWrite(v string) Write {
	return Write{Op: Update, Key: binKey(0), Update: update("SET v = :v", values{":v": item.Str(v)})}
}
