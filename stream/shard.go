package stream

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Position is a place between the changes of one shard: after the change number Place of commit Seq, counted from 0 over
// the whole commit. Place -1 is before the commit's first change.
type Position struct {
	Seq   record.Seq
	Place int
}

// Before is the position before all changes of a commit.
func Before(s record.Seq) Position { return Position{Seq: s, Place: -1} }

// End is the position after all changes of a commit.
func End(s record.Seq) Position { return Before(s + 1) }

// Compare orders positions.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Seq, q.Seq), cmp.Compare(p.Place, q.Place))
}

// Entry is one change as its shard has it.
type Entry struct {
	Position // of the change itself: reading after it goes on behind it
	Stamp    crdt.Stamp
	Wall     int64 // unix milliseconds when it was written in its author's region
	Change   record.Change
}

// ReadShard returns the durable changes of one shard of one table that stand after a position, up to and with commit upTo
// (0: to the durable end), about maxBytes and at most maxEntries of them, and the position to go on from. The position
// moves to the end of what was looked at, also where there is nothing. It fails with ErrTrimmed if changes after the
// position are gone.
func (l *Log) ReadShard(id record.TableID, shard uint16, after Position, upTo record.Seq, maxEntries, maxBytes int) ([]Entry, Position, error) {
	end := l.Durable()
	if upTo != 0 {
		end = min(end, upTo)
	}
	r := shardReading{after: after, next: after, left: maxEntries, bytes: maxBytes}
	if after.Seq <= end {
		it, err := l.store.NewIter(storage.IterOptions{Lower: partKey(nil, id, shard, after.Seq), Upper: partKey(nil, id, shard, end+1)})
		if err != nil {
			return nil, after, err
		}
		if err := errors.Join(r.walk(it, id, shard), it.Err(), it.Close()); err != nil {
			return nil, after, err
		}
		if !r.full && r.next.Compare(End(end)) < 0 {
			r.next = End(end)
		}
	}
	// Afterwards: a trimming that passed us meanwhile has taken what we looked for.
	trimmed, err := l.PartsTrimmed(id, shard)
	if err == nil && trimmed > 0 && after.Compare(End(trimmed)) < 0 {
		err = fmt.Errorf("%w: asked for what follows %d.%d, trimmed to %d", ErrTrimmed, after.Seq, after.Place, trimmed)
	}
	if err != nil {
		return nil, after, err
	}
	return r.out, r.next, nil
}

// shardReading is one ReadShard on its way.
type shardReading struct {
	after, next Position
	left, bytes int
	full        bool
	out         []Entry
}

func (r *shardReading) walk(it storage.Iter, id record.TableID, shard uint16) error {
	for ok := it.First(); ok; ok = it.Next() {
		seq, err := seqOf(it.Key())
		if err != nil {
			return err
		}
		p, err := record.DecodePart(id, shard, seq, bytes.Clone(it.Value()))
		if err != nil {
			return corrupt(it.Key(), err)
		}
		for i := range p.Changes {
			at := Position{seq, p.Places[i]}
			if at.Compare(r.after) <= 0 || p.Changes[i].Note {
				continue // notes change no item: a table's stream does not show them
			}
			if r.left <= 0 || r.bytes <= 0 {
				r.full = true
				return nil
			}
			ch := p.Changes[i]
			r.out = append(r.out, Entry{Position: at, Stamp: p.Stamp, Wall: p.Wall, Change: ch})
			r.left--
			r.bytes -= len(ch.Key) + len(ch.State) + len(ch.Old)
			r.next = at
		}
	}
	return nil
}

// Since finds the first part of a shard that stands after a position, not beyond commit upTo, and was written at or after a
// time in unix milliseconds. It returns the position before it, or the end of what it looked at. Changes that came from
// other regions stand where they arrived, so times do not always rise.
func (l *Log) Since(id record.TableID, shard uint16, after Position, upTo record.Seq, wall int64) (Position, error) {
	end := min(upTo, l.Durable())
	found := End(end)
	if after.Compare(found) >= 0 {
		return after, nil
	}
	it, err := l.store.NewIter(storage.IterOptions{Lower: partKey(nil, id, shard, after.Seq), Upper: partKey(nil, id, shard, end+1)})
	if err != nil {
		return found, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		at, err := record.PartWall(it.Value())
		if err != nil {
			return found, errors.Join(corrupt(it.Key(), err), it.Close())
		}
		if at >= wall {
			seq, err := seqOf(it.Key())
			if found = Before(seq); found.Compare(after) < 0 {
				found = after
			}
			return found, errors.Join(err, it.Close())
		}
	}
	return found, errors.Join(it.Err(), it.Close())
}

func partsTrimmedKey(id record.TableID, shard uint16) []byte {
	return partKey(storage.MetaKey("parts-trimmed"), id, shard, 0)
}

// PartsTrimmed is the newest commit whose part in a shard may be gone; 0 if none is.
func (l *Log) PartsTrimmed(id record.TableID, shard uint16) (record.Seq, error) {
	return readSeq(l.store, partsTrimmedKey(id, shard))
}
