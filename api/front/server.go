package front

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Handler answers calls, and by its ServeHTTP everything else.
type Handler interface {
	http.Handler
	// ServeCall answers a POST to / whose head and body have been read. body is good until it returns. It sends one Reply, from
	// the goroutine that it was called on; without one, the connection is closed.
	ServeCall(ctx context.Context, head Head, body []byte, to Sender)
}

// Sender sends the answer to one call. The Reply's bytes may be used again when it has returned; a client that is gone is no
// concern of the caller's.
type Sender interface{ Send(Reply) }

// Reply is an answer.
type Reply struct {
	Status int
	// Header is header lines, each with its end; Content-Length, Date and Connection are not among them.
	Header []byte
	Body   []byte
}

// Server serves an endpoint. It takes the limits of an http.Server, which serves what is not taken here.
type Server struct {
	handler Handler
	http    *http.Server
	note    func(net.Conn, http.ConnState)
	logger  *slog.Logger

	ctx    context.Context // of calls
	cancel context.CancelFunc
	clock  clock
	large  sync.Pool // of *[]byte: for requests that their connection's own buffer does not hold
	outs   sync.Pool // of *[]byte: for answers

	mu        sync.Mutex
	closing   atomic.Bool // set under mu; nothing is added to what follows from then on
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{} // those that are served here
	serving   sync.WaitGroup     // conns
	beside    sync.WaitGroup     // the clock and the http.Server, begun by the first Serve
	foreign   *queue             // to the http.Server
}

// New makes a Server of an http.Server that was not used yet, whose Handler it sets, and whose ConnState it goes on calling for
// all connections. Close or Shutdown ends it.
func New(h *http.Server, handler Handler, logger *slog.Logger) *Server {
	s := &Server{
		handler: handler, http: h, note: h.ConnState, logger: logger,
		listeners: map[net.Listener]struct{}{}, conns: map[*conn]struct{}{}, foreign: newQueue(),
	}
	if s.note == nil {
		s.note = func(net.Conn, http.ConnState) {}
	}
	h.Handler = handler
	h.ConnState = func(c net.Conn, state http.ConnState) {
		if state != http.StateNew { // it was noted when it was accepted
			s.note(c.(*handed).Conn, state)
		}
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Serve accepts connections until the Server is closed, and then returns http.ErrServerClosed.
func (s *Server) Serve(l net.Listener) error {
	if !s.listen(l) {
		return http.ErrServerClosed
	}
	defer l.Close() //nolint:errcheck // closed by then, or of no use any more
	for pause := time.Duration(0); ; {
		c, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.begin(c)
			continue
		case s.closing.Load():
			return http.ErrServerClosed
		case !passing(err):
			return err
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.logger.Warn("no connection can be accepted", "err", err, "again in", pause)
		select {
		case <-time.After(pause):
		case <-s.ctx.Done():
		}
	}
}

// passing tells a want of files or memory, or a client that went at once, from a listener that is broken.
func passing(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (s *Server) listen(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		_ = l.Close() // it was to be served
		return false
	}
	if len(s.listeners) == 0 {
		s.clock.start = time.Now()
		s.clock.tick()
		s.beside.Go(s.watch)
		s.beside.Go(func() { _ = s.http.Serve(s.foreign) }) // until the queue is closed
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) begin(tcp net.Conn) {
	c := newConn(s, tcp)
	s.mu.Lock()
	if s.closing.Load() {
		s.mu.Unlock()
		_ = tcp.Close() // its client was late
		return
	}
	s.conns[c] = struct{}{}
	s.serving.Add(1)
	s.mu.Unlock()
	s.note(tcp, http.StateNew)
	go c.run()
}

// end takes a connection off the books; it is closed or another's.
func (s *Server) end(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.serving.Done()
}

// Shutdown stops accepting, closes connections without a request, and waits for the others to end theirs, until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop(func(c *conn) {
		if c.state.CompareAndSwap(idle, retired) {
			_ = c.Close() // nobody is to hear of it
		}
	})
	err := s.http.Shutdown(ctx)
	served := make(chan struct{})
	go func() { s.serving.Wait(); close(served) }() // Close makes it end, if nothing else does
	select {
	case <-served:
		s.cancel()
		s.beside.Wait()
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close ends all connections at once, and returns when nothing runs here any more.
func (s *Server) Close() error {
	s.stop(func(c *conn) { _ = c.Close() })
	s.cancel()
	err := s.http.Close()
	s.serving.Wait()
	s.beside.Wait()
	return err
}

// stop stops what brings new requests, and does something with each connection.
func (s *Server) stop(each func(*conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing.Swap(true) {
		close(s.foreign.done)
	}
	for l := range s.listeners {
		_ = l.Close() // again, maybe
	}
	for c := range s.conns {
		each(c)
	}
}
