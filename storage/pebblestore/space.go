package pebblestore

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
)

// space decides whether there is room for another commit.
type space struct {
	fs      vfs.FS
	dir     string
	reserve uint64 // 0: the default
	full    func() bool

	// noRoom is when Pebble's background work last met a full disk, in nanoseconds since 1970. It goes stale instead of being
	// taken back: a compaction that found no room is not always tried again, so nobody might come to take it back.
	noRoom atomic.Int64

	// Under the commit lock:
	measured time.Time // when free space was last asked for
	since    uint64    // bytes committed since
	refusal  error     // what the measure says
}

const (
	// remeasure bounds how old a measure of free space may get while nothing is written.
	remeasure = time.Second
	// noRoomFor is how long one failure of background work counts. Pebble repeats it after a breath.
	noRoomFor = 5 * breath
)

// met notes that background work found no room.
func (s *space) met(now time.Time) { s.noRoom.Store(now.UnixNano()) }

// missing reports whether background work found no room lately.
func (s *space) missing(now time.Time) bool { return now.UnixNano()-s.noRoom.Load() < int64(noRoomFor) }

// check returns ErrFull if a commit of about size bytes should not be taken on. Called under the commit lock.
func (s *space) check(now time.Time, size int) error {
	if s.missing(now) {
		return fmt.Errorf("%w: no room to flush what was written", storage.ErrFull)
	}
	if s.full != nil && s.full() {
		return fmt.Errorf("%w: a rehearsal says so", storage.ErrFull)
	}
	s.since += uint64(size)
	if s.refusal != nil || s.since > s.reserve/8 || now.Sub(s.measured) >= remeasure {
		s.refusal = s.measure()
		s.measured, s.since = now, uint64(size)
	}
	return s.refusal
}

// memTable is the size of memory tables with which all that wait to be flushed find room in the reserve: else a flush on a
// small disk could leave none for the WAL, and a WAL that cannot be written is the store's end.
func (s *space) memTable() uint64 {
	const most, least = 64 << 20, 256 << 10
	if _, err := s.usage(); err != nil || s.reserve == 0 {
		return most
	}
	return min(most, max(least, s.reserve/stopMemTables))
}

// usage asks the file system, and settles the reserve by its size.
func (s *space) usage() (vfs.DiskUsage, error) {
	u, err := s.fs.GetDiskUsage(s.dir)
	if err == nil && s.reserve == 0 {
		s.reserve = min(256<<20, u.TotalBytes/20)
	}
	return u, err
}

func (s *space) measure() error {
	u, err := s.usage()
	if err != nil {
		return nil // the file system cannot say (in memory): then only its own refusals count
	}
	if u.AvailBytes < s.reserve {
		return fmt.Errorf("%w: %d MB free, %d MB are kept in reserve", storage.ErrFull, u.AvailBytes>>20, s.reserve>>20)
	}
	return nil
}
