// Package bench loads a DynamoDB endpoint, any one, and says how it did. It speaks to servers by their public interface
// only, so the same tool measures Meridian and what else a user could pick.
//
// # How it measures
//
// Each connection has one goroutine, one TCP connection and one request under way. Requests are made by appending bytes
// and replies are read by their length: a client that took as much processor time as the server would measure itself.
//
// In a closed loop a connection sends its next request when the last one was answered: that finds the most that a server
// can do. In an open loop (Rate) every request has a time at which it is due, whether or not the server is ready, and its
// latency counts from then: a server that stalls for a second is charged for all requests that came in that second
// (coordinated omission is what hides them otherwise; Tene, "How NOT to measure latency").
//
// Latencies go into HDR histograms of three significant digits, one for each connection, added up at the end. What was
// measured during the warm-up is thrown away.
//
// # Data
//
// Items are "user" and twelve digits under pk, and attributes field0, field1, … of random letters that bring the item to
// its size. With a sort key, PerPartition items share a pk and are told apart by the number sk. Keys are chosen uniformly, or by a scrambled zipfian distribution of exponent 0.99 as in YCSB (Cooper et al.,
// 2010). The seed decides all of it.
package bench
