package front

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

const sdkHead = requestLine + "Host: 127.0.0.1:8000\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\nContent-Type: application/x-amz-json-1.0\r\n" +
	"Content-Length: 2\r\nAccept-Encoding: identity\r\n\r\n"

// heads are what is taken, and what is not.
var heads = []struct {
	name, head string
	want       verdict
}{
	{"an SDK's", sdkHead, taken},
	{"names in small letters", requestLine + "host:x\r\nconnection: Keep-Alive\r\ncontent-length:\t12 \r\n\r\n", taken},
	{"an empty value", requestLine + "Host: x\r\nX:\r\nContent-Length: 0\r\n\r\n", taken},
	{"nothing", "", incomplete},
	{"a part of the request line", "POST / HT", incomplete},
	{"a part of the headers", requestLine + "Host: x\r\nContent-Le", incomplete},
	{"all but the end", sdkHead[:len(sdkHead)-1], incomplete},
	{"another method", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", foreign},
	{"another path", "POST /x HTTP/1.1\r\n", foreign},
	{"HTTP/1.0", "POST / HTTP/1.0\r\n", foreign},
	{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", foreign},
	{"TLS", "\x16\x03\x01", foreign},
	{"an empty line before", "\r\nPOST / HTTP/1.1\r\n", foreign},
	{"newlines alone", requestLine + "Host: x\nContent-Length: 0\n\n", foreign},
	{"one newline alone", requestLine + "Host: x\nA: b\r\nContent-Length: 0\r\n\r\n", foreign},
	{"a carriage return", requestLine + "Host: x\r\nA: b\rc\r\nContent-Length: 0\r\n\r\n", foreign},
	{"no host", requestLine + "Content-Length: 0\r\n\r\n", foreign},
	{"an empty host", requestLine + "Host:\r\nContent-Length: 0\r\n\r\n", foreign},
	{"two hosts", requestLine + "Host: x\r\nHost: x\r\nContent-Length: 0\r\n\r\n", foreign},
	{"an odd host", requestLine + "Host: a/b\r\nContent-Length: 0\r\n\r\n", foreign},
	{"no length", requestLine + "Host: x\r\n\r\n", foreign},
	{"two lengths", requestLine + "Host: x\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\n", foreign},
	{"a signed length", requestLine + "Host: x\r\nContent-Length: +1\r\n\r\n", foreign},
	{"an empty length", requestLine + "Host: x\r\nContent-Length: \r\n\r\n", foreign},
	{"a long length", requestLine + "Host: x\r\nContent-Length: 1048577\r\n\r\n", foreign},
	{"the longest", requestLine + "Host: x\r\nContent-Length: 1048576\r\n\r\n", taken},
	{"chunks", requestLine + "Host: x\r\nTransfer-Encoding: chunked\r\n\r\n", foreign},
	{"chunks and a length", requestLine + "Host: x\r\nContent-Length: 3\r\ntransfer-encoding: chunked\r\n\r\n", foreign},
	{"Expect", requestLine + "Host: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", foreign},
	{"a wish to close", requestLine + "Host: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\n", foreign},
	{"an upgrade", requestLine + "Host: x\r\nContent-Length: 3\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", foreign},
	{"a compressed body", requestLine + "Host: x\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\n", foreign},
	{"a browser", requestLine + "Host: x\r\nContent-Length: 3\r\nOrigin: https://example.org\r\n\r\n", foreign},
	{"a folded line", requestLine + "Host: x\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n", foreign},
	{"a space before the colon", requestLine + "Host: x\r\nContent-Length : 0\r\n\r\n", foreign},
	{"no colon", requestLine + "Host: x\r\nContent-Length 0\r\n\r\n", foreign},
	{"no name", requestLine + "Host: x\r\n: 0\r\nContent-Length: 0\r\n\r\n", foreign},
	{"a control character", requestLine + "Host: x\r\nA: \x00\r\nContent-Length: 0\r\n\r\n", foreign},
	{"letters beyond ASCII", requestLine + "Host: x\r\nA: ä\r\nContent-Length: 0\r\n\r\n", foreign},
	{"a long head", requestLine + "Host: x\r\nContent-Length: 0\r\nA: " + strings.Repeat("a", maxHead) + "\r\n\r\n", foreign},
	{"a long head without an end", requestLine + "Host: x\r\nA: " + strings.Repeat("a", maxHead), foreign},
}

func TestHeads(t *testing.T) {
	for _, row := range heads {
		var h head
		v, size := h.parse([]byte(row.head))
		if v != row.want || v == taken && size != len(row.head) {
			t.Errorf("%s: %d, %d bytes", row.name, v, size)
		}
	}
}

// A head that comes byte by byte is nobody else's before its end, if it is ours in the end.
func TestHeadInParts(t *testing.T) {
	for i := range sdkHead {
		var h head
		if v, _ := h.parse([]byte(sdkHead[:i])); v != incomplete {
			t.Fatalf("after %d bytes: %d", i, v)
		}
	}
}

func TestHeadValues(t *testing.T) {
	var h head
	h.parse([]byte(requestLine + "Host: x\r\na-b: 1\r\nA-B: 2\r\nContent-Length: 0\r\nEmpty:\r\n\r\n"))
	if h.Get("A-B") != "1" || fmt.Sprint(h.Values("A-B")) != "[1 2]" || h.Get("A") != "" || h.Values("A") != nil || len(h.Values("Empty")) != 1 {
		t.Errorf("%+v", h.fields)
	}
}

// FuzzHead holds every head that is taken against what net/http reads in the same bytes.
func FuzzHead(f *testing.F) {
	for _, row := range heads {
		f.Add([]byte(row.head + "{}"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var h head
		v, size := h.parse(b)
		if v != taken {
			return
		}
		in := bufio.NewReader(bytes.NewReader(b))
		r, err := http.ReadRequest(in)
		if err != nil {
			t.Fatalf("net/http refuses what was taken: %v", err)
		}
		if r.Method != http.MethodPost || r.RequestURI != "/" || r.Proto != "HTTP/1.1" || r.Close ||
			r.ContentLength != int64(h.length) || r.TransferEncoding != nil || r.Host != h.Get("Host") {
			t.Fatalf("net/http reads another request: %+v", r)
		}
		lines := 1 // of Host, which net/http takes out
		for name, values := range r.Header {
			if lines += len(values); name != "Cache-Control" && fmt.Sprint(h.Values(name)) != fmt.Sprint(values) {
				t.Fatalf("%s: net/http reads %q, we %q", name, values, h.Values(name))
			}
		}
		if r.Header.Get("Pragma") == "" && lines != len(h.fields) { // net/http makes one line more of it
			t.Fatalf("net/http reads %d lines, we %d", lines, len(h.fields))
		}
		body, err := io.ReadAll(r.Body)
		want := b[size:min(len(b), size+h.length)]
		if (err == nil) != (len(want) == h.length) || err == nil && !bytes.Equal(body, want) {
			t.Fatalf("net/http reads the body %q (%v), we %q", body, err, want)
		}
	})
}
