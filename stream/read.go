package stream

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Read returns durable commits after from for which want is true, about maxBytes of them but at least one if there is any,
// and the position to go on from, which also moves over what was left out. It fails with ErrTrimmed if from is before what
// the log still has.
//
// What is returned is the caller's.
func (l *Log) Read(from record.Seq, maxBytes int, want func(*record.Order) bool) ([]record.Commit, record.Seq, error) {
	end := l.Durable()
	if from >= end {
		return nil, from, l.reaches(from)
	}
	it, err := l.store.NewIter(storage.IterOptions{Lower: orderKey(nil, from+1), Upper: orderKey(nil, end+1)})
	if err != nil {
		return nil, 0, err
	}
	r := reading{log: l, want: want, left: maxBytes, next: from, end: end}
	err = r.walk(it)
	err = errors.Join(err, it.Err(), it.Close(), r.parts.close())
	if err == nil {
		err = l.reaches(from) // afterwards: a trimming that passed us meanwhile has taken what we looked for
	}
	if err != nil {
		return nil, 0, err
	}
	return r.out, r.next, nil
}

// reaches fails if commits after a position have been trimmed.
func (l *Log) reaches(from record.Seq) error {
	if t := record.Seq(l.trimmed.Load()); from < t {
		return fmt.Errorf("%w: asked for %d, trimmed to %d", ErrTrimmed, from, t)
	}
	return nil
}

// reading is one Read on its way.
type reading struct {
	log   *Log
	want  func(*record.Order) bool
	parts partReader
	left  int // bytes
	out   []record.Commit
	next  record.Seq // everything up to here is in out or not wanted
	end   record.Seq
}

func (r *reading) walk(it storage.Iter) error {
	for ok := it.First(); ok; ok = it.Next() {
		seq, err := seqOf(it.Key())
		if err != nil {
			return err
		}
		o, err := record.DecodeOrder(seq, bytes.Clone(it.Value()))
		if err != nil {
			return corrupt(it.Key(), err)
		}
		if r.want(&o) {
			if err := r.take(&o); err != nil {
				return err
			}
		}
		r.next = seq
		if r.left <= 0 && len(r.out) > 0 {
			return nil
		}
	}
	r.next = r.end
	return nil
}

func corrupt(key []byte, err error) error {
	return &storage.CorruptionError{Where: fmt.Sprintf("log key %x", key), Err: err}
}

func (r *reading) take(o *record.Order) error {
	parts := make([]record.Part, len(o.Parts))
	for i, ref := range o.Parts {
		p, err := r.parts.read(r.log.store, ref, o.Seq)
		if storage.IsNotFound(err) && r.log.reaches(o.Seq-1) != nil {
			return r.log.reaches(o.Seq - 1)
		}
		if err != nil {
			return err
		}
		parts[i] = p
	}
	c, err := record.Join(o, parts)
	if err != nil {
		return corrupt(orderKey(nil, o.Seq), err)
	}
	r.out = append(r.out, c)
	r.left -= c.Size()
	return nil
}

// partReader reads parts in rising order of seq. The first of a shard is looked up; where a second follows, an iterator
// is worth its making, and the next ones lie right behind.
type partReader struct {
	shards map[shardID]*shardReader
	key    []byte
}

type shardID struct {
	table record.TableID
	shard uint16
}

type shardReader struct{ it storage.Iter } // nil: looked up once

// read returns storage.ErrNotFound if the part is not there.
func (r *partReader) read(s storage.Reader, ref record.PartRef, seq record.Seq) (record.Part, error) {
	r.key = partKey(r.key[:0], ref.Table, ref.Shard, seq)
	v, err := r.value(s, shardID{ref.Table, ref.Shard})
	if err != nil {
		if storage.IsNotFound(err) {
			return record.Part{}, fmt.Errorf("log key %x, which its order entry names: %w", r.key, err)
		}
		return record.Part{}, err
	}
	p, err := record.DecodePart(ref.Table, ref.Shard, seq, v)
	if err != nil {
		return record.Part{}, corrupt(r.key, err)
	}
	return p, nil
}

func (r *partReader) value(s storage.Reader, id shardID) ([]byte, error) {
	sr := r.shards[id]
	if sr == nil {
		if r.shards == nil {
			r.shards = map[shardID]*shardReader{}
		}
		r.shards[id] = new(shardReader)
		return s.Get(r.key)
	}
	if sr.it == nil {
		it, err := s.NewIter(storage.PrefixRange(partKey(nil, id.table, id.shard, 0)[:partKeySize-8]))
		if err != nil {
			return nil, err
		}
		sr.it = it
		it.SeekGE(r.key)
	} else if sr.it.Next(); !sr.it.Valid() || !bytes.Equal(sr.it.Key(), r.key) {
		sr.it.SeekGE(r.key)
	}
	if err := sr.it.Err(); err != nil {
		return nil, err
	}
	if !sr.it.Valid() || !bytes.Equal(sr.it.Key(), r.key) {
		return nil, storage.ErrNotFound
	}
	return bytes.Clone(sr.it.Value()), nil
}

func (r *partReader) close() error {
	var errs []error
	for _, sr := range r.shards {
		if sr.it != nil {
			errs = append(errs, sr.it.Close())
		}
	}
	return errors.Join(errs...)
}
