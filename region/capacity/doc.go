// Package capacity counts what requests consume and refuses those that a table has no throughput left for (DYNAMODB.md
// section 6). It knows sizes, units and times; items, requests and the names of errors are others' business. Time is an
// argument, in unix milliseconds.
//
// A Meter is one table's: what it has used since the process started, and a token bucket for each limit that is set, of
// the table and of its global indexes, for reads and for writes.
//
// # Guarantees
//
//   - A request is admitted while every bucket that it touches is above zero, and then takes its whole cost, so that a
//     request larger than the bucket ever holds can be done at all. Over any window, a bucket admits at most its rate
//     times the window, its burst, and the last request's overdraft.
//   - Refused is refused as a whole: nothing is taken from any bucket, nothing is counted as used.
//   - What comes from other regions is charged and never refused. It may use up what is there, and leaves local requests
//     no more than a second behind.
//   - Memory goes with tables and indexes, never with items or keys. A table without limits costs a request one atomic
//     addition, one with limits one short lock.
//
// Buckets are in memory only: after a restart they are full.
package capacity
