package front

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// echo answers with what it was asked, and says who took it.
type echo struct {
	began   chan struct{} // told of calls with the body "wait", if not nil
	release chan struct{} // which end with it, or with the context
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "net/http %s %s %q", r.Method, r.URL.Path, b)
}

func (e *echo) ServeCall(ctx context.Context, head Head, body []byte, to Sender) {
	switch string(body) {
	case "panic":
		panic("a panic that a test wants")
	case "wait":
		e.began <- struct{}{}
		select {
		case <-e.release:
		case <-ctx.Done():
		}
	}
	out := fmt.Appendf(nil, "front %s %q", head.Get("X-Amz-Target"), body)
	if n := 0; head.Get("X-Size") != "" {
		fmt.Sscan(head.Get("X-Size"), &n) //nolint:errcheck // a test's own
		out = []byte(strings.Repeat("x", n))
	}
	to.Send(Reply{Status: 200, Header: []byte("X-Test: yes\r\n"), Body: out})
}

// rig is a running Server.
type rig struct {
	*Server
	t    *testing.T
	addr string
	done chan error
	mu   sync.Mutex
	log  map[http.ConnState]int
}

func start(t *testing.T, e *echo, h *http.Server) *rig {
	r := &rig{t: t, done: make(chan error, 1), log: map[http.ConnState]int{}}
	h.ConnState = func(_ net.Conn, s http.ConnState) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.log[s]++
	}
	r.Server = New(h, e, slog.New(slog.DiscardHandler))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = l.Addr().String()
	go func() { r.done <- r.Serve(l) }()
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if err := <-r.done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
		for end := time.Now().Add(10 * time.Second); !r.allClosed(); time.Sleep(time.Millisecond) { // net/http does not wait for its own
			if time.Now().After(end) {
				t.Fatalf("connections: %v", r.log)
			}
		}
	})
	return r
}

func (r *rig) allClosed() bool { return r.count(http.StateNew) == r.count(http.StateClosed) }

// count is how many connections have come to a state.
func (r *rig) count(s http.ConnState) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log[s]
}

// peer is a client that writes what it likes.
type peer struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func (r *rig) dial() *peer {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // a TCP connection has deadlines
	return &peer{r.t, c, bufio.NewReader(c)}
}

func (p *peer) say(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p, s); err != nil {
		p.t.Fatal(err)
	}
}

// hear reads one answer.
func (p *peer) hear() (*http.Response, string) {
	p.t.Helper()
	r, err := http.ReadResponse(p.in, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return r, string(b)
}

func (p *peer) hears(want string) {
	p.t.Helper()
	if _, got := p.hear(); got != want {
		p.t.Errorf("heard %q, want %q", got, want)
	}
}

// ends waits for the connection's end.
func (p *peer) ends() {
	p.t.Helper()
	if b, err := p.in.ReadByte(); err == nil {
		p.t.Errorf("heard %q instead of the end", b)
	} else if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
		p.t.Error("the connection does not end")
	}
}

func call(body string, lines ...string) string {
	return fmt.Sprintf("%sHost: x\r\nX-Amz-Target: T\r\n%sContent-Length: %d\r\n\r\n%s", requestLine, strings.Join(lines, ""), len(body), body)
}

func TestCalls(t *testing.T) {
	r := start(t, &echo{}, &http.Server{})
	p := r.dial()
	p.say(call("one"))
	resp, body := p.hear()
	if body != `front T "one"` || resp.StatusCode != 200 || resp.Header.Get("X-Test") != "yes" || resp.Close {
		t.Errorf("%q %+v", body, resp)
	}
	if d, err := http.ParseTime(resp.Header.Get("Date")); err != nil || time.Since(d).Abs() > time.Minute {
		t.Errorf("date %v %v", d, err)
	}
	p.say(call("a") + call("b") + call("c")[:30]) // pipelined
	p.hears(`front T "a"`)
	p.hears(`front T "b"`)
	p.say(call("c")[30:])
	p.hears(`front T "c"`)
	for i := range call("slow") {
		p.say(call("slow")[i : i+1])
	}
	p.hears(`front T "slow"`)
}

func TestSizes(t *testing.T) {
	r := start(t, &echo{}, &http.Server{})
	p := r.dial()
	for _, n := range []int{0, 1, ownBuffer - 70, ownBuffer, firstLarge, 3 * firstLarge, maxBody} {
		body := strings.Repeat("y", n)
		p.say(call(body) + call("next"))
		p.hears(fmt.Sprintf(`front T %q`, body))
		p.hears(`front T "next"`)
		p.say(call("", fmt.Sprintf("X-Size: %d\r\n", n)))
		p.hears(strings.Repeat("x", n))
	}
	p.say(call(strings.Repeat("y", maxBody+1))) // goes elsewhere, and the connection with it
	p.hears(fmt.Sprintf(`net/http POST / %q`, strings.Repeat("y", maxBody+1)))
	p.say(call("after"))
	p.hears(`net/http POST / "after"`)
}

