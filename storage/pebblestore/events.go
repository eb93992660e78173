package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
)

// pebbleLogger passes Pebble's words on. Fatalf fails the store and returns, which Pebble does not expect: it goes on with
// an error and can do no harm, because the fence lets nothing through to the disk any more.
type pebbleLogger struct{ s *Store }

func (l pebbleLogger) Infof(format string, args ...any) {
	if l.s.logger.Enabled(context.Background(), slog.LevelDebug) {
		l.s.logger.Debug("pebble: " + fmt.Sprintf(format, args...))
	}
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.s.logger.Error("pebble: " + fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	for _, a := range args { // Pebble formats with %v and %s, which would lose the kind
		if cause, ok := a.(error); ok {
			err = fmt.Errorf("%w (%s)", cause, format)
		}
	}
	_ = l.s.health.fail("pebble", err) // every caller finds it there
}

// listener turns Pebble's events into log lines and, where they are errors, into the store's failure.
func (s *Store) listener() *pebble.EventListener {
	debug := pebble.MakeLoggingEventListener(pebbleLogger{s})
	act := pebble.EventListener{
		BackgroundError: s.backgroundError,
		DataCorruption: func(i pebble.DataCorruptionInfo) {
			_ = s.health.fail("read", &storage.CorruptionError{Where: "file " + i.Path, Err: i.Details})
		},
		DiskSlow:      func(i pebble.DiskSlowInfo) { s.logger.Warn("the disk is slow", "detail", i.String()) },
		LowDiskSpace:  func(i pebble.LowDiskSpaceInfo) { s.logger.Warn("disk space is low", "detail", i.String()) },
		WALCreated:    func(pebble.WALCreateInfo) { s.pressure.note() },
		FlushEnd:      func(pebble.FlushInfo) { s.pressure.note() },
		CompactionEnd: func(pebble.CompactionInfo) { s.pressure.note() },
	}
	act.EnsureDefaults(nil)
	debug.BackgroundError, debug.DataCorruption = func(error) {}, func(pebble.DataCorruptionInfo) {}
	tee := pebble.TeeEventListener(act, debug)
	return &tee
}

// backgroundError hears of flushes and compactions that failed. Pebble tries them again at once. No room is a state that
// passes; anything else is the end: what would be read from such a disk, nobody knows.
func (s *Store) backgroundError(err error) {
	switch {
	case s.health.failed(): // said before
	case errors.Is(err, pebble.ErrCancelledCompaction) || errors.Is(err, pebble.ErrClosed):
	case vfs.IsNoSpaceError(err):
		s.logger.Error("no room to flush or compact: writes are refused", "err", err)
		s.space.met(time.Now())
		s.pressure.note()
	default:
		_ = s.health.fail("background work", err) // every caller finds it there
	}
}
