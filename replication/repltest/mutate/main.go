// Mutate breaks the code on purpose, one way at a time, and reports whether repltest finds it. It changes no file: the broken
// ones are laid over the real ones when the test is built (go build -overlay).
//
//	go run ./replication/repltest/mutate                   all mutations
//	go run ./replication/repltest/mutate -only=latch,split some
//
// It exits with 1 if one was not found, and fails with an error if the code that a mutation changes no longer stands: then the
// mutation must follow it.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	only := flag.String("only", "", "names of mutations, separated by commas; empty: all")
	factor := flag.Int("factor", 1, "how many times the seeds that a mutation should need are tried; 0: see only that all compile")
	flag.Parse()
	missed, err := run(*only, *factor)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if missed > 0 {
		fmt.Printf("%d not found\n", missed)
		os.Exit(1)
	}
}

// run tries mutations and counts those that were not found.
func run(only string, factor int) (missed int, err error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return 0, fmt.Errorf("run this inside the module: %w", err)
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	for _, m := range mutations {
		if only != "" && !strings.Contains(","+only+",", ","+m.name+",") {
			continue
		}
		found, err := m.try(strings.TrimSpace(string(root)), filepath.Join(dir, m.name), factor)
		if err != nil { // the others are tried all the same
			fmt.Printf("%-14s NOT TRIED: %v\n", m.name, err)
		}
		if !found {
			missed++
		}
	}
	return missed, nil
}

// step is how many seeds one process runs.
const step = 6

// try builds the test with the mutation and runs seeds until one fails.
func (m mutation) try(root, dir string, factor int) (found bool, err error) {
	binary, err := m.build(root, dir)
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // binaries are large
	if factor == 0 {
		fmt.Printf("%-14s compiles\n", m.name)
		return true, nil
	}
	start := time.Now()
	for at := 0; at < m.seeds*factor; at += step {
		cmd := exec.Command(binary, "-test.run=TestSeeds", fmt.Sprint("-from=", at), fmt.Sprint("-seeds=", step), "-test.timeout=600s")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err == nil {
			continue
		}
		fmt.Printf("%-14s found in %v: %s\n", m.name, time.Since(start).Round(time.Second), problem(out))
		return true, nil
	}
	fmt.Printf("%-14s NOT FOUND by %d seeds in %v\n", m.name, m.seeds*factor, time.Since(start).Round(time.Second))
	return false, nil
}

var problemLine = regexp.MustCompile(`(?m)^.*(seed \d+: .*|panic: .*|fatal error: .*)$`)

func problem(out []byte) string {
	if p := problemLine.FindSubmatch(out); p != nil {
		return string(p[1])
	}
	return string(out[:min(len(out), 300)])
}

// build makes the test's binary.
func (m mutation) build(root, dir string) (string, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	replace := map[string]string{}
	for i, e := range m.edits {
		file := filepath.Join(root, filepath.FromSlash(e.file))
		from := file
		if r, ok := replace[file]; ok {
			from = r
		}
		text, err := os.ReadFile(from) //nolint:gosec // a file of this module
		if err != nil {
			return "", err
		}
		if n := bytes.Count(text, []byte(e.old)); n != 1 {
			return "", fmt.Errorf("%s has %d times what is to be changed:\n%s", e.file, n, e.old)
		}
		broken := filepath.Join(dir, fmt.Sprint(i, ".go"))
		if err := os.WriteFile(broken, bytes.Replace(text, []byte(e.old), []byte(e.new), 1), 0o600); err != nil {
			return "", err
		}
		replace[file] = broken
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	list, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "repltest.test")
	if err := errors.Join(err, os.WriteFile(list, overlay, 0o600)); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "test", "-overlay", list, "-c", "-o", binary, "./replication/repltest")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("it does not compile: %w\n%s", err, out)
	}
	return binary, nil
}
