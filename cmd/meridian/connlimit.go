package main

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// connLimit bounds an HTTP server's connections, so that clients cannot take the files that the store needs. A connection too
// many closes the one that has been without a request for longest; if all have one, the new connection is closed.
type connLimit struct {
	most int // > 0

	mu   sync.Mutex
	open int
	// Those without a request, the longest first; an idle connection stands in both, any other in neither.
	idle *list.List
	at   map[net.Conn]*list.Element
}

func newConnLimit(most int) *connLimit {
	return &connLimit{most: most, idle: list.New(), at: map[net.Conn]*list.Element{}}
}

// changed is an http.Server's ConnState. Closing tells the server, which calls it again.
func (l *connLimit) changed(c net.Conn, s http.ConnState) {
	if victim := l.note(c, s); victim != nil {
		_ = victim.Close() // the server finds out by itself
	}
}

// note keeps the books and returns the connection to be closed, if there is one too many.
func (l *connLimit) note(c net.Conn, s http.ConnState) (victim net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgetLocked(c)
	switch s {
	case http.StateClosed, http.StateHijacked:
		l.open--
		return nil
	case http.StateActive:
		return nil
	case http.StateNew:
		l.open++
	case http.StateIdle:
	}
	if s == http.StateNew && l.open > l.most {
		if victim = c; l.idle.Len() > 0 {
			victim = l.idle.Front().Value.(net.Conn)
			l.forgetLocked(victim) // lest the next one too many picks it again before it is gone
		}
	}
	if victim != c {
		l.at[c] = l.idle.PushBack(c)
	}
	return victim
}

func (l *connLimit) forgetLocked(c net.Conn) {
	if e := l.at[c]; e != nil {
		l.idle.Remove(e)
		delete(l.at, c)
	}
}
