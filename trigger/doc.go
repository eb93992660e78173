// Package trigger calls functions with the changes of a table: Lambda's event source mappings over the region's own streams.
//
// # Pieces
//
//	Manager   follows the triggers that the catalog has, decides with the other regions which of them this region runs
//	          (duty), and serves Lambda's API of mappings
//	unit      one trigger here: its claim, checkpoint and status, whether it runs or stands by
//	runner    one trigger that runs: shards, parents before their children
//	shardRun  one shard: reads it, and acts on what package batch decides
//	target    what is called: a function by Lambda's Invoke API, or a sink of CloudEvents
//
// Settings stand in the table's description, which the keeper writes and all regions have. What is decided (filters, batches,
// duties) stands in pure packages beside this one.
//
// # Promises
//
//   - Every change that the filters let through is delivered, or given up after the retries or the age that were asked for and
//     then sent to the destination for failures; never dropped otherwise while the stream has it (24 hours). Changes of one
//     item come in order.
//   - In normal running the function is called once for each change; again after a crash, for what was under way or done in the
//     last tenth of a second, and through a take-over.
//   - A region that runs a trigger and falls silent is replaced within ten seconds.
//
// # Checkpoints
//
// A region keeps for each shard the sequence number up to which everything is done with; that means something in its own
// stream only. For the others it says, with every beat, a vector: for each origin the time up to which everything is done
// with. How it knows: now and then it notes where its log ends and what the log has by then (Source.Holds, a mark); when all
// shards are done with what is before the mark, the vector holds. How a region that takes over finds its place: it has noted
// where its log ended and what it had seen by then; the newest such place that the vector covers is where it begins, and on
// the way it leaves out what the vector covers. A change that it leaves out was delivered; one that it cannot tell is
// delivered again.
//
// The stream of a conflict feed is a view that each region makes by itself, and no vector covers it: a region that takes over
// begins with the oldest record that it has.
//
// # Tests
//
// In virtual time on a real region in memory, with a function that is a Go function (world_test.go). Real processes are
// killed in cmd/meridian (trigger_test.go).
package trigger
