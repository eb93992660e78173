package stream

import (
	"context"
	"errors"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

var background = context.Background()

// trimStep is how many commits one batch takes away: enough to be cheap, few enough to be short.
const trimStep = 50_000

// Trim takes away the commits up to a position, except the newest of all, by which a restart finds the log's end. Parts
// of tables for which keep is true stay for their streams until TrimParts takes them. It may be cut off at any time by ctx
// or a crash and called again, by one caller at a time.
func (l *Log) Trim(ctx context.Context, upTo record.Seq, keep func(record.TableID) bool) error {
	upTo = min(upTo, l.Durable())
	if last := l.Last(); upTo >= last && last > 0 {
		upTo = last - 1
	}
	for record.Seq(l.trimmed.Load()) < upTo {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := l.trimSome(upTo, keep); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) trimSome(upTo record.Seq, keep func(record.TableID) bool) error {
	tables, end, err := l.survey(upTo)
	if err != nil {
		return err
	}
	from := record.Seq(l.trimmed.Load()) + 1
	gaps := l.gaps.after(end)
	// Readers look at the mark after they have read: it moves before anything goes.
	l.trimmed.Store(uint64(end))
	err = write(l.store, func(w storage.Writer) error {
		for id := range tables {
			if keep(id) {
				continue
			}
			for shard := range uint16(record.Shards) {
				err := w.DeleteRange(partKey(nil, id, shard, from), partKey(nil, id, shard, end+1))
				if err != nil {
					return err
				}
			}
		}
		return errors.Join(
			w.DeleteRange(orderKey(nil, 0), orderKey(nil, end+1)),
			w.Set(trimmedKey, storage.AppendSeq(nil, uint64(end))),
			w.Set(gapsKey, encodeGaps(gaps)))
	})
	if err != nil { // a full disk: all of it is still there; or the store has failed, and nobody cares
		l.trimmed.Store(uint64(from - 1))
		return err
	}
	l.gaps.set(gaps)
	return nil
}

// survey finds which tables the next commits to go have changed, and the last of these commits.
func (l *Log) survey(upTo record.Seq) (tables map[record.TableID]bool, end record.Seq, err error) {
	from := record.Seq(l.trimmed.Load()) + 1
	it, err := l.store.NewIter(storage.IterOptions{Lower: orderKey(nil, from), Upper: orderKey(nil, upTo+1)})
	if err != nil {
		return nil, 0, err
	}
	tables, end = map[record.TableID]bool{}, upTo
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		seq, err := seqOf(it.Key())
		var o record.Order
		if err == nil {
			o, err = record.DecodeOrder(seq, it.Value())
		}
		if err != nil {
			return nil, 0, errors.Join(corrupt(it.Key(), err), it.Close())
		}
		for _, p := range o.Parts {
			tables[p.Table] = true
		}
		if n++; n == trimStep {
			end = seq
			break
		}
	}
	return tables, end, errors.Join(it.Err(), it.Close())
}

// TrimParts takes away a table's parts that were written before a time in unix milliseconds and whose commits Trim has
// taken already.
func (l *Log) TrimParts(ctx context.Context, id record.TableID, before int64) error {
	trimmed := record.Seq(l.trimmed.Load())
	for shard := range uint16(record.Shards) {
		if err := ctx.Err(); err != nil {
			return err
		}
		end, err := l.oldParts(id, shard, before, trimmed)
		if err != nil {
			return err
		}
		if end == 0 {
			continue
		}
		err = write(l.store, func(w storage.Writer) error {
			return errors.Join(
				w.DeleteRange(partKey(nil, id, shard, 0), partKey(nil, id, shard, end+1)),
				w.Set(partsTrimmedKey(id, shard), storage.AppendSeq(nil, uint64(end))))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// oldParts finds the last part of a shard that may go; 0 if there is none.
func (l *Log) oldParts(id record.TableID, shard uint16, before int64, trimmed record.Seq) (end record.Seq, err error) {
	it, err := l.store.NewIter(storage.IterOptions{
		Lower: partKey(nil, id, shard, 0), Upper: partKey(nil, id, shard, trimmed+1),
	})
	if err != nil {
		return 0, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		wall, err := record.PartWall(it.Value())
		if err != nil {
			return 0, errors.Join(corrupt(it.Key(), err), it.Close())
		}
		if wall >= before {
			break
		}
		if end, err = seqOf(it.Key()); err != nil {
			return 0, errors.Join(err, it.Close())
		}
	}
	return end, errors.Join(it.Err(), it.Close())
}
