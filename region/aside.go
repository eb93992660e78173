package region

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// What a region had written, and nobody else had, when it learnt that it had been removed: for an operator to look at. It is kept
// until it is discarded, beside everything else, and no client sees it.
//
//	aside/ | origin | 0 | log position (8, big-endian) | number in its commit (4, big-endian)   Aside, as JSON

const asidePrefix = "aside/"

// Aside is one write that was set aside. Item is missing if it was a delete. A transaction's writes have one stamp.
type Aside struct {
	Table   string          `json:"table"`
	TableID record.TableID  `json:"tableId"`
	Stamp   crdt.Stamp      `json:"stamp"`
	Wall    int64           `json:"wall"` // unix milliseconds
	Base    crdt.Stamp      `json:"base"` // what it had replaced
	Key     json.RawMessage `json:"key"`  // DynamoDB JSON
	Item    json.RawMessage `json:"item,omitempty"`
}

func asidesOf(o crdt.Origin) []byte {
	return append(append(storage.MetaKey(asidePrefix), o.String()...), 0)
}

func asideKey(o crdt.Origin, s record.Seq, n int) []byte {
	return binary.BigEndian.AppendUint32(storage.AppendSeq(asidesOf(o), uint64(s)), uint32(n))
}

// forgetAside removes what was set aside of one incarnation.
func (r *Region) forgetAside(o crdt.Origin) error {
	return write(r.store, func(w storage.Writer) error {
		return w.DeleteRange(asidesOf(o), storage.PrefixEnd(asidesOf(o)))
	})
}

// Asides tells all that was set aside, in the order in which it was written; fn's error ends it.
func (r *Region) Asides(ctx context.Context, fn func(Aside) error) error {
	it, err := r.store.NewIter(storage.PrefixRange(storage.MetaKey(asidePrefix)))
	if err != nil {
		return r.fail(err)
	}
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		var a Aside
		if err = json.Unmarshal(it.Value(), &a); err != nil {
			err = r.fail(&storage.CorruptionError{Where: fmt.Sprintf("set aside under %q", it.Key()), Err: err})
		} else if err = fn(a); err == nil {
			err = context.Cause(ctx)
		}
	}
	return errors.Join(err, it.Err(), it.Close())
}

// DiscardAsides forgets all that was set aside.
func (r *Region) DiscardAsides() error {
	prefix := storage.MetaKey(asidePrefix)
	r.asides.Store(false)
	return r.fail(write(r.store, func(w storage.Writer) error { return w.DeleteRange(prefix, storage.PrefixEnd(prefix)) }))
}

// loadAsides looks whether there is anything.
func (r *Region) loadAsides() error {
	it, err := r.store.NewIter(storage.PrefixRange(storage.MetaKey(asidePrefix)))
	if err != nil {
		return err
	}
	r.asides.Store(it.First())
	return errors.Join(it.Err(), it.Close())
}
