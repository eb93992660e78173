package pebblestore_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/storage/pebblestore"
)

// childFolder, set in its environment, makes the test binary a process that commits until it is killed.
const childFolder = "MERIDIAN_TEST_CHILD_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		fmt.Fprintln(os.Stderr, child(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// child commits from four goroutines and prints every number once it is durable. It returns only an error.
func child(dir string) error {
	s, err := pebblestore.Open(dir, pebblestore.Options{CacheBytes: 1 << 20, MemTableBytes: 64 << 10})
	if err != nil {
		return err
	}
	last, err := check(s)
	if err != nil {
		return err
	}
	n := &numbered{s: s, next: last, acked: last, weight: 1000}
	failed := make(chan error)
	for range 4 {
		go func() {
			for {
				if err := n.commit(); err != nil {
					failed <- err
				}
				fmt.Println(n.acknowledged())
			}
		}()
	}
	return <-failed
}

// TestKillAndSecondProcess kills a process with signal 9 while it commits, again and again in one folder. While it lives, the
// folder is refused to another.
func TestKillAndSecondProcess(t *testing.T) {
	dir := t.TempDir()
	const seed = 5
	r := rand.New(rand.NewPCG(seed, 0))
	for range 5 {
		printed := runAndKill(t, dir, 10+r.IntN(150))
		s := open(t, nil, dir, pebblestore.Options{})
		if n, err := check(s); err != nil || n < printed {
			t.Fatalf("seed %d: %d numbers, %v, but %d were printed", seed, n, err, printed)
		}
		if _, err := pebblestore.Open(dir, pebblestore.Options{}); err == nil {
			t.Fatal("one process opened a folder twice")
		}
		must(t, s.Close())
	}
}

// runAndKill runs a child until it has printed some lines, and returns the highest number printed.
func runAndKill(t *testing.T, dir string, lines int) (highest uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childFolder+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	read := bufio.NewReader(out)
	for i := 0; ; i++ {
		line, err := read.ReadString('\n')
		if err == io.EOF {
			break
		}
		must(t, err)
		if n, err := strconv.ParseUint(strings.TrimSpace(line), 10, 64); err == nil {
			highest = max(highest, n)
		}
		if i == lines {
			if _, err := pebblestore.Open(dir, pebblestore.Options{}); err == nil || !strings.Contains(err.Error(), "another process has it open") {
				t.Errorf("a second process: %v", err)
			}
			must(t, cmd.Process.Kill())
		}
	}
	return highest
}
