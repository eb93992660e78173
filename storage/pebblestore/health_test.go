package pebblestore

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/meridiandb/meridian/storage"
)

// Whoever sees that a store is broken finds the failure. Else a commit went on without the commit lock, and a Wait could
// answer nil for a sync that had failed.
func TestBrokenHasAFailure(t *testing.T) {
	for range 20_000 {
		h := newHealth(slog.New(slog.DiscardHandler))
		seen := make(chan error)
		go func() {
			for !h.failed() {
			}
			seen <- h.Err()
		}()
		_ = h.fail("test", errors.New("broken")) // what it returns is not the question
		if err := <-seen; !errors.Is(err, storage.ErrFailed) {
			t.Fatalf("broken, and yet the failure is %v", err)
		}
	}
}
