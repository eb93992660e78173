package table

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// A table's feed is bounded by a floor: notes of writes at or below this time are dropped everywhere, and not let in again.
// A region whose feed is too old or too large raises the floor and tells the others, by a note without a key whose Base has
// the time; floors join by maximum. Under the table id alone stands
//
//	offset  size  field
//	0       8     floor, big endian
//	8       8     conflicts that were dropped here, big endian

// FeedLimits bounds the feed of a table.
type FeedLimits struct {
	// Age is how long a note is kept, in milliseconds of its write's stamp. Too little and nobody has looked yet.
	Age int64
	// Bytes is how large a feed may get, keys not counted; when it is larger, the oldest go until three quarters are left.
	Bytes int64
}

// feedFloor is a table's floor as the batch has left it so far.
func (m *merging) feedFloor(id record.TableID) (crdt.Time, error) {
	if f, ok := m.feed.floors[id]; ok {
		return f, nil
	}
	f, _, err := readFeedFloor(m.tx, id)
	if err != nil {
		return 0, err
	}
	m.setFeedFloor(id, f)
	return f, nil
}

func (m *merging) setFeedFloor(id record.TableID, f crdt.Time) {
	if m.feed.floors == nil {
		m.feed.floors = map[record.TableID]crdt.Time{}
	}
	m.feed.floors[id] = f
}

func readFeedFloor(r storage.Reader, id record.TableID) (floor crdt.Time, dropped uint64, err error) {
	key := feedPrefix(nil, id, nil)
	v, err := r.Get(key)
	if storage.IsNotFound(err) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	return decodeFloor(key, v)
}

func decodeFloor(key, v []byte) (floor crdt.Time, dropped uint64, err error) {
	if len(v) != 16 {
		return 0, 0, storage.Corruptf(fmt.Sprintf("conflict feed's floor %x", key), "%d bytes instead of 16", len(v))
	}
	return crdt.Time(binary.BigEndian.Uint64(v)), binary.BigEndian.Uint64(v[8:]), nil
}

func writeFeedFloor(w storage.Writer, id record.TableID, floor crdt.Time, dropped uint64) error {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 16), uint64(floor))
	return w.Set(feedPrefix(nil, id, nil), binary.BigEndian.AppendUint64(b, dropped))
}

// floorLatch is the key to hold while a table's floor is changed: that of arriving changes without an item key.
func floorLatch(id record.TableID) []byte { return storage.AppendTable(nil, storage.KindItem, id) }

// arrivingFloor raises the floor to what another region says.
func (m *merging) arrivingFloor(t *Table, ch *record.Change) (news record.Change, changed bool, err error) {
	if len(ch.State) > 0 || ch.Shard != 0 || ch.Base.IsZero() {
		return news, false, fmt.Errorf("%w: a floor with something beside it", record.ErrMalformed)
	}
	floor, err := m.feedFloor(t.entry.ID)
	if err != nil || ch.Base.Time <= floor {
		return news, false, err
	}
	_, dropped, err := readFeedFloor(m.tx, t.entry.ID)
	if err != nil {
		return news, false, err
	}
	m.setFeedFloor(t.entry.ID, ch.Base.Time)
	return floorChange(t.entry.ID, ch.Base), true, writeFeedFloor(m.tx, t.entry.ID, ch.Base.Time, dropped)
}

func floorChange(id record.TableID, at crdt.Stamp) record.Change {
	return record.Change{Table: id, Base: at, Note: true}
}

// TrimFeed raises a table's floor as the limits ask for and removes what is below it. It may be cut off at any time and
// called again, by one caller at a time.
func (e *Engine) TrimFeed(ctx context.Context, id record.TableID, l FeedLimits) error {
	floor, _, err := readFeedFloor(e.store, id)
	if err != nil {
		return err
	}
	s, err := e.surveyFeed(ctx, id)
	if err != nil {
		return err
	}
	if to := s.floor(l, e.clock.Now()); to > floor {
		if err := e.raiseFeedFloor(ctx, id, to); err != nil {
			return err
		}
		floor = to
	}
	return e.dropNotes(ctx, id, floor)
}

// survey is what TrimFeed must know of the notes.
type survey []surveyed

type surveyed struct {
	at   crdt.Time
	size int64
}

