package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/trigger"
)

// event is what a function is called with, as far as these tests look at it.
type event struct {
	Records []eventRecord
}

type eventRecord struct {
	Region string `json:"awsRegion"`
	Change struct {
		Sequence string `json:"SequenceNumber"`
		Keys     struct {
			PK struct{ S string } `json:"pk"`
		}
		New struct {
			N struct{ N string } `json:"n"`
		} `json:"NewImage"`
	} `json:"dynamodb"`
}

func (r eventRecord) String() string { return r.Change.Keys.PK.S + "=" + r.Change.New.N.N }

// listener is a function in this process that takes everything and remembers it.
type listener struct {
	mu    sync.Mutex
	all   []eventRecord
	count map[string]int
	began map[string]time.Time // by region: when it delivered first
	// refuses is the beginning of keys that it does not take now.
	refuses string
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var e event
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range e.Records {
		if l.refuses != "" && strings.HasPrefix(r.String(), l.refuses) {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
	}
	l.all = append(l.all, e.Records...)
	for _, r := range e.Records {
		l.count[r.String()]++
		if l.began[r.Region].IsZero() {
			l.began[r.Region] = time.Now()
		}
	}
}

func newListener() *listener {
	return &listener{count: map[string]int{}, began: map[string]time.Time{}}
}

// first is when the first of some regions began to deliver; zero if none has.
func (l *listener) first(regions ...string) (at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, region := range regions {
		if t := l.began[region]; at.IsZero() || !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	return at
}

func (l *listener) refuse(keys string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuses = keys
}

// lacking is how many of some changes have not come, and one of them.
func (l *listener) lacking(all []string) (n int, one string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range all {
		if l.count[c] == 0 {
			n, one = n+1, c
		}
	}
	return n, one
}

// once holds changes against having come once.
func (l *listener) once(t *testing.T, why string, all []string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range all {
		if n := l.count[c]; n != 1 {
			t.Errorf("%s came %d times; %s", c, n, why)
		}
	}
}

// by counts the records that came from a region since the i-th.
func (l *listener) by(region string, from int) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.all[from:] {
		if r.Region == region {
			n++
		}
	}
	return n
}

func (l *listener) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

// streamARN is a table's stream in a region.
func streamARN(t *testing.T, e admin.Endpoints, table string) string {
	t.Helper()
	var d struct {
		Table struct{ LatestStreamArn string }
	}
	if err := json.Unmarshal([]byte(call(t, e, "DescribeTable", `{"TableName":"`+table+`"}`)), &d); err != nil || d.Table.LatestStreamArn == "" {
		t.Fatalf("%v %+v", err, d)
	}
	return d.Table.LatestStreamArn
}

// createTrigger makes a trigger by a region's admin endpoint.
func createTrigger(t *testing.T, e admin.Endpoints, fields string) trigger.Mapping {
	t.Helper()
	res, err := client.Post(e.Admin+trigger.Path+"/", "application/json", strings.NewReader(fields))
	if err != nil {
		t.Fatal(err)
	}
	code, text := readAll(t, res)
	var m trigger.Mapping
	if code != http.StatusAccepted || json.Unmarshal([]byte(text), &m) != nil {
		t.Fatalf("%d %s", code, text)
	}
	return m
}

func (f *fleet) mapping(t *testing.T, region, id string) (m trigger.Mapping) {
	t.Helper()
	code, text := getPage(t, f.at[region].Admin+trigger.Path+"/"+id)
	if code != http.StatusOK || json.Unmarshal([]byte(text), &m) != nil {
		t.Fatalf("%d %s", code, text)
	}
	return m
}

// triggerMetric is a figure of the only trigger in a region, 0 if there is none.
func (f *fleet) triggerMetric(t *testing.T, region, name string) (v float64) {
	t.Helper()
	_, text := getPage(t, f.at[region].Admin+"/metrics")
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "meridian_trigger_"+name+"{") {
			if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &v); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
		}
	}
	return v
}

