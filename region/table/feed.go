package table

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// The conflict feed (DESIGN section 5): what became of writes that lost. A note (conflict.Note) stands under
//
//	offset  size  field
//	0       1     storage.KindFeed
//	1       16    table id
//	17      …     ordered item key
//	…       8     time of the write that the note is about, big endian
//	…       8     incarnation of its origin, big endian
//	…       …     its origin's region
//
// as
//
//	offset  size  field
//	0       8     hybrid time, in milliseconds, when this region last had news of it, big endian
//	8       …     the note
//
// and under the table id alone, before all notes, stands the feed's floor (feedfloor.go).
//
// A region that sees a loss writes the note in the batch of the merge, and tells the others by a commit of its own in the
// same batch; they join it to what they have. So a note that is anywhere durable is in its teller's log, and all regions have
// the same notes when all logs are read. Whoever holds a note's item latched may change the note.
//
// What a note says of its write's base, that it was replaced, every region enters as a note of the base, and tells nobody: who
// has the one note has the other. So whether a write is a conflict stands in its own note, and the feed's stream
// (feedstream.go) need not look at others.

const feedFixed = 8 + 8

func feedPrefix(dst []byte, id record.TableID, itemKey []byte) []byte {
	return append(storage.AppendTable(dst, storage.KindFeed, id), itemKey...)
}

func feedKey(id record.TableID, itemKey []byte, loser crdt.Stamp) []byte {
	b := feedPrefix(make([]byte, 0, 17+len(itemKey)+feedFixed+len(loser.Origin.Region)), id, itemKey)
	return appendLoser(b, loser)
}

func appendLoser(dst []byte, loser crdt.Stamp) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(loser.Time))
	dst = binary.BigEndian.AppendUint64(dst, loser.Origin.Incarnation)
	return append(dst, loser.Origin.Region...)
}

const heardSize = 8

// readNote decodes a stored note. The note keeps the bytes.
func readNote(key, value []byte) (conflict.Note, error) {
	if len(value) < heardSize {
		return conflict.Note{}, storage.Corruptf(fmt.Sprintf("conflict note %x", key), "%d bytes", len(value))
	}
	n, err := conflict.DecodeNote(value[heardSize:])
	if err != nil {
		return n, &storage.CorruptionError{Where: fmt.Sprintf("conflict note %x", key), Err: err}
	}
	return n, nil
}

// feeding is what a batch does to the feed.
type feeding struct {
	notes  map[string]conflict.Note // by store key, as the batch leaves them
	floors map[record.TableID]crdt.Time
	tell   []record.Change // notes that this region makes
	counts []Pair          // conflicts that were none before
	// What the feed's stream shows of all that, and where in it a note is, by store key.
	shown   []shown
	shownAt map[string]int
}

// Pair is a kind of conflict: between whom, and under which policy.
type Pair struct {
	Table         record.TableID
	Policy        conflict.Policy
	Loser, Winner string // regions
}

// noteMerge notes what a merge says of who lost, and of whom nobody needs to know any more.
func (m *merging) noteMerge(t *Table, c *record.Commit, ch *record.Change, stored, arriving conflict.State, out *conflict.Outcome) error {
	for i := range out.Lost {
		l := &out.Lost[i]
		direct := !m.relayed && l.Stamp == c.Stamp && l.Stamp == arriving.Stamp()
		if err := m.noteOwn(t, ch, conflict.NoteLoss(l, t.policy, direct, m.engine.clock.Now())); err != nil {
			return err
		}
	}
	switch {
	case out.Joined:
		if err := m.supersede(t, ch, arriving, stored, out.Lost); err != nil {
			return err
		}
		return m.supersede(t, ch, stored, arriving, out.Lost)
	case !out.Changed:
		return m.supersedeLate(t, ch, arriving)
	}
	return nil
}

// supersede notes that the newest write of one side has replaced its base, unless that is what the other side has at its
// head, or the note of the write's own loss says it. Somebody else may have seen the base lose, and may be gone by now.
func (m *merging) supersede(t *Table, ch *record.Change, by, other conflict.State, lost []conflict.Loss) error {
	base := by.Base()
	if base.IsZero() || !by.Whole() || other.Stamp() == base {
		return nil
	}
	for i := range lost {
		if lost[i].Whole && lost[i].Base == base {
			return nil
		}
	}
	return m.noteOwn(t, ch, conflict.NoteSuperseded(base, by.Stamp()))
}

// supersedeLate is supersede for a write that is known already, through another's state, while its base is held to be lost.
func (m *merging) supersedeLate(t *Table, ch *record.Change, by conflict.State) error {
	base := by.Base()
	if base.IsZero() || !by.Whole() {
		return nil
	}
	have, _, err := m.storedNote(feedKey(t.entry.ID, ch.Key, base))
	if err != nil || !have.Lost {
		return err
	}
	return m.noteOwn(t, ch, conflict.NoteSuperseded(base, by.Stamp()))
}

