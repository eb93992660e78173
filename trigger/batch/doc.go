// Package batch decides what of one shard is given to a trigger's function, when, and how far the shard is done with: batches
// and their windows, lanes that keep the order of each key, retries, bisecting, partial failures, age, and the checkpoint.
//
//	Shard   takes records in order (Add), gives batches to run (Next), takes what became of them (Done)
//
// # Promises
//
//   - Records of one key go to one lane, and a lane has one batch under way: so they are delivered in order.
//   - A batch that fails blocks its lane until it succeeds or is given up; what is given up is a batch of its own, to be
//     delivered to the destination for failures before the lane goes on.
//   - Checkpoint is behind every record that is not done with. It never goes back.
//
// The package is pure: now is an argument, and Wake says when to ask again. A Shard belongs to one goroutine.
package batch