// runs reports whether a region says that it runs the only trigger.
func (f *fleet) runs(t *testing.T, region string) bool {
	t.Helper()
	return f.triggerMetric(t, region, "active") == 1
}

// putNumbered writes n items of their own in some regions, and returns what they are to a function.
func (f *fleet) putNumbered(t *testing.T, what string, n int, regions ...string) (all []string) {
	t.Helper()
	for i := range n {
		for _, region := range regions {
			key := fmt.Sprintf("%s-%s-%d", what, region, i%20)
			call(t, f.at[region], "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":%q},"n":{"N":"%d"}}}`, key, i))
			all = append(all, fmt.Sprintf("%s=%d", key, i))
		}
	}
	return all
}

// TestTriggerTakeOver kills the region that runs a trigger: another goes on within ten seconds, from the last checkpoint that
// reached it; and the one that was killed does not run beside it when it is back.
func TestTriggerTakeOver(t *testing.T) {
	fn := newListener()
	server := httptest.NewServer(fn)
	defer server.Close()
	t.Setenv("MERIDIAN_LAMBDA_ENDPOINT", server.URL)
	f := startFleet(t, threeRegions...)
	f.table(t, "things")
	us, eu, ap := f.names[0], f.names[1], f.names[2]
	id := createTrigger(t, f.at[us], `{"EventSourceArn":"`+streamARN(t, f.at[us], "things")+`","FunctionName":"fn","StartingPosition":"TRIM_HORIZON"}`).UUID

	first := f.putNumbered(t, "first", 100, us, eu, ap)
	arrived(t, fn, first)
	for _, region := range f.names {
		await(t, "the trigger is known in "+region, func() string {
			if m := f.mapping(t, region, id); m.State != "Enabled" || m.LastProcessingResult != "OK" || !strings.Contains(m.EventSourceArn, ":"+region+":") {
				return fmt.Sprintf("%+v", m)
			}
			return ""
		})
	}
	f.level(t)
	written := float64(time.Now().UnixMilli()) / 1000
	for _, region := range f.names {
		await(t, "a checkpoint with all of that is in "+region, func() string {
			if at := f.triggerMetric(t, region, "checkpoint_seconds"); at <= written {
				return fmt.Sprintf("it is of %f, all was written by %f", at, written)
			}
			return ""
		})
	}
	if n := fn.by(us, 0); n != len(first) || fn.len() != n {
		t.Errorf("%d deliveries of %d changes, %d by the region that runs the trigger", fn.len(), len(first), n)
	}

	// Some more that it does not get rid of before it dies.
	fn.refuse("stuck")
	stuck := f.putNumbered(t, "stuck", 20, us, eu, ap)
	await(t, "the function refuses", func() string {
		if m := f.mapping(t, us, id); !strings.Contains(m.LastProcessingResult, "503") {
			return m.LastProcessingResult
		}
		return ""
	})
	f.level(t)

	if at := fn.first(eu, ap); !at.IsZero() {
		t.Fatalf("another region took over at %v, and the one that runs the trigger was alive", at)
	}
	f.kill(t, us)
	killed, halts := time.Now(), watchHalts()
	second := f.putNumbered(t, "second", 50, eu, ap)
	fn.refuse("")
	await(t, "another region delivers", func() string {
		if fn.first(eu, ap).IsZero() {
			return "nobody does"
		}
		return ""
	})
	took, halted := fn.first(eu, ap).Sub(killed), halts()
	t.Logf("taken over after %v, %v of which nothing ran here", took, halted)
	if took-halted > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	arrived(t, fn, append(second, stuck...))
	fn.once(t, "the checkpoint had it", first)

	f.back(t, us)
	f.linked(t)
	await(t, "the region that is back stands by", func() string {
		if f.runs(t, us) || !f.runs(t, eu) && !f.runs(t, ap) {
			return "it does not"
		}
		return ""
	})
	before := fn.len()
	third := f.putNumbered(t, "third", 50, us, eu, ap)
	arrived(t, fn, third)
	if n := fn.by(us, before); n > 0 {
		t.Errorf("the region that was replaced delivered %d records", n)
	}
	fn.once(t, "nothing happened meanwhile", second)
	fn.once(t, "nothing happened meanwhile", third)
}

// watchHalts measures, until what it returns is called, for how long the machine came to a halt: this process slept for half a
// second longer than it wanted. Regions do not count such times either (package trigger/duty).
func watchHalts() (halted func() time.Duration) {
	const nap = 50 * time.Millisecond
	stop, total := make(chan struct{}), make(chan time.Duration)
	go func() {
		tick := time.NewTicker(nap)
		defer tick.Stop()
		var sum time.Duration
		for last := time.Now(); ; {
			select {
			case <-tick.C:
				now := time.Now()
				if late := now.Sub(last) - nap; late > 500*time.Millisecond {
					sum += late
				}
				last = now
			case <-stop:
				total <- sum
				return
			}
		}
	}()
	return func() time.Duration {
		close(stop)
		return <-total
	}
}

// TestTriggerOnConflicts: a function can be called with what lost (docs/conflicts.md).
func TestTriggerOnConflicts(t *testing.T) {
	fn := newListener()
	server := httptest.NewServer(fn)
	defer server.Close()
	t.Setenv("MERIDIAN_LAMBDA_ENDPOINT", server.URL)
	t.Setenv("MERIDIAN_WAN", "aws") // far enough apart to write without having seen the other
	f := startFleet(t, threeRegions[:2]...)
	f.table(t, "things")
	us, eu := f.at[f.names[0]], f.at[f.names[1]]
	table := strings.Replace(streamARN(t, us, "things"), ":table/things/", ":table/things~conflicts/", 1)
	label := ""
	await(t, "the feed has a stream", func() string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, us.DynamoDB, strings.NewReader(`{"TableName":"things~conflicts"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-amz-json-1.0")
		req.Header.Set("X-Amz-Target", "DynamoDBStreams_20120810.ListStreams")
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, text := readAll(t, res)
		var list struct {
			Streams []struct{ StreamLabel string }
		}
		if err := json.Unmarshal([]byte(text), &list); err != nil || len(list.Streams) == 0 {
			return text
		}
		label = list.Streams[len(list.Streams)-1].StreamLabel
		return ""
	})
	arn := table[:strings.LastIndexByte(table, '/')+1] + label
	m := createTrigger(t, us, `{"EventSourceArn":"`+arn+`","FunctionName":"fn","StartingPosition":"LATEST"}`)
	if m.EventSourceArn != arn {
		t.Errorf("made for %s: %+v", arn, m)
	}
	await(t, "the function hears of a conflict", func() string {
		for _, e := range []admin.Endpoints{us, eu} {
			call(t, e, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"both"}}}`)
			call(t, e, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"both"},"by":{"S":"`+e.DynamoDB+`"}}}`)
		}
		if fn.len() == 0 {
			return "it does not"
		}
		return ""
	})
}

