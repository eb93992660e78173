package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Conflict is one write of a table that lost.
type Conflict struct {
	Key item.Key
	conflict.Note
}

// ConflictQuery says which conflicts of a table to list.
type ConflictQuery struct {
	Key   *item.Key  // nil: of all items
	Loser crdt.Stamp // zero: all
	// Since and Until bound the losers' times, in unix milliseconds; 0: no bound. Until is not included.
	Since, Until int64
	After        []byte // go on after this place; nil: from the beginning
	Limit        int    // > 0
}

// Conflicts lists conflicts by item, and those of one item by the losers' times. Next is where to go on, nil at the end. It
// tells durable state only.
func (t *Table) Conflicts(ctx context.Context, q ConflictQuery) (list []Conflict, next []byte, err error) {
	e := t.engine
	r := e.store.Snapshot()
	defer r.Close() //nolint:errcheck // a snapshot holds nothing that could fail to be written
	floor, _, err := readFeedFloor(r, t.entry.ID)
	if err != nil {
		return nil, nil, err
	}
	l := listing{table: t, query: q, floor: floor}
	prefix := feedPrefix(nil, t.entry.ID, nil)
	if q.Key != nil {
		prefix = q.Key.Append(prefix)
	}
	bounds := storage.PrefixRange(prefix)
	if q.After != nil {
		from, err := t.itemAt(q.After)
		if err != nil {
			return nil, nil, err
		}
		if bytes.Compare(bounds.Lower, from) < 0 {
			bounds.Lower = from
		}
	}
	err = walkNotes(ctx, r, bounds, l.note)
	if err == nil {
		err = l.endItem()
	}
	if err != nil && !errors.Is(err, errEnough) {
		return nil, nil, err
	}
	return l.found, l.next, errors.Join(e.settleAll(ctx), t.held())
}

// itemAt is where the notes begin of the item that a place is in: they are looked at together.
func (t *Table) itemAt(place []byte) ([]byte, error) {
	prefix := feedPrefix(nil, t.entry.ID, nil)
	if !bytes.HasPrefix(place, prefix) {
		return nil, errPlace()
	}
	_, rest, err := t.Schema().ReadKey(place[len(prefix):])
	if err != nil {
		return nil, errPlace()
	}
	return place[:len(place)-len(rest)], nil
}

func errPlace() error {
	return fault.New(fault.Invalid, "the place to go on from is none of this table's feed")
}

// listing gathers the notes of one item after the other: only together they say which of them are conflicts.
type listing struct {
	table *Table
	query ConflictQuery
	floor crdt.Time
	item  []byte // ordered key of the item that is being gathered
	notes []conflict.Note
	found []Conflict
	next  []byte
}

func (l *listing) note(key []byte, n *conflict.Note, value []byte) error {
	itemKey := itemOfNote(key, n)
	if !bytes.Equal(itemKey, l.item) {
		if err := l.endItem(); err != nil {
			return err
		}
		l.item = bytes.Clone(itemKey)
	}
	if n.Loser.Time <= l.floor {
		return nil
	}
	own, err := readNote(key, bytes.Clone(value)) // n is the iterator's
	l.notes = append(l.notes, own)
	return err
}

// endItem lists what stands of an item. It returns errEnough when the page is full and more may follow.
func (l *listing) endItem() error {
	notes := conflict.Standing(l.notes)
	l.notes = l.notes[:0]
	if len(notes) == 0 {
		return nil
	}
	k, rest, err := l.table.Schema().ReadKey(l.item)
	if err != nil || len(rest) > 0 {
		return &storage.CorruptionError{Where: fmt.Sprintf("conflict note of item %x", l.item), Err: errors.Join(err, errNoKey)}
	}
	for i := range notes {
		n := &notes[i]
		if !l.query.wants(n) {
			continue
		}
		at := feedKey(l.table.entry.ID, l.item, n.Loser)
		if bytes.Compare(at, l.query.After) <= 0 {
			continue
		}
		if len(l.found) == l.query.Limit {
			last := &l.found[len(l.found)-1]
			l.next = feedKey(l.table.entry.ID, last.Key.Append(nil), last.Loser)
			return errEnough
		}
		l.found = append(l.found, Conflict{Key: k, Note: *n})
	}
	return nil
}

var errNoKey = errors.New("no key of this table")

func (q *ConflictQuery) wants(n *conflict.Note) bool {
	ms := n.Loser.Time.Millis()
	return (q.Loser.IsZero() || q.Loser == n.Loser) && (q.Since == 0 || ms >= q.Since) && (q.Until == 0 || ms < q.Until)
}

func itemOfNote(key []byte, n *conflict.Note) []byte {
	return key[1+16 : len(key)-feedFixed-len(n.Loser.Origin.Region)]
}

// walkFeed calls fn for all notes of a table, in order of their keys. What fn gets is good until it returns.
func (e *Engine) walkFeed(ctx context.Context, id record.TableID, fn func(key []byte, n *conflict.Note, value []byte) error) error {
	return walkNotes(ctx, e.store, storage.PrefixRange(feedPrefix(nil, id, nil)), fn)
}

func walkNotes(ctx context.Context, r storage.Reader, o storage.IterOptions, fn func(key []byte, n *conflict.Note, value []byte) error) error {
	return walkRange(ctx, r, o, func(key, value []byte) error {
		if len(key) == 1+16 {
			return nil // the floor
		}
		n, err := readNote(key, value)
		if err != nil {
			return err
		}
		if len(key) < 1+16+feedFixed+len(n.Loser.Origin.Region) ||
			!bytes.Equal(key, feedKey(record.TableID(key[1:17]), itemOfNote(key, &n), n.Loser)) {
			return storage.Corruptf(fmt.Sprintf("conflict note %x", key), "it is about another write")
		}
		return fn(key, &n, value)
	})
}

// Feed is how a table's conflict feed stands.
type Feed struct {
	Floor   crdt.Time // what is at or below has been dropped
	Dropped uint64    // conflicts that were dropped here
}

// Feed reads how the table's feed stands.
func (t *Table) Feed() (Feed, error) {
	floor, dropped, err := readFeedFloor(t.engine.store, t.entry.ID)
	return Feed{floor, dropped}, err
}

// FeedPrefix begins the keys of a table's feed in the store; FeedChange reads what stands there as a change, for copies of the
// table. By is the copying region's origin. There is none of a floor that was never raised.
func FeedPrefix(id record.TableID) []byte { return feedPrefix(nil, id, nil) }

// FeedChange is described at FeedPrefix.
func FeedChange(key, value []byte, by crdt.Origin) (ch record.Change, ok bool, err error) {
	id := record.TableID(key[1:])
	if len(key) == 1+16 {
		floor, _, err := decodeFloor(key, value)
		return floorChange(id, crdt.Stamp{Time: floor, Origin: by}), floor > 0, err
	}
	n, err := readNote(key, value)
	if err != nil {
		return ch, false, err
	}
	return noteChange(id, bytes.Clone(itemOfNote(key, &n)), n.Loser, bytes.Clone(value[heardSize:])), true, nil
}
