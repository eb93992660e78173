package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/item"
)

// fleetSource is an admin Source that answers for a whole fleet.
type fleetSource struct {
	regions []admin.Status
	ready   error
}

func (f *fleetSource) Status() admin.Status { return f.regions[0] }
func (f *fleetSource) Ready() error         { return f.ready }
func (f *fleetSource) Fleet(context.Context) admin.Fleet {
	return admin.Fleet{From: f.regions[0].Region, Regions: f.regions}
}

func (f *fleetSource) Item(context.Context, string, item.Item) (admin.ItemState, error) {
	return admin.ItemState{}, nil
}

func adminServer(t *testing.T, f *fleetSource) string {
	t.Helper()
	reg, _ := admin.NewRegistry("x")
	s := httptest.NewServer(admin.Handler(admin.Options{Source: f, Metrics: admin.NewMetrics(reg)}))
	t.Cleanup(s.Close)
	return s.URL
}

// runHere runs a command in this process.
func runHere(args ...string) (code int, stdout, stderr string) {
	var out, errs strings.Builder
	code = run(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestStatusAsksOneForAllOrEachForItself(t *testing.T) {
	fleet := healthyFleet()
	one := adminServer(t, &fleetSource{regions: fleet})
	other := adminServer(t, &fleetSource{regions: fleet[1:]})
	_, want, _ := runHere("status", "--admin", one)
	if !strings.Contains(want, "us-east-1 → eu-west-1") {
		t.Fatal(want)
	}
	for _, args := range [][]string{{"--admin", other, "--admin", one}, {"--admin", other + "," + strings.TrimPrefix(one, "http://")}} {
		code, got, stderr := runHere(append([]string{"status"}, args...)...)
		if code != exitOK || got != want || stderr != "" {
			t.Errorf("%v: %d %q, got\n%swant\n%s", args, code, stderr, got, want)
		}
	}
}

func TestStatusTellsBySilentExitCode(t *testing.T) {
	fleet := healthyFleet()
	fleet[0].Peers[0].Connected = false
	code, stdout, stderr := runHere("status", "--admin", adminServer(t, &fleetSource{regions: fleet}))
	if code != exitFailed || !strings.Contains(stdout, "problem: region eu-west-1 has no link") || stderr != "" {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	code, stdout, stderr = runHere("status", "--json", "--admin", adminServer(t, &fleetSource{regions: fleet}))
	var r report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != exitFailed || r.Healthy || len(r.Problems) != 1 || stderr != "" {
		t.Errorf("%d %v %q %q", code, err, stdout, stderr)
	}
}

func TestStatusTellsOfLag(t *testing.T) {
	at := adminServer(t, &fleetSource{regions: healthyFleet()}) // 12.3 ms behind
	for _, c := range []struct {
		flag string
		code int
		say  string
	}{
		{"--max-lag=1s", exitOK, "\nhealthy\n"}, {"--max-lag=10ms", exitFailed, "us-east-1 are 12ms apart"}, {"--max-lag=0", exitOK, "\nhealthy\n"},
	} {
		if code, stdout, stderr := runHere("status", c.flag, "--admin", at); code != c.code || !strings.Contains(stdout, c.say) || stderr != "" {
			t.Errorf("%s: %d %q %q", c.flag, code, stdout, stderr)
		}
	}
}

func TestStatusWatches(t *testing.T) {
	asked := make(chan struct{}, 100)
	fleet := healthyFleet()
	inner := adminServer(t, &fleetSource{regions: fleet})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		http.Redirect(w, r, inner+r.URL.Path, http.StatusFound)
	}))
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var out, errs strings.Builder
	done := make(chan int)
	go func() { done <- run(ctx, []string{"status", "--watch=1ms", "--admin", s.URL}, &out, &errs) }()
	for range 3 {
		<-asked
	}
	cancel()
	if code := <-done; code != exitOK || strings.Count(out.String(), "\nhealthy\n") < 2 || errs.String() != "" {
		t.Errorf("%d %q %q", code, out.String(), errs.String())
	}
}

// One of several that is gone leaves the others' answers standing.
func TestStatusOfSeveralWithOneGone(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	code, stdout, _ := runHere("status", "--admin", adminServer(t, &fleetSource{regions: healthyFleet()}), "--admin", gone.URL)
	if code != exitFailed || !strings.Contains(stdout, "eu-west-1   ") || !strings.Contains(stdout, "at "+gone.URL+" does not answer") {
		t.Errorf("%d %s", code, stdout)
	}
}

func TestNotAnAdminAddress(t *testing.T) {
	for _, body := range []string{"hello", "{}", `{"regions":[]}`, ""} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		defer s.Close()
		code, stdout, stderr := runHere("status", "--admin", s.URL)
		if code != exitFailed || stdout != "" || !strings.Contains(stderr, "is no Meridian admin address") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: %d %q %q", body, code, stdout, stderr)
		}
		code, stdout, _ = runHere("status", "--admin", s.URL, "--admin", s.URL)
		if code != exitFailed || strings.Count(stdout, "is no Meridian admin address") != 2 {
			t.Errorf("%q twice: %d %q", body, code, stdout)
		}
	}
}

func TestHealth(t *testing.T) {
	f := &fleetSource{regions: healthyFleet()}
	at := adminServer(t, f)
	if code, stdout, stderr := runHere("health", "--admin", at); code != exitOK || stdout != "ready\n" || stderr != "" {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	f.ready = context.Canceled
	if code, stdout, stderr := runHere("health", "--admin", at); code != exitFailed || stdout != "" || !strings.Contains(stderr, "503: not ready: ") {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
}

func TestParseAdmin(t *testing.T) {
	for text, want := range map[string]string{
		"http://h:1": "http://h:1", "h:1": "http://h:1", ":9000": "http://:9000", "https://h/": "https://h",
		"[::1]:9000": "http://[::1]:9000", "h": "http://h", "": "", "ftp://h": "", "http://": "", "h:port": "", "http://a b": "",
	} {
		got, err := parseAdmin(text)
		if got != want || (err == nil) != (want != "") || err != nil && exitCode(err) != exitUsage {
			t.Errorf("%q: %q %v, want %q", text, got, err, want)
		}
	}
}
