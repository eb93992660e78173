package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/admin"
)

// process is a running meridian.
type process struct {
	cmd   *exec.Cmd
	lines chan string  // of the stream that is watched, closed at its end
	other bytes.Buffer // the other stream; to be read after stop

	kept chan struct{} // closed when keepLog has all; nil: it does not run
	mu   sync.Mutex
	log  []string // what keepLog took, the end of it
}

// runLimit is how long a process may run before it counts as stuck.
const runLimit = 20 * time.Minute

// start runs meridian and watches one of its streams: standard output of dev, standard error of serve.
func start(t *testing.T, watchStderr bool, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), runLimit)
	p := &process{cmd: meridian(ctx, args...), lines: make(chan string, 1000)}
	pipe, other := p.cmd.StdoutPipe, &p.cmd.Stderr
	if watchStderr {
		pipe, other = p.cmd.StderrPipe, &p.cmd.Stdout
	}
	*other = &p.other
	r, err := pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(r); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		cancel()
		for range p.lines { //nolint:revive // to its end: Wait closes the pipe
		}
		_ = p.cmd.Wait() // ended by the test, or killed
		if t.Failed() && p.other.Len() > 0 {
			t.Logf("%v also said\n%s", args, p.other.String())
		}
	})
	return p
}

// until returns the first line that contains text.
func (p *process) until(t *testing.T, text string) string {
	t.Helper()
	var seen []string
	for line := range p.lines {
		if strings.Contains(line, text) {
			return line
		}
		seen = append(seen, line)
	}
	t.Fatalf("it ended without %q; it said\n%s", text, strings.Join(seen, "\n"))
	return ""
}

// stop sends a signal and returns the exit code.
func (p *process) stop(t *testing.T, s os.Signal) int {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	for range p.lines { //nolint:revive // to its end: Wait closes the pipe
	}
	_ = p.cmd.Wait() // the exit code says it
	return p.cmd.ProcessState.ExitCode()
}

