package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
)

// inner measures what no client can: the applier, and the allocations of a request. Tests and benchmarks beside the code do
// it; it needs this checkout, as building the server does.
func (s *suite) inner(ctx context.Context) error {
	if s.server == nil || s.binary != "" {
		return nil
	}
	if s.wants("apply") {
		out, err := goTest(ctx, "./region/table", "-run", "^$", "-bench", "AgainstPebble", "-benchtime", "30000x")
		if err != nil {
			return err
		}
		f, err := figures(out, `([\d.]+) changes/s\s+.*?([\d.]+) raw/s`)
		if err != nil {
			return err
		}
		s.add(Row{Path: "apply of replicated changes", Against: "raw Pebble, no syncs", Ours: f[0], Limit: f[1], Unit: "changes/s", Target: 0.40})
	}
	if !s.wants("allocations") {
		return nil
	}
	out, err := goTest(ctx, "./api", "-run", "^TestAllocationsOfARegion$", "-count=1", "-v")
	if err != nil {
		return err
	}
	for _, row := range []struct {
		operation string
		most      float64
	}{{"GetItem", 15}, {"PutItem", 40}} {
		f, err := figures(out, row.operation+`: (\d+) allocations`)
		if err != nil {
			return err
		}
		s.add(Row{Path: "allocations, " + row.operation, Against: "target", Ours: f[0], Limit: row.most, Unit: "a request", Target: 1, AtMost: true})
	}
	return nil
}

func goTest(ctx context.Context, args ...string) (string, error) {
	say("go test %v", args)
	cmd := exec.CommandContext(ctx, "go", append([]string{"test"}, args...)...) //nolint:gosec // ours
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go test %v: %w\n%s", args, err, out)
	}
	return string(out), nil
}

// figures finds numbers in a test's output.
func figures(out, pattern string) (all []float64, err error) {
	m := regexp.MustCompile(pattern).FindStringSubmatch(out)
	if m == nil {
		return nil, fmt.Errorf("no %s in what go test says:\n%s", pattern, out)
	}
	for _, text := range m[1:] {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}
