// Package admin is what an operator sees of one running region: is it alive, is it ready, how far behind are its peers, and
// what exactly does it store under a key. It only reads, but for one page, which restores a write that lost.
//
//	/healthz          200 while the process answers at all
//	/readyz           200 while the region serves requests, else 503 with the reason
//	/metrics          the region's Prometheus registry
//	/admin/status     this region, as a Status
//	/admin/regions    every region that this one knows of, as a Fleet; asked over the links between regions, so that one
//	                  admin address is enough to see them all
//	/admin/item       one stored item with its stamp and context: ?table=T&key={"pk":{"S":"x"}}
//	/admin/conflicts  the conflict feed: ?table=T&key=K&write=STAMP&since=TIME&until=TIME&limit=N&from=NEXT, all of them
//	                  optional; POST …/restore?table=T&key=K&write=STAMP writes a loser back, 409 if its winner has changed
//	/debug/pprof/     profiles of the process, only if asked for
//
// # Where it stands
//
// The package knows neither region nor replication: the two meet in cmd/meridian, which hands in a Source. What Source
// answers is also what goes over the wire, so that `meridian status` reads it with the same types. Fields are only ever
// added; a reader must leave alone what it does not know.
//
// # Concurrency
//
// The handlers may run side by side and keep nothing between requests. A Source must be safe for concurrent use.
//
// # Trust
//
// Whoever reaches these pages can read items. They are bound to loopback unless an operator says otherwise, and hold no
// secrets of their own.
package admin
