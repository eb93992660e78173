package record

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/meridiandb/meridian/crdt"
)

// Change is one item's new state, or a note about it in the conflict feed.
type Change struct {
	Table  TableID
	Shard  uint16     // ShardOf of the key's hash; < Shards
	Key    []byte     // item.Key, ordered bytes
	Base   crdt.Stamp // what the author replaced; zero: nothing
	State  []byte     // conflict.State
	Old    []byte     // the item before, encoded; only where a stream is on
	HasOld bool       // Old is given; false implies that Old is empty
	// Note: State is a conflict.Note instead, and Base the write that it is about. The item is as it was; there is no Old.
	Note bool
}

// Commit is the changes that became visible together.
//
// Invariant: Prev < Seq, and Prev is the Seq of the commit before it in the same log (0: it is the first).
type Commit struct {
	Seq, Prev Seq
	Stamp     crdt.Stamp // the author's, kept when the commit is applied elsewhere
	Wall      int64      // unix milliseconds when it was written in its author's region
	Changes   []Change
}

// Order is what a log keeps of a commit in its order: everything but the changes.
type Order struct {
	Seq, Prev Seq
	Stamp     crdt.Stamp
	Wall      int64
	Parts     []PartRef // by table, then shard; each pair once
}

// PartRef says that a commit has changes in a shard of a table.
type PartRef struct {
	Table   TableID
	Shard   uint16
	Changes int // > 0
}

// Compare orders by table, then shard.
func (p PartRef) Compare(q PartRef) int {
	if c := bytes.Compare(p.Table[:], q.Table[:]); c != 0 {
		return c
	}
	return cmp.Compare(p.Shard, q.Shard)
}

// Part is a commit's changes in one shard of one table.
//
// Invariant: len(Places) = len(Changes), and Places rise.
type Part struct {
	Table   TableID
	Shard   uint16
	Seq     Seq
	Stamp   crdt.Stamp
	Wall    int64
	Places  []int // Changes[i] is the commit's change number Places[i], counted from 0
	Changes []Change
}

// firstPlace is that of a commit's only change.
var firstPlace = []int{0}

// Split takes a commit apart. The parts share the changes' memory.
func Split(c *Commit) (Order, []Part) {
	o := Order{Seq: c.Seq, Prev: c.Prev, Stamp: c.Stamp, Wall: c.Wall}
	if len(c.Changes) == 1 { // nearly all have one, and need no list of their own
		ch := &c.Changes[0]
		parts := []Part{{
			Table: ch.Table, Shard: ch.Shard, Seq: c.Seq, Stamp: c.Stamp, Wall: c.Wall, Places: firstPlace, Changes: c.Changes,
		}}
		o.Parts = []PartRef{parts[0].Ref()}
		return o, parts
	}
	var parts []Part
	for i := range c.Changes {
		ch := &c.Changes[i]
		p := partFor(&parts, c, ch)
		p.Places = append(p.Places, i)
		p.Changes = append(p.Changes, *ch)
	}
	slices.SortFunc(parts, func(a, b Part) int { return a.Ref().Compare(b.Ref()) })
	for i := range parts {
		o.Parts = append(o.Parts, parts[i].Ref())
	}
	return o, parts
}

// partFor finds the part a change belongs to, or begins it. A linear search: a commit touches a few shards, 100 at most
// where it came from a client.
func partFor(parts *[]Part, c *Commit, ch *Change) *Part {
	for i := range *parts {
		if p := &(*parts)[i]; p.Table == ch.Table && p.Shard == ch.Shard {
			return p
		}
	}
	*parts = append(*parts, Part{Table: ch.Table, Shard: ch.Shard, Seq: c.Seq, Stamp: c.Stamp, Wall: c.Wall})
	return &(*parts)[len(*parts)-1]
}

// Ref names the part as its order entry does.
func (p *Part) Ref() PartRef { return PartRef{p.Table, p.Shard, len(p.Changes)} }

// Join puts a commit together from its order entry and all its parts. It fails if they do not belong together.
func Join(o *Order, parts []Part) (Commit, error) {
	c := Commit{Seq: o.Seq, Prev: o.Prev, Stamp: o.Stamp, Wall: o.Wall}
	if len(parts) != len(o.Parts) {
		return Commit{}, malformed("commit %d has %d parts, not %d", o.Seq, len(parts), len(o.Parts))
	}
	total := 0
	for i := range parts {
		if p := &parts[i]; p.Ref() != o.Parts[i] || p.Seq != o.Seq || p.Stamp != o.Stamp {
			return Commit{}, malformed("part %d of commit %d is another commit's", i, o.Seq)
		}
		total += len(parts[i].Changes)
	}
	if total == 0 {
		return c, nil
	}
	c.Changes = make([]Change, total)
	filled := make([]bool, total)
	for i := range parts {
		for j, at := range parts[i].Places {
			if at >= total || filled[at] {
				return Commit{}, malformed("commit %d has two changes in place %d, or a hole", o.Seq, at)
			}
			c.Changes[at], filled[at] = parts[i].Changes[j], true
		}
	}
	return c, nil
}

// Size is about how much memory a commit takes.
func (c *Commit) Size() int {
	n := 128
	for i := range c.Changes {
		ch := &c.Changes[i]
		n += 160 + len(ch.Key) + len(ch.State) + len(ch.Old)
	}
	return n
}
