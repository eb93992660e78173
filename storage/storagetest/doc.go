// Package storagetest is the one suite that every storage engine passes: each promise of package storage is a test. An
// engine's own tests call Test with a function that opens a new, empty store; what only that engine promises (crashes, files,
// a full disk) is tested beside it.
//
// The tests do not sleep: whatever must wait is watched in a synctest bubble, where "still waiting" is a fact.
package storagetest
