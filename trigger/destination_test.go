package trigger

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTornLine: what a crash or a full disk left of a line does not spoil the one after it.
func TestTornLine(t *testing.T) {
	d := destinations{folder: t.TempDir()}
	file := filepath.Join(d.folder, "failures")
	const first, torn, second, third = `{"n":1}`, `{"n":`, `{"n":2}`, `{"n":3}`
	if err := d.append("failures", []byte(first)); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(torn); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, record := range []string{second, third} {
		if err := d.append("failures", []byte(record)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != first+"\n"+torn+"\n"+second+"\n"+third+"\n" {
		t.Errorf("%q %v", got, err)
	}
}

// TestFileNames: a destination is a file in the folder, under a name that a file can have.
func TestFileNames(t *testing.T) {
	for _, name := range []string{
		"", ".", "..", "/", "a/b", "../a", "/a", ".hidden", "a/", "a\x00b", strings.Repeat("a", 256),
	} {
		if checkDestination(filePrefix+name, true) == nil {
			t.Errorf("%q is taken", name)
		}
	}
	d := destinations{folder: t.TempDir()}
	for _, name := range []string{"a", "a.jsonl", "a b", strings.Repeat("a", 255)} {
		if err := d.append(name, []byte("{}")); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}
