// Package region is one region's database: everything that is needed to serve its tables alone, and the two doors by
// which the other regions come in.
//
// # Pieces
//
//	catalog  the tables: descriptors and this region's own settings
//	table    items: reads, writes, indexes, merging what other regions wrote
//	clock    stamps
//	Region   opens and closes these, answers for the catalog, and runs the jobs that move tables through their lives
//	         (lifecycle.go): filling a new replica, building an index, taking a table away, trimming the log
//
// What is made of the log and of time: streams, which a consumer reads shard by shard (streams.go; streamlife.go says when
// they begin, roll over and end), and expiry (expiry.go).
//
// # Promises between regions
//
// What another region wrote to a table is not missed, whatever is heard in whatever order: cursors move back before a table,
// or a member of it, is wanted (inbound.go). A log that no longer reaches back to a cursor is an error that shows, and is
// mended by copying (catchup.go). A region leaves a table only when every other member has said that it holds all of it
// (leave.go). A clock that is far ahead stamps nothing, and what it stamped is held and not taken (package clock).
//
// What a region that cannot be heard had sent to one other region only reaches the third from that one's log, in whole commits
// (relay.go); what no log has any more by repair.
//
// Region satisfies replication.Source (source.go), what peers read from here, and replication.Sink (sink.go), what they
// write here. It reaches the others by the Peers that it is handed (Connect); it never imports package replication.
//
// # Start and end
//
// Open recovers from whatever a crash left and starts the jobs; Close ends them and waits. A region whose store has failed
// stops for good: Failed's channel is closed and Err says why. Nothing is guessed after a failed write.
//
// # Tests
//
// Several whole regions live in one process and in virtual time (world_test.go), on memory and on disks whose power is cut:
//
//	go test ./region -run TestHistories -runs=100 [-seed=N] [-regionlog]
package region
