// Package clock gives a region its stamps: hybrid logical time that never goes back, not even over a crash.
//
// # The ceiling
//
// A durable ceiling stands above every time that was ever given out for an item. A stamp that would pass it carries the new
// ceiling in its own batch, so that the two become durable together. It is raised inside seal only, hence in commit order:
// whatever relies on a ceiling stands behind it in the log and is lost with it. A restart begins at the ceiling: no stamp
// that was durable, and so none that anybody may have seen, is given twice.
//
// # The guard
//
// Physical time is monotonic from start: a step of the wall clock is not followed. Offsets to the other regions' clocks are
// reported (Report), and decide (guard.go):
//
//	hybrid time ahead of the majority by more than the bound   client writes are refused, and an alarm
//	physical time behind the majority by more than the bound   an alarm
//	a commit that arrives, ahead by more than twice the bound  held: not applied, cursor unmoved, and an alarm
//
// # Hazard
//
// A majority whose clocks are wrong together is right by this definition. Operators watch their time servers.
package clock
