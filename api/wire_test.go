package api

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridiandb/meridian/internal/fault"
)

// DYNAMODB.md 1.1: what is no API call.
func TestFrontPage(t *testing.T) {
	c := newClient(t)
	for _, row := range []struct {
		method, path, contentType string
		status                    int
		body, crc                 string
	}{
		{"GET", "/", "", 200, "healthy: dynamodb.us-east-1.amazonaws.com ", ""},
		{"GET", "/other", "", 404, unknownPage, "3552371480"},
		{"PUT", "/", amzJSON, 404, unknownPage, "3552371480"},
		{"POST", "/other", amzJSON, 404, unknownPage, "3552371480"},
		{"POST", "/", "text/plain", 404, unknownPage, "3552371480"},
		{"POST", "/", "", 404, unknownPage, "3552371480"},
	} {
		r, err := http.NewRequest(row.method, c.url+row.path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if row.contentType != "" {
			r.Header.Set("Content-Type", row.contentType)
		}
		a := c.do(r)
		if a.status != row.status || a.body != row.body {
			t.Errorf("%s %s: %d %q", row.method, row.path, a.status, a.body)
		}
		if row.crc != "" && a.header.Get("x-amz-crc32") != row.crc {
			t.Errorf("%s %s: checksum %s", row.method, row.path, a.header.Get("x-amz-crc32"))
		}
	}
}

// DYNAMODB.md 1.2: headers of every answer.
func TestReplyHeaders(t *testing.T) {
	c := newClient(t)
	seen := map[string]bool{}
	for _, ct := range []string{amzJSON, plainJSON, "application/json; charset=utf-8", "Application/X-Amz-Json-1.0"} {
		r := c.request(targetDynamoDB+"ListTables", "{}")
		r.Header.Set("Content-Type", ct)
		a := c.do(r)
		id := a.header.Get("x-amzn-RequestId")
		if !regexp.MustCompile(`^[A-Z0-9]{52}$`).MatchString(id) || seen[id] {
			t.Errorf("request id %q", id)
		}
		seen[id] = true
		want := amzJSON
		if strings.HasPrefix(ct, plainJSON) {
			want = plainJSON
		}
		if got := a.header.Get("Content-Type"); got != want {
			t.Errorf("asked with %s, answered with %s", ct, got)
		}
		if a.header.Get("Server") != "Server" || a.header.Get("Date") == "" || a.header.Get("x-amz-crc32") == "" {
			t.Errorf("headers %v", a.header)
		}
	}
}

// DYNAMODB.md 1.1: CORS.
func TestCORS(t *testing.T) {
	c := newClient(t)
	r, _ := http.NewRequest("OPTIONS", c.url+"/", nil)
	r.Header.Set("Origin", "https://example.org")
	r.Header.Set("Access-Control-Request-Headers", "x-amz-target")
	r.Header.Set("Access-Control-Request-Method", "POST")
	a := c.do(r)
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "x-amz-target",
		"Access-Control-Allow-Methods": "POST", "Access-Control-Max-Age": "172800",
	} {
		if a.header.Get(name) != want {
			t.Errorf("%s: %q", name, a.header.Get(name))
		}
	}
	if a.status != 200 || a.body != "" {
		t.Errorf("%d %q", a.status, a.body)
	}
	if a := c.call("ListTables", "{}"); a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("CORS header without an Origin")
	}
}