// exit waits until the process ends by itself, and returns its exit code and the last line that it said.
func (p *process) exit(t *testing.T) (code int, last string) {
	t.Helper()
	select {
	case <-p.kept:
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	_ = p.cmd.Wait() // the exit code says it
	return p.cmd.ProcessState.ExitCode(), p.log[len(p.log)-1]
}

// keepLog takes what the process goes on to say, lest it be blocked by us, and shows the end of it if the test fails.
func (p *process) keepLog(t *testing.T, name string) {
	p.kept = make(chan struct{})
	go func() {
		defer close(p.kept)
		for line := range p.lines {
			p.mu.Lock()
			p.log = append(p.log[max(0, len(p.log)-50):], line)
			p.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if t.Failed() {
			t.Logf("the log of %s ends with\n%s", name, strings.Join(p.log, "\n"))
		}
	})
}

func TestDevFromStartToEnd(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	p := start(t, false, "dev", "--port", "0", "--admin-port", "0", "--replication-port", "0", "--gossip-port", "0")
	p.until(t, "Meridian: 3 regions")
	p.until(t, "REGION")
	f := &fleet{names: threeRegions, at: map[string]admin.Endpoints{}}
	var dynamodb, adminAt []string
	for _, region := range f.names {
		cells := strings.Fields(p.until(t, region))
		if len(cells) != 5 {
			t.Fatalf("row %q", cells)
		}
		f.at[region] = admin.Endpoints{DynamoDB: cells[1], Admin: cells[2], Replication: cells[3], Gossip: cells[4]}
		dynamodb, adminAt = append(dynamodb, cells[1]), append(adminAt, cells[2])
	}
	p.until(t, "aws dynamodb list-tables --region us-east-1 --endpoint-url "+dynamodb[0])
	curl := p.until(t, "curl -s "+dynamodb[0])
	p.until(t, "meridian status --admin "+adminAt[0])
	p.until(t, "Ctrl-C stops it.")

	if path, err := exec.LookPath("sh"); err == nil {
		if out, err := exec.Command(path, "-c", curl).CombinedOutput(); err != nil || string(out) != `{"TableNames":[]}` {
			t.Errorf("the line to paste does not work: %v %q", err, out)
		}
	}
	for _, a := range adminAt {
		if code, stdout, stderr := exec1(t, "health", "--admin", a); code != exitOK || stdout != "ready\n" {
			t.Errorf("health of %s: %d %q %q", a, code, stdout, stderr)
		}
	}
	f.table(t, "things")
	for _, region := range f.names {
		call(t, f.at[region], "PutItem", `{"TableName":"things","Item":{"pk":{"S":"from `+region+`"}}}`)
	}
	if items := f.equal(t, "things"); len(items) != len(f.names) {
		t.Errorf("got %v", items)
	}
	code, stdout, stderr := exec1(t, "status", "--admin", adminAt[1])
	if code != exitOK || strings.Count(stdout, "→") != 6 || !strings.Contains(stdout, "\nhealthy\n") {
		t.Errorf("status: %d %q %q", code, stdout, stderr)
	}
	code, stdout, _ = exec1(t, "status", "--json", "--admin", strings.Join(adminAt, ","))
	var r report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != exitOK || !r.Healthy || len(r.Regions) != 3 {
		t.Errorf("status --json: %d %v %q", code, err, stdout)
	}
	if code := p.stop(t, syscall.SIGTERM); code != exitOK {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	if noise := said(p.other.String()); noise != "" {
		t.Errorf("noise: %s", noise)
	}
	left, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "meridian-dev-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// startServe starts a region and returns its endpoints.
func startServe(t *testing.T, args ...string) (*process, admin.Endpoints) {
	t.Helper()
	p := start(t, true, args...)
	var e admin.Endpoints
	if err := json.Unmarshal([]byte(p.until(t, `"serving"`)), &e); err != nil || e.Admin == "" {
		t.Fatalf("%+v %v", e, err)
	}
	p.keepLog(t, args[2])
	return p, e
}

func TestServeSurvivesKill(t *testing.T) {
	data := t.TempDir()
	p, e := startServe(t, serveFree("us-east-1", data)...)
	call(t, e, "CreateTable", `{"TableName":"things","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}`)
	call(t, e, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"x"},"n":{"N":"1"}}}`)
	p.stop(t, os.Kill)

	p, e = startServe(t, serveFree("us-east-1", data)...)
	if got := call(t, e, "GetItem", `{"TableName":"things","Key":{"pk":{"S":"x"}}}`); !strings.Contains(got, `"n":{"N":"1"}`) {
		t.Errorf("after kill -9: %s", got)
	}
	code, page := getPage(t, e.Admin+"/admin/item?table=things&key="+`%7B%22pk%22:%7B%22S%22:%22x%22%7D%7D`)
	if code != 200 || !strings.Contains(page, `"stamp": "`) || !strings.Contains(page, `"deleted": false`) {
		t.Errorf("/admin/item: %d %s", code, page)
	}
	if code, page := getPage(t, e.Admin+"/metrics"); code != 200 || !strings.Contains(page, "meridian_pebble_wal_bytes{") {
		t.Errorf("/metrics: %d %s", code, page)
	}
	refused(t, exitUsage, data, serveFree("us-east-1", data)...) // held by the process above
	if code := p.stop(t, os.Interrupt); code != exitOK {
		t.Errorf("exit code %d after an interrupt", code)
	}
	refused(t, exitUsage, "us-east-1", serveFree("eu-west-1", data)...) // of another region
}

// call sends a DynamoDB request and returns the answer, which must be a success.
func call(t *testing.T, e admin.Endpoints, operation, body string) string {
	t.Helper()
	code, text, err := request(t.Context(), e, operation, body)
	if err != nil || code != 200 {
		t.Fatalf("%s: %d %s %v", operation, code, text, err)
	}
	return text
}

func getPage(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	return readAll(t, res)
}

func readAll(t *testing.T, res *http.Response) (int, string) {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}
