package pebblestore_test

import (
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/pebblestore"
	"github.com/meridiandb/meridian/storage/storagetest"
)

// The suite runs with memory tables of two sizes. Small ones bring flushes, compactions and log rotations into every test.
func TestConformance(t *testing.T) {
	for name, memTable := range map[string]uint64{"memory": 4 << 20, "small tables": 32 << 10} {
		t.Run(name, func(t *testing.T) {
			storagetest.Test(t, func(t testing.TB) storage.Store {
				return open(t, vfs.NewMem(), "data", pebblestore.Options{MemTableBytes: memTable})
			})
		})
	}
}

func TestConformanceOnDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("the disk is slow")
	}
	storagetest.Test(t, func(t testing.TB) storage.Store {
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
