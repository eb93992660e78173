package pebblestore_test

import (
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/pebblestore"
	"github.com/meridiandb/meridian/storage/storagetest"
)

// The suite runs with memory tables of two sizes. Small ones bring flushes, compactions and log rotations into every test,
// and batches that are larger than a table.
func TestConformance(t *testing.T) {
	for name, memTable := range map[string]uint64{"large tables": 4 << 20, "small tables": 4 << 10} {
		t.Run(name, func(t *testing.T) {
			flushes := int64(0)
			storagetest.Test(t, func(t testing.TB) storage.Store {
				s := open(t, vfs.NewMem(), "data", pebblestore.Options{MemTableBytes: memTable})
				return counted{s, &flushes}
			})
			t.Logf("%d flushes", flushes)
		})
	}
}

// counted adds up how often its stores flushed.
type counted struct {
	*pebblestore.Store
	flushes *int64
}

func (c counted) Close() error {
	*c.flushes += c.Metrics().Flush.Count
	return c.Store.Close()
}

func TestConformanceOnDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("the disk is slow")
	}
	storagetest.Promises(t, func(t testing.TB) storage.Store {
		return open(t, nil, filepath.Join(t.TempDir(), "data"), pebblestore.Options{MemTableBytes: 4 << 20})
	})
}

// open opens a store with a small cache.
func open(t testing.TB, fs vfs.FS, dir string, o pebblestore.Options) *pebblestore.Store {
	t.Helper()
	o.FS, o.CacheBytes = fs, 1<<20
	s, err := pebblestore.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
