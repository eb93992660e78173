package main

import (
	"os"
	"runtime"
	"sync"
)

// backgroundJobs is how many goroutines a store keeps busy for long without waiting: two compactions and a flush (pebblestore).
const backgroundJobs = 3

// spareProcessors gives Go's scheduler more processors than the machine has. Go takes a processor from a goroutine that
// computes after 10 ms at the soonest, and asks the network when one is idle, or every 10 ms: with two processors two compactions
// made requests and the WAL's syncs wait for several such turns, up to 100 ms. With one more for each job the kernel shares the
// machine's, in turns of a few milliseconds. Go's collector counts them too: it marks on one of five, where it had shared turns
// of two. It is done once a process, for any number of regions. GOMAXPROCS in the environment is the operator's word and stays,
// and so does a container's quota, which more threads would only use up sooner, to be stopped until its next period.
var spareProcessors = sync.OnceFunc(func() {
	if n := runtime.GOMAXPROCS(0); os.Getenv("GOMAXPROCS") == "" && n == runtime.NumCPU() {
		runtime.GOMAXPROCS(n + backgroundJobs)
	}
})
