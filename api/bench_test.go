package api

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/storage/pebblestore"
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
	s, err := New(Options{Backend: newFake()})
	if err != nil {
		t.Fatal(err)
	}
	return newBenchOf(t, s, op, body)
}

func newBenchOf(t testing.TB, s *Server, op, body string) *bench {
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
	mostOnDisk     float64 // with a region behind the handler
}{
	{"GetItem", "GetItem", benchGet, 10, 15},
	{"GetItem projected", "GetItem", benchProjected, 30, 30},
	{"PutItem", "PutItem", benchPut, 20, 40},
	{"PutItem conditional", "PutItem", benchConditional, 40, 55},
}

func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes pools forget")
	}
	for _, row := range benches {
		b := newBench(t, row.op, row.body)
		if n := testing.AllocsPerRun(200, func() { b.run(t) }); n > row.most {
			t.Errorf("%s allocates %v times, more than %v", row.name, n, row.most)
		} else {
			t.Logf("%s: %v allocations", row.name, n)
		}
	}
}

// TestAllocationsOfARegion counts with a region on disk behind the handler.
func TestAllocationsOfARegion(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes pools forget")
	}
	for _, row := range benches {
		b := newBenchOf(t, diskServer(t), row.op, row.body)
		if n := testing.AllocsPerRun(200, func() { b.run(t) }); n > row.mostOnDisk {
			t.Errorf("%s allocates %v times, more than %v", row.name, n, row.mostOnDisk)
		} else {
			t.Logf("%s: %v allocations", row.name, n)
		}
	}
}

func diskServer(t testing.TB) *Server {
	store, err := pebblestore.Open(t.TempDir(), pebblestore.Options{CacheBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	r, err := region.Open(region.Options{Name: "us-east-1", Store: store})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := New(Options{Region: r})
	if err != nil {
		t.Fatal(err)
	}
	return s
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
