// Package crdt has the order of events that conflict resolution rests on: hybrid times, stamps, and the causal contexts
// that say which writes a version has seen. It knows no items, reads no clock and takes no lock.
//
// # Order
//
// A Stamp is (hybrid time, origin). Stamps are totally ordered, time first, and none is ever given twice, so a stamp also
// names one write for ever (a "dot"). A Context is a set of stamps in short form: for each origin the newest time seen,
// over a floor below which everything is seen. It stands for all stamps that it Covers.
//
// Contexts form a lattice: Join is commutative, associative and idempotent, and SubsetOf is its order.
//
// # The hazard
//
// Covers takes "the newest time seen of an origin" for "everything of that origin up to there". That holds because an
// origin stamps its writes to one item in increasing order, each built on the one before it, and because links deliver
// an origin's commits in order or repair replaces them by whole states.
package crdt