// noteOwn enters a note that this region makes, and tells it if it is news.
func (m *merging) noteOwn(t *Table, ch *record.Change, n conflict.Note) error {
	news, changed, err := m.note(t, ch.Key, n)
	if changed {
		m.feed.tell = append(m.feed.tell, news)
	}
	return err
}

// arrivingNote enters a note that another region tells.
func (m *merging) arrivingNote(t *Table, ch *record.Change) (news record.Change, changed bool, err error) {
	if len(ch.Key) == 0 {
		return m.arrivingFloor(t, ch)
	}
	if err := t.entry.Schema.CheckKey(ch.Key); err != nil {
		return news, false, fmt.Errorf("%w: %w", record.ErrMalformed, err)
	}
	n, err := conflict.DecodeNote(ch.State)
	if err != nil {
		return news, false, err
	}
	if n.Loser != ch.Base {
		return news, false, fmt.Errorf("%w: a note about another write", record.ErrMalformed)
	}
	return m.note(t, ch.Key, n)
}

// note joins a note to what is stored. It is not changed if everything in it was known, or it is below the floor.
func (m *merging) note(t *Table, itemKey []byte, n conflict.Note) (news record.Change, changed bool, err error) {
	floor, err := m.feedFloor(t.entry.ID)
	if err != nil || n.Loser.Time <= floor {
		return news, false, err
	}
	key := feedKey(t.entry.ID, itemKey, n.Loser)
	have, raw, err := m.storedNote(key)
	if err != nil {
		return news, false, err
	}
	n = have.Join(n)
	b := n.Append(nil)
	var before []byte
	if raw {
		if before = have.Append(nil); bytes.Equal(b, before) {
			return news, false, nil
		}
	}
	if err := moveNote(m.tx, t.entry.ID, &m.cell, key, before, b); err != nil {
		return news, false, err
	}
	if n.Lost && !have.Lost {
		m.feed.counts = append(m.feed.counts, Pair{t.entry.ID, n.Policy, n.Loser.Origin.Region, n.Winner.Origin.Region})
	}
	if m.feed.notes == nil {
		m.feed.notes = map[string]conflict.Note{}
	}
	m.feed.notes[string(key)] = n
	m.show(t, key, itemKey, &have, &n)
	if err := m.tx.Set(key, append(binary.BigEndian.AppendUint64(nil, uint64(m.engine.clock.Hybrid())), b...)); err != nil {
		return news, false, err
	}
	if n.Whole && (!have.Whole || have.Base != n.Base) {
		if _, _, err := m.note(t, itemKey, conflict.NoteSuperseded(n.Base, n.Loser)); err != nil {
			return news, false, err
		}
	}
	return noteChange(t.entry.ID, itemKey, n.Loser, b), true, nil
}

// noteChange is a note as the log has it.
func noteChange(id record.TableID, itemKey []byte, loser crdt.Stamp, note []byte) record.Change {
	return record.Change{Table: id, Shard: shardOf(itemKey), Key: itemKey, Base: loser, State: note, Note: true}
}

// storedNote is the note under a key as the batch has left it so far; found is false if there is none.
func (m *merging) storedNote(key []byte) (n conflict.Note, found bool, err error) {
	if n, ok := m.feed.notes[string(key)]; ok {
		return n, true, nil
	}
	raw, err := m.tx.Get(key)
	if storage.IsNotFound(err) {
		return n, false, nil
	}
	if err != nil {
		return n, false, err
	}
	n, err = readNote(key, raw)
	return n, err == nil, err
}

// tellBytes is about how large a commit of notes gets: a batch can make many, each with two images.
const tellBytes = 1 << 20

// tellNotes logs the notes that this region makes as commits of its own. The caller holds order.
func (e *Engine) tellNotes(w storage.Writer, tell []record.Change) (last record.Seq, err error) {
	for len(tell) > 0 {
		n, size := 0, 0
		for n < len(tell) && (n == 0 || size+len(tell[n].State) <= tellBytes) {
			size += len(tell[n].State)
			n++
		}
		stamp, err := e.clock.SealNext(w)
		if err != nil {
			return 0, err
		}
		c := record.Commit{Stamp: stamp, Wall: e.clock.Now(), Changes: tell[:n]}
		if err := e.log.Append(w, &c); err != nil {
			return 0, err
		}
		last, tell = c.Seq, tell[n:]
	}
	return last, nil
}

// lastOf leaves of several notes of one write, as a batch can make them, the last, which has the others in it.
func lastOf(tell []record.Change) []record.Change {
	kept := tell[:0:0]
	for i := range tell {
		later := slices.ContainsFunc(tell[i+1:], func(o record.Change) bool {
			return o.Base == tell[i].Base && o.Table == tell[i].Table && bytes.Equal(o.Key, tell[i].Key)
		})
		if !later {
			kept = append(kept, tell[i])
		}
	}
	return kept
}
