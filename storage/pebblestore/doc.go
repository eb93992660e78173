// Package pebblestore is the storage engine on disk: Pebble, an LSM tree with a write-ahead log (WAL).
//
// # Order and durability
//
// Commits pass one by one through a lock that is held over seal and Pebble's ApplyNoSyncWait, which puts the batch into the
// WAL and the memory table. So the order of the WAL is the order of commits, and a WAL that survives up to some commit
// survives with all before it. Waiting for the disk happens outside the lock; Pebble syncs all waiting commits together.
//
// # Failure
//
// Pebble answers a WAL it cannot write with panics while it holds its own locks, one of which (a rotation) no recover can
// catch. So it never learns: all files go through a fence. The first failed write or sync of the WAL, or of a folder, fails
// the store and closes the fence; from then on nothing reaches the disk any more, WAL writes seem to succeed, and every
// caller finds the store's failure before he could believe it. Durable.Wait looks at it after the sync; the fence sets it
// before the sync returns.
//
// Errors of flushes and compactions that Pebble reports in the background fail the store too, a full disk excepted. So does
// what Pebble calls fatal (a MANIFEST that cannot be written, a full disk included) and a file whose checksum is wrong. Iters
// and Snapshots end with the store: what they show could be a commit that never reached the disk.
//
// # A full disk
//
// Commits are refused with ErrFull while less than Options.ReserveBytes are free, or while Pebble finds no room to flush or
// compact. Reads go on, and writes work again when there is room. The reserve is what lets Pebble flush what it has taken
// on. If the WAL or the MANIFEST hits the end of the disk all the same, the store fails with an error that matches ErrFailed
// and ErrFull.
//
// # Back-pressure
//
// Pebble bounds its memory and its lag by stalling writers inside its locks, which a store that fails meanwhile could not
// leave. That stall is turned off; commits wait before they enter Pebble (pressure.go), until there is less to do, no room
// for it, or the store has failed.
//
// # Caches
//
// Get and GetEach of keys of Options.RowKind are answered from a cache of single values (rows.go), if they can be, which every
// commit keeps up to date in its place in the order; all other reads are Pebble's, with its cache of blocks.
//
// # Files
//
// The folder belongs to one process (Pebble's LOCK). Its file MERIDIAN names the format (format.go); everything else is
// Pebble's.
//
// # Hazards
//
// Damage to synced bytes of the last WAL is told from a torn end by the offsets that later chunks say were synced. Pebble looks
// for such chunks from the next 32 KB block on, and its offsets run a few percent behind. So damage shortly before the end of
// the last WAL passes for a torn end, and the commits from there on are gone without a word. It takes a disk that changes what
// it has acknowledged, just before a restart; repair from a peer notices.
package pebblestore
