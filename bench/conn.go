package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"time"
)

// conn is one HTTP/1.1 connection with one request under way. It knows just as much of HTTP as a DynamoDB endpoint needs.
type conn struct {
	host string
	tcp  net.Conn
	in   *bufio.Reader
	out  []byte
	body []byte // of the last reply
	c    *Config

	renewed time.Time // when the deadline was set
}

// ioPatience bounds one request, to within a tenth: a server that takes longer has failed it.
const ioPatience = 30 * time.Second

func dial(c *Config, endpoint string) (*conn, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	tcp, err := net.DialTimeout("tcp", u.Host, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &conn{host: u.Host, tcp: tcp, in: bufio.NewReaderSize(tcp, 64<<10), c: c}, nil
}

func (k *conn) close() error { return k.tcp.Close() }

const unsigned = "Authorization: AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/dynamodb/aws4_request, " +
	"SignedHeaders=host;x-amz-date;x-amz-target, Signature=0000000000000000000000000000000000000000000000000000000000000000\r\n" +
	"X-Amz-Date: 20260101T000000Z\r\n"

// call sends one request and reads its reply. status is HTTP's.
func (k *conn) call(target string, body []byte) (status int, err error) {
	auth := unsigned
	if k.c.Sign != nil {
		if auth, err = k.c.Sign(k.host, body, target); err != nil {
			return 0, err
		}
	}
	b := append(k.out[:0], "POST / HTTP/1.1\r\nHost: "...)
	b = append(append(b, k.host...), "\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: DynamoDB_20120810."...)
	b = append(append(append(b, target...), "\r\n"...), auth...)
	b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(body)), 10)
	b = append(append(b, "\r\n\r\n"...), body...)
	k.out = b
	if now := time.Now(); now.Sub(k.renewed) > ioPatience/10 { // not for every request: it costs a server's share of one
		k.renewed = now
		if err := k.tcp.SetDeadline(now.Add(ioPatience)); err != nil {
			return 0, err
		}
	}
	if _, err := k.tcp.Write(b); err != nil {
		return 0, err
	}
	return k.reply()
}

func (k *conn) reply() (status int, err error) {
	line, err := k.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, fmt.Errorf("bench: the server answers %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	length, chunked := -1, false
	for {
		if line, err = k.in.ReadSlice('\n'); err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		}
	}
	switch {
	case chunked:
		return status, k.readChunks()
	case length < 0:
		return 0, errors.New("bench: a reply without a length")
	}
	k.body = grow(k.body[:0], length)
	_, err = io.ReadFull(k.in, k.body)
	return status, err
}

func (k *conn) readChunks() error {
	k.body = k.body[:0]
	for {
		line, err := k.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(string(bytes.TrimRight(line, "\r\n")), 16, 31)
		if err != nil {
			return err
		}
		at := len(k.body)
		k.body = grow(k.body, at+int(n))
		if _, err := io.ReadFull(k.in, k.body[at:]); err != nil {
			return err
		}
		if _, err := k.in.Discard(2); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
	}
}

func grow(b []byte, n int) []byte {
	if cap(b) < n {
		b = append(make([]byte, 0, n), b...)
	}
	return b[:n]
}

// errorType is the name in an error reply, for counting.
func errorType(status int, body []byte) string {
	_, rest, ok := bytes.Cut(body, []byte(`"__type":"`))
	if !ok {
		return "HTTP " + strconv.Itoa(status)
	}
	name, _, _ := bytes.Cut(rest, []byte(`"`))
	if i := bytes.LastIndexByte(name, '#'); i >= 0 {
		name = name[i+1:]
	}
	return string(name)
}

// count finds a number member of a reply, such as "Count":25.
func count(body []byte, member string) int {
	_, rest, ok := bytes.Cut(body, []byte(`"`+member+`":`))
	if !ok {
		return 0
	}
	n := 0
	for _, c := range bytes.TrimLeft(rest, " ") {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + int(c-'0')
	}
	return n
}
