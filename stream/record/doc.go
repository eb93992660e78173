// Package record has what the change log is made of (table ids, sequence numbers, changes, commits, order entries) and
// their bytes, on disk and on the wire. It is pure: no I/O, no clock, no lock.
//
// A Commit is the changes that became visible together. On disk it is one order entry, which keeps the order and lists the
// parts, and one part for each table and shard it changed; on the wire it is one buffer. All three name origins by a
// dictionary at their head (package crdt) and begin with a version byte, so that an older reader refuses what it cannot
// know.
//
// Decoders accept exactly what the encoders write, never panic, and return slices of the buffer they were given: keep the
// buffer unchanged, and for as long as the result. Every failure is an error that matches ErrMalformed.
package record
