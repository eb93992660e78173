package drill

import (
	"bufio"
	"encoding/json"
	"io"
	"sync"
	"time"
)

// ID names one write for ever: it is what the write writes. 0 is no write.
type ID uint64

// Op is what a call did.
type Op string

// The operations of a load.
const (
	Read    Op = "read"    // GetItem
	Write   Op = "write"   // PutItem over what is there
	Insert  Op = "insert"  // PutItem on condition that nothing is there; nobody else writes that key
	Replace Op = "replace" // PutItem on condition that the client's own last write is there
	Add     Op = "add"     // UpdateItem ADD 1 to a counter
)

// Result is how a call ended.
type Result string

// The results. After Unknown a write may have happened; after Failed and Behind it has not.
const (
	OK        Result = "ok"
	Condition Result = "condition" // refused by its condition
	Behind    Result = "behind"    // no region has what the session has seen
	Failed    Result = "failed"
	Unknown   Result = "unknown"
)

// Call is one call of a client and its answer. Times count from the beginning of the load.
type Call struct {
	Client   int           `json:"client"`
	Session  int           `json:"session"` // of the client: a new one begins when one is refused
	Home     string        `json:"home"`    // the client's nearest region
	Region   string        `json:"region"`  // that was asked last
	Attempts int           `json:"attempts"`
	Op       Op            `json:"op"`
	Key      string        `json:"key"`
	Wrote    ID            `json:"wrote,omitempty"`
	Saw      ID            `json:"saw,omitempty"` // by a read; 0: nothing was there
	Begin    time.Duration `json:"begin"`
	End      time.Duration `json:"end"`
	Result   Result        `json:"result"`
	Error    string        `json:"error,omitempty"`
}

// Took is how long the client waited.
func (c *Call) Took() time.Duration { return c.End - c.Begin }

// writes reports whether the call may have changed the item under its key to Wrote.
func (c *Call) writes() bool {
	return c.Wrote != 0 && (c.Result == OK || c.Result == Unknown)
}

// history is all calls, in the order in which they ended.
type history struct {
	mu    sync.Mutex
	calls []Call
}

func (h *history) add(c Call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, c)
}

// all returns the calls until now. What was appended does not change any more.
func (h *history) all() []Call {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls[:len(h.calls):len(h.calls)]
}

// WriteHistory writes calls as lines of JSON.
func WriteHistory(w io.Writer, calls []Call) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	for i := range calls {
		if err := e.Encode(&calls[i]); err != nil {
			return err
		}
	}
	return b.Flush()
}
