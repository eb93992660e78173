// Package conflict decides what becomes of two versions of one item. It is pure.
//
// # One lattice
//
// A State is what a region stores of an item: which write cleared everything older, which deleted it, its attributes, and
// the context of all writes that it has seen. Merge joins two states; it is commutative, associative and idempotent, and
// it never looks at a policy: the policy decides only what a local write claims (Write), so regions may disagree about it
// for a while and still converge (DESIGN section 5).
//
// States are compared by their contexts, never by stamps alone: a merged state has the stamp of its winner but has seen
// more. If the arriving context is covered by the stored one, there is nothing new; if it covers the stored one, it
// replaces it; otherwise the two are joined, the higher stamp wins, and the write that lost is reported if the winner's
// author had not seen it.
//
// # What is built
//
// The policy last-writer-wins, DynamoDB's own: every write, a delete too, claims the whole item. The byte format has room
// for the registers of the other two policies.
package conflict
