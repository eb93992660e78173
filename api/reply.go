package api

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/api/front"
)

// compressAbove is the size in bytes from which on answers are compressed for those who accept it.
const compressAbove = 4096

// response is a call's, as it goes out. The checksum is over the bytes as sent, compressed ones too: that is what SDKs hash.
type response struct {
	status      int
	err         string // error name, for metrics; "" for none
	contentType string
	encoding    string // "" for none
	extra       http.Header
	body        []byte
}

// send sends by net/http.
func (a *response) send(w http.ResponseWriter) {
	h := w.Header()
	maps.Copy(h, a.extra)
	if a.encoding != "" {
		h.Set("Content-Encoding", a.encoding)
	}
	setHeaders(h, a.contentType, a.body)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that has gone away needs no answer
}

// sendTo sends by package front. It returns buf, in which it wrote the header lines.
func (a *response) sendTo(to front.Sender, buf []byte) []byte {
	b := append(buf, "Content-Type: "...)
	b = append(b, a.contentType...)
	b = appendRequestID(append(b, "\r\nServer: Server\r\nX-Amzn-Requestid: "...))
	b = append(b, "\r\nX-Amz-Crc32: "...)
	b = strconv.AppendUint(b, uint64(crc32.ChecksumIEEE(a.body)), 10)
	if a.encoding != "" {
		b = append(append(b, "\r\nContent-Encoding: "...), a.encoding...)
	}
	b = append(b, "\r\n"...)
	for name, values := range a.extra {
		for _, v := range values {
			b = append(append(append(append(b, name...), ": "...), oneLine.Replace(v)...), "\r\n"...)
		}
	}
	to.Send(front.Reply{Status: a.status, Header: b, Body: a.body})
	return b
}

// oneLine keeps a value from ending its header line, as net/http does.
var oneLine = strings.NewReplacer("\n", " ", "\r", " ")

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
	a := response{status: status, contentType: "text/plain", body: []byte(body)}
	a.send(w)
}

// compress packs an answer with what an Accept-Encoding line names; encoding is "" when it names nothing we have.
func (s *Server) compress(accept string, body []byte) (packed []byte, encoding string) {
	if accept == "" {
		return nil, ""
	}
	var out bytes.Buffer
	out.Grow(len(body) / 2)
	switch {
	case accepts(accept, "gzip"):
		z, _ := s.gzips.Get().(*gzip.Writer)
		if z == nil {
			z, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
		}
		defer s.gzips.Put(z)
		z.Reset(&out)
		return finish(z, &out, body, "gzip")
	case accepts(accept, "deflate"):
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
