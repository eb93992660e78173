// Package table does what clients and peers ask of items: reads, conditional writes, transactions and the merging of
// changes from other regions, with the indexes kept in the same batch.
//
// # Who owns what
//
// An Engine is what all tables of a region share: the store, the log, the clock. A Table is a cheap, immutable handle:
// an engine and one revision of a descriptor. Writes of any kind go through one path (commit.go):
//
//	latch the keys → read and evaluate → seal: stamp, item states, cells, log → apply → release → wait for the disk
//
// and what other regions wrote goes through Engine.Apply, which merges many commits in one batch.
//
// # Guarantees
//
// Writes to one item happen one after the other, transactions all at once or not at all; both are linearizable in this
// region. A reply, a failed condition too, tells only what a power cut can no longer take back: whoever read something
// whose commit is not yet on disk waits for it (inflight.go).
//
// A commit stands under the description that its table has at the commit's place in the store's order: if that changed on
// the way the commit is done again, and if the table is gone it is refused (held.go). So whoever changes the catalog and
// then passes the store, by Barrier, BuildIndex, RemoveIndex or RemoveTable, has no late commit to fear.
//
// Indexes (index.go), times of expiry (expiry.go), hash-tree cells (cell.go) and idempotency tokens (token.go) are written in
// the batch of the item:
// after any crash they are those of the data.
//
// What lost a merge is noted in the conflict feed (feed.go) in the batch of the merge, and told the others by a commit of this
// region in the same batch.
//
// # Hazards
//
// Options.Resolve runs inside seals. If it waits for a lock whose holder waits for the store, both wait for ever.
//
// A silent batch is in no log, so readers do not wait for its sync: it is for tables that nobody reads yet.
//
// # Tests
//
// A naive model (model_test.go) answers the same random histories as the engines. -history.ops makes the random tests
// long, -history.seed repeats one:
//
//	go test ./region/table -run TestHistories -history.ops=100000
//	go test ./region/table -run 'TestConvergence|TestCrashes' -history.ops=20000
//	go test ./region/table -run 'TestLinearizable|TestSerializable' -history.ops=50000
package table
