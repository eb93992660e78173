package repltest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/stream/record"
)

// history is what is known of all writes: what regions acknowledged to clients, and what stands in their logs.
type history struct {
	w *world

	mu     sync.Mutex
	logs   map[crdt.Origin]*logOf
	writes map[itemID]map[crdt.Stamp]*written
	acks   []*ack
}

// itemID is an item of a table, by its ordered key.
type itemID struct {
	table record.TableID
	key   string
}

func idOf(t *tableInfo, k item.Key) itemID { return itemID{t.id, string(k.Append(nil))} }

// logOf is an origin's log as far as anybody has seen it.
type logOf struct {
	stamps  map[record.Seq]crdt.Stamp
	shipped map[record.Seq]bool
}

// written is one write as its author's log has it.
type written struct {
	stamp   crdt.Stamp
	marks   [2]string // the attributes w and v; empty for a delete
	visible bool
	item    item.Item
	ctx     crdt.Context
	base    crdt.Stamp
	state   string
}

// ack is a write that a client was told is done.
type ack struct {
	origin crdt.Origin
	id     itemID
	table  *tableInfo
	mark   string // what it wrote, and to which attribute; empty for a delete
	attr   string
	old    [2]string // what a delete deleted
	found  *written
}

func newHistory(w *world) *history {
	return &history{w: w, logs: map[crdt.Origin]*logOf{}, writes: map[itemID]map[crdt.Stamp]*written{}}
}

func (h *history) acknowledged(as ...*ack) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acks = append(h.acks, as...)
}

func (h *history) shipped(o crdt.Origin, commits []record.Commit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range commits {
		h.noteLocked(o, &commits[i])
		h.logs[o].shipped[commits[i].Seq] = true
	}
}

// noteLocked takes a commit of an origin's log. The same place must always have the same commit.
func (h *history) noteLocked(o crdt.Origin, c *record.Commit) {
	l := h.logs[o]
	if l == nil {
		l = &logOf{stamps: map[record.Seq]crdt.Stamp{}, shipped: map[record.Seq]bool{}}
		h.logs[o] = l
	}
	if was, ok := l.stamps[c.Seq]; ok && was != c.Stamp {
		h.w.fail("stamps: commit %d of %v is %v, and was %v before", c.Seq, o, c.Stamp, was)
	}
	l.stamps[c.Seq] = c.Stamp
	if c.Stamp.Origin != o {
		h.w.fail("stamps: %v gives out commit %v as its own", o, c.Stamp)
	}
	for i := range c.Changes {
		if !c.Changes[i].Note { // of the conflict feed, and no write
			h.changeLocked(c, &c.Changes[i])
		}
	}
}

func (h *history) changeLocked(c *record.Commit, ch *record.Change) {
	id := itemID{ch.Table, string(ch.Key)}
	byStamp := h.writes[id]
	if byStamp == nil {
		byStamp = map[crdt.Stamp]*written{}
		h.writes[id] = byStamp
	}
	if was := byStamp[c.Stamp]; was != nil {
		if was.state != string(ch.State) {
			h.w.fail("stamps: two writes of item %q have the stamp %v", ch.Key, c.Stamp)
		}
		return
	}
	s, err := conflict.DecodeState(ch.State)
	if err != nil {
		h.w.fail("commit %v: %v: item %q of table %v, state %x", c.Stamp, err, ch.Key, ch.Table, ch.State)
		return
	}
	x := &written{stamp: c.Stamp, visible: s.Visible(), ctx: s.Context(), base: s.Base(), state: string(ch.State)}
	if x.visible {
		x.item, x.marks = s.Item(), marksOf(s.Item())
	}
	if s.Stamp() != c.Stamp || !x.ctx.Covers(c.Stamp) {
		h.w.fail("stamps: commit %v writes a state of %v that has seen %v", c.Stamp, s.Stamp(), x.ctx)
	}
	for seen := range x.ctx.Seen() {
		if c.Stamp.Less(seen) {
			h.w.fail("stamps: commit %v had seen %v", c.Stamp, seen)
		}
	}
	byStamp[c.Stamp] = x
}

