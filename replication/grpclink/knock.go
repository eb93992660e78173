package grpclink

import (
	"context"
	"fmt"
	"net"
	"time"
)

// knockEvery is how often another attempt to connect begins while none has an answer.
const knockEvery = 250 * time.Millisecond

// knock opens a TCP connection. The kernel repeats an attempt that got no answer after 1, 3 and 7 seconds; whoever waits for
// that comes back late from a cut. So attempts run side by side, a new one every knockEvery, and the first answer counts, a
// refusal too.
func knock(ctx context.Context, address string) (net.Conn, error) {
	trying, cancel := context.WithCancel(ctx)
	type answer struct {
		conn net.Conn
		err  error
	}
	answers := make(chan answer)
	begun := 0
	begin := func() {
		begun++
		go func() {
			var d net.Dialer
			c, err := d.DialContext(trying, "tcp", address)
			answers <- answer{c, err}
		}()
	}
	tick := time.NewTicker(knockEvery)
	defer tick.Stop()
	begin()
	var first answer
	for waiting := true; waiting; {
		select {
		case first = <-answers:
			waiting = false
		case <-tick.C:
			begin()
		}
	}
	cancel()
	for range begun - 1 { // they end at once now
		if late := <-answers; late.conn != nil {
			_ = late.conn.Close() // never used
		}
	}
	if first.err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("no answer: %w", context.Cause(ctx))
	}
	return first.conn, first.err
}
