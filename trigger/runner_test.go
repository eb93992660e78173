package trigger

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestDelivers: every change once, in order per key, in the documented form (DYNAMODB.md 13.2).
func TestDelivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		for i := range 50 {
			w.put(fmt.Sprint("k", i%7), i)
		}
		id := w.create(fields{"BatchSize": 4, "ParallelizationFactor": 3})
		for i := range 50 {
			w.put(fmt.Sprint("k", i%7), 50+i)
		}
		w.until("all delivered", func() bool { return len(w.fn.count()) == 100 })
		last := map[string]string{}
		for _, c := range w.fn.all() {
			if c.url != "http://lambda.test/2015-03-31/functions/fn/invocations" || c.request.Header.Get("X-Amz-Invocation-Type") != "RequestResponse" {
				t.Fatalf("called %s %v", c.url, c.request.Header)
			}
			if len(c.records) > 4 {
				t.Errorf("a batch of %d", len(c.records))
			}
			for _, r := range c.records {
				key := r.Dynamodb.Keys.PK.S
				if r.Dynamodb.SequenceNumber <= last[key] {
					t.Errorf("%s: %s after %s", key, r.Dynamodb.SequenceNumber, last[key])
				}
				last[key] = r.Dynamodb.SequenceNumber
			}
		}
		for r, n := range w.fn.count() {
			if n != 1 {
				t.Errorf("%s came %d times", r, n)
			}
		}
		first := w.fn.all()[0]
		var event struct{ Records []map[string]any }
		if err := json.Unmarshal(first.body, &event); err != nil {
			t.Fatal(err)
		}
		r := event.Records[0]
		for _, name := range []string{"eventID", "eventName", "eventVersion", "eventSource", "awsRegion", "dynamodb", "eventSourceARN"} {
			if r[name] == nil {
				t.Errorf("%s is missing in %v", name, r)
			}
		}
		if r["eventSourceARN"] != w.arn() || r["eventSource"] != "aws:dynamodb" || r["userIdentity"] != nil || len(event.Records) == 0 {
			t.Errorf("%v", r)
		}
		if d := w.get(id); d.LastProcessingResult != "OK" {
			t.Errorf("%+v", d)
		}
	})
}

// TestStartsLate: LATEST leaves out what was there before; AT_TIMESTAMP what is older than a time.
func TestStartsLate(t *testing.T) {
	for _, position := range []string{"LATEST", "AT_TIMESTAMP"} {
		t.Run(position, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.close()
				w.put("a", 1)
				time.Sleep(5 * time.Second)
				in := fields{"StartingPosition": position}
				if position == "AT_TIMESTAMP" {
					in["StartingPositionTimestamp"] = float64(time.Now().UnixMilli()) / 1000
				}
				w.create(in)
				w.put("a", 2)
				w.until("delivered", func() bool { return len(w.fn.count()) > 0 })
				time.Sleep(time.Minute)
				if got := w.fn.count(); len(got) != 1 || got["a=2"] != 1 {
					t.Errorf("got %v", got)
				}
			})
		})
	}
}

// TestFunctionFails tells what follows from each kind of failure.
func TestFunctionFails(t *testing.T) {
	failed := func(header, body string, status int) answered {
		a := answered{status: status, body: body}
		if header != "" {
			a.header = http.Header{"X-Amz-Function-Error": {header}}
		}
		return a
	}
	for name, c := range map[string]struct {
		fail    answered
		given   bool // it counts: after two retries the batch is given up
		problem string
	}{
		"function error":       {failed("Unhandled", `{"errorMessage":"no"}`, 200), true, "the function failed"},
		"emulator's error":     {failed("", `{"errorMessage":"no","errorType":"E"}`, 200), true, "the function failed"},
		"plain server's error": {failed("", "oops", 500), true, "500"},
		"no answer":            {answered{after: time.Hour, status: 200}, true, "no answer within 10s"},
		"throttled":            {failed("", `{}`, 429), false, "429"},
		"service error":        {answered{status: 500, header: http.Header{"X-Amzn-Errortype": {"ServiceException"}}}, false, "500"},
		"no such function":     {failed("", `{}`, 404), false, "404"},
		"bad gateway":          {failed("", `{}`, 502), false, "502"},
		"refused":              {answered{err: errRefused}, false, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				folder := t.TempDir()
				w := newWorld(t, func(o *Options) { o.Files = folder })
				defer w.close()
				var broken atomic.Bool
				broken.Store(true)
				w.fn.do = func(call) answered {
					if broken.Load() {
						return c.fail
					}
					return answered{status: 200}
				}
				id := w.create(fields{"MaximumRetryAttempts": 2, "DestinationConfig": fields{"OnFailure": fields{"Destination": "file:failures"}}})
				w.put("a", 1)
				w.until("failed", func() bool { return len(w.fn.all()) >= 3 })
				w.until("told", func() bool { return strings.Contains(w.get(id).LastProcessingResult, c.problem) })
				time.Sleep(5 * time.Minute)
				lines, _ := os.ReadFile(filepath.Join(folder, "failures"))
				calls := len(w.fn.all())
				if !c.given {
					if len(lines) > 0 || calls < 10 || calls > 25 {
						t.Fatalf("given up %q; %d calls", lines, calls)
					}
					broken.Store(false)
					w.until("delivered", func() bool { return w.get(id).LastProcessingResult == "OK" })
					return
				}
				if calls != 3 {
					t.Errorf("%d calls: one and two retries", calls)
				}
				checkFailure(t, w, lines, "RetryAttemptsExhausted", 3, 1)
			})
		})
	}
}

