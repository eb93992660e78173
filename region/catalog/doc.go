// Package catalog knows the tables of one region: their descriptors, which are the same everywhere, and what this region
// keeps about them for itself.
//
// # Who may write what
//
// A Descriptor has one writer, its keeper: the region that created the table, until that region leaves and hands it on.
// Every change gives it a higher (Epoch, Revision); all other regions take whatever is newer than what they hold, in any
// order and any number of times, so a descriptor needs no log of its own: its latest revision is sent to whoever is a
// member. A region that is not the keeper forwards a change to it (see package region); while the keeper cannot be
// reached that is a retryable error, and reads and writes of items go on.
//
// Local settings belong to the region and never travel (DYNAMODB.md 10.3).
//
// # Names
//
// Names belong to a region, ids to the world: a region may hold a table of its own under a name that elsewhere is global.
// A name is taken while a live table of that name has a replica here. Ids of deleted tables stay for ever, so that what
// still arrives for them is known to be nothing.
//
// # Concurrency
//
// Readers never block: every lookup works on an immutable snapshot. Changes are made one at a time, written to the store
// and synced before they are seen.
package catalog
