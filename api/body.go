package api

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"
)

// errBodyTooLarge ends the reading of a body that is larger than maxBody as sent.
var errBodyTooLarge = errors.New("api: the body is too large")

// boundedReader counts what comes over the wire and fails past maxBody.
type boundedReader struct {
	r io.Reader
	n int64
}

func (c *boundedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.n += int64(n); c.n > maxBody {
		return 0, errBodyTooLarge
	}
	return n, err
}

// readBody reads a request's body, decompressed. Neither the body as sent nor what it unpacks to may be larger
// than maxBody: one byte more ends the reading, so a bomb costs no more than a large honest request.
func (c *call) readBody(w http.ResponseWriter, r *http.Request) error {
	if r.ContentLength > maxBody {
		return refuseBody(w, r)
	}
	c.bounded.r = r.Body
	plain, err := decompressor(r.Header.Get("Content-Encoding"), &c.bounded)
	if err == nil {
		c.limited = io.LimitedReader{R: plain, N: maxBody + 1}
		c.bodyBuf, err = readAll(&c.limited, c.bodyBuf[:0], r.ContentLength)
		c.body = c.bodyBuf
	}
	c.server.metrics.received.Add(float64(c.bounded.n))
	switch {
	case err == nil && len(c.body) <= maxBody:
		return nil
	case err == nil || errors.Is(err, errBodyTooLarge):
		return refuseBody(w, r)
	}
	return &apiError{
		status: http.StatusInternalServerError, name: "InternalServerError", message: "The request body could not be read", quiet: true,
	}
}

// maxDrained is how much of a body that is too large is taken in before it is given up.
const maxDrained = 4 * maxBody

// refuseBody takes in the rest of a body that is too large: a client that is still sending would see its connection break
// instead of the answer. Of a body without end only the first part is taken in.
func refuseBody(w http.ResponseWriter, r *http.Request) error {
	if r.Header.Get("Expect") == "" {
		if _, err := io.CopyN(io.Discard, r.Body, maxDrained); err == io.EOF {
			return errTooLarge()
		}
	}
	w.Header().Set("Connection", "close")
	return errTooLarge()
}

// readAll appends everything to dst, which is grown once if the length is known.
func readAll(r io.Reader, dst []byte, length int64) ([]byte, error) {
	if length > 0 && int64(cap(dst)) <= length {
		dst = make([]byte, 0, length+1) // one more, to see the end without growing
	}
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}

// decompressor undoes a Content-Encoding. Several gzip members one after another are one body.
func decompressor(encoding string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return r, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(r)
	case "deflate":
		// The name means zlib; some clients send the bare stream inside it. A zlib header is divisible by 31.
		b := bufio.NewReader(r)
		head, err := b.Peek(2)
		if err != nil {
			return nil, err
		}
		if head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
			return zlib.NewReader(b)
		}
		return flate.NewReader(b), nil
	}
	return nil, errors.New("api: unknown content encoding " + encoding)
}
