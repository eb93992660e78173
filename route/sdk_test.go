package route_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridiandb/meridian/api"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/route"
	"github.com/meridiandb/meridian/storage/memstore"
)

// served is a real region's endpoint.
func served(t *testing.T, name string) *httptest.Server {
	t.Helper()
	r, err := region.Open(region.Options{Name: name, Store: memstore.New()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := api.New(api.Options{Region: r})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(func() {
		srv.Close()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return srv
}

func newRouter(t *testing.T, first, second string) *route.Router {
	t.Helper()
	r, err := route.New(route.Options{
		Regions:    []route.Region{{Name: "us-east-1", Endpoint: first, Hint: time.Millisecond}, {Name: "eu-west-1", Endpoint: second}},
		ProbeEvery: time.Hour, // after the first, requests alone decide
		Picker:     route.PickerConfig{Dwell: time.Hour},
		Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func sdk(r *route.Router) *dynamodb.Client {
	return dynamodb.NewFromConfig(aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	}, route.With(r))
}

func createThings(t *testing.T, c *dynamodb.Client) {
	t.Helper()
	_, err := c.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("things"), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func put(ctx context.Context, c *dynamodb.Client) error {
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String("things"), Item: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "a"}},
	})
	return err
}

func count(t *testing.T, c *dynamodb.Client) int {
	t.Helper()
	out, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("things")})
	if err != nil {
		t.Error(err)
		return -1
	}
	return len(out.Items)
}

func TestSDKFailsOver(t *testing.T) {
	us, eu := served(t, "us-east-1"), served(t, "eu-west-1")
	createThings(t, sdk(newRouter(t, eu.URL, eu.URL)))
	c := sdk(newRouter(t, us.URL, eu.URL))
	createThings(t, c)
	if err := put(t.Context(), c); err != nil || count(t, c) != 1 {
		t.Errorf("put: %v, %d items", err, count(t, c))
	}
	us.CloseClientConnections()
	us.Close()
	if n := count(t, c); n != 0 {
		t.Errorf("the other region has %d items", n)
	}
	if err := put(t.Context(), c); err != nil || count(t, c) != 1 {
		t.Errorf("put in the other region: %v, %d items", err, count(t, c))
	}
}

// A write whose connection breaks after it was sent is an error that the SDK does not repeat, least of all elsewhere.
func TestSDKUnknownFate(t *testing.T) {
	var arrived atomic.Int32
	us := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return
		}
		arrived.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(us.Close)
	eu := served(t, "eu-west-1")
	createThings(t, sdk(newRouter(t, eu.URL, eu.URL)))
	c := sdk(newRouter(t, us.URL, eu.URL))
	err := put(t.Context(), c)
	var fate *route.UnknownFateError
	if !errors.As(err, &fate) || fate.Region != "us-east-1" || fate.Operation != "PutItem" {
		t.Errorf("got %v", err)
	}
	if n := arrived.Load(); n < 1 || n > 3 {
		t.Errorf("it was tried %d times", n)
	}
	if n := count(t, c); n != 0 {
		t.Errorf("the other region has %d items", n)
	}
	if err := put(route.Idempotent(t.Context()), c); err != nil || count(t, c) != 1 {
		t.Errorf("marked as idempotent: %v, %d items", err, count(t, c))
	}
}

func TestProxy(t *testing.T) {
	us, eu := served(t, "us-east-1"), served(t, "eu-west-1")
	r := newRouter(t, us.URL, eu.URL)
	proxy := httptest.NewServer(route.Proxy(r, route.NewSession()))
	t.Cleanup(proxy.Close)
	c := dynamodb.NewFromConfig(aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), BaseEndpoint: aws.String(proxy.URL),
	})
	createThings(t, c)
	if err := put(t.Context(), c); err != nil || count(t, c) != 1 {
		t.Errorf("put: %v, %d items", err, count(t, c))
	}
	_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("none"), Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "a"}},
	})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("an error came through as %v", err)
	}
	us.CloseClientConnections()
	us.Close()
	eu.CloseClientConnections()
	eu.Close()
	resp, err := http.Post(proxy.URL, "application/x-amz-json-1.0", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(b), "no region could do") {
		t.Errorf("got %d %s %v", resp.StatusCode, b, err)
	}
}

func BenchmarkProxy(b *testing.B) {
	answer := []byte(`{"Item":{"pk":{"S":"a"}}}`)
	us := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write(answer)
	}))
	defer us.Close()
	r, err := route.New(route.Options{Regions: []route.Region{{Name: "us-east-1", Endpoint: us.URL}}})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	proxy := httptest.NewServer(route.Proxy(r, nil))
	defer proxy.Close()
	for _, at := range []struct{ name, url string }{{"direct", us.URL}, {"proxy", proxy.URL}} {
		b.Run(at.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				req, err := http.NewRequest(http.MethodPost, at.url, strings.NewReader(`{"TableName":"things","Key":{"pk":{"S":"a"}}}`))
				if err != nil {
					b.Fatal(err)
				}
				req.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				took = append(took, time.Since(began))
			}
			b.ReportMetric(median(took), "p50-µs")
		})
	}
}

func median(all []time.Duration) float64 {
	slices.Sort(all)
	return float64(all[len(all)/2].Nanoseconds()) / 1000
}
