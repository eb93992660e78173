// Package conflict decides what becomes of two versions of one item. It is pure.
//
// # One lattice
//
// A State is what a region stores of an item: which write cleared everything older, which deleted it, a register for each
// attribute, and the context of all writes that it has seen. Merge joins two states; it is commutative, associative and
// idempotent, and it never looks at a policy: the policy decides only what a local write claims (Write), so regions may
// disagree about it for a while and still converge (DESIGN section 5).
//
//	               Put               Update                              Delete
//	last-writer…   the whole item    the whole item                      the whole item, which is forgotten
//	attribute      the whole item    the attributes it touches;          hides the item and keeps it,
//	                                 the whole item if it saw none       so that a later update revives it whole
//	crdt           as attribute, but ADD to a number counts, and ADD and DELETE add to and remove from a set
//
// An item is visible iff a write of it is newer than its delete. An update that touches nothing, or only takes members from
// a set, is such a write too. An expiry is ordered directly above what it expires (crdt.Version), so that any later write
// that had not seen it wins.
//
// A counter's value is its base and all additions that the base's writer had not seen, whatever their stamps. A set is what
// is left of the members last written at once, and all members added since that nobody who saw them removed. Additions to
// what was concurrently made another type give way to it.
//
// # Merging
//
// States are compared by their contexts, never by stamps alone: a merged state has the stamp of its winner but has seen
// more. If the arriving context is covered by the stored one, there is nothing new; if it covers the stored one, it
// replaces it; otherwise the two are joined. Contexts always join.
//
// What loses is a Loss if the winner's side had not seen it; equal values, and delete against delete, are none, and an
// expiry that a later write beats is none. One Loss stands for one losing write; with registers it says which attributes.
// A side that had seen both has reported it already, and reports travel between regions like any change: as Notes, which join
// to the same in whatever order they are heard, and are what the conflict feed is made of.
//
// # Hazards
//
// Contexts say that all of an origin up to a time has been seen. See package crdt for what that rests on. Two states with
// equal contexts are taken for the same state: if they are not, an origin has lived twice, and repair must notice, because
// Merge does not.
//
// A tombstone that keeps registers must not go as soon as it is below the floor: see State.Stable.
//
// # Size
//
// What a state has over its item's own bytes, in regions named like AWS's (bytes; computed by TestOverhead):
//
//	written by one region, once                     32
//	written by two regions                          59
//	written by three regions                        90
//	three regions, one attribute of its own stamp  102
//	three regions, one counter                     123
//	a remembered delete, all of it                  41
package conflict
