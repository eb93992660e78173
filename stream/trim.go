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

// TrimParts takes away a table's parts up to and with a commit, as far as Trim has taken the commits already: replication
// needs the others whole. It may be called again.
func (l *Log) TrimParts(ctx context.Context, id record.TableID, upTo record.Seq) error {
	upTo = min(upTo, record.Seq(l.trimmed.Load()))
	for shard := range uint16(record.Shards) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if have, err := l.PartsTrimmed(id, shard); err != nil || have >= upTo {
			if err != nil {
				return err
			}
			continue
		}
		err := write(l.store, func(w storage.Writer) error {
			return errors.Join(
				w.DeleteRange(partKey(nil, id, shard, 0), partKey(nil, id, shard, upTo+1)),
				w.Set(partsTrimmedKey(id, shard), storage.AppendSeq(nil, uint64(upTo))))
		})
		if err != nil {
			return err
		}
	}
	return nil
}
