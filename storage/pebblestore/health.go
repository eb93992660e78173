package pebblestore

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
)

// health is whether a store still works. It is told about the first failure and keeps it.
type health struct {
	logger *slog.Logger
	done   chan struct{} // closed when err is set

	mu  sync.Mutex
	err error
}

func newHealth(l *slog.Logger) *health { return &health{logger: l, done: make(chan struct{})} }

// fail notes that the store has failed for good, and returns its first failure.
func (h *health) fail(op string, err error) error {
	failure := fmt.Errorf("%w: %s: %w", storage.ErrFailed, op, classify(op, err))
	if h.end(failure) {
		h.logger.Error("the store has failed", "op", op, "err", err)
	}
	return h.Err()
}

// end sets the reason for which nothing works any more; false: there was one.
func (h *health) end(err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return false
	}
	h.err = err
	close(h.done)
	return true
}

// Done is closed when the store has failed or was closed.
func (h *health) Done() <-chan struct{} { return h.done }

// Err says why; nil while the store works.
func (h *health) Err() error {
	select {
	case <-h.done:
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.err
	default:
		return nil
	}
}

func (h *health) failed() bool { return errors.Is(h.Err(), storage.ErrFailed) }

// classify gives an error of Pebble or the file system its kind.
func classify(where string, err error) error {
	var c *storage.CorruptionError
	switch {
	case err == nil || errors.As(err, &c):
		return err
	case errors.Is(err, pebble.ErrNotFound):
		return storage.ErrNotFound
	case pebble.IsCorruptionError(err):
		return &storage.CorruptionError{Where: where, Err: err}
	case vfs.IsNoSpaceError(err) && !errors.Is(err, storage.ErrFull):
		return fmt.Errorf("%w: %w", storage.ErrFull, err)
	}
	return err
}
