package conflict

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// Note is what the conflict feed holds of one write to one item: that it lost, and to what, or that somebody who had seen it
// replaced it, which beats any loss for ever: then it is an ancestor of another write, and no news to anybody.
//
// Several regions see the same loss, each beside other writes. Join makes one note of theirs: it is commutative, associative
// and idempotent, so that feeds are equal wherever the same notes have arrived.
//
// Invariant: a superseded note is not Lost, and has nothing but Loser, Superseded, Base and Whole.
type Note struct {
	Loser      crdt.Stamp
	Superseded crdt.Stamp // the highest write known that saw Loser and replaced it; zero: none
	Base       crdt.Stamp // what Loser itself replaced, as far as known
	Whole      bool       // it replaced Base altogether, so that Base is an ancestor too

	Lost   bool
	All    bool        // it lost as a whole, not only some attributes
	Direct bool        // Image came with the write itself: concurrent writes of others can hardly be in it
	Image  item.Item   // the item as a region had it with the write in it; zero: the loser is a delete
	Fields []LostField // attributes that lost, in name order
	Winner crdt.Stamp  // the highest that it lost to
	Beaten item.Item   // the winner's item; zero: the winner is a delete
	Reason Reason      // why the highest won
	Policy Policy      // of the region that saw it
	Noted  int64       // unix milliseconds when a region first saw it
}

// LostField is an attribute and what the loser wrote to it; the zero Value if it removed it. Image may have it from another
// write: of a write that lost here one attribute and there another, there can be two images.
type LostField struct {
	Name  string
	Value item.Value
}

// NoteLoss makes the note of a loss. Direct says that the loser's state had just arrived, as its author had sent it.
func NoteLoss(l *Loss, p Policy, direct bool, now int64) Note {
	n := Note{
		Loser: l.Stamp, Base: l.Base, Whole: l.Whole, Lost: true, All: len(l.Attributes) == 0, Direct: direct, Image: l.Image,
		Winner: l.Winner, Beaten: l.Beaten, Reason: l.Reason, Policy: p, Noted: now,
	}
	for _, name := range l.Attributes {
		n.Fields = append(n.Fields, LostField{name, l.Image.Get(name)})
	}
	return n
}

// Item is the loser's full image: the zero Item if it is a delete.
func (n *Note) Item() item.Item {
	if n.Image.IsZero() {
		return n.Image
	}
	var other []item.Field
	for _, f := range n.Fields {
		if !n.Image.Get(f.Name).Equal(f.Value) {
			other = append(other, item.Field(f))
		}
	}
	if len(other) == 0 {
		return n.Image
	}
	return n.Image.With(other)
}

// NoteSuperseded makes the note that a write's author had seen its base and replaced it.
func NoteSuperseded(base, by crdt.Stamp) Note { return Note{Loser: base, Superseded: by} }

// Join makes one of two notes of the same write.
func (n Note) Join(o Note) Note {
	j := Note{
		Loser: maxStamp(n.Loser, o.Loser), Superseded: maxStamp(n.Superseded, o.Superseded),
		Base: maxStamp(n.Base, o.Base), Whole: n.Whole || o.Whole,
	}
	switch {
	case !j.Superseded.IsZero():
	case !n.Lost:
		o.Superseded, o.Base, o.Whole = j.Superseded, j.Base, j.Whole
		return o
	case !o.Lost:
		n.Superseded, n.Base, n.Whole = j.Superseded, j.Base, j.Whole
		return n
	default:
		j.joinLost(&n, &o)
	}
	return j
}

func maxStamp(a, b crdt.Stamp) crdt.Stamp {
	if a.Less(b) {
		return b
	}
	return a
}

// joinLost joins what two notes say of the loss, each part by its own order.
func (n *Note) joinLost(a, b *Note) {
	n.Lost = true
	if a.compareImages(b) < 0 {
		n.Direct, n.Image = b.Direct, b.Image
	} else {
		n.Direct, n.Image = a.Direct, a.Image
	}
	w := a
	if a.compareWinners(b) < 0 {
		w = b
	}
	n.Winner, n.Beaten, n.Reason, n.Policy = w.Winner, w.Beaten, w.Reason, w.Policy
	n.Noted = min(a.Noted, b.Noted)
	n.All = a.All || b.All
	n.Fields = joinFields(a.Fields, b.Fields)
}

func joinFields(a, b []LostField) []LostField {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y LostField) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), -bytes.Compare(x.Value.Encoded(), y.Value.Encoded()))
	})
	// Nearly always the same value; else, with additions, one of them.
	return slices.CompactFunc(all, func(x, y LostField) bool { return x.Name == y.Name })
}

func (n *Note) compareImages(o *Note) int {
	if n.Direct != o.Direct {
		if n.Direct {
			return 1
		}
		return -1
	}
	return compareItems(n.Image, o.Image)
}

func (n *Note) compareWinners(o *Note) int {
	return cmp.Or(n.Winner.Compare(o.Winner), compareItems(n.Beaten, o.Beaten), cmp.Compare(n.Reason, o.Reason), cmp.Compare(n.Policy, o.Policy))
}

func compareItems(a, b item.Item) int {
	if a.IsZero() != b.IsZero() {
		if a.IsZero() {
			return -1
		}
		return 1
	}
	return bytes.Compare(a.Encoded(), b.Encoded())
}

// Standing lists the notes of one item that are conflicts: those lost that nobody replaced who had seen them.
func Standing(notes []Note) []Note {
	var standing []Note
	for _, n := range notes {
		replaced := func(o Note) bool { return o.Whole && o.Base == n.Loser }
		if n.Lost && !slices.ContainsFunc(notes, replaced) {
			standing = append(standing, n)
		}
	}
	return standing
}
