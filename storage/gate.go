package storage

import "sync"

// Gate counts who is inside a store, so that Close can wait for them. The zero Gate is open.
type Gate struct {
	mu     sync.Mutex
	inside int
	closed bool
	empty  chan struct{} // made by Close; closed when inside is 0
}

// Enter lets a caller in; false: the gate is closed.
func (g *Gate) Enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.inside++
	return true
}

// Again lets in somebody who is inside already once more, also while the gate closes.
func (g *Gate) Again() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside == 0 {
		panic("storage: Gate.Again from outside")
	}
	g.inside++
}

// Leave is called once for each Enter that was true and each Again.
func (g *Gate) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside--; g.inside == 0 && g.closed {
		close(g.empty)
	}
}

// Close lets nobody in any more and waits until everybody has left; false: it was called before, and does not wait.
func (g *Gate) Close() bool {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return false
	}
	g.closed, g.empty = true, make(chan struct{})
	if g.inside == 0 {
		close(g.empty)
	}
	g.mu.Unlock()
	<-g.empty
	return true
}
