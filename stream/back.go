package stream

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// errFar says that a walk back was given up.
var errFar = errors.New("stream: too far back")

// Back walks over the durable commits from the newest back until found is true of one, and returns its position. Where the
// log begins, and everything it ever had is there, that is position 0. It fails if the log does not reach back so far, or after
// most commits.
func (l *Log) Back(most int, found func(*record.Order) bool) (at record.Seq, err error) {
	it, err := l.store.NewIter(storage.IterOptions{Lower: orderKey(nil, 0), Upper: orderKey(nil, l.Durable()+1)})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.Last(); ok; ok = it.Prev() {
		if most--; most < 0 {
			return 0, errFar
		}
		seq, err := seqOf(it.Key())
		if err != nil {
			return 0, err
		}
		o, err := record.DecodeOrder(seq, bytes.Clone(it.Value()))
		if err != nil {
			return 0, corrupt(it.Key(), err)
		}
		if found(&o) {
			return seq, l.reaches(seq)
		}
	}
	if err := it.Err(); err != nil {
		return 0, err
	}
	if t := l.trimmed.Load(); t > 0 {
		return 0, fmt.Errorf("%w: all of it was asked for, trimmed to %d", ErrTrimmed, t)
	}
	return 0, nil
}
