package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// asMeridian makes this test binary be meridian: what runs is exactly main, in a process of its own, without a second link.
const asMeridian = "MERIDIAN_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMeridian) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func meridian(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asMeridian+"=1")
	return cmd
}

// exec1 runs meridian to its end.
func exec1(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := meridian(ctx, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// refused checks a failure: its exit code, and one line on standard error that says what is wrong.
func refused(t *testing.T, want int, say string, args ...string) {
	t.Helper()
	code, stdout, stderr := exec1(t, args...)
	stderr = said(stderr)
	if code != want || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "meridian: ") ||
		!strings.Contains(stderr, say) {
		t.Errorf("meridian %s: exit code %d, want %d and a line with %q; stdout %q, stderr %q",
			strings.Join(args, " "), code, want, say, stdout, stderr)
	}
}

// said is what meridian said, less that the machine's disk is nearly full, which a warning may tell at any time.
func said(stderr string) string {
	lines := strings.SplitAfter(stderr, "\n")
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, "disk space is low") }), "")
}

func TestWrongCommandLines(t *testing.T) {
	for _, c := range []struct{ args, say string }{
		{"frobnicate", `there is no command "frobnicate"`},
		{"--frobnicate", "unknown flag: --frobnicate"},
		{"version extra", "takes no arguments"},
		{"dev --port x", "--port"},
		{"dev --cache big", "no size"},
		{"dev --conflicts-age 0s", "--conflicts-age must be"},
		{"serve --region us-east-1 --data /tmp --conflicts-size 0", "--conflicts-size must be"},
		{"dev --regions US-EAST-1", `"US-EAST-1"`},
		{"dev --regions us_east", `"us_east"`},
		{"dev --regions ,", `region name ""`},
		{"dev --regions us-east-1,us-east-1", "us-east-1 twice"},
		{"dev --wan mars", `there is no WAN profile "mars"`},
		{"dev --wan aws --regions us-east-1,mars-north-1", "has no region mars-north-1"},
		{"serve --region mars-north-1 --data x --wan aws", "has no region mars-north-1"},
		{"route --region us-east-1", "is not name=URL"},
		{"route --region us-east-1=nowhere", "is not like http://127.0.0.1:8000"},
		{"fault partition --from us-east-1", "must name two regions"},
		{"fault pause --from us-east-1 --to eu-west-1", "--for is missing"},
		{"fault partition --from us-east-1 --to eu-west-1 --for -5s", "no negative time"},
		{"fault loss --from us-east-1 --to eu-west-1 --share 2", "is not a share"},
		{"fault loss --from us-east-1 --to eu-west-1 --share NaN", "is not a share"},
		{"fault clock --region us-east-1", "say how wrong"},
		{"fault clock --region us-east-1 --jump 10s --right", "say how wrong"},
		{"fault clock --region us-east-1 --jump 25h", "more than a day"},
		{"fault clock --jump 1s", "--region is missing"},
		{"fault disk --region us-east-1", "say --full or --free"},
		{"route --sign", "AWS_SECRET_ACCESS_KEY"},
		{"drill run", "name a drill"},
		{"drill run region-outrage", `there is no drill "region-outrage"; there are region-outage`},
		{"drill run --all pause", "name none"},
		{"drill run pause --target mars", "none of serve, dev, compose"},
		{"drill run pause --repeat 0", "--repeat"},
		{"drill run pause --regions us-east-1,US", `"US"`},
		{"drill run pause --regions us-east-1,mars-north-1", "has no region mars-north-1"},
		{"drill run pause --target compose --parallel 2", "--parallel"},
		{"drill run pause --repeat 2 --history x", "--history is for one drill"},
		{"drill run nowhere.yaml", "nowhere.yaml"},
		{"drill run testdata/drill.yaml", `testdata/drill.yaml: line 4: there is no "regoin" here`},
		{"drill show", "name one drill"},
		{"dev --log-level loud", "--log-level"},
		{"dev --port 65534", "no port 65536"},
		{"dev --port 31000 --admin-port 31001", "wanted twice"},
		{"serve", "--region is missing"},
		{"serve --region us-east-1", "--data is missing"},
		{"serve --region x --data /tmp", "--region"},
		{"serve --region us-east-1 --data /tmp --log-format xml", "--log-format"},
		{"serve --region us-east-1 --data /tmp --listen nowhere", "not host:port"},
		{"serve --region us-east-1 --data /tmp --replication-listen 0.0.0.0:0", "--replication-advertise"},
		{"serve --region us-east-1 --data /tmp --gossip-listen :0", "--gossip-advertise"},
		{"serve --region us-east-1 --data /tmp --gossip-advertise host", "--gossip-advertise"},
		{"serve --region us-east-1 --data /tmp --join host", "--join"},
		{"serve --config /nowhere.yaml", "/nowhere.yaml"},
		{"status --admin ftp://x", "--admin"},
		{"health --admin http://", "--admin"},
	} {
		t.Run(c.args, func(t *testing.T) { refused(t, exitUsage, c.say, strings.Fields(c.args)...) })
	}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	for _, cmd := range append(newRoot().Commands(), newRoot()) {
		if cmd.Example == "" || cmd.Short == "" {
			t.Errorf("%s has no example or no short description", cmd.CommandPath())
		}
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		if code, stdout, stderr := exec1(t, args...); code != exitOK || !strings.Contains(stdout, "Examples:") || stderr != "" {
			t.Errorf("%v: exit code %d, %q %q", args, code, stdout, stderr)
		}
	}
	if code, stdout, _ := exec1(t); code != exitOK || !strings.Contains(stdout, "meridian dev") {
		t.Errorf("without arguments: exit code %d, %q", code, stdout)
	}
}

func TestVersionCommand(t *testing.T) {
	if code, stdout, _ := exec1(t, "version"); code != exitOK || !strings.HasPrefix(stdout, "meridian ") {
		t.Errorf("exit code %d, %q", code, stdout)
	}
	if code, stdout, _ := exec1(t, "version", "--json"); code != exitOK || !strings.Contains(stdout, `"version":`) {
		t.Errorf("exit code %d, %q", code, stdout)
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	refused(t, exitFailed, "connection refused", "health", "--admin", address)
	refused(t, exitFailed, "connection refused", "status", "--admin", address)
}

func TestPortsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	data := filepath.Join(t.TempDir(), "data")
	args := []string{"--port", port, "--admin-port", "0", "--replication-port", "0", "--gossip-port", "0", "--data", data}
	refused(t, exitUsage, port+" (DynamoDB endpoint of us-east-1: address already in use)",
		append([]string{"dev", "--regions", "us-east-1"}, args...)...)
	if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the data folder was touched: %v", err)
	}
}

func TestUnusableFolders(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	serve := func(data string) []string { return serveFree("us-east-1", data) }
	refused(t, exitUsage, "is not a folder", serve(file)...)
	refused(t, exitUsage, "not a directory", serve(filepath.Join(file, "below"))...)
	refused(t, exitUsage, "data folder", serve("/proc/self/no")...)
	if os.Getuid() != 0 { // root may write anywhere
		if err := os.Mkdir(filepath.Join(dir, "locked"), 0o500); err != nil {
			t.Fatal(err)
		}
		refused(t, exitUsage, "cannot write in data folder", serve(filepath.Join(dir, "locked"))...)
	}
}

// serveFree is a command line that serves a region on any free ports.
func serveFree(region, data string, more ...string) []string {
	return append([]string{"serve", "--region", region, "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
		"--replication-listen", "127.0.0.1:0", "--gossip-listen", "127.0.0.1:0", "--log-format", "json"}, more...)
}
