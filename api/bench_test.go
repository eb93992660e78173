package api

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// What a handler costs without the network and without a store. The table tests allocations, so that they stay few.

const (
	benchPut = `{"TableName":"tab","Item":{"pk":{"S":"user#1234567890"},"name":{"S":"somebody"},"age":{"N":"42"},"tags":{"SS":["a","b"]},` +
		`"address":{"M":{"street":{"S":"somewhere 1"},"zip":{"N":"12345"}}},"active":{"BOOL":true}}}`
	benchConditional = `{"TableName":"tab","Item":{"pk":{"S":"user#1234567890"},"name":{"S":"somebody"},"age":{"N":"42"}},` +
		`"ConditionExpression":"attribute_not_exists(#n) OR age < :a","ExpressionAttributeNames":{"#n":"name"},"ExpressionAttributeValues":{":a":{"N":"100"}}}`
	benchGet       = `{"TableName":"tab","Key":{"pk":{"S":"user#1234567890"}},"ConsistentRead":true}`
	benchProjected = `{"TableName":"tab","Key":{"pk":{"S":"user#1234567890"}},"ProjectionExpression":"age, address.zip"}`
)

// bench is a request that can be served again and again without allocating anything itself.
type bench struct {
	server  *Server
	request *http.Request
	body    *bytes.Reader
	answer  quiet
}

// quiet is a ResponseWriter that keeps nothing.
type quiet struct {
	header http.Header
	status int
}

func (q *quiet) Header() http.Header         { return q.header }
func (q *quiet) WriteHeader(status int)      { q.status = status }
func (q *quiet) Write(b []byte) (int, error) { return len(b), nil }

func newBench(t testing.TB, op, body string) *bench {
	f := newFake()
	s, err := New(Options{Backend: f})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, s, "CreateTable", []byte(`{"TableName":"tab","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}`))
	serve(t, s, "PutItem", []byte(benchPut))
	b := &bench{server: s, body: bytes.NewReader([]byte(body))}
	b.request = httptest.NewRequest(http.MethodPost, "/", b.body)
	b.request.Header.Set("Content-Type", amzJSON)
	b.request.Header.Set("X-Amz-Target", targetDynamoDB+op)
	b.request.Body = io.NopCloser(b.body)
	b.answer.header = http.Header{}
	return b
}

func (b *bench) run(t testing.TB) {
	b.body.Seek(0, io.SeekStart) //nolint:errcheck // cannot fail
	b.server.ServeHTTP(&b.answer, b.request)
	if b.answer.status != http.StatusOK {
		t.Fatalf("status %d", b.answer.status)
	}
}

var benches = []struct {
	name, op, body string
	most           float64 // allocations of one request
}{
	{"GetItem", "GetItem", benchGet, 15},
	{"GetItem projected", "GetItem", benchProjected, 30},
	{"PutItem", "PutItem", benchPut, 40},
	{"PutItem conditional", "PutItem", benchConditional, 40},
}

func TestAllocations(t *testing.T) {
	for _, row := range benches {
		b := newBench(t, row.op, row.body)
		if n := testing.AllocsPerRun(200, func() { b.run(t) }); n > row.most {
			t.Errorf("%s allocates %v times, more than %v", row.name, n, row.most)
		} else {
			t.Logf("%s: %v allocations", row.name, n)
		}
	}
}

func BenchmarkHandler(b *testing.B) {
	for _, row := range benches {
		b.Run(row.name, func(b *testing.B) {
			x := newBench(b, row.op, row.body)
			b.ReportAllocs()
			for b.Loop() {
				x.run(b)
			}
		})
	}
}