// checkFailure holds a line of a destination against the documented form (DYNAMODB.md 13.1).
func checkFailure(t *testing.T, w *world, line []byte, condition string, invoked, size int) {
	t.Helper()
	var r map[string]any
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	request, _ := r["requestContext"].(map[string]any)
	info, _ := r["DDBStreamBatchInfo"].(map[string]any)
	if request["condition"] != condition || request["approximateInvokeCount"] != float64(invoked) || request["requestId"] == "" ||
		request["functionArn"] != "arn:aws:lambda:us-east-1:000000000000:function:fn" || r["version"] != "1.0" {
		t.Errorf("%s", line)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", fmt.Sprint(r["timestamp"])); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"shardId", "startSequenceNumber", "endSequenceNumber", "approximateArrivalOfFirstRecord", "approximateArrivalOfLastRecord"} {
		if s, _ := info[name].(string); s == "" {
			t.Errorf("%s is missing: %s", name, line)
		}
	}
	if info["streamArn"] != w.arn() || info["batchSize"] != float64(size) {
		t.Errorf("%s", line)
	}
	if response, ok := r["responseContext"].(map[string]any); invoked > 0 && (!ok || response["statusCode"] == nil || response["executedVersion"] == nil && response["functionError"] == nil) {
		t.Errorf("%s", line)
	}
}

// TestPartialFailure: what stands before the lowest failure is done with, and the rest comes again (DYNAMODB.md 13.1).
func TestPartialFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		failed := false
		w.fn.do = func(c call) answered {
			if len(c.records) < 4 || failed {
				return answered{status: 200}
			}
			failed = true
			return answered{status: 200, body: fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":%q}]}`, c.records[2].Dynamodb.SequenceNumber)}
		}
		for i := range 5 {
			w.put("a", i)
		}
		w.create(fields{"FunctionResponseTypes": []string{"ReportBatchItemFailures"}})
		w.until("all", func() bool { return len(w.fn.all()) == 2 })
		time.Sleep(time.Minute)
		if got := fmt.Sprint(w.fn.seen()); got != "[[a=0 a=1 a=2 a=3 a=4] [a=2 a=3 a=4]]" {
			t.Errorf("%s", got)
		}
	})
}

// TestFiltersAndAge: what no filter lets through is not delivered; what is too old is given up.
func TestFiltersAndAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		w := newWorld(t, func(o *Options) { o.Files = folder })
		defer w.close()
		w.put("old", 1)
		time.Sleep(2 * time.Minute)
		id := w.create(fields{
			"MaximumRecordAgeInSeconds": 60, "DestinationConfig": fields{"OnFailure": fields{"Destination": "file:failures"}},
			"FilterCriteria": fields{"Filters": []fields{{"Pattern": `{"dynamodb":{"Keys":{"pk":{"S":[{"anything-but":"no"}]}}}}`}}},
		})
		w.put("no", 1)
		w.put("yes", 1)
		w.until("all", func() bool { return len(w.fn.count()) == 1 })
		w.until("given up", func() bool { _, err := os.Stat(filepath.Join(folder, "failures")); return err == nil })
		if got := w.fn.count(); got["yes=1"] != 1 {
			t.Errorf("%v", got)
		}
		lines, _ := os.ReadFile(filepath.Join(folder, "failures"))
		checkFailure(t, w, lines, "RecordAgeExceeded", 0, 1)
		f := &w.m.unit(id).figures
		w.until("filtered", func() bool { return f.filtered.Load() == 1 })
		if f.filtered.Load() != 1 || f.onFailure.Load() != 1 || f.records.Load() != 2 || f.invocations.Load() != 1 {
			t.Errorf("figures %d %d %d %d", f.filtered.Load(), f.onFailure.Load(), f.records.Load(), f.invocations.Load())
		}
	})
}