// DYNAMODB.md 1.1 and 1.4: what is looked at first.
func TestOrderOfFirstChecks(t *testing.T) {
	const serialization = `{"__type":"com.amazon.coral.service#SerializationException"}`
	const unknown = `{"__type":"com.amazon.coral.service#UnknownOperationException"}`
	c := newClient(t)
	strict := newClient(t, func(o *Options) { o.RequireAuthorization = true })
	for _, row := range []struct {
		c            *client
		target, body string
		want         string
	}{
		{c, targetDynamoDB + "ListTables", "{", serialization},
		{c, targetDynamoDB + "ListTables", "", serialization},
		{c, targetDynamoDB + "ListTables", "{} {}", serialization},
		{c, targetDynamoDB + "ListTables", `{"Limit":tru}`, serialization},
		{c, targetDynamoDB + "Nonsense", "{", serialization},
		{c, targetDynamoDB + "Nonsense", "{}", unknown},
		{c, "", "{}", unknown},
		{c, targetDynamoDB, "{}", unknown},
		{c, "ListTables", "{}", unknown},
		{c, targetStreams + "ListTables", "{}", unknown},
		{c, targetDynamoDB + "GetRecords", "{}", unknown},
		{strict, targetDynamoDB + "ListTables", "{", serialization},
		{strict, targetDynamoDB + "Nonsense", "{}", unknown},
		{strict, targetDynamoDB + "ListTables", "{}",
			`{"__type":"com.amazon.coral.service#MissingAuthenticationTokenException","message":"Request is missing Authentication Token"}`},
	} {
		a := row.c.do(row.c.request(row.target, row.body))
		if a.status != 400 || a.body != row.want {
			t.Errorf("%s %q: %d %s", row.target, row.body, a.status, a.body)
		}
	}
	r := strict.request(targetDynamoDB+"ListTables", "{}")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x")
	if a := strict.do(r); a.status != 200 {
		t.Errorf("signed request: %d %s", a.status, a.body)
	}
}

// DYNAMODB.md section 2: all names are known.
func TestAllOperationsAreKnown(t *testing.T) {
	c := newClient(t)
	built, missing := 0, 0
	for _, name := range strings.Fields(unbuilt) {
		a := c.do(c.request(targetDynamoDB+name, "{}"))
		if a.status != 400 || !strings.Contains(a.body, "#UnknownOperationException") || !strings.Contains(a.body, "not built in Meridian") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		missing++
	}
	built = len(operations()) + len(streamsOperations())
	if built+missing != 66 {
		t.Errorf("%d operations built and %d not, that makes %d and not 66", built, missing, built+missing)
	}
}

// DYNAMODB.md 1.1: limits.
func TestLimits(t *testing.T) {
	c := newClient(t)
	if a := c.call("ListTables", `{"x":"`+strings.Repeat("a", maxBody)+`"}`); a.status != 413 || a.body != "" {
		t.Errorf("large body: %d %q", a.status, a.body)
	}
	r := c.request(targetDynamoDB+"ListTables", "")
	r.Body, r.ContentLength = io.NopCloser(io.LimitReader(endless{}, maxBody+10)), -1
	if a := c.do(r); a.status != 413 {
		t.Errorf("large chunked body: %d", a.status)
	}
	r = c.request(targetDynamoDB+"ListTables", "{}")
	r.Header.Set("X-Long", strings.Repeat("a", maxHeader))
	if a := c.do(r); a.status != 400 {
		t.Errorf("long header: %d", a.status)
	}
	if a := c.call("ListTables", `{"x":`+strings.Repeat("[", 200000)+strings.Repeat("]", 200000)+`}`); a.status != 400 {
		t.Errorf("deep JSON: %d %s", a.status, a.body)
	}
	if a := c.call("ListTables", "{}"); a.status != 200 {
		t.Errorf("after all that: %d", a.status)
	}
}

// DYNAMODB.md 1.1: a client that is still sending a body that is too large gets its answer, and can go on.
func TestTooLargeKeepsConnection(t *testing.T) {
	c := newClient(t)
	conns := map[string]bool{}
	transport := &http.Transport{DisableCompression: true, MaxConnsPerHost: 1}
	defer transport.CloseIdleConnections()
	for _, size := range []int{2, maxBody + 1, 2, 20 << 20, 2} {
		r := c.request(targetDynamoDB+"ListTables", "{"+strings.Repeat(" ", size-2)+"}")
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			GotConn: func(i httptrace.GotConnInfo) { conns[i.Conn.LocalAddr().String()] = true },
		}))
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		want := map[bool]int{true: 413, false: 200}[size > maxBody]
		if err != nil || resp.StatusCode != want || (want == 413) != (len(b) == 0) {
			t.Errorf("%d bytes: %d %q %v", size, resp.StatusCode, b, err)
		}
	}
	if len(conns) != 1 {
		t.Errorf("%d connections", len(conns))
	}
}

