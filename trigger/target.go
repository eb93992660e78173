package trigger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/trigger/batch"
)

// target is what a batch is given to.
type target interface {
	// deliver returns what became of a batch, and in words what was wrong if anything was.
	deliver(ctx context.Context, b *batch.Batch) (batch.Outcome, error)
}

// maxAnswer bounds what is read of an answer: Lambda's are 6 MB at most.
const maxAnswer = 6<<20 + 1<<10

// newClient makes the client by which functions, sinks and destinations are called. It follows no redirects: a POST that was
// redirected may have been carried out.
func newClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.Proxy = http.ProxyFromEnvironment
		t.MaxIdleConnsPerHost = 64
		t.ResponseHeaderTimeout = 0 // each call has its own
		transport = t
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// function is called by Lambda's Invoke API (DYNAMODB.md 13.3).
type function struct {
	client  *http.Client
	url     string
	timeout time.Duration
	partial bool // ReportBatchItemFailures
}

// newFunction makes the caller of a function at an endpoint.
func newFunction(client *http.Client, endpoint, name string, timeout time.Duration, partial bool) (*function, error) {
	name, qualifier, err := functionName(name)
	if err != nil {
		return nil, err
	}
	at := strings.TrimSuffix(endpoint, "/") + "/2015-03-31/functions/" + url.PathEscape(name) + "/invocations"
	if qualifier != "" {
		at += "?Qualifier=" + url.QueryEscape(qualifier)
	}
	return &function{client: client, url: at, timeout: timeout, partial: partial}, nil
}

func (f *function) deliver(ctx context.Context, b *batch.Batch) (batch.Outcome, error) {
	event := payload(func(yield func([]byte) bool) {
		for i := range b.Len() {
			if !yield(b.Record(i).Body) {
				return
			}
		}
	})
	a, err := post(ctx, f.client, f.timeout, f.url, event, http.Header{
		"Content-Type": {"application/json"}, "X-Amz-Invocation-Type": {"RequestResponse"},
	})
	if err != nil {
		return a.outcome(), err
	}
	return f.judge(b, a)
}

// judge reads an answer. A service that is overloaded, or does not know the function, has not called it: that is no try.
// A plain HTTP server is the function itself; its 500 is the function's failure, as other refusals are.
func (f *function) judge(b *batch.Batch, a answer) (batch.Outcome, error) {
	out := batch.Outcome{Reply: a.reply()}
	switch {
	case a.status == http.StatusInternalServerError && a.header.Get("X-Amzn-Errortype") == "":
		out.Verdict, out.Reply.FunctionError = batch.Failed, "Unhandled"
		return out, fmt.Errorf("the function answered %d: %.200s", a.status, a.body)
	case a.status == http.StatusBadRequest, a.status == http.StatusRequestEntityTooLarge, a.status == http.StatusUnprocessableEntity:
		out.Verdict = batch.Failed
		return out, fmt.Errorf("the function's server answered %d: %.200s", a.status, a.body)
	case a.status/100 != 2:
		out.Verdict = batch.Unavailable
		return out, fmt.Errorf("the function's server answered %d: %.200s", a.status, a.body)
	}
	if a.functionError() {
		out.Verdict = batch.Failed
		if out.Reply.FunctionError == "" {
			out.Reply.FunctionError = "Unhandled"
		}
		return out, fmt.Errorf("the function failed: %.200s", a.body)
	}
	if !f.partial {
		return out, nil
	}
	reply := out.Reply
	out = batch.ReadFailures(b, a.body)
	out.Reply = reply
	if out.Verdict != batch.Succeeded {
		return out, fmt.Errorf("the function reports failures: %.200s", a.body)
	}
	return out, nil
}

// answer is an HTTP answer, or why there is none.
type answer struct {
	status int
	header http.Header
	body   []byte

	reached bool // the request was sent, so the function may have been called
	late    bool // no answer came in time
}

// outcome is that of a call without an answer.
func (a *answer) outcome() batch.Outcome {
	switch {
	case a.late:
		return batch.Outcome{Verdict: batch.Failed, Reply: batch.Reply{Status: http.StatusOK, FunctionError: "Unhandled"}}
	case a.reached: // it broke off: as when the function's process dies
		return batch.Outcome{Verdict: batch.Failed, Reply: batch.Reply{Status: http.StatusBadGateway, FunctionError: "Unhandled"}}
	}
	return batch.Outcome{Verdict: batch.Unavailable}
}

func (a *answer) reply() batch.Reply {
	version := a.header.Get("X-Amz-Executed-Version")
	if version == "" {
		version = "$LATEST"
	}
	return batch.Reply{
		Status: a.status, ExecutedVersion: version, FunctionError: a.header.Get("X-Amz-Function-Error"),
		RequestID: a.header.Get("X-Amzn-Requestid"),
	}
}

// functionError reports whether a function failed that was called. Lambda says so in a header; the runtime interface emulator
// answers with the error's object alone.
func (a *answer) functionError() bool {
	if a.header.Get("X-Amz-Function-Error") != "" {
		return true
	}
	var e struct {
		ErrorMessage *string `json:"errorMessage"`
		ErrorType    *string `json:"errorType"`
	}
	return bytes.Contains(a.body, []byte(`"errorType"`)) && json.Unmarshal(a.body, &e) == nil && e.ErrorMessage != nil && e.ErrorType != nil
}

var errLate = errors.New("no answer in time")

// post sends a request and reads the answer. After an error the answer says how far it came.
func post(ctx context.Context, client *http.Client, timeout time.Duration, to string, body []byte, header http.Header) (a answer, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errLate)
	defer cancel()
	var reached atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(i httptrace.WroteRequestInfo) {
		if i.Err == nil {
			reached.Store(true)
		}
	}})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	req.Header = header
	resp, err := client.Do(req)
	if err == nil {
		a.status, a.header = resp.StatusCode, resp.Header
		a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		_ = resp.Body.Close()
		if err == nil && len(a.body) == maxAnswer {
			a.body, a.status = []byte("an answer of more than 6 MB"), http.StatusRequestEntityTooLarge
		}
	}
	if err != nil {
		a.reached = reached.Load() || a.status != 0
		if a.late = a.reached && errors.Is(context.Cause(ctx), errLate); a.late {
			err = fmt.Errorf("no answer within %v", timeout)
		}
	}
	return a, err
}