func arrived(t *testing.T, fn *listener, all []string) {
	t.Helper()
	await(t, "all changes are delivered", func() string {
		if n, one := fn.lacking(all); n > 0 {
			return fmt.Sprintf("%d are not, like %s", n, one)
		}
		return ""
	})
}

// functionEnv makes this test binary a function: its address, and the file where it notes what it took.
const functionEnv = "MERIDIAN_TEST_FUNCTION"

// TestFunctionProcess is no test but the function of TestFunctionDies, a process that misbehaves in all known ways.
func TestFunctionProcess(t *testing.T) {
	address, path, ok := strings.Cut(os.Getenv(functionEnv), ",")
	if !ok {
		t.Skip("run by TestFunctionDies")
	}
	out, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Fatal(http.Serve(l, &badFunction{out: out})) //nolint:gosec // until it is killed
}

type badFunction struct {
	mu  sync.Mutex
	out *os.File
}

func (f *badFunction) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var e event
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &e) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch rand.IntN(20) { //nolint:gosec // chance
	case 0: // hangs
		f.mu.Unlock()
		<-r.Context().Done()
		f.mu.Lock()
	case 1:
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		_, _ = io.WriteString(w, `{"errorMessage":"by chance"}`)
	case 2:
		w.WriteHeader(http.StatusServiceUnavailable)
	case 3: // does its work and dies before it can say so
		f.take(e.Records)
		os.Exit(1)
	case 4, 5:
		n := rand.IntN(len(e.Records)) //nolint:gosec // chance
		f.take(e.Records[:n])
		_, _ = fmt.Fprintf(w, `{"batchItemFailures":[{"itemIdentifier":%q}]}`, e.Records[n].Change.Sequence)
	default:
		f.take(e.Records)
	}
}

