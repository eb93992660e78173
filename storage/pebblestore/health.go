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

// health is whether a store still works. It is told about the first failure and keeps it. A failure outranks a Close that
// has begun: a commit whose sync fails meanwhile must not pass for durable.
type health struct {
	logger *slog.Logger
	done   chan struct{} // closed when err is set
	broken chan struct{} // closed when err is a failure

	mu  sync.Mutex
	err error // nil, then perhaps storage.ErrClosed, then perhaps a failure
}

func newHealth(l *slog.Logger) *health {
	return &health{logger: l, done: make(chan struct{}), broken: make(chan struct{})}
}

// fail notes that the store has failed for good, and returns its first failure.
func (h *health) fail(op string, err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed() {
		return h.err
	}
	closing := h.err != nil
	h.err = fmt.Errorf("%w: %s: %w", storage.ErrFailed, op, classify(op, err))
	if !closing {
		close(h.done)
	}
	close(h.broken) // last: whoever sees it must find the failure in Err, or would go on as if there were none
	h.logger.Error("the store has failed", "op", op, "err", err)
	return h.err
}

// closing notes that Close has begun; failed says whether the store had failed before.
func (h *health) closing() (failed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = storage.ErrClosed
		close(h.done)
	}
	return h.failed()
}

// failed reports a failure; it is cheap.
func (h *health) failed() bool {
	select {
	case <-h.broken:
		return true
	default:
		return false
	}
}

// failure is the failure, or nil; it is cheap while there is none.
func (h *health) failure() error {
	if !h.failed() {
		return nil
	}
	return h.Err()
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
