package drill

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports hands out ports for regions, none of them twice: a region that is killed keeps its ports for when it is back, though
// nobody listens there meanwhile. They are below those that systems give to outgoing connections, for the same reason. The
// zero Ports is ready for use, by several fleets at the same time.
type Ports struct {
	mu    sync.Mutex
	given map[int]bool
}

const (
	firstPort = 10_000
	lastPort  = 32_000
)

// Take finds ports of the loopback address that nobody listens on, by TCP or UDP.
func (p *Ports) Take(n int) (ports []int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.given == nil {
		p.given = map[int]bool{}
	}
	for tries := 0; len(ports) < n; tries++ {
		if tries > 50*n {
			return nil, fmt.Errorf("there are no %d free ports from %d to %d", n, firstPort, lastPort)
		}
		port := firstPort + rand.IntN(lastPort-firstPort)
		if !p.given[port] && isFree(port) {
			p.given[port] = true
			ports = append(ports, port)
		}
	}
	return ports, nil
}

func isFree(port int) bool {
	at := fmt.Sprintf("127.0.0.1:%d", port)
	l, err := net.Listen("tcp", at)
	if err != nil {
		return false
	}
	u, err := net.ListenPacket("udp", at)
	if err != nil {
		_ = l.Close() // it was never used
		return false
	}
	return errors.Join(l.Close(), u.Close()) == nil
}