func (f *badFunction) take(all []eventRecord) {
	for _, r := range all {
		_, _ = fmt.Fprintln(f.out, r)
	}
}

// TestFunctionDies: with a function that fails, hangs, reports failures of parts, and dies, no change is lost and the changes
// of each item come in order.
func TestFunctionDies(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address, path := free.Addr().String(), filepath.Join(t.TempDir(), "taken")
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() { // as a service manager would
		defer close(ended)
		for {
			cmd := exec.Command(os.Args[0], "-test.run=^TestFunctionProcess$") //nolint:gosec // ourselves
			cmd.Env = append(os.Environ(), functionEnv+"="+address+","+path)
			if cmd.Start() != nil {
				return
			}
			died := make(chan struct{})
			go func() {
				_ = cmd.Wait() // killed, or it died
				close(died)
			}()
			select {
			case <-died:
			case <-servedFor(address, 700*time.Millisecond, died):
				_ = cmd.Process.Kill()
				<-died
			case <-stop:
				_ = cmd.Process.Kill()
				<-died
				return
			}
		}
	}()
	defer func() { close(stop); <-ended }()

	_, e := startServe(t, serveFree("us-east-1", filepath.Join(t.TempDir(), "data"), "--lambda-endpoint", "http://"+address, "--trigger-timeout", "300ms")...)
	f := &fleet{names: []string{"us-east-1"}, at: map[string]admin.Endpoints{"us-east-1": e}}
	call(t, e, "CreateTable", `{"TableName":"things",`+pkSchema+`,"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}}`)
	createTrigger(t, e, `{"EventSourceArn":"`+streamARN(t, e, "things")+`","FunctionName":"fn","StartingPosition":"TRIM_HORIZON","BatchSize":5,
		"ParallelizationFactor":3,"FunctionResponseTypes":["ReportBatchItemFailures"]}`)
	all := f.putNumbered(t, "k", 400, "us-east-1")
	await(t, "all changes are taken", func() string {
		if n := len(all) - len(taken(t, path)); n > 0 {
			return fmt.Sprintf("%d are not", n)
		}
		return ""
	})
	newest := map[string]int{}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		key, _, _ := strings.Cut(line, "=")
		var n int
		if _, err := fmt.Sscanf(line[len(key):], "=%d", &n); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		have, known := newest[key]
		if !known {
			have = n%20 - 20
		}
		if n > have+20 { // each key takes every twentieth
			t.Errorf("%s: %d follows %d", key, n, have)
		}
		newest[key] = max(have, n)
	}
	t.Logf("%d changes, taken %d times", len(all), strings.Count(string(text), "\n"))
}

// servedFor gives a channel that is closed when somebody has listened at an address for a while, however long it took to
// begin; or has died.
func servedFor(address string, long time.Duration, died <-chan struct{}) <-chan struct{} {
	over := make(chan struct{})
	go func() {
		defer close(over)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			c, err := net.DialTimeout("tcp", address, time.Second)
			if err == nil {
				_ = c.Close() // it was only to see
				break
			}
			select {
			case <-tick.C:
			case <-died:
				return
			}
		}
		select {
		case <-time.After(long):
		case <-died:
		}
	}()
	return over
}

// taken are the changes that a function noted.
func taken(t *testing.T, path string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	file, err := os.Open(path)
	if os.IsNotExist(err) {
		return all
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // only read
	for s := bufio.NewScanner(file); s.Scan(); {
		all[s.Text()] = true
	}
	return all
}