// marksOf is what an item has of clients' marks.
func marksOf(it item.Item) (marks [2]string) {
	if it.IsZero() {
		return marks
	}
	for i, name := range [2]string{"w", "v"} {
		if v := it.Get(name); !v.IsZero() {
			marks[i] = v.Text()
		}
	}
	return marks
}

// wrote reports whether a write is the one that an acknowledgement is about.
func (x *written) wrote(a *ack) bool {
	if a.attr == "v" {
		return x.marks[1] == a.mark
	}
	return x.marks[0] == a.mark
}

// reopened reads a region's whole log. What was acknowledged or shipped in an earlier life must stand in it.
func (h *history) reopened(l *life) {
	s := l.region.Stats()
	o := l.region.Origin()
	if s.LogDurable == 0 {
		return
	}
	from := record.Seq(0)
	if s.LogFirst > 0 {
		from = s.LogFirst - 1
	}
	commits, _, err := l.region.Read(from, h.w.allTables(), 1<<40)
	if err != nil {
		if l.alive() {
			h.w.fail("%v: its log cannot be read from %d to %d: %v", o, from, s.LogDurable, err)
		}
		return
	}
	if !l.alive() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	have := map[record.Seq]bool{}
	for i := range commits {
		have[commits[i].Seq] = true
		h.noteLocked(o, &commits[i])
	}
	if known := h.logs[o]; known != nil {
		for seq := range known.shipped {
			if seq > from && !have[seq] {
				h.w.fail("step 4: commit %d of %v was shipped, and is not in its log after a restart", seq, o)
			}
		}
	}
	for _, a := range h.acks {
		if a.origin == o && h.findLocked(a) == nil && !h.mayBeLocked(a) {
			h.w.fail("promise 1: %v acknowledged %s, which is not in its log after a restart (log %d to %d)", o, a, from, s.LogDurable)
		}
	}
}

// findLocked finds an acknowledged write in its region's log.
func (h *history) findLocked(a *ack) *written {
	if a.found != nil {
		return a.found
	}
	of := h.writes[a.id]
	for _, x := range of {
		if x.stamp.Origin != a.origin {
			continue
		}
		// A later write of the same region can still have the mark; the first one made it.
		if a.mark != "" && x.wrote(a) && (a.found == nil || x.stamp.Less(a.found.stamp)) {
			a.found = x
		}
		if base := of[x.base]; a.mark == "" && !x.visible && base != nil && base.marks == a.old {
			a.found = x
		}
	}
	return a.found
}

// mayBeLocked reports whether an acknowledged delete may be one in the log: of something that came with a copy and stands in
// a log that was not read yet, or of what was merged from several writes.
func (h *history) mayBeLocked(a *ack) bool {
	of := h.writes[a.id]
	for _, x := range of {
		if a.mark == "" && x.stamp.Origin == a.origin && !x.visible && (of[x.base] == nil || !a.table.plain()) {
			return true
		}
	}
	return false
}

func (a *ack) String() string {
	if a.mark == "" {
		return fmt.Sprint("the delete of ", a.old, " in ", a.table.name)
	}
	return a.mark + " in " + a.table.name
}

// increasing judges that each origin's stamps rise with its log.
func (h *history) increasing() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for o, l := range h.logs {
		var seqs []record.Seq
		for s := range l.stamps {
			seqs = append(seqs, s)
		}
		slices.Sort(seqs)
		for i := 1; i < len(seqs); i++ {
			if a, b := l.stamps[seqs[i-1]], l.stamps[seqs[i]]; !a.Less(b) {
				h.w.fail("stamps: %v wrote commit %d at %v and commit %d at %v", o, seqs[i-1], a, seqs[i], b)
			}
		}
	}
}