// What is not ours is net/http's, with all that came before and after.
func TestForeign(t *testing.T) {
	r := start(t, &echo{}, &http.Server{})
	for _, row := range []struct{ say, want string }{
		{"GET /x HTTP/1.1\r\nHost: x\r\n\r\n", `net/http GET /x ""`},
		{"POST / HTTP/1.1\nHost: x\nContent-Length: 2\n\nok", `net/http POST / "ok"`},
		{requestLine + "Host: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", `net/http POST / "ok"`},
	} {
		p := r.dial()
		p.say(call("before") + row.say + call("after"))
		p.hears(`front T "before"`)
		p.hears(row.want)
		p.hears(`net/http POST / "after"`)
	}
	for _, say := range []string{"nonsense\r\n\r\n", requestLine + "Content-Length: 0\r\n\r\n", requestLine + "Host: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"} {
		p := r.dial()
		p.say(call("before") + say)
		p.hears(`front T "before"`)
		if resp, _ := p.hear(); resp.StatusCode != 400 {
			t.Errorf("%q: %s", say, resp.Status)
		}
		p.ends()
	}
	p := r.dial()
	p.say(requestLine + "Host: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	if resp, _ := p.hear(); resp.StatusCode != 100 {
		t.Fatalf("%s", resp.Status)
	}
	p.say("ok")
	p.hears(`net/http POST / "ok"`)
}

// A call that panics ends its connection, and no other.
func TestPanics(t *testing.T) {
	r := start(t, &echo{}, &http.Server{})
	p, other := r.dial(), r.dial()
	p.say(call("panic"))
	p.ends()
	other.say(call("x"))
	other.hears(`front T "x"`)
}

func TestTimeouts(t *testing.T) {
	const patience = 2 * time.Second // long enough for a busy machine to say what it has to say first
	r := start(t, &echo{}, &http.Server{ReadHeaderTimeout: patience, ReadTimeout: patience, IdleTimeout: time.Millisecond})
	silent, slow, still, idle := r.dial(), r.dial(), r.dial(), r.dial()
	slow.say(requestLine)
	still.say(call("body")[:len(call("body"))-1])
	idle.say(call("x"))
	idle.hears(`front T "x"`)
	for _, p := range []*peer{silent, slow, still, idle} {
		p.ends()
	}
}

// A client that takes no answer does not keep its connection, nor the answer's memory.
func TestSlowReader(t *testing.T) {
	r := start(t, &echo{}, &http.Server{WriteTimeout: time.Millisecond})
	p := r.dial()
	const size = 64 << 20 // more than the system holds between two sockets
	p.say(call("", fmt.Sprintf("X-Size: %d\r\n", size)))
	for end := time.Now().Add(20 * time.Second); r.count(http.StateClosed) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the connection does not end")
		}
	}
	if n, _ := io.Copy(io.Discard, p.in); n >= size {
		t.Error("the whole answer was waiting: the test shows nothing")
	}
}

// Shutdown lets calls end, and nothing else.
func TestShutdown(t *testing.T) {
	e := &echo{began: make(chan struct{}), release: make(chan struct{})}
	r := start(t, e, &http.Server{})
	idle, running, foreigner := r.dial(), r.dial(), r.dial()
	idle.say(call("x"))
	idle.hears(`front T "x"`)
	foreigner.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	foreigner.hears(`net/http GET / ""`)
	running.say(call("wait") + call("never"))
	<-e.began
	stopped := make(chan error, 1)
	go func() { stopped <- r.Shutdown(t.Context()) }()
	idle.ends()
	foreigner.ends()
	select {
	case err := <-stopped:
		t.Fatalf("Shutdown did not wait: %v", err)
	default:
	}
	if c, err := net.Dial("tcp", r.addr); err == nil {
		_ = c.Close()
		t.Error("a new client was let in")
	}
	close(e.release)
	if resp, body := running.hear(); body != `front T "wait"` || !resp.Close {
		t.Errorf("%q, close: %t", body, resp.Close)
	}
	running.ends()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// Shutdown ends with its context; then Close ends the call.
func TestClose(t *testing.T) {
	e := &echo{began: make(chan struct{}), release: make(chan struct{})}
	r := start(t, e, &http.Server{})
	p := r.dial()
	p.say(call("wait"))
	<-e.began
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	p.ends()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve after Close: %v", err)
	}
}

// TestMany has many clients, and a server that closes under them.
func TestMany(t *testing.T) {
	r := start(t, &echo{}, &http.Server{})
	var clients sync.WaitGroup
	for i := range 20 {
		clients.Go(func() {
			for j := 0; ; j++ {
				c, err := net.Dial("tcp", r.addr)
				if err != nil {
					return // closed
				}
				in := bufio.NewReader(c)
				for k := range 10 {
					say, want := call(fmt.Sprint(i, j, k)), fmt.Sprintf("front T %q", fmt.Sprint(i, j, k))
					if k == 7 && j%3 == 0 {
						say, want = "GET / HTTP/1.1\r\nHost: x\r\n\r\n", `net/http GET / ""`
					} else if k > 7 && j%3 == 0 {
						want = fmt.Sprintf("net/http POST / %q", fmt.Sprint(i, j, k))
					}
					if _, err := io.WriteString(c, say); err != nil {
						break
					}
					resp, err := http.ReadResponse(in, nil)
					if err != nil {
						break
					}
					b, err := io.ReadAll(resp.Body)
					if err == nil && string(b) != want {
						t.Errorf("%q, want %q", b, want)
					}
				}
				_ = c.Close()
				if j == 30 && i == 0 {
					if err := r.Close(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	clients.Wait()
}
