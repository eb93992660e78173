package api

import (
	"errors"
	"hash/crc32"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/api/front"
)

// client speaks to a Server over real HTTP.
type client struct {
	t    testing.TB
	url  string
	fake *fake
}

func newClient(t testing.TB, set ...func(*Options)) *client {
	t.Helper()
	f := newFake()
	o := Options{Backend: f}
	for _, fn := range set {
		fn(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &client{t, listen(t, s), f}
}

// listen serves as the binary does, and returns the endpoint's URL.
func listen(t testing.TB, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := front.New(&http.Server{ReadHeaderTimeout: time.Minute}, s, slog.New(slog.DiscardHandler))
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// answer is a response with its body read.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request and reads its answer; the checksum is always verified.
func (c *client) do(r *http.Request) answer {
	c.t.Helper()
	resp, err := (&http.Transport{DisableCompression: true}).RoundTrip(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if sum := resp.Header.Get("x-amz-crc32"); sum != "" && sum != strconv.FormatUint(uint64(crc32.ChecksumIEEE(b)), 10) {
		c.t.Errorf("x-amz-crc32 is %s, not that of the body", sum)
	}
	return answer{resp.StatusCode, resp.Header, string(b)}
}

func (c *client) request(target, body string) *http.Request {
	r, err := http.NewRequest(http.MethodPost, c.url+"/", strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", amzJSON)
	r.Header.Set("X-Amz-Target", target)
	return r
}

// call runs an operation.
func (c *client) call(op, body string) answer {
	c.t.Helper()
	return c.do(c.request(targetDynamoDB+op, body))
}

// must runs an operation that has to succeed.
func (c *client) must(op, body string) string {
	c.t.Helper()
	a := c.call(op, body)
	if a.status != http.StatusOK {
		c.t.Fatalf("%s %s: %d %s", op, body, a.status, a.body)
	}
	return a.body
}

// until asks again and again until the answer is what it has to be in the end.
func (c *client) until(op, body, want string) {
	c.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		a := c.call(op, body)
		if a.status == http.StatusOK && a.body == want {
			return
		}
		if time.Now().After(end) {
			c.t.Fatalf("%s %s: still %d %s, want %s", op, body, a.status, a.body, want)
		}
	}
}

// table creates a table with an S key, and an S range key if asked.
func (c *client) table(name string, ranged bool) {
	c.t.Helper()
	keys, defs := `{"AttributeName":"pk","KeyType":"HASH"}`, `{"AttributeName":"pk","AttributeType":"S"}`
	if ranged {
		keys += `,{"AttributeName":"sk","KeyType":"RANGE"}`
		defs += `,{"AttributeName":"sk","AttributeType":"S"}`
	}
	c.must("CreateTable", `{"TableName":"`+name+`","KeySchema":[`+keys+`],"AttributeDefinitions":[`+defs+`],"BillingMode":"PAY_PER_REQUEST"}`)
}

func memberText(t testing.TB, body, name string) string {
	t.Helper()
	d := newDecoder([]byte(body))
	s := ""
	d.structure("", func(n string) bool {
		if n != name {
			return false
		}
		s = d.text().s
		return true
	})
	return s
}
