package main

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestConnectionsAreBounded however many clients come: those that do nothing make room, and those that are served are left.
func TestConnectionsAreBounded(t *testing.T) {
	const most = 8
	release := make(chan struct{})
	s := newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-release
		}
		_, _ = io.WriteString(w, "ok") // the client may be gone
	}), most, slog.New(slog.DiscardHandler))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- serveHTTP(s, l) }()

	slow := dialLimited(t, l.Addr().String())
	ask(t, slow, "/slow")
	for i := range 10 * most {
		c := dialLimited(t, l.Addr().String())
		switch i % 3 {
		case 0: // says nothing
		case 1:
			_, _ = io.WriteString(c, "GET / HT") // may be cut off already
		case 2:
			ask(t, c, "/")
			if got := answer(t, c); !strings.Contains(got, "200 OK") {
				t.Fatalf("client %d got %q", i, got)
			}
		}
	}
	close(release)
	if got := answer(t, slow); !strings.Contains(got, "200 OK") {
		t.Errorf("the client that was being served got %q", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func dialLimited(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // closed by the server, mostly
	return c
}

func ask(t *testing.T, c net.Conn, path string) {
	t.Helper()
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
}

func answer(t *testing.T, c net.Conn) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second)) // a TCP connection has deadlines
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func TestConnLimitCounts(t *testing.T) {
	l := newConnLimit(2)
	conns := make([]net.Conn, 4)
	for i := range conns {
		conns[i], _ = net.Pipe()
	}
	note := func(i int, s http.ConnState, want net.Conn) {
		t.Helper()
		if got := l.note(conns[i], s); got != want {
			t.Errorf("connection %d %s: another victim than expected", i, s)
		}
	}
	note(0, http.StateNew, nil)
	note(1, http.StateNew, nil)
	note(0, http.StateActive, nil)
	note(0, http.StateIdle, nil) // now younger than 1
	note(2, http.StateNew, conns[1])
	note(1, http.StateClosed, nil)
	note(0, http.StateActive, nil)
	note(2, http.StateActive, nil)
	note(3, http.StateNew, conns[3]) // all are busy
	note(3, http.StateClosed, nil)
	note(2, http.StateClosed, nil)
	note(0, http.StateClosed, nil)
	if l.open.Len() != 0 || len(l.at) != 0 {
		t.Errorf("left over: %d open, %d listed", l.open.Len(), len(l.at))
	}
}

func TestFilesAreShared(t *testing.T) {
	for _, files := range []int{256, 1024, 4096, 20_000, 1 << 30} {
		for _, regions := range []int{1, 3} {
			clients, operators := connections(files, regions)
			if total := regions * (clients + operators + storeFiles(files, regions)); total > files*4/5 && files >= 1024 {
				t.Errorf("%d regions take %d of %d files", regions, total, files)
			}
		}
	}
}
