package region

import (
	"encoding/binary"
	"errors"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// This region's log has what logs brought, in whole commits. A copy of a table and what repair mends are not in it as such: of
// a commit whose item came by these first the log has the rest alone. So for each table it is known since when nothing came to
// it but by commits, by this region's clock: whatever came otherwise had seen nothing from after that.
//
//	whole/ | table id (16)   8 bytes, big-endian   crdt.Time   under no table: when this was first noted at all
//
// The time is noted in memory inside the seal of what made it necessary: who reads the log and looks here afterwards finds it.

const wholePrefix = "whole/"

func wholeKey(id record.TableID) []byte { return append(storage.MetaKey(wholePrefix), id[:]...) }

func readWhole(r storage.Reader) (map[record.TableID]crdt.Time, error) {
	prefix := storage.MetaKey(wholePrefix)
	it, err := r.NewIter(storage.PrefixRange(prefix))
	if err != nil {
		return nil, err
	}
	all := map[record.TableID]crdt.Time{}
	for ok := it.First(); ok; ok = it.Next() {
		var id record.TableID
		if len(it.Key()) != len(prefix)+len(id) || len(it.Value()) != 8 {
			return nil, errors.Join(storage.Corruptf("time of a table", "%q has %d bytes under it", it.Key(), len(it.Value())), it.Close())
		}
		copy(id[:], it.Key()[len(prefix):])
		all[id] = crdt.Time(binary.BigEndian.Uint64(it.Value()))
	}
	return all, errors.Join(it.Err(), it.Close())
}

// beginWhole loads what is known. What an earlier version did to the tables is not.
func (in *inbound) beginWhole() error {
	var err error
	if in.whole, err = readWhole(in.region.store); err != nil {
		return err
	}
	if _, ok := in.whole[record.TableID{}]; ok {
		return nil
	}
	return write(in.region.store, func(w storage.Writer) error { return in.mixed(w, record.TableID{}) })
}

// mixed notes, in a batch, that something comes to a table otherwise than by a commit. It is called in a seal, after the clock
// has seen what comes, or before anything can.
func (in *inbound) mixed(w storage.Writer, id record.TableID) error {
	in.mu.Lock()
	t := max(in.region.clock.Last(), in.whole[id])
	in.whole[id] = t
	in.mu.Unlock()
	return w.Set(wholeKey(id), storage.AppendSeq(nil, uint64(t)))
}

// wholeSince is the time since when all that came to some tables came by commits that this region's log has.
func (in *inbound) wholeSince(ids []record.TableID) crdt.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	since := in.whole[record.TableID{}]
	for _, id := range ids {
		since = max(since, in.whole[id])
	}
	return since
}
