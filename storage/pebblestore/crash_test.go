package pebblestore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/pebblestore"
)

// TestPowerCut cuts the power at random points while goroutines commit, with memory tables so small that flushes, log
// rotations and compactions are under way. Of what was not synced, nothing, some or all of the blocks survive.
func TestPowerCut(t *testing.T) {
	runs := 40
	if testing.Short() {
		runs = 8
	}
	for seed := range uint64(runs) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { powerCut(t, seed) })
	}
}

func powerCut(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	fs := vfs.NewCrashableMem()
	tables := []uint64{8 << 10, 64 << 10, 1 << 20, 8 << 20}
	size := tables[r.IntN(len(tables))]
	s := open(t, fs, "data", pebblestore.Options{MemTableBytes: size})
	n := &numbered{s: s, weight: r.IntN(2000)}
	if size > 1<<20 { // so that there are small memory tables to be flushed
		n.weight += 8000
	}
	const commits = 300
	left := make(chan struct{}, commits)
	for range commits {
		left <- struct{}{}
	}
	close(left)
	type crash struct {
		fs    *vfs.MemFS
		acked uint64
	}
	var crashes []crash
	cuts := map[int]bool{r.IntN(commits): true, r.IntN(commits): true, 1: true}
	var mu sync.Mutex // a cut needs r, and its own moment
	done := 0
	var writers sync.WaitGroup
	for range 6 {
		writers.Go(func() {
			for range left {
				if err := n.commit(); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if done++; cuts[done] {
					acked := n.acknowledged() // first: what is acknowledged now must be in the clone
					cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 50, 90, 100}[r.IntN(4)], RNG: rand.New(rand.NewPCG(seed, 2))}
					crashes = append(crashes, crash{fs.CrashClone(cfg), acked})
				}
				mu.Unlock()
			}
		})
	}
	writers.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, c := range crashes {
		recovered(t, c.fs, c.acked)
		// What was recovered and added is itself durable.
		recovered(t, c.fs.CrashClone(vfs.CrashCloneCfg{}), c.acked+1)
	}
	recovered(t, fs.CrashClone(vfs.CrashCloneCfg{}), commits)
}

// TestTornTail cuts the end off the log at every length: Open takes what is whole.
func TestTornTail(t *testing.T) {
	fs, log := logOf(t, 6)
	whole := readFile(t, fs, log)
	was := uint64(6)
	for cut := len(whole); cut >= 0; cut -= 7 {
		writeFile(t, fs, log, whole[:cut])
		clone := fs.CrashClone(vfs.CrashCloneCfg{})
		s, err := pebblestore.Open("data", pebblestore.Options{FS: clone})
		if err != nil {
			t.Fatalf("with %d of %d bytes: %v", cut, len(whole), err)
		}
		n, err := check(s)
		if err != nil || n > was {
			t.Errorf("with %d of %d bytes: %d numbers, %v", cut, len(whole), n, err)
		}
		was = n
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if was != 0 {
		t.Errorf("an empty log holds %d numbers", was)
	}
}

// TestCorruptLog flips a bit in the middle of what had been synced: Open refuses, and says where. The bit is not near the
// end, where Pebble takes the damage for a torn write: see the hazard in doc.go.
func TestCorruptLog(t *testing.T) {
	fs, log := logOf(t, 2000)
	b := readFile(t, fs, log)
	b[len(b)/2] ^= 0x10
	writeFile(t, fs, log, b)
	_, err := pebblestore.Open("data", pebblestore.Options{FS: fs})
	var c *storage.CorruptionError
	if !errors.As(err, &c) {
		t.Fatalf("Open: %v, want a CorruptionError", err)
	}
	want := "^open store in data: corruption in " + log + ": pebble: error when replaying WAL: pebble/record: (invalid chunk|unexpected EOF)$"
	if !regexp.MustCompile(want).MatchString(err.Error()) {
		t.Errorf("Open says %q, want %q", err, want)
	}
}

// TestCorruptTable flips a bit in every sorted file: the first read that meets it fails, and the store with it.
func TestCorruptTable(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs, "data", pebblestore.Options{MemTableBytes: 16 << 10})
	n := &numbered{s: s, weight: 500}
	for range 200 {
		if err := n.commit(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := fs.List("data")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".sst") {
			b := readFile(t, fs, "data/"+name)
			b[len(b)/3] ^= 1
			writeFile(t, fs, "data/"+name, b)
		}
	}
	inFile := regexp.MustCompile(`corruption in file data/\d+\.sst: .*checksum mismatch`)
	wantCorrupt := func(what string, err error) {
		t.Helper()
		var c *storage.CorruptionError
		if !errors.As(err, &c) || !errors.Is(err, storage.ErrFailed) || !inFile.MatchString(err.Error()) {
			t.Errorf("%s: %v, want a CorruptionError that matches ErrFailed and names the file", what, err)
		}
	}
	s, err = pebblestore.Open("data", pebblestore.Options{FS: fs})
	if err != nil { // a compaction was quicker than Open
		wantCorrupt("Open", err)
		return
	}
	_, err = check(s)
	wantCorrupt("scan", err)
	<-s.Done()
	wantCorrupt("Err", s.Err())
	_, err = s.Get([]byte("xor"))
	wantCorrupt("Get", err)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// logOf makes a store whose log holds commits, and cuts the power. It returns the name of the log.
func logOf(t *testing.T, commits int) (*vfs.MemFS, string) {
	t.Helper()
	fs := vfs.NewCrashableMem()
	s := open(t, fs, "data", pebblestore.Options{MemTableBytes: 1 << 20})
	defer s.Close()
	n := &numbered{s: s, weight: 100}
	for range commits {
		if err := n.commit(); err != nil {
			t.Fatal(err)
		}
	}
	clone := fs.CrashClone(vfs.CrashCloneCfg{})
	names, err := clone.List("data")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".log") && len(readFile(t, clone, "data/"+name)) > 0 {
			return clone, "data/" + name
		}
	}
	t.Fatalf("no log among %q", names)
	return nil, ""
}

func readFile(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t *testing.T, fs vfs.FS, name string, b []byte) {
	t.Helper()
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(bytes.Clone(b)); err != nil { // under the race detector MemFS scribbles over its argument
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
	d, err := fs.OpenDir(fs.PathDir(name))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		t.Fatal(err)
	}
}

func crashConfig(percent int) vfs.CrashCloneCfg {
	return vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rand.New(rand.NewPCG(uint64(percent), 3))}
}
