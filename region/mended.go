package region

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// What this region holds of an origin it mostly has by that origin's log (inbound.closed). What it has by another way, by a
// comparison with a region that holds more, is told for each table by itself:
//
//	mended/ | table id (16) | origin   8 bytes, big-endian   crdt.Time   everything of the origin up to here is in the table
//
// It says nothing of other tables, so it moves no cursor and no time of a log: a session, which may have seen any table, goes
// by the least of all those that have changes of the origin. It goes when the table's data does.

const mendedPrefix = "mended/"

func mendedTableKey(id record.TableID) []byte { return append(storage.MetaKey(mendedPrefix), id[:]...) }

func mendedKey(id record.TableID, o crdt.Origin) []byte {
	return append(mendedTableKey(id), o.String()...)
}

func readMended(r storage.Reader) (map[record.TableID]map[crdt.Origin]crdt.Time, error) {
	prefix := storage.MetaKey(mendedPrefix)
	it, err := r.NewIter(storage.PrefixRange(prefix))
	if err != nil {
		return nil, err
	}
	all := map[record.TableID]map[crdt.Origin]crdt.Time{}
	for ok := it.First(); ok; ok = it.Next() {
		var id record.TableID
		rest := it.Key()[len(prefix):]
		if len(rest) < len(id) || len(it.Value()) != 8 {
			return nil, errors.Join(storage.Corruptf("time of a table", "%q has %d bytes under it", it.Key(), len(it.Value())), it.Close())
		}
		copy(id[:], rest)
		o, err := crdt.ParseOrigin(string(rest[len(id):]))
		if err != nil {
			return nil, errors.Join(&storage.CorruptionError{Where: "time of a table", Err: err}, it.Close())
		}
		if all[id] == nil {
			all[id] = map[crdt.Origin]crdt.Time{}
		}
		all[id][o] = crdt.Time(binary.BigEndian.Uint64(it.Value()))
	}
	return all, errors.Join(it.Err(), it.Close())
}

// upToLocked is the time up to which a table has everything of an origin.
func (in *inbound) upToLocked(e *catalog.Entry, o crdt.Origin) crdt.Time {
	t := in.mended[e.ID][o]
	if slices.Contains(e.Local.Sources, o.Region) || e.IsGone(o) && slices.Contains(e.Local.Past, o.Region) {
		t = max(t, in.closed[o])
	}
	return t
}

// haveLocked lists, for each origin of which anything is known, the time up to which a table has everything of it.
func (in *inbound) haveLocked(e *catalog.Entry) map[crdt.Origin]crdt.Time {
	have := maps.Clone(in.mended[e.ID])
	if have == nil {
		have = map[crdt.Origin]crdt.Time{}
	}
	for o := range in.closed {
		if t := in.upToLocked(e, o); t > 0 {
			have[o] = t
		}
	}
	return have
}

// holdsLocked is the time up to which this region holds everything of an origin that may be read here.
func (in *inbound) holdsLocked(o crdt.Origin) crdt.Time {
	log := in.closed[o]
	var least crdt.Time
	found := false
	for _, e := range in.region.catalog.Entries() {
		m := e.Member(o.Region)
		if !e.Holds(in.region.name) || !e.Local.Ready || m == nil || m.State == catalog.MemberRemoved && !e.IsGone(o) {
			continue
		}
		if t := in.upToLocked(e, o); !found || t < least {
			least, found = t, true
		}
	}
	return max(log, least)
}

// raise notes that a table has, by another way than logs, everything of some origins up to a time. Filling says of which
// filling of the table that is true.
func (in *inbound) raise(id record.TableID, filling uint64, up map[crdt.Origin]crdt.Time) error {
	in.gate.RLock() // the table's data does not go meanwhile
	defer in.gate.RUnlock()
	e := in.region.catalog.ByID(id)
	news := map[crdt.Origin]crdt.Time{}
	in.mu.Lock()
	same := e != nil && in.fillings[id] == filling
	for o, t := range up {
		if same && o != in.region.origin && t > in.upToLocked(e, o) {
			news[o] = t
		}
	}
	in.mu.Unlock()
	if len(news) == 0 {
		return nil
	}
	err := write(in.region.store, func(w storage.Writer) error { return in.setMended(w, id, news) })
	if err != nil {
		return err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.raisedLocked(id, news)
	return nil
}

func (in *inbound) raisedLocked(id record.TableID, news map[crdt.Origin]crdt.Time) {
	if in.mended[id] == nil {
		in.mended[id] = map[crdt.Origin]crdt.Time{}
	}
	for o, t := range news {
		in.mended[id][o] = max(t, in.mended[id][o])
	}
	in.tellLocked()
}

// setMended writes in a batch what raisedLocked will note.
func (in *inbound) setMended(w storage.Writer, id record.TableID, up map[crdt.Origin]crdt.Time) (err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for o, t := range up {
		if t > in.mended[id][o] {
			err = errors.Join(err, w.Set(mendedKey(id, o), storage.AppendSeq(nil, uint64(t))))
		}
	}
	return err
}

// emptied notes that a table's data is gone, and with it what it had.
func (in *inbound) emptied(id record.TableID) error {
	in.gate.Lock()
	defer in.gate.Unlock()
	in.mu.Lock()
	in.fillings[id]++
	known := len(in.mended[id]) > 0 || in.region.tableFloor(id) > 0
	delete(in.mended, id)
	delete(in.rounds, id)
	in.mu.Unlock()
	in.region.floors.Delete(id)
	if !known {
		return nil
	}
	return write(in.region.store, func(w storage.Writer) error {
		return errors.Join(w.Delete(floorKey(id)), w.DeleteRange(mendedTableKey(id), storage.PrefixEnd(mendedTableKey(id))))
	})
}

func (in *inbound) filling(id record.TableID) uint64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.fillings[id]
}

// empty removes a table's data, and what is known of it.
func (r *Region) empty(id record.TableID) error {
	return errors.Join(r.engine.RemoveTable(r.ctx, id), r.inbound.emptied(id))
}
