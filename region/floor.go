package region

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// A table's floor is a time up to which every member holds everything that any region ever wrote to it; deletes at or below it
// are forgotten (docs/decisions/0011). What each member holds, members tell each other (floorreport.go); what follows is decided
// in floorleast.go. Here the floor is kept, and raised:
//
//	floor/ | table id (16)   8 bytes, big-endian   crdt.Time
//
// It is raised with gate held alone, durably, before any delete goes: nothing that merges is under way, so whatever was looked
// up under the old floor has been merged, and what is merged later finds the new one. It goes with the table's data.

const floorPrefix = "floor/"

// DefaultFloorStep is the granularity of floors: that of the hash tree's cells of deletes.
const DefaultFloorStep = time.Hour

func floorKey(id record.TableID) []byte { return append(storage.MetaKey(floorPrefix), id[:]...) }

func (r *Region) loadFloors() error {
	prefix := storage.MetaKey(floorPrefix)
	it, err := r.store.NewIter(storage.PrefixRange(prefix))
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		var id record.TableID
		if len(it.Key()) != len(prefix)+len(id) || len(it.Value()) != 8 {
			return errors.Join(storage.Corruptf("floor", "%q has %d bytes under it", it.Key(), len(it.Value())), it.Close())
		}
		copy(id[:], it.Key()[len(prefix):])
		r.floors.Store(id, crdt.Time(binary.BigEndian.Uint64(it.Value())))
	}
	return errors.Join(it.Err(), it.Close())
}

// Floor is the time up to which every member of a table holds everything: older deletes may be forgotten here. It only rises,
// as long as the table's data stays. Feeds have floors of their own.
func (r *Region) Floor(id record.TableID) crdt.Time {
	if src, ok := r.sourceOf(id); ok && src.feed {
		return r.feedFloor(src.entry)
	}
	return r.tableFloor(id)
}

func (r *Region) tableFloor(id record.TableID) crdt.Time {
	if v, ok := r.floors.Load(id); ok {
		return v.(crdt.Time)
	}
	return 0
}

// raiseFloor raises a floor. Filling says for which of the table's fillings.
func (r *Region) raiseFloor(id record.TableID, filling uint64, floor crdt.Time) error {
	in := r.inbound
	in.gate.Lock()
	defer in.gate.Unlock()
	if in.filling(id) != filling || floor <= r.tableFloor(id) {
		return nil
	}
	return r.setFloor(id, floor)
}

// setFloor is called with gate held alone. The clock goes above the floor: what is written here from now on is not below it.
func (r *Region) setFloor(id record.TableID, floor crdt.Time) error {
	err := write(r.store, func(w storage.Writer) error {
		return errors.Join(r.clock.Observe(w, floor), w.Set(floorKey(id), storage.AppendSeq(nil, uint64(floor))))
	})
	if err == nil {
		r.floors.Store(id, floor)
	}
	return err
}

// tendFloors asks the others what they hold, raises floors and forgets deletes, as long as the region lives.
func (r *Region) tendFloors() {
	every := min(r.floorStep, maxReportEvery)
	tick := time.NewTicker(every)
	defer tick.Stop()
	done := map[record.TableID]crdt.Time{} // up to which floor deletes were forgotten since the start
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-tick.C:
		}
		r.askReports()
		for _, e := range r.catalog.Entries() {
			if !e.Holds(r.name) || !e.Local.Ready || !e.Shared() {
				delete(done, e.ID)
				r.remembered.Delete(e.ID)
				continue
			}
			if err := r.tendFloor(e, done); err != nil {
				_ = r.fail(err)
				if r.ctx.Err() != nil {
					return
				}
				r.logger.Warn("deletes are not forgotten", "table", e.Name, "err", err)
			}
		}
	}
}

func (r *Region) tendFloor(e *catalog.Entry, done map[record.TableID]crdt.Time) error {
	filling := r.inbound.filling(e.ID)
	least := r.leastHeld(e)
	if floor := wholeSteps(least.floor, r.floorStep); floor > r.tableFloor(e.ID) {
		if err := r.raiseFloor(e.ID, filling, floor); err != nil {
			return err
		}
	}
	r.heldBack.Store(e.ID, least.by)
	floor := r.tableFloor(e.ID)
	if last, ok := done[e.ID]; ok && last == floor {
		return nil
	}
	kept, err := r.engine.Collect(r.ctx, e.ID)
	if err != nil {
		return err
	}
	if kept.Forgotten > 0 {
		r.logger.Info("deletes forgotten", "table", e.Name, "floor", floor.String(), "forgotten", kept.Forgotten, "kept", kept.Kept)
	}
	done[e.ID] = floor
	r.forgotten.Add(uint64(kept.Forgotten))
	r.remembered.Store(e.ID, kept)
	return nil
}

// wholeSteps cuts a time down to whole steps.
func wholeSteps(t crdt.Time, step time.Duration) crdt.Time {
	ms := step.Milliseconds()
	return crdt.TimeFromMillis(t.Millis() / ms * ms)
}
