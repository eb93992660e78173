// Package link decides everything about one replication link: who may open it, what to send next, what to accept, what to
// acknowledge, when the other side is gone, and how far behind it is. It is pure: time is an argument, no I/O, no
// goroutine, no lock. Package replication drives it.
//
// A link carries one region's log to one other region. The receiver opens it from its durable cursor and names the tables
// it wants; the sender never filters by an idea of its own.
//
//	receiver                                sender
//	Open{cursor, tables, window}      →
//	                                  ←     Accept, or a Refusal in words
//	                                  ←     Batch{from, upTo, commits, closed, …} whenever there is something
//	Ack{upTo} when applied, durably   →
//	                                  ←     Batch without commits: position, closed time, I live
//	Ack again: I live                 →
//
// # Promises
//
//   - Contiguity: a Receiver lets a batch through only if it continues what it has. A batch seen before is dropped; a
//     missing one is ErrGap, upon which the driver opens the link again from the durable cursor. So duplicates, reorders
//     and losses on the way cost time only.
//   - Bounded memory: at most Open.Window bytes of commits are under way or waiting on either side, except that a single
//     larger commit travels alone.
//   - A commit is never cut: batches end between commits.
//   - An idle link has something to say every Config.Heartbeat, so that silence means that the peer is gone.
//   - What the receiver does not want still moves its position, at most every Config.Progress, so that the sender's log can
//     be trimmed.
//
// # Latency and throughput
//
// A Sender sends what there is as soon as there is something: one commit at a time on an idle link. While it finds more
// than fits in a batch, each batch is twice the last, up to Config.MaxBatch.
//
// To a receiver far away (Sender.Distance) batches follow each other no closer than a small share of the round trip: a
// commit waits for a few milliseconds at most where the way takes a hundred, and on the way are several times fewer packets,
// of which each that is lost stops all that is behind it for a round trip.
package link
