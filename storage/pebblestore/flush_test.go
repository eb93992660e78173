package pebblestore

import (
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
)

// TestCloseFlushes: after a Close there is no WAL worth mentioning to be read, and everything is there.
func TestCloseFlushes(t *testing.T) {
	fs := vfs.NewMem()
	s, err := Open("data", Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	const n = 3000
	key := func(n int) []byte { return fmt.Appendf(nil, "i%06d", n) }
	for i := range n {
		commit(t, s, func(x storage.Txn) { must(t, x.Set(key(i), make([]byte, 1000))) })
	}
	must(t, s.Close())
	if s, err = Open("data", Options{FS: fs}); err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // nothing was written
	if log := s.fence.replays; log != "" {
		info, err := fs.Stat(log)
		if err == nil && info.Size() > worthFlushing {
			t.Errorf("Open read %d bytes of %s", info.Size(), log)
		}
	}
	for i := range n {
		if v, err := s.Get(key(i)); err != nil || len(v) != 1000 {
			t.Fatalf("key %d: %d bytes, %v", i, len(v), err)
		}
	}
}

// TestFewMemoryTables: the small memory tables that Pebble begins with do not pile up.
func TestFewMemoryTables(t *testing.T) {
	s, err := Open("data", Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { must(t, s.Close()) }()
	write := func(n, size int) {
		commit(t, s, func(x storage.Txn) { must(t, x.Set(fmt.Appendf(nil, "i%06d", n), make([]byte, size))) })
	}
	for n := range 100 { // 10 MB are five of them, and too few for Pebble to flush
		write(n, 100_000)
	}
	for end := time.Now().Add(time.Minute); s.Metrics().MemTable.Count >= layerTables; { // a flush may be under way
		if time.Now().After(end) {
			t.Fatalf("%d memory tables", s.Metrics().MemTable.Count)
		}
		write(0, 1) // each commit looks
	}
}
