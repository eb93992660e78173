package main

import (
	"os"
	"runtime"
	"sync"
)

// backgroundJobs is how many goroutines a store keeps busy for long without waiting: two compactions and a flush (pebblestore).
const backgroundJobs = 3

// spareProcessors gives Go's scheduler more processors than the machine has. Go takes a processor from a goroutine that
// computes only after 10 ms, and asks the network only when one is idle: with two processors two compactions made requests and
// the WAL's syncs wait for several such turns, up to 100 ms. With one more for each job the kernel shares the machine's, by the
// millisecond. GOMAXPROCS in the environment is the operator's word and stays. A limit on the container's processors counts as
// it was at the start. It is done once a process, for any number of regions.
var spareProcessors = sync.OnceFunc(func() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + backgroundJobs)
	}
})
