package main

import (
	"os"
	"regexp"
	"runtime"
	"strconv"
	"testing"
)

// TestSpareProcessors asks a running region how many processors its scheduler thinks it has.
func TestSpareProcessors(t *testing.T) {
	figure := regexp.MustCompile(`(?m)^go_sched_gomaxprocs_threads (\d+)$`)
	for said, want := range map[string]func(int) bool{
		"":  func(n int) bool { return n > backgroundJobs && n <= runtime.NumCPU()+backgroundJobs },
		"2": func(n int) bool { return n == 2 },
	} {
		t.Run("GOMAXPROCS="+said, func(t *testing.T) {
			t.Setenv("GOMAXPROCS", said)
			p, e := startServe(t, serveFree("us-east-1", t.TempDir())...)
			_, page := getPage(t, e.Admin+"/metrics")
			found := figure.FindStringSubmatch(page)
			if found == nil {
				t.Fatalf("no figure in %s", page)
			}
			if n, err := strconv.Atoi(found[1]); err != nil || !want(n) {
				t.Errorf("%d of %d processors (%v)", n, runtime.NumCPU(), err)
			}
			if code := p.stop(t, os.Interrupt); code != exitOK {
				t.Errorf("exit code %d", code)
			}
		})
	}
}
