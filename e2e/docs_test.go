package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func documents(t *testing.T) []string {
	t.Helper()
	list := []string{"../README.md", "../CONTRIBUTING.md"}
	for _, pattern := range []string{"../docs/*.md", "../docs/decisions/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		list = append(list, found...)
	}
	return list
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	markdownLink = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	sourceFile   = regexp.MustCompile("`((?:[\\w.-]+/)+[\\w.-]+\\.(?:go|sh|py|yml|md))`")
)

// What the documents point at is there.
func TestDocumentsPointAtWhatIsThere(t *testing.T) {
	for _, doc := range documents(t) {
		text := read(t, doc)
		for _, m := range markdownLink.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", doc, m[1], err)
			}
		}
		for _, m := range sourceFile.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
				t.Errorf("%s names the file %s: %v", doc, m[1], err)
			}
		}
	}
}

var functionRow = regexp.MustCompile("(?m)^\\| [^|]+ \\| `([\\w/.]+\\.go)` \\| `([\\w.]+)` \\|$")

// The write that architecture.md follows goes through functions that exist.
func TestArchitectureNamesRealFunctions(t *testing.T) {
	rows := functionRow.FindAllStringSubmatch(read(t, "../docs/architecture.md"), -1)
	if len(rows) < 20 {
		t.Fatalf("only %d rows found", len(rows))
	}
	for _, row := range rows {
		file, name := row[1], row[2]
		declaration := `(?m)^func ` + name + `\(`
		if receiver, method, ok := strings.Cut(name, "."); ok {
			declaration = `(?m)^func \(\w+ \*?` + receiver + `\) ` + method + `\(`
		}
		text, err := os.ReadFile(filepath.Join("..", file))
		if err != nil || !regexp.MustCompile(declaration).Match(text) {
			t.Errorf("docs/architecture.md names %s in %s, which is not there (%v)", name, file, err)
		}
	}
}