// TestRestart: a trigger goes on where it was, whatever was written meanwhile, and delivers nothing twice that it had saved.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.create(nil)
		for i := range 20 {
			w.put(fmt.Sprint("k", i), i)
		}
		w.until("all", func() bool { return len(w.fn.count()) == 20 })
		time.Sleep(time.Second)
		w.m.Close()
		for i := range 20 {
			w.put(fmt.Sprint("k", i), 100+i)
		}
		w.open()
		defer w.close()
		w.until("all", func() bool { return len(w.fn.count()) == 40 })
		for r, n := range w.fn.count() {
			if n != 1 {
				t.Errorf("%s came %d times", r, n)
			}
		}
	})
}

// TestCrash: after a crash what was under way comes again, and nothing is missing.
func TestCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fn.do = func(call) answered { return answered{status: 200, after: time.Second} }
		w.create(fields{"BatchSize": 3})
		for i := range 30 {
			w.put("k", i)
		}
		w.until("some", func() bool { return len(w.fn.all()) >= 4 })
		// The process is gone: nothing is saved any more, nothing ends well.
		kept, _ := w.store.Get(storeKey(w.m.list()[0].id))
		w.m.Close()
		tx, err := w.store.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_ = tx.Set(storeKey(w.m.list()[0].id), kept)
		if _, err := tx.Commit(nil); err != nil {
			t.Fatal(err)
		}
		w.open()
		defer w.close()
		w.until("all", func() bool { return len(w.fn.count()) == 30 })
		n, newest := 0, ""
		for _, c := range w.fn.all() {
			for _, r := range c.records {
				n++
				newest = max(newest, r.Dynamodb.SequenceNumber)
			}
		}
		if n < 33 || n > 40 {
			t.Errorf("%d deliveries of 30 changes", n)
		}
	})
}

// TestShardsRollOver: parents come before their children.
func TestShardsRollOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		var broken atomic.Bool
		broken.Store(true)
		w.fn.do = func(call) answered {
			if broken.Load() {
				return answered{status: 503}
			}
			return answered{status: 200}
		}
		w.create(fields{"BatchSize": 1})
		for day := range 3 {
			for i := range 10 {
				w.put(fmt.Sprint("k", i), 100*day+i)
			}
			time.Sleep(shardLife + time.Minute)
		}
		broken.Store(false)
		had := len(w.fn.all())
		w.until("all", func() bool { return len(w.fn.all()) >= had+30 })
		newest := map[string]string{}
		for _, c := range w.fn.all()[had:] {
			r := c.records[0]
			if key := r.Dynamodb.Keys.PK.S; r.Dynamodb.SequenceNumber <= newest[key] {
				t.Errorf("%s after %s", r.Dynamodb.SequenceNumber, newest[key])
			} else {
				newest[key] = r.Dynamodb.SequenceNumber
			}
		}
	})
}

// TestDeletedTable: what a table's stream still has after its end is delivered.
func TestDeletedTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		var broken atomic.Bool
		broken.Store(true)
		w.fn.do = func(call) answered {
			if broken.Load() {
				return answered{err: errRefused}
			}
			return answered{status: 200}
		}
		id := w.create(nil)
		w.put("a", 1)
		w.until("tried", func() bool { return len(w.fn.all()) > 0 })
		if _, err := w.region.DeleteTable(t.Context(), "T"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		broken.Store(false)
		w.until("delivered", func() bool { return w.get(id).LastProcessingResult == "OK" })
		w.api("DELETE", "/"+id, nil, 202, nil)
	})
}

// TestWindow: batches wait for their window.
func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.create(fields{"MaximumBatchingWindowInSeconds": 30, "BatchSize": 100})
		begin := time.Now()
		for i := range 10 {
			w.put("a", i)
			time.Sleep(time.Second)
		}
		w.until("all", func() bool { return len(w.fn.count()) == 10 })
		c := w.fn.all()
		if len(c) != 1 || c[0].at.Sub(begin) < 29*time.Second || c[0].at.Sub(begin) > 32*time.Second {
			t.Errorf("%d calls, the first after %v", len(c), c[0].at.Sub(begin))
		}
	})
}
