package storage

import "context"

// Reader reads committed state.
type Reader interface {
	// Get returns a fresh copy of a key's value, or ErrNotFound.
	Get(key []byte) ([]byte, error)
	// NewIter returns an iterator over what is committed now; later commits do not show in it. It stands before its first
	// key: move it before use.
	NewIter(IterOptions) (Iter, error)
}

// IterOptions bounds an iterator to keys in [Lower, Upper). Nil means no bound; if Lower is not
// below Upper there are no keys. The slices may be reused afterwards.
type IterOptions struct{ Lower, Upper []byte }

// Iter walks over keys in the order of bytes.
type Iter interface {
	// The moves report whether the iterator stands on a key afterwards. SeekGE goes to the first key at or above k, SeekLT
	// to the last key below it, both within the bounds. Next and Prev step from a key; from beyond an end they are false.
	First() bool
	Last() bool
	Next() bool
	Prev() bool
	SeekGE(k []byte) bool
	SeekLT(k []byte) bool
	// Valid reports whether the iterator stands on a key.
	Valid() bool
	// Key and Value are the store's memory, good until the next move or Close.
	Key() []byte
	Value() []byte
	// Err is the failure that ended the walk; look at it when a move returned false.
	Err() error
	Close() error
}

// Writer collects writes. Arguments are copied. Within one batch later writes win over earlier ones.
type Writer interface {
	Set(k, v []byte) error
	Delete(k []byte) error
	// DeleteRange deletes the keys in [lo, hi), those written earlier in the batch too.
	DeleteRange(lo, hi []byte) error
	// Merge XORs an operand into the value; on an absent key it is the value. A value of zeros only still exists. Operands
	// of one key have one length; if they do not, the shorter counts as followed by zeros, so that no order of operands
	// can make a compaction fail.
	Merge(k, operand []byte) error
}

// Sealer is what the Writer that seal gets can do beyond writing.
type Sealer interface {
	Writer
	// OnAbort has undo called, the latest first, if this commit does not happen after all: seal or a later step failed.
	// Nothing of the commit was visible then, and no other seal has run since.
	OnAbort(undo func())
}

// Snapshot is one point in commit order.
type Snapshot interface {
	Reader
	// Close ends it; Iters made from it may go on. Again, it does nothing.
	Close() error
}

// Txn is a read-write transaction over the keys given to Begin. It is for one goroutine, but for Gets and GetEachs, of which
// several may run at the same time while nothing else of it does.
type Txn interface {
	Reader // committed state, not this Txn's own writes
	Writer

	// GetEach looks up keys, which rise, and calls found once for each that exists, in any order, with its place in keys. The
	// value is good until found returns. An error of found ends it and is returned. It is cheaper than as many Gets, most of
	// all where keys do not exist.
	GetEach(keys [][]byte, found func(i int, value []byte) error) error

	// Commit fixes the transaction's place in the store's total order, calls seal there (it may add last writes through its
	// argument, which is a Sealer), applies all writes and releases the keys. The effect is visible on return and durable
	// when Durable.Wait returns nil. An error of seal is returned as it is and nothing has changed. seal may be nil. seal
	// must not begin or commit transactions: they would wait for it.
	Commit(seal func(w Writer) error) (Durable, error)

	// Discard releases the keys and forgets the writes. It may be called again, and after Commit, without effect.
	Discard()
}

// Durable is a commit on its way to the disk.
type Durable interface {
	// Wait returns nil when the commit and all before it would survive a power cut. It is called exactly once per Commit.
	Wait() error
}

// Store is an ordered byte store.
type Store interface {
	Reader
	Snapshot() Snapshot

	// Begin waits until no other Txn holds any of the keys, first come first served on each, without deadlock. No keys, no
	// waiting. The context bounds the wait only; its error comes back when it ends first, and nothing is held. Nobody who
	// holds a Txn with keys may begin another with keys: he could wait for himself.
	Begin(ctx context.Context, keys ...[]byte) (Txn, error)

	// Checkpoint writes a copy of the store, as of now, into a directory that must not exist.
	Checkpoint(dir string) error
	// DiskUsage is the number of bytes that the store occupies.
	DiskUsage() (uint64, error)
	// EstimateSize is about how many bytes the keys in [lo, hi) with their values occupy. What was written last may be missing.
	EstimateSize(lo, hi []byte) (uint64, error)

	// Done is closed when the store has failed or was closed. Err is nil until then, and afterwards says why: it matches
	// ErrFailed or is ErrClosed.
	Done() <-chan struct{}
	Err() error

	// Close waits for running calls, Txns, Snapshots and Iters. It returns ErrClosed the second time.
	Close() error
}
