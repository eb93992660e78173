package pebblestore

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/meridiandb/meridian/storage"
)

// pressure is how far Pebble is behind with flushing and compacting. Commits wait for it here, because Pebble's own stall
// cannot be left: a flush that fails for ever would hold the committer, the commit lock, and Close.
type pressure struct {
	memTables uint64 // bytes of memory tables at which commits wait

	stale   atomic.Bool   // something happened since the last measure
	changed chan struct{} // has room for one: told with stale

	// Under the commit lock.
	behind  bool            // the last measure
	layered bool            // by the last measure there are layerTables, and they are small
	flushed <-chan struct{} // closed when the flush that layers asked for is over; nil: there was none
}

const (
	// stopMemTables is how many full memory tables may exist, the one being written included.
	stopMemTables = 4
	// layerTables is how many small memory tables are flushed. Pebble begins with a quarter of a megabyte, doubles with each, and flushes
	// when they amount to half of a large one: until then each look for a key that is not there searches up to eight of them.
	layerTables = 3
	// stopSublevels is how many layers of files may overlap in level 0, each of which a read must look into.
	stopSublevels = 24
	// never is for Pebble's own stalls.
	never = 1 << 20
)

func newPressure(memTable uint64) *pressure {
	return &pressure{memTables: stopMemTables * memTable, changed: make(chan struct{}, 1)}
}

// note is called when a memory table was filled, a flush or compaction ended, or there was no room for it.
func (p *pressure) note() {
	p.stale.Store(true)
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// high measures if anything has happened. The measure takes Pebble's lock for microseconds, once per memory table or so.
func (p *pressure) high(db *pebble.DB) bool {
	if p.stale.Swap(false) {
		m := db.Metrics()
		p.behind = m.MemTable.Size >= p.memTables || m.Levels[0].Sublevels >= stopSublevels
		p.layered = m.MemTable.Count >= layerTables && m.MemTable.Size < p.memTables/stopMemTables
	}
	return p.behind
}

// layers asks Pebble to flush if there are many small memory tables, one such flush at a time. Called under the commit lock.
func (p *pressure) layers(db *pebble.DB) (err error) {
	if !p.layered {
		return nil
	}
	select {
	case <-p.flushed:
		p.flushed = nil
	default:
	}
	if p.flushed == nil {
		p.layered = false
		p.flushed, err = db.AsyncFlush()
	}
	return err
}

// admit waits until Pebble has caught up enough to take on another commit, or refuses it. Called under the commit lock.
func (s *Store) admit(size int) error {
	if err := s.space.check(time.Now(), size); err != nil {
		return err
	}
	behind := s.pressure.high(s.db)
	if err := s.pressure.layers(s.db); err != nil {
		return s.health.fail("flush", err)
	}
	if !behind {
		return nil
	}
	s.logger.Warn("writes wait: flushing and compacting are behind")
	defer s.logger.Warn("writes go on")
	for s.pressure.high(s.db) {
		select {
		case <-s.pressure.changed:
		case <-s.health.broken:
			return s.health.Err()
		}
		if s.space.missing(time.Now()) {
			return fmt.Errorf("%w: no room to flush what was written", storage.ErrFull)
		}
	}
	return nil
}
