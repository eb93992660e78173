// Package table does what clients and peers ask of items: reads, conditional writes, transactions and the merging of
// changes from other regions, with the indexes kept in the same batch.
//
// # Who owns what
//
// An Engine is what all tables of a region share: the store, the log, the clock. A Table is a cheap, immutable handle:
// an engine and one revision of a descriptor. Writes of any kind go through one path (commit.go):
//
//	latch the keys → read and evaluate → seal: stamp, item states, log → apply → release → wait for the disk
//
// and what other regions wrote goes through Engine.Apply, which merges many commits in one batch.
//
// # Guarantees
//
// Writes to one item happen one after the other, transactions all at once or not at all; both are linearizable in this
// region. A reply, a failed condition too, tells only what a power cut can no longer take back: whoever read something
// whose commit is not yet on disk waits for it (inflight.go).
package table
