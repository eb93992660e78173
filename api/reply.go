package api

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// compressAbove is the size in bytes from which on answers are compressed for those who accept it.
const compressAbove = 4096

// send sends an answer. The checksum is over the bytes as they go out, compressed ones too: that is what SDKs hash.
func (s *Server) send(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	h := w.Header()
	if len(body) > compressAbove {
		if packed, encoding := s.compress(r, body); encoding != "" {
			body = packed
			h.Set("Content-Encoding", encoding)
		}
	}
	setHeaders(h, contentType, body)
	w.WriteHeader(status)
	n, _ := w.Write(body) // a client that has gone away needs no answer
	s.metrics.sent.Add(float64(n))
}

// setHeaders sets what every answer has. Names stand as net/http writes them, and all values share two allocations.
func setHeaders(h http.Header, contentType string, body []byte) {
	var room [requestIDLength + 10 + 20]byte
	b := appendRequestID(room[:0])
	id := len(b)
	b = strconv.AppendUint(b, uint64(crc32.ChecksumIEEE(body)), 10)
	sum := len(b)
	all := string(strconv.AppendInt(b, int64(len(body)), 10))
	v := &[...]string{"Server", contentType, all[:id], all[id:sum], all[sum:]}
	h["Server"] = v[0:1:1]
	h["Content-Type"] = v[1:2:2]
	h["X-Amzn-Requestid"] = v[2:3:3]
	h["X-Amz-Crc32"] = v[3:4:4]
	h["Content-Length"] = v[4:5:5]
}

func (s *Server) sendText(w http.ResponseWriter, status int, body string) {
	setHeaders(w.Header(), "text/plain", []byte(body))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // see send
}

// compress packs an answer with what the first Accept-Encoding line names; encoding is "" when it names nothing we have.
func (s *Server) compress(r *http.Request, body []byte) (packed []byte, encoding string) {
	lines := r.Header["Accept-Encoding"]
	if len(lines) == 0 {
		return nil, ""
	}
	var out bytes.Buffer
	out.Grow(len(body) / 2)
	switch {
	case accepts(lines[0], "gzip"):
		z, _ := s.gzips.Get().(*gzip.Writer)
		if z == nil {
			z, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
		}
		defer s.gzips.Put(z)
		z.Reset(&out)
		return finish(z, &out, body, "gzip")
	case accepts(lines[0], "deflate"):
		return finish(zlib.NewWriter(&out), &out, body, "deflate")
	}
	return nil, ""
}

// finish runs a compressor over body. Writing to a buffer cannot fail; if it does, the answer goes out as it is.
func finish(z io.WriteCloser, out *bytes.Buffer, body []byte, encoding string) ([]byte, string) {
	if _, err := z.Write(body); err != nil {
		return nil, ""
	}
	if z.Close() != nil {
		return nil, ""
	}
	return out.Bytes(), encoding
}

// accepts reports whether an Accept-Encoding line names an encoding and does not give it the weight nought.
func accepts(line, encoding string) bool {
	for part := range strings.SplitSeq(line, ",") {
		name, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), encoding) {
			continue
		}
		q, found := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		weight, err := strconv.ParseFloat(q, 64)
		return !found || err != nil || weight > 0
	}
	return false
}
