package pebblestore

import "time"

const (
	// worthFlushing is how many bytes of WAL Close leaves to the next Open at most. Reading them again takes as long as writing
	// them did: about 25 ms a megabyte of small items.
	worthFlushing = 1 << 20
	// flushPatience is how long Close waits for it, so that one that is not even begun, on a slow disk, does not hold up the end
	// of the process. What is under way Pebble's own Close waits for, however long it takes: the flush, and a compaction.
	flushPatience = 5 * time.Second
)

// flush sorts what stands in the WAL onto the disk, so that the next Open need not read it. Whatever stands against it, the WAL
// is there.
func (s *Store) flush() {
	if s.health.failed() || s.space.missing(time.Now()) || s.db.Metrics().WAL.Size < worthFlushing {
		return
	}
	flushed, err := s.db.AsyncFlush()
	if err != nil {
		s.logger.Debug("nothing is flushed before the end", "err", err)
		return
	}
	patience := time.NewTimer(flushPatience)
	defer patience.Stop()
	for {
		select {
		case <-flushed:
			return
		case <-s.health.broken:
			return
		case <-patience.C:
			return
		case <-s.pressure.changed:
			if s.space.missing(time.Now()) {
				return
			}
		}
	}
}
