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
	open *list.List // of *limited; of those without a request, the one that has been so for longest stands first
	at   map[net.Conn]*list.Element
}

// limited is an open connection.
type limited struct {
	net.Conn
	idle bool // it has no request
}

func newConnLimit(most int) *connLimit {
	return &connLimit{most: most, open: list.New(), at: map[net.Conn]*list.Element{}}
}

// changed is an http.Server's ConnState. Closing tells the server, which calls it again.
func (l *connLimit) changed(c net.Conn, s http.ConnState) {
	if victim := l.note(c, s); victim != nil {
		_ = victim.Close() // the server finds out by itself
	}
}

// note keeps the books and returns the connection to be closed, if there is one too many. Each request comes here twice, so it
// costs no memory then.
func (l *connLimit) note(c net.Conn, s http.ConnState) (victim net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.at[c]
	if e == nil && s != http.StateNew {
		return nil // gone already
	}
	switch s {
	case http.StateNew:
		l.at[c] = l.open.PushBack(&limited{c, true})
		if l.open.Len() > l.most {
			return l.longestIdleLocked()
		}
	case http.StateClosed, http.StateHijacked:
		l.open.Remove(e)
		delete(l.at, c)
	case http.StateActive:
		e.Value.(*limited).idle = false
	case http.StateIdle:
		e.Value.(*limited).idle = true
		l.open.MoveToBack(e)
	}
	return nil
}

// longestIdleLocked picks a connection to be closed. The newest is idle, so there is one.
func (l *connLimit) longestIdleLocked() net.Conn {
	for e := l.open.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*limited); c.idle {
			c.idle = false // lest the next one too many picks it again before it is gone
			return c.Conn
		}
	}
	return nil
}
