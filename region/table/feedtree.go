package table

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/zeebo/xxh3"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Feeds are compared and mended as tables are (package antientropy): a feed has a hash tree of its own, under its own id, over
// its notes, which stand where their items do. What differs is joined on both sides; nobody needs to be asked who lacks what.
//
// The comparison wants to hear what each side has seen, so a note says of itself that it has seen itself: a write of its
// loser's time by an origin of its bytes' hash. Two notes of one write have then seen different things, and each side lacks the
// other's; a side that has none lacks it, unless its feed's floor is above. A note of which there was news here a moment ago is
// on its way to the others, and says so by origins of which nobody holds anything yet. They are two, one the later the greater
// the hash and one the later the smaller, at times that no floor reaches: so of different notes neither has seen the other, and
// a comparison that takes all that differs takes these too. Notes are compared without the time at which a region heard of them.

func feedOf(id record.TableID) leaves {
	return leaves{newCellHash(id.Feed()), feedPrefix(nil, id, nil), true}
}

func feedCell(itemKey []byte) Cell { return Cell{Bucket: binary.BigEndian.Uint16(itemKey)} }

// moveNote writes what a note's change does to its cell. Old and new are nil where there is none.
func moveNote(w storage.Writer, id record.TableID, buf *cellBuffer, key, old, new []byte) error {
	l := feedOf(id)
	itemKey := key[len(l.prefix):]
	var d Digest
	for _, value := range [...][]byte{old, new} {
		if value != nil {
			d.XOR(l.hash.digest(append(bytes.Clone(itemKey), value...)))
		}
	}
	return l.hash.merge(w, buf, feedCell(itemKey), d)
}

// OpenFeedTree reads the cells of a table's feed. What there was news of after recent, a hybrid time in milliseconds, counts as
// under way.
func OpenFeedTree(ctx context.Context, from storage.Reader, id record.TableID, recent int64) (*Tree, error) {
	t, err := openTree(ctx, from, feedOf(id), 0)
	t.recent = recent
	return t, err
}

// MendFeedCells is MendCells for a table's feed.
func (e *Engine) MendFeedCells(ctx context.Context, id record.TableID) (int, error) {
	return e.mendCells(ctx, id, feedOf(id))
}

// RecomputeFeedCells works out from a table's feed what its cells, those of its own id, should be.
func RecomputeFeedCells(ctx context.Context, r storage.Reader, id record.TableID) (map[Cell]Digest, error) {
	return recomputeCells(ctx, r, feedOf(id))
}

// underWay are the origins of what is on its way. Feeds hold all of them up to FeedHeld, which is before everything.
var underWay = [2]crdt.Origin{{Region: "-", Incarnation: 1}, {Region: "-", Incarnation: 2}}

// FeedHeld is what all feeds hold, for the comparison.
func FeedHeld() map[crdt.Origin]crdt.Time {
	return map[crdt.Origin]crdt.Time{underWay[0]: 1, underWay[1]: 1}
}

// noteContext is what a stored note has seen.
func (t *Tree) noteContext(suffix, value []byte) (c crdt.Context, found bool, err error) {
	n, err := readNote(append(bytes.Clone(t.prefix), suffix...), value)
	if err != nil {
		return c, false, err
	}
	hash := xxh3.Hash(value[heardSize:])
	if int64(binary.BigEndian.Uint64(value)) > t.recent {
		const late = 1 << 63
		return crdt.NewContext(0, crdt.Stamp{Time: crdt.Time(hash | late), Origin: underWay[0]},
			crdt.Stamp{Time: crdt.Time(^hash | late), Origin: underWay[1]}), true, nil
	}
	return crdt.NewContext(0, crdt.Stamp{Time: n.Loser.Time, Origin: crdt.Origin{Region: "=", Incarnation: hash | 1}}), true, nil
}

// MendedNote makes a change of a note that another region's feed has under a key; known says that there is nothing new in it.
func (t *Table) MendedNote(suffix, value []byte) (ch record.Change, known bool, err error) {
	n, err := conflict.DecodeNote(value)
	if err != nil {
		return ch, false, err
	}
	itemKey, ok := bytes.CutSuffix(suffix, appendLoser(nil, n.Loser))
	if !ok || t.entry.Schema.CheckKey(itemKey) != nil {
		return ch, false, fmt.Errorf("%w: a note under another's key", record.ErrMalformed)
	}
	ch = noteChange(t.entry.ID, itemKey, n.Loser, value)
	floor, _, err := readFeedFloor(t.engine.store, t.entry.ID)
	if err != nil || n.Loser.Time <= floor {
		return ch, true, err
	}
	key := feedKey(t.entry.ID, itemKey, n.Loser)
	stored, err := t.engine.store.Get(key)
	if storage.IsNotFound(err) {
		return ch, false, nil
	}
	if err != nil {
		return ch, false, err
	}
	have, err := readNote(key, stored)
	if err != nil {
		return ch, false, err
	}
	joined := have.Join(n)
	return ch, bytes.Equal(joined.Append(nil), stored[heardSize:]), nil
}

// RaiseFeedFloor raises a table's feed's floor to what another region's is, and removes what is below it. A floor of 1 is none:
// antientropy knows no 0.
func (e *Engine) RaiseFeedFloor(ctx context.Context, id record.TableID, to crdt.Time) error {
	have, _, err := readFeedFloor(e.store, id)
	if err != nil || to <= max(have, 1) {
		return err
	}
	if err := e.raiseFeedFloor(ctx, id, to); err != nil {
		return err
	}
	return e.dropNotes(ctx, id, to)
}
