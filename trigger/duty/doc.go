// Package duty decides which of a table's regions runs a trigger.
//
// # The rule
//
// A claim says that a region runs a trigger from an epoch on. The keeper's description has the first one; a region that takes
// over claims the next epoch. The highest claim counts: the later epoch, and in one epoch the region whose name comes first.
// The region that runs a trigger says so all the time (a beat, which also carries the checkpoint). When nothing is heard of it
// for Silence, the others take over in their order, spread over Spread; at once, if it no longer holds the table. A region that
// hears of a higher claim than its own stops. Time in which a region was itself stopped, so that it could not hear, is not
// counted: when a machine on which several run comes to a halt for a while, they go on as before.
//
// A region that starts, and goes by what it remembers, is not sure: it asks first, and begins when the others have answered or
// after Confirm. So one that comes back after it was replaced does not run beside its successor, unless it is cut off from it:
// then both run until they hear of each other, as regions never wait for others. What that costs is duplicates.
//
// The package is pure: now is an argument. A Duty belongs to one goroutine.
package duty
