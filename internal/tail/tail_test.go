package tail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/api"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/storage/memstore"
)

// endpoint serves a real region.
type endpoint struct {
	t   *testing.T
	url string
}

func serve(t *testing.T) *endpoint {
	r, err := region.Open(region.Options{Name: "us-east-1", Store: memstore.New()})
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
	return &endpoint{t, srv.URL}
}

func (e *endpoint) call(op, body string) string {
	e.t.Helper()
	req, err := http.NewRequest(http.MethodPost, e.url, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+op)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		e.t.Fatalf("%s %s: %d %s %v", op, body, resp.StatusCode, b, err)
	}
	return string(b)
}

func (e *endpoint) table(stream bool) {
	e.t.Helper()
	spec := ""
	if stream {
		spec = `,"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}`
	}
	e.call("CreateTable", `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],`+
		`"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}]`+spec+`}`)
}

func (e *endpoint) put(pk string, n int) {
	e.t.Helper()
	e.call("PutItem", fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"S":"%s"},"n":{"N":"%d"}}}`, pk, n))
}

func (e *endpoint) follower(fromStart bool) *Follower {
	return &Follower{Client: &Client{Endpoint: e.url, HTTP: http.DefaultClient}, Table: "tab", FromStart: fromStart, Poll: time.Millisecond}
}

var errEnough = errors.New("enough")

// collect runs a follower until it has seen n changes; between is called once it stands at its beginning.
func collect(t *testing.T, f *Follower, n int) []*Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var got []*Record
	err := f.Run(ctx, func(r *Record) error {
		got = append(got, r)
		if len(got) == n {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("after %d of %d changes: %v", len(got), n, err)
	}
	return got
}

// From the start, every change of every item is seen once and in the item's order.
func TestFromStart(t *testing.T) {
	e := serve(t)
	e.table(true)
	for n := range 5 {
		for _, pk := range []string{"a", "b", "c", "d", "e", "f"} {
			e.put(pk, n)
		}
	}
	next := map[string]int{}
	for _, r := range collect(t, e.follower(true), 30) {
		pk := plain(r.Change.Keys["pk"])
		if want := fmt.Sprint(next[pk]); plain(r.Change.NewImage["n"]) != want {
			t.Errorf("%s: n is %s, not %s", pk, r.Change.NewImage["n"], want)
		}
		if was := r.Change.OldImage["n"]; next[pk] > 0 && plain(was) != fmt.Sprint(next[pk]-1) {
			t.Errorf("%s: old n is %s", pk, was)
		}
		next[pk]++
	}
}

// From now on, what was there before is not seen, and what comes after the beginning is.
func TestFromNow(t *testing.T) {
	e := serve(t)
	e.table(true)
	e.put("before", 1)
	f := e.follower(false)
	if err := f.begin(context.Background()); err != nil {
		t.Fatal(err)
	}
	e.put("after", 2)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for seen := false; !seen; {
		_, err := f.round(ctx, func(r *Record) error {
			if pk := plain(r.Change.Keys["pk"]); pk != "after" {
				t.Errorf("saw %s", pk)
			}
			seen = true
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A table without a stream says what to do about it; one that is not there says so.
func TestNoStream(t *testing.T) {
	e := serve(t)
	e.table(false)
	if err := e.follower(true).Run(context.Background(), nil); !errors.Is(err, ErrNoStream) {
		t.Error(err)
	}
}

// A stream that is turned off ends the reading when all of it was read.
func TestTurnedOff(t *testing.T) {
	e := serve(t)
	e.table(true)
	e.put("a", 1)
	e.call("UpdateTable", `{"TableName":"tab","StreamSpecification":{"StreamEnabled":false}}`)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	n := 0
	err := e.follower(true).Run(ctx, func(*Record) error { n++; return nil })
	if n != 1 || !errors.Is(err, ErrNoStream) {
		t.Errorf("%d changes, then %v", n, err)
	}
}

func TestText(t *testing.T) {
	t.Setenv("TZ", "UTC")
	for raw, want := range map[string]string{
		`{"eventName":"INSERT","dynamodb":{"Keys":{"pk":{"S":"a b"},"sk":{"N":"7"}},"NewImage":{"pk":{"S":"a b"},"sk":{"N":"7"},"x":{"S":"y"},"n":{"NULL":true}}}}`: ` INSERT pk=a b sk=7: + n null, + x "y"`,
		`{"eventName":"MODIFY","dynamodb":{"Keys":{"pk":{"S":"a"}},"OldImage":{"pk":{"S":"a"},"x":{"N":"1"},"y":{"BOOL":true},"z":{"L":[]}},` +
			`"NewImage":{"pk":{"S":"a"},"x":{"N":"2"},"z":{"L":[]},"w":{"SS":["q"]}}}}`: ` MODIFY pk=a: + w {"SS":["q"]}, x 1 → 2, - y`,
		`{"eventName":"REMOVE","dynamodb":{"Keys":{"pk":{"S":"a"}},"OldImage":{"pk":{"S":"a"},"x":{"N":"1"}}},"userIdentity":{"Type":"Service"}}`: ` REMOVE pk=a (expired)`,
		`{"eventName":"INSERT","dynamodb":{"Keys":{"pk":{"S":"a"}},"NewImage":{"x":{"S":"` + strings.Repeat("é", 100) + `"}}}}`:                   ` INSERT pk=a: + x "` + strings.Repeat("é", 58) + `…`,
	} {
		r, err := readRecord(json.RawMessage(raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Text(); !strings.HasSuffix(got, want) {
			t.Errorf("%s\n%q\nnot %q", raw, got, want)
		}
	}
}

func TestFilter(t *testing.T) {
	r, err := readRecord(json.RawMessage(`{"eventName":"INSERT","dynamodb":{"Keys":{"pk":{"S":"a"},"sk":{"N":"7"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		f    Filter
		want bool
	}{
		{Filter{}, true}, {Filter{Events: []string{"INSERT"}}, true}, {Filter{Events: []string{"REMOVE", "MODIFY"}}, false},
		{Filter{Keys: map[string]string{"pk": "a", "sk": "7"}}, true}, {Filter{Keys: map[string]string{"pk": "b"}}, false},
		{Filter{Keys: map[string]string{"x": "a"}}, false},
	} {
		if c.f.Shows(r) != c.want {
			t.Errorf("%+v", c.f)
		}
	}
}

// Trimmed changes are told, and reading goes on behind them.
func TestGap(t *testing.T) {
	trimmed := true
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch target := r.Header.Get("X-Amz-Target"); {
		case strings.HasSuffix(target, "ListStreams"):
			_, _ = io.WriteString(w, `{"Streams":[{"StreamArn":"arn","StreamLabel":"l"}]}`)
		case strings.HasSuffix(target, "DescribeStream"):
			_, _ = io.WriteString(w, `{"StreamDescription":{"StreamStatus":"ENABLED","Shards":[{"ShardId":"s"}]}}`)
		case strings.HasSuffix(target, "GetShardIterator"):
			_, _ = io.WriteString(w, `{"ShardIterator":"i"}`)
		case trimmed:
			trimmed = false
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#TrimmedDataAccessException","message":"gone"}`)
		default:
			_, _ = io.WriteString(w, `{"Records":[{"eventName":"INSERT","dynamodb":{"SequenceNumber":"1"}}],"NextShardIterator":"j"}`)
		}
	}))
	defer s.Close()
	gaps := 0
	f := &Follower{Client: &Client{Endpoint: s.URL, HTTP: http.DefaultClient}, Table: "tab", FromStart: true, Gap: func(string) { gaps++ }}
	if collect(t, f, 2); gaps != 1 {
		t.Errorf("%d gaps told", gaps)
	}
	trimmed = true
	f.Gap = nil
	if err := f.Run(context.Background(), func(*Record) error { return nil }); err == nil || !strings.Contains(err.Error(), "trimmed") {
		t.Error(err)
	}
}
