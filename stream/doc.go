// Package stream is a region's change log: every commit that became visible here, its own and those it merged, in the
// order of the store.
//
// # Layout
//
// A commit is one order entry, which keeps the order and lists the parts, and one part for each shard of each table it
// changed (package stream/record). So a table's stream shard is one range of keys, and each table can be trimmed by its
// own rule.
//
//	'o' | seq (8)                              order entry
//	'l' | table id (16) | shard (2) | seq (8)  part
//	'm' "log-ceiling"                          a number above all that were ever given out, durable before they are used
//	'm' "log-trimmed"                          the newest number that is no longer in the log
//	'm' "parts-trimmed" 'l' | table id (16) | shard (2) | 0 (8)   the newest commit whose part in a shard TrimParts took
//	'm' "log-gaps"                             the numbers that restarts skipped (gaps.go)
//
// # Writing
//
// Append writes into the batch of the commit itself, inside seal, so log and data can never disagree. It must be called
// in commit order, which seal gives. A number is never used twice, not even one that a crash lost: a restart goes on from
// the ceiling. (Were more than 2,048 commits to wait for one sync, numbers that a crash loses with their ceiling could be
// given again; nobody has seen those, for nothing is shown before it is durable.) An append whose commit does not happen is taken back (storage.Sealer).
//
// # Reading
//
// Nothing past the durable end is shown: Committed moves it, and because durability follows commit order, one commit known
// to be durable says it for all before it. Readers wait for it with WaitDurable. Positions are the numbers of commits; a
// position means "everything up to here". Read gives whole commits, for replication; ReadShard the changes of one shard of a
// table, for its stream. A position before what was trimmed is refused with ErrTrimmed.
//
// # Concurrency
//
// A Log is safe for concurrent use, Append under the rule above. It starts no goroutine.
package stream
