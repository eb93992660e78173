package storage

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound: no such key.
	ErrNotFound = errors.New("storage: not found")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("storage: closed")
	// ErrFull: the disk has no room, or almost none; the write was refused. Reads go on. Writes work again when there is
	// room, unless the error also matches ErrFailed.
	ErrFull = errors.New("storage: disk full")
	// ErrFailed: the store has failed and refuses everything until the process is started again.
	ErrFailed = errors.New("storage: failed")
	// ErrTxnDone: a Txn was used after Commit or Discard, which is the caller's bug.
	ErrTxnDone = errors.New("storage: transaction has ended")
)

// IsNotFound reports whether err says that a key does not exist.
func IsNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

// CorruptionError says that stored bytes are not what was written. It is never retried and never skipped.
type CorruptionError struct {
	Where string // the key, file or structure
	Err   error
}

func (e *CorruptionError) Error() string { return "corruption in " + e.Where + ": " + e.Err.Error() }
func (e *CorruptionError) Unwrap() error { return e.Err }

// Corruptf makes a CorruptionError.
func Corruptf(where, format string, args ...any) *CorruptionError {
	return &CorruptionError{Where: where, Err: fmt.Errorf(format, args...)}
}
