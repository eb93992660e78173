package pebblestore_test

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/pebblestore"
)

// TestRehearsedFull refuses commits, before they have done anything, as long as a rehearsal says that the disk is full.
func TestRehearsedFull(t *testing.T) {
	var full atomic.Bool
	s := open(t, vfs.NewMem(), "data", pebblestore.Options{Full: full.Load})
	n := &numbered{s: s}
	must(t, n.commit())
	full.Store(true)
	for range 3 {
		if err := n.commit(); !errors.Is(err, storage.ErrFull) || errors.Is(err, storage.ErrFailed) {
			t.Errorf("Commit: %v, want ErrFull", err)
		}
	}
	full.Store(false)
	must(t, n.commit())
	if count, err := check(s); err != nil || count != n.acknowledged() {
		t.Errorf("%d of %d, %v", count, n.acknowledged(), err)
	}
	must(t, s.Close())
}
