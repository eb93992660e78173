// Package storage is the contract of an ordered, transactional byte store, with what all engines share: the registry of
// key kinds, the errors, the latches. Engines are its children: pebblestore on disk, memstore as the oracle; storagetest
// is the one suite that every engine passes.
//
// # Promises
//
// Atomicity. A Txn's writes and those of its seal become visible together or not at all.
//
// Isolation. Begin names keys and waits until nobody else holds them; until Commit or Discard returns they cannot change
// but by this Txn. Everything else is read as committed. Transactions that read only keys they declared are serializable.
//
// Order. Commits have one total order. seal is called at a commit's place in it, one seal at a time, so numbers given out
// inside seal are in commit order. A Snapshot is one point in that order.
//
// Durability. A commit is visible when Commit returns and durable when its Durable.Wait returns nil. Durability follows the
// order: if a commit survives a power cut, so do all before it. Hence Wait returning nil for one commit says it for all
// before it, also when that commit wrote nothing.
//
// Failure. When a write to the log or its sync fails, or the engine finds its files broken, the store has failed for good:
// Done is closed, Err says why, every later call returns an error that matches ErrFailed. A commit whose Wait returned an
// error has an unknown outcome that only a restart settles. Retrying a failed sync is no way out: the kernel may have
// dropped the pages and reports success the second time.
//
// # Keys and values
//
// A key has at least one byte, its kind (keys.go), and bounds and seeks are keys. Values may be empty. Order is that of bytes.
//
// # Concurrency
//
// Stores and Snapshots are safe for concurrent use. A Txn, an Iter and a Durable belong to one goroutine at a time. Close
// waits for running calls, Txns, Snapshots and Iters; their owners end them first.
//
// # Hazards
//
// Keys share latches by their hash, so a Txn may wait for one that names other keys. Latches are in the process: two processes on one folder would not see each other's. The folder's lock file excludes
// that; a network file system that lies about locks does not notice.
package storage
