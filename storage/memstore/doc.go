// Package memstore keeps a store's contents in memory: one sorted slice under one lock. It is the oracle that other engines
// are checked against, and a fast store for tests of what stands above. It has no disk: what is committed is durable while
// the process lives. Lookups cost a binary search; a commit costs moving what stands behind each new key, and a copy of the
// slice when a snapshot or iterator still reads it. That is fine up to some tens of thousands of keys.
package memstore