// DYNAMODB.md 1.1: headers of 16 KiB together, and a request line of 16 KiB.
func TestHeaderLimits(t *testing.T) {
	c := newClient(t)
	for _, row := range []struct {
		headers, line int
		status        int
	}{{100, 0, 200}, {150, 0, 400}, {1, 15 << 10, 200}, {1, 17 << 10, 400}} {
		r := c.request(targetDynamoDB+"ListTables", "{}")
		for i := range row.headers {
			r.Header.Set(fmt.Sprint("X-Many-", i), strings.Repeat("a", 100))
		}
		r.URL.RawQuery = strings.Repeat("q", row.line)
		if a := c.do(r); a.status != row.status {
			t.Errorf("%d headers, a line of %d: %d %s", row.headers, row.line, a.status, a.body)
		}
	}
}

// DYNAMODB.md 1.1: null, unknown members, and what is no object.
func TestBodies(t *testing.T) {
	c := newClient(t)
	const broken = `{"__type":"com.amazon.coral.service#SerializationException"}`
	for body, want := range map[string]string{
		`{}`: `{"TableNames":[]}`, `{"Limit":null,"ExclusiveStartTableName":null}`: `{"TableNames":[]}`, " {\n} \n": `{"TableNames":[]}`,
		`{"Limit":1,"Limit":2,"Other":{"x":[1,{"y":null}]},"TableName":3}`: `{"TableNames":[]}`, `{"Limit":1.9}`: `{"TableNames":[]}`,
		`null`: broken, `[]`: broken, `"x"`: broken, `1`: broken, `{"Limit":01}`: broken, `{'Limit':1}`: broken, `{"Limit":1,}`: broken,
		`{"Limit":"x"`: broken, // broken JSON is told before a wrong type
	} {
		if a := c.call("ListTables", body); a.body != want {
			t.Errorf("%q: %d %s", body, a.status, a.body)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func pack(t *testing.T, body string, to func(io.Writer) io.WriteCloser) string {
	t.Helper()
	var b bytes.Buffer
	z := to(&b)
	if _, err := io.WriteString(z, body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipTo(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
func zlibTo(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }
func flateTo(w io.Writer) io.WriteCloser {
	z, _ := flate.NewWriter(w, 1)
	return z
}

// DYNAMODB.md 1.1: compressed requests.
func TestCompressedRequests(t *testing.T) {
	c := newClient(t)
	for _, row := range []struct {
		name, encoding, body string
		status               int
	}{
		{"gzip", "gzip", pack(t, "{}", gzipTo), 200},
		{"two members", "gzip", pack(t, "{", gzipTo) + pack(t, "}", gzipTo), 200},
		{"zlib", "deflate", pack(t, "{}", zlibTo), 200},
		{"raw deflate", "deflate", pack(t, "{}", flateTo), 200},
		{"identity", "identity", "{}", 200},
		{"no gzip", "gzip", "{}", 500},
		{"empty gzip", "gzip", "", 500},
		{"cut gzip", "gzip", pack(t, "{}", gzipTo)[:15], 500},
		{"unknown", "br", "{}", 500},
		{"bomb", "gzip", pack(t, strings.Repeat(" ", maxBody+1), gzipTo), 413},
	} {
		r := c.request(targetDynamoDB+"ListTables", row.body)
		r.Header.Set("Content-Encoding", row.encoding)
		if a := c.do(r); a.status != row.status {
			t.Errorf("%s: %d %s", row.name, a.status, a.body)
		}
	}
}

// DYNAMODB.md 1.2: compressed answers; do verifies that the checksum is that of the bytes as sent.
func TestCompressedAnswers(t *testing.T) {
	c := newClient(t)
	c.table("tab", false)
	long := `{"S":"` + strings.Repeat("abc", 2000) + `"}`
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"k"},"v":`+long+`}}`)
	get := `{"TableName":"tab","Key":{"pk":{"S":"k"}}}`
	plain := c.must("GetItem", get)
	for accept, encoding := range map[string]string{"gzip": "gzip", "br, deflate;q=0.5": "deflate", "gzip;q=0": "", "identity": "", "": ""} {
		r := c.request(targetDynamoDB+"GetItem", get)
		if accept != "" {
			r.Header.Set("Accept-Encoding", accept)
		}
		a := c.do(r)
		if a.header.Get("Content-Encoding") != encoding {
			t.Errorf("%q answered with %q", accept, a.header.Get("Content-Encoding"))
		}
		var unpacked io.Reader = strings.NewReader(a.body)
		if encoding != "" {
			var err error
			if unpacked, err = decompressor(encoding, unpacked); err != nil {
				t.Fatal(err)
			}
		}
		if b, err := io.ReadAll(unpacked); err != nil || string(b) != plain {
			t.Errorf("%q: %v, body differs", accept, err)
		}
	}
	r := c.request(targetDynamoDB+"ListTables", "{}")
	r.Header.Set("Accept-Encoding", "gzip")
	if a := c.do(r); a.header.Get("Content-Encoding") != "" {
		t.Error("a short answer was compressed")
	}
}

// Failures of ours: a 500 without particulars, and the server lives.
func TestOwnFailures(t *testing.T) {
	c := newClient(t)
	c.table("tab", false)
	const put = `{"TableName":"tab","Item":{"pk":{"S":"k"}}}`
	c.fake.panics = true
	if a := c.call("PutItem", put); a.status != 500 || !strings.Contains(a.body, "#InternalServerError") {
		t.Errorf("panic: %d %s", a.status, a.body)
	}
	c.fake.panics = false
	for _, row := range []struct {
		err    error
		status int
		want   string
	}{
		{errors.New("disk gone"), 500, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"Internal server error"}`},
		{fault.New(fault.Unavailable, "later"), 503, `{"__type":"com.amazon.coral.service#ServiceUnavailable","message":"later"}`},
		{fault.New(fault.Conflict, "x"), 400, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException","message":"Transaction is ongoing for the item"}`},
		{fault.New(fault.CollectionFull, "Collection size exceeded."), 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ItemCollectionSizeLimitExceededException","message":"Collection size exceeded."}`},
		{fault.New(fault.Invalid, `a "b"`), 400, `{"__type":"com.amazon.coral.validate#ValidationException","message":"a \"b\""}`},
		{fault.New(fault.Throttled, "slow"), 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}`},
	} {
		c.fake.fail = row.err
		if a := c.call("PutItem", put); a.status != row.status || a.body != row.want {
			t.Errorf("%v: %d %s", row.err, a.status, a.body)
		}
	}
	c.fake.fail = nil
	c.must("PutItem", put)
	// The region hears of what no client made, so that corruption can stop it.
	if n := len(c.fake.reported); n != 3 || c.fake.reported[1].Error() != "disk gone" {
		t.Errorf("reported: %v", c.fake.reported)
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	c := newClient(t, func(o *Options) { o.Registerer = reg })
	c.must("ListTables", "{}")
	c.call("DescribeTable", `{"TableName":"none"}`)
	c.call("Whatever", "{}")
	series := func() map[string]bool {
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		labels := map[string]bool{}
		for _, f := range families {
			if f.GetName() != "meridian_api_requests_total" {
				continue
			}
			for _, m := range f.Metric {
				s := ""
				for _, l := range m.Label {
					s += l.GetName() + "=" + l.GetValue() + " "
				}
				labels[s] = true
			}
		}
		return labels
	}
	for _, want := range []string{
		"error= operation=ListTables ", "error=ResourceNotFoundException operation=DescribeTable ",
		"error=UnknownOperationException operation=Unknown ",
	} {
		for end := time.Now().Add(10 * time.Second); !series()[want]; time.Sleep(time.Millisecond) { // counted once answered
			if time.Now().After(end) {
				t.Fatalf("no series %q in %v", want, series())
			}
		}
	}
}