func (e *Engine) surveyFeed(ctx context.Context, id record.TableID) (s survey, err error) {
	err = e.walkFeed(ctx, id, func(_ []byte, n *conflict.Note, value []byte) error {
		s = append(s, surveyed{n.Loser.Time, int64(len(value))})
		return nil
	})
	return s, err
}

// floor is the floor that the limits ask for, 0 if none: the oldest note's time or above.
func (s survey) floor(l FeedLimits, now int64) (floor crdt.Time) {
	slices.SortFunc(s, func(a, b surveyed) int { return cmp.Compare(a.at, b.at) })
	var all int64
	for _, n := range s {
		all += n.size
	}
	keep := all
	if all > l.Bytes {
		keep = l.Bytes / 4 * 3
	}
	for _, n := range s {
		if all <= keep && n.at.Millis() >= now-l.Age {
			break
		}
		floor = n.at
		all -= n.size
	}
	return floor
}

// raiseFeedFloor raises the floor here and tells it.
func (e *Engine) raiseFeedFloor(ctx context.Context, id record.TableID, to crdt.Time) error {
	tx, err := e.store.Begin(ctx, floorLatch(id))
	if err != nil {
		return err
	}
	defer tx.Discard()
	t, err := e.current(id)
	if err != nil {
		return err
	}
	have, dropped, err := readFeedFloor(tx, id)
	if err != nil || to <= have {
		return err
	}
	if err := writeFeedFloor(tx, id, to, dropped); err != nil {
		return err
	}
	var last record.Seq
	durable, err := tx.Commit(func(w storage.Writer) (err error) {
		if err := t.held(); err != nil {
			return err
		}
		e.order.Lock()
		defer e.order.Unlock()
		last, err = e.tellNotes(w, []record.Change{floorChange(id, crdt.Stamp{Time: to, Origin: e.origin})})
		return err
	})
	if err != nil {
		return err
	}
	if err := durable.Wait(); err != nil {
		return err
	}
	e.log.Committed(last)
	return nil
}

// dropStep is how many notes one batch removes.
const dropStep = 250

var errEnough = errors.New("enough for one step")

// dropNotes removes the notes at or below a floor. A merge that passes us may put one back; the next round takes it.
func (e *Engine) dropNotes(ctx context.Context, id record.TableID, floor crdt.Time) error {
	if floor == 0 {
		return nil
	}
	for bounds := storage.PrefixRange(feedPrefix(nil, id, nil)); ; {
		var keys, latches [][]byte
		err := walkNotes(ctx, e.store, bounds, func(key []byte, n *conflict.Note, _ []byte) error {
			if n.Loser.Time > floor {
				return nil
			}
			keys = append(keys, bytes.Clone(key))
			latches = append(latches, append(storage.AppendTable(nil, storage.KindItem, id), itemOfNote(key, n)...))
			if len(keys) == dropStep {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		if len(keys) == 0 {
			return nil
		}
		if err := e.dropSome(ctx, id, keys, latches); err != nil {
			return err
		}
		bounds.Lower = keys[len(keys)-1]
	}
}

// dropSome removes some notes. Their items are latched: what a note says must not change between its reading, for its cell, and
// its end.
func (e *Engine) dropSome(ctx context.Context, id record.TableID, keys, latches [][]byte) error {
	tx, err := e.store.Begin(ctx, append(latches, floorLatch(id))...)
	if err != nil {
		return err
	}
	defer tx.Discard()
	t, err := e.current(id)
	if err != nil {
		return err
	}
	floor, dropped, err := readFeedFloor(tx, id)
	if err != nil {
		return err
	}
	var buf cellBuffer
	for _, k := range keys {
		value, err := tx.Get(k)
		if storage.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		n, err := readNote(k, value)
		if err != nil {
			return err
		}
		if n.Lost {
			dropped++
		}
		if err := errors.Join(moveNote(tx, id, &buf, k, value[heardSize:], nil), tx.Delete(k)); err != nil {
			return err
		}
	}
	if err := writeFeedFloor(tx, id, floor, dropped); err != nil {
		return err
	}
	durable, err := tx.Commit(func(storage.Writer) error { return t.held() })
	if err != nil {
		return err
	}
	return durable.Wait()
}
