// Package crdt has the order of events that conflict resolution rests on, and the data types that are merged along it:
// hybrid times and the clock that makes them, stamps, the causal contexts that say which writes a version has seen,
// counters and observed-remove sets. It knows no items, reads no clock and takes no lock; every value but Clock and
// Dictionary is immutable.
//
// # Order
//
// A Stamp is (hybrid time, origin). Stamps are totally ordered, time first, and none is ever given twice, so a stamp also
// names one write for ever (a "dot"). A Context is a set of stamps in short form: for each origin the newest time seen,
// over a floor below which everything is seen. It stands for all stamps that it Covers. A Version is a write with its dot
// and the order stamp by which it wins or loses.
//
// # Joins
//
// Contexts, Tallies (a counter's additions) and Elements (a set, together with its context) are lattices: their joins are
// commutative, associative and idempotent. A register is a Version with a value; its join is the higher Version, which
// package conflict takes over all parts of an item at once.
//
// # The hazards
//
// Covers takes "the newest time seen of an origin" for "everything of that origin up to there". That holds because an
// origin stamps its writes to one item in increasing order, each built on the one before it, and because links deliver
// an origin's commits in order or repair replaces them by whole states. Two live processes of one origin, or a disk rolled
// back, break it: their writes cover each other and one is dropped in silence. The region must notice and fence itself.
//
// Clock keeps its promise of never repeating a time only while it lives: whoever owns it keeps a durable ceiling.
package crdt
