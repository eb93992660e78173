package batch

import "time"

// Options are a trigger's settings as far as they concern a shard.
type Options struct {
	Lanes    int           // ParallelizationFactor, 1 or more
	Size     int           // most records in a batch
	Bytes    int           // most bytes of a batch's records, commas between them included
	Window   time.Duration // how long a batch waits to become full; 0: not at all
	Retries  int           // how often a batch is tried again after the function failed; below 0: without end
	Bisect   bool          // halve a batch that failed
	Age      time.Duration // records older than that are given up; 0: none is
	Buffered int           // about how many bytes are held of records that are not done with
}

// Record is one record of a shard.
type Record struct {
	Sequence string    // digits of a fixed number: compares as text
	Key      uint64    // hash of the item's key
	Created  time.Time // when it was written
	Body     []byte    // as the function gets it
	Skip     bool      // filtered out: done with when it is read
}

// Reason is why a batch was given up.
type Reason string

// Reasons, as the record for the destination names them.
const (
	RetriesExhausted Reason = "RetryAttemptsExhausted"
	TooOld           Reason = "RecordAgeExceeded"
)

// Verdict is what became of a batch.
type Verdict int

// Verdicts.
const (
	Succeeded   Verdict = iota // all of it is done with
	Partly                     // what stands before Outcome.From is done with
	Failed                     // the function failed; counts as a try
	Unavailable                // the function was not reached: tried again without being counted
)

// Outcome is what became of a batch that was run.
type Outcome struct {
	Verdict Verdict
	From    string // of Partly, and perhaps of Unavailable: the first record to be tried again; those before it are done with
	Reply   Reply
}

// Reply is what the record for the destination says of the last answer.
type Reply struct {
	Status          int
	FunctionError   string
	ExecutedVersion string
	RequestID       string
}

// How long a batch rests before it is tried again: doubling from the first to the last.
const (
	restFirst = 200 * time.Millisecond
	restLast  = 30 * time.Second
)

// rest is how long to wait after a batch's n-th failure in a row, from 1.
func rest(n int) time.Duration {
	d := restFirst
	for ; n > 1 && d < restLast; n-- {
		d *= 2
	}
	return min(d, restLast)
}
