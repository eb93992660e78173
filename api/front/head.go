package front

import (
	"bytes"
	"strconv"
	"strings"
)

// Head gives a request's header lines by name, as http.Header does. What it returns is good for as long as anybody likes.
type Head interface {
	Get(name string) string      // the first line's value; "" if there is none
	Values(name string) []string // of all lines
}

// Bounds of what is taken. What is larger goes to net/http, where it costs little in proportion.
const (
	maxHead = 8 << 10
	maxBody = 1 << 20
)

// requestLine is the only one that is taken.
const requestLine = "POST / HTTP/1.1\r\n"

// head is the head of one request.
type head struct {
	fields []field
	length int // of the body
}

type field struct{ name, value string }

func (h *head) Get(name string) string {
	for _, f := range h.fields {
		if same(f.name, name) {
			return f.value
		}
	}
	return ""
}

func (h *head) Values(name string) (all []string) {
	for _, f := range h.fields {
		if same(f.name, name) {
			all = append(all, f.value)
		}
	}
	return all
}

func same(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

// verdict says what to do with the bytes read so far.
type verdict int

const (
	incomplete verdict = iota // read on
	taken                     // a whole head of the shape
	foreign                   // net/http's
)

// parse reads a head from the front of b; size is what it took.
func (h *head) parse(b []byte) (v verdict, size int) {
	if n := min(len(b), len(requestLine)); string(b[:n]) != requestLine[:n] {
		return foreign, 0
	}
	end := bytes.Index(b, []byte("\r\n\r\n"))
	switch {
	case end < 0 && (len(b) >= maxHead || bareNewline(b)):
		return foreign, 0
	case end < 0:
		return incomplete, 0
	case end+4 > maxHead:
		return foreign, 0
	}
	if !h.fill(string(b[len(requestLine) : end+2])) { // one copy, which all names and values share
		return foreign, 0
	}
	return taken, end + 4
}

// bareNewline reports whether a line ends without a carriage return: net/http takes such heads, which then never end as
// ours do.
func bareNewline(b []byte) bool {
	for i := bytes.IndexByte(b, '\n'); i >= 0; {
		if i == 0 || b[i-1] != '\r' {
			return true
		}
		next := bytes.IndexByte(b[i+1:], '\n')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return false
}

// fill reads header lines, each with its end, and reports whether they are of the shape.
func (h *head) fill(lines string) bool {
	h.fields, h.length = h.fields[:0], -1
	hosts := 0
	for lines != "" {
		var line string
		line, lines, _ = strings.Cut(lines, "\r\n")
		name, value, ok := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !ok || name == "" || !all(name, inName) || !all(value, inValue) {
			return false
		}
		switch kindOf(name) {
		case ordinary:
		case host:
			if hosts++; hosts > 1 || value == "" || !all(value, inHost) {
				return false
			}
		case contentLength:
			if h.length >= 0 || !h.setLength(value) {
				return false
			}
		case connection:
			if !strings.EqualFold(value, "keep-alive") {
				return false
			}
		case other:
			return false
		}
		h.fields = append(h.fields, field{name, value})
	}
	return hosts == 1 && h.length >= 0
}

func (h *head) setLength(value string) bool {
	if value == "" || len(value) > 7 || !all(value, inLength) {
		return false
	}
	h.length, _ = strconv.Atoi(value) // at most seven digits
	return h.length <= maxBody
}

// kind is what a header line means to us.
type kind int

const (
	ordinary kind = iota
	host
	contentLength
	connection
	other // with it, a request is not of the shape
)

func kindOf(name string) kind {
	switch len(name) { // few names have these lengths
	case len("Host"):
		if same(name, "Host") {
			return host
		}
	case len("Content-Length"):
		if same(name, "Content-Length") {
			return contentLength
		}
	case len("Connection"):
		if same(name, "Connection") {
			return connection
		}
	case len("Expect"): // and Origin: browsers are told more than others
		if same(name, "Expect") || same(name, "Origin") {
			return other
		}
	case len("Upgrade"):
		if same(name, "Upgrade") || same(name, "Trailer") {
			return other
		}
	case len("Content-Encoding"):
		if same(name, "Content-Encoding") {
			return other
		}
	case len("Transfer-Encoding"):
		if same(name, "Transfer-Encoding") {
			return other
		}
	}
	return ordinary
}

// charset says which bytes may stand somewhere.
type charset [256]bool

func charsOf(others string, ranges ...[2]byte) *charset {
	var c charset
	for _, r := range ranges {
		for b := int(r[0]); b <= int(r[1]); b++ {
			c[b] = true
		}
	}
	for i := range len(others) {
		c[others[i]] = true
	}
	return &c
}

var (
	digits, lower, upper = [2]byte{'0', '9'}, [2]byte{'a', 'z'}, [2]byte{'A', 'Z'}

	inName   = charsOf("!#$%&'*+-.^_`|~", digits, lower, upper) // RFC 9110, tchar
	inValue  = charsOf("\t", [2]byte{' ', '~'})
	inHost   = charsOf(".:-_[]", digits, lower, upper)
	inLength = charsOf("", digits)
)

func all(s string, c *charset) bool {
	for i := range len(s) {
		if !c[s[i]] {
			return false
		}
	}
	return true
}
