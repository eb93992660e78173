// Package replication carries every commit of a region to the others, and theirs to it.
//
// Start runs it over gRPC and Serf; StartOver runs the same over any transport and membership, scripted ones among them.
//
// # Pieces
//
//	member       who is there, and where (Serf)
//	transport    the contract with what carries messages; grpclink carries them in earnest
//	link         the decisions about one link: pure
//	antientropy  finds and judges what differs between two copies of a table: pure
//	this         owns the goroutines, and stands between a link and the region's Source and Sink
//
// # What runs
//
//	membership     one goroutine: begins and ends a peer's loop as membership changes            (members.go)
//	a peer's loop  dial, run a session until it breaks, back off, again                          (peer.go)
//	  session      follow the peer's log (receive.go), its catalog (catalog.go), its clock (ping.go)
//	a peer's link  each Follow that a peer calls here: reads the log, sends, takes acknowledgements (send.go)
//	tail           one goroutine: wakes all that send when the log's durable end moves           (tail.go)
//	repair         one goroutine: compares one table with one peer after the other               (repair.go, repairround.go)
//
// Each direction between each two regions has its own goroutines, buffers and window, and the regions share nothing but
// reading the log; so a peer that is slow, far behind or dead holds nobody up. What one direction may hold in memory is
// bounded by link.Config.Window and one read of the log.
//
// # Promises
//
//   - What Source has durably reaches every Sink that wants it, contiguously and in order, at least once; since a Sink moves
//     its cursor in the batch that applies, the effect is exactly once, whatever is cut, repeated or restarted.
//   - Nothing is acknowledged to a peer that Sink.Apply has not returned as durable.
//   - A peer that falls silent is noticed in link.Config.Silence; when it can be reached again, its link stands within a
//     second.
//   - Table descriptions come on a stream of their own, and a receiver asks only for tables it knows, so a description is
//     always there before its items.
//
// What a region that cannot be reached had sent to another one is relayed by a command between regions (package region); links
// carry own commits only.
//
// Time is read by time.Now and timers, so that all of it runs in testing/synctest; the wall clock that peers compare is
// Options.Now.
package replication
