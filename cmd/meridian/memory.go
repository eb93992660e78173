package main

import (
	"os"
	"runtime/debug"
)

// Room beside the cache: four memory tables of 64 MB (pebblestore.Options), and what requests, links and the rest use.
const (
	memTablesRoom = 4 * 64 << 20
	otherRoom     = 64 << 20
)

// limitMemory tells the collector how much memory a region's process should keep to. Without cgo the cache and the memory
// tables are on Go's heap, which the collector would let grow to twice of what is in use. It is no hard limit: a process that
// needs more gets it, and collects more often. GOMEMLIMIT in the environment is the operator's word and stays.
func limitMemory(cache int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(cache + memTablesRoom + otherRoom)
	}
}
