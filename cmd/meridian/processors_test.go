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
	spared := goesBy(runtime.SetDefaultGOMAXPROCS)
	if spared == runtime.NumCPU() { // no quota
		spared += backgroundJobs
	}
	for env, want := range map[string]int{"": spared, "2": 2} {
		t.Run("GOMAXPROCS="+env, func(t *testing.T) {
			t.Setenv("GOMAXPROCS", env)
			p, e := startServe(t, serveFree("us-east-1", t.TempDir())...)
			_, page := getPage(t, e.Admin+"/metrics")
			found := figure.FindStringSubmatch(page)
			if found == nil {
				t.Fatalf("no figure in %s", page)
			}
			if n, err := strconv.Atoi(found[1]); err != nil || n != want {
				t.Errorf("%d processors, want %d of a machine with %d (%v)", n, want, runtime.NumCPU(), err)
			}
			if code := p.stop(t, os.Interrupt); code != exitOK {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// goesBy returns what set makes of GOMAXPROCS, and puts it back.
func goesBy(set func()) int {
	before := runtime.GOMAXPROCS(0)
	set()
	return runtime.GOMAXPROCS(before)
}
