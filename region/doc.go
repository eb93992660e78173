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
// Region satisfies replication.Source (source.go), what peers read from here, and replication.Sink (sink.go), what they
// write here. It reaches the others by the Peers that it is handed (Connect); it never imports package replication.
//
// # Start and end
//
// Open recovers from whatever a crash left and starts the jobs; Close ends them and waits. A region whose store has failed
// stops for good: Failed's channel is closed and Err says why. Nothing is guessed after a failed write.
package region
