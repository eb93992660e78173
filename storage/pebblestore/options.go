package pebblestore

import (
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options says how to open a store. The zero Options are good for a small server.
type Options struct {
	// FS is the file system; nil: the machine's, with a watch for slow disks. Tests give one that crashes.
	FS vfs.FS

	// CacheBytes bounds two caches together, one of single values and one of uncompressed blocks; 0: 128 MB. Too small costs
	// reads from disk, too large only memory. On top come the map of single values, some 30 bytes for each, and memory tables, up
	// to 4 × MemTableBytes. Blocks may fill the room of three memory tables that are not there.
	CacheBytes int64

	// RowKind is the kind of keys whose values are cached one by one: those that are read by Get again and again. 0: of all,
	// which makes each commit look at more of them than is of use.
	RowKind byte

	// MemTableBytes is how much is kept in memory before it is sorted onto disk; 0: 64 MB, or a quarter of ReserveBytes where
	// that is less. Larger means fewer, larger flushes, less rewriting, and a longer replay after a crash.
	MemTableBytes uint64

	// OpenFiles is how many table files are kept open; 0: 4096. Too few, and files are opened again and again; too many, and
	// the process may run out of descriptors, which stops the store.
	OpenFiles int

	// ReserveBytes is the free space below which commits are refused with ErrFull; 0: 256 MB, or a twentieth of the disk
	// where that is less. Too small, and a flush may find no room.
	ReserveBytes uint64

	// Full makes the disk count as full while it returns true, for rehearsals; nil: only a full disk is full. It is called
	// under a lock and must not wait.
	Full func() bool

	// Logger gets Pebble's events at debug, a slow disk and stalled writes at warn, errors at error; nil: none.
	Logger *slog.Logger
}

// rowShare is how many times as large the whole cache is as that of single values, which serves Get; iterators, commits of what
// was not read lately and compactions live on the blocks.
const rowShare = 2

// cachedTables is how many memory tables Pebble's cache has room for besides its blocks: Pebble takes them off it, and without
// room for one that is written, one that is sorted onto disk and one that is kept for use again, a small cache would hold nothing,
// not even the filters.
const cachedTables = 3

func (o Options) withDefaults() (Options, error) {
	if o.CacheBytes < 0 {
		return o, fmt.Errorf("cache of %d bytes", o.CacheBytes)
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 128 << 20
	}
	if o.OpenFiles < 0 {
		return o, fmt.Errorf("%d open files", o.OpenFiles)
	}
	if o.OpenFiles == 0 {
		o.OpenFiles = 4096
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// pebbleFormat is pinned: the newest that Pebble 2.1 writes by itself. WAL chunks that carry sync offsets are part of it: by
// them replay tells a torn end, which a power cut leaves, from a hole in what had been synced (most of it: doc.go, Hazards).
const pebbleFormat = pebble.FormatValueSeparation

// noHurry is for what compactions owe, by which Pebble would begin a second one from a gigabyte on: two that compute leave
// requests too little of two processors. It still begins the second when ten layers of files that none works on overlap in level 0,
// which reads feel, and where much is deleted. What is owed is bounded by those layers while there are writes, and one compaction
// works it off after them.
const noHurry = 1 << 60

// pebbleOptions are Pebble's, for two cores and one disk.
func (s *Store) pebbleOptions(o Options, cache *pebble.Cache) *pebble.Options {
	p := &pebble.Options{
		FS:                          s.fence,
		Cache:                       cache,
		FormatMajorVersion:          pebbleFormat,
		Merger:                      merger(),
		MemTableSize:                o.MemTableBytes,
		MemTableStopWritesThreshold: never, // see pressure
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       never,
		LBaseMaxBytes:               64 << 20,
		MaxOpenFiles:                o.OpenFiles,
		BytesPerSync:                1 << 20, // sorted files are written out as they grow, not in one blow at the end
		WALBytesPerSync:             0,       // the WAL is synced by every commit anyway
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
		Logger:                      pebbleLogger{s},
		EventListener:               s.listener(),
	}
	p.Experimental.CompactionDebtConcurrency = noHurry
	for i := range p.Levels {
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // 1% false positives: Get of an absent key rarely reads
		p.Levels[i].Compression = func() *block.CompressionProfile { return block.FastestCompression }
		p.Levels[i].BlockSize = 16 << 10
		p.Levels[i].IndexBlockSize = 64 << 10
	}
	return p
}
