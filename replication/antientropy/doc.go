// Package antientropy decides how two regions find out where their copies of a table differ, and what of that is to be
// mended. It is pure: no I/O of its own, no clock, no goroutine, no lock. Package replication drives it, a View reads.
//
// # A round
//
// One region, the asker, compares its copy with the other's, the answerer's; both are snapshots, taken when they please.
//
//	asker                                    answerer
//	Hello{table, floor}                  →
//	                                     ←   Welcome{held, cut, position, digests below the root}
//	Descend{nodes whose digests differ}  →
//	                                     ←   for each: the digests of its children, or its few entries
//	Contexts{paths of entries that differ} →
//	                                     ←   what each has seen
//	Swap{paths wanted, items given}      →
//	                                     ←   items, and how many of those given were news
//	Gained{what the answerer holds now}  →
//
// A Round asks, Answer answers. Nodes are prefixes of an item's Path: the hash of its partition key, which is the order in
// which items are stored, and behind it a hash of its whole key, for partitions that are large. Fan-out is 16. The deepest
// nodes are compared first, and what differs is mended before more is looked for, so that a round holds little in memory
// (maxNodes × the depth) however much differs.
//
// # What is mended
//
// Two busy regions differ all the time, in what is on its way. A difference is real (Judge) if a write that one side has
// seen is missing on the other although that one holds everything of the write's origin up to then (Held); it is a Clash if
// both have seen the same writes and still differ: then an origin has lived twice, merging cannot mend it, and an operator
// must hear of it. All else is in flight. A round that is Whole takes and gives everything that differs: for a region that
// can no longer catch up from a log. Afterwards it holds what the answerer's snapshot held.
//
// After any round each side holds of an origin that it did not list all that the other's snapshot held, after one that was
// Whole of every origin (Gained).
//
// # Sizes
//
// Digests travel cut to 8 bytes: they steer, and that two different ones look alike is not to be expected in the lifetime of
// the universe. An isolated difference costs about 1 KB and the item, whatever the table's size; equal tables cost a Hello
// and a Welcome, some 300 bytes.
//
// # Hazard
//
// Digests are XORs of hashes that are fast, not cryptographic. Who can choose items and knows the table's id could make
// differences that hide each other; he would have to make one region's data differ first.
package antientropy
