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

// countingReader counts what comes over the wire.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// readBody reads a request's body into buf, decompressed. Neither the body as sent nor what it unpacks to may be larger
// than maxBody: one byte more ends the reading, so a bomb costs no more than a large honest request.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, buf *[]byte) ([]byte, error) {
	if r.ContentLength > maxBody {
		w.Header().Set("Connection", "close") // the rest is not wanted
		return nil, errTooLarge()
	}
	sent := &countingReader{r: http.MaxBytesReader(w, r.Body, maxBody)}
	defer func() { s.metrics.received.Add(float64(sent.n)) }()
	plain, err := decompressor(r.Header.Get("Content-Encoding"), sent)
	if err != nil {
		return nil, bodyError(err)
	}
	b, err := readAll(io.LimitReader(plain, maxBody+1), (*buf)[:0], r.ContentLength)
	*buf = b
	if err != nil {
		return nil, bodyError(err)
	}
	if len(b) > maxBody {
		return nil, errTooLarge()
	}
	return b, nil
}

func bodyError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return errTooLarge()
	}
	return &apiError{status: http.StatusInternalServerError, name: "InternalServerError", message: "The request body could not be read", cause: err}
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
