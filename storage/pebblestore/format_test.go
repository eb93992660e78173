package pebblestore_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/pebblestore"
)

func TestFormatFile(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       string // in the error; "": opens
	}{
		{"this format", "meridian 1\n", ""},
		{"newer", "meridian 2\n", "the folder has format 2, this program knows formats up to 1: use a newer program"},
		{"newer by far", "meridian 10\n", "the folder has format 10,"},
		{"half a number", "meridian 1", `says "meridian 1", which is no format of Meridian`},
		{"empty", "", `says "", which is no format of Meridian`},
		{"zero", "meridian 0\n", "no format of Meridian"},
		{"sign", "meridian +1\n", "no format of Meridian"},
		{"spaces", "meridian  1\n", "no format of Meridian"},
		{"more", "meridian 1\nmore", "no format of Meridian"},
		{"foreign", "something else\n", "no format of Meridian"},
	} {
		fs := vfs.NewMem()
		if err := fs.MkdirAll("data", 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, fs, "data/MERIDIAN", []byte(c.file))
		s, err := pebblestore.Open("data", pebblestore.Options{FS: fs})
		if err == nil {
			err = s.Close()
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestNewFolder opens what a crash in the middle of the first Open may leave: nothing, a half-written marker, the marker only.
func TestNewFolder(t *testing.T) {
	for _, left := range []string{"", "MERIDIAN.tmp", "MERIDIAN"} {
		fs := vfs.NewCrashableMem()
		switch left {
		case "MERIDIAN.tmp":
			must(t, fs.MkdirAll("data", 0o755))
			writeFile(t, fs, "data/MERIDIAN.tmp", []byte("meri"))
		case "MERIDIAN":
			must(t, fs.MkdirAll("data", 0o755))
			writeFile(t, fs, "data/MERIDIAN", []byte("meridian 1\n"))
		}
		recovered(t, fs, 0)
		if got := string(readFile(t, fs, "data/MERIDIAN")); got != "meridian 1\n" {
			t.Errorf("after %q the marker says %q", left, got)
		}
		recovered(t, fs.CrashClone(vfs.CrashCloneCfg{}), 1) // the folder itself is durable
	}
}

func TestForeignDatabase(t *testing.T) {
	fs := vfs.NewMem()
	db, err := pebble.Open("data", &pebble.Options{FS: fs})
	must(t, err)
	must(t, db.Close())
	_, err = pebblestore.Open("data", pebblestore.Options{FS: fs})
	if err == nil || !strings.Contains(err.Error(), "the folder holds a database that is not Meridian's (MANIFEST-") {
		t.Errorf("Open: %v", err)
	}
}

// TestLostManifest takes away the list of files: Pebble alone would begin an empty store.
func TestLostManifest(t *testing.T) {
	fs := vfs.NewMem()
	must(t, open(t, fs, "data", pebblestore.Options{}).Close())
	names, err := fs.List("data")
	must(t, err)
	for _, n := range names {
		if strings.HasPrefix(n, "marker.manifest.") {
			must(t, fs.Remove("data/"+n))
		}
	}
	_, err = pebblestore.Open("data", pebblestore.Options{FS: fs})
	var c *storage.CorruptionError
	if !errors.As(err, &c) || !strings.Contains(err.Error(), "but no marker.manifest file") {
		t.Errorf("Open: %v, want a CorruptionError", err)
	}
}

func TestOptions(t *testing.T) {
	if _, err := pebblestore.Open("data", pebblestore.Options{FS: vfs.NewMem(), CacheBytes: -1}); err == nil {
		t.Error("a cache of -1 bytes was taken")
	}
}

// TestCheckpoint opens a copy beside the store that goes on, in memory and on disk.
func TestCheckpoint(t *testing.T) {
	for _, fs := range []vfs.FS{vfs.NewMem(), nil} {
		dir := t.TempDir()
		s := open(t, fs, filepath.Join(dir, "data"), pebblestore.Options{MemTableBytes: 64 << 10})
		n := &numbered{s: s, weight: 1000}
		for range 100 {
			must(t, n.commit())
		}
		must(t, s.Checkpoint(filepath.Join(dir, "copy")))
		must(t, n.commit())
		c := open(t, fs, filepath.Join(dir, "copy"), pebblestore.Options{})
		if count, err := check(c); err != nil || count != 100 {
			t.Errorf("the copy has %d numbers, %v, want 100", count, err)
		}
		must(t, (&numbered{s: c, next: 100}).commit())
		must(t, c.Close())
		if count, err := check(s); err != nil || count != 101 {
			t.Errorf("the store has %d numbers, %v, want 101", count, err)
		}
		must(t, s.Close())
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
