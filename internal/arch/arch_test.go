package arch_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// file is one Go file, parsed alone: the rules are checked also while packages do not compile.
type file struct {
	pkg  string // folder inside the module
	name string
	ast  *ast.File
	fset *token.FileSet
}

func (f file) test() bool { return strings.HasSuffix(f.name, "_test.go") }

func (f file) at(n ast.Node) string {
	return fmt.Sprintf("%s/%s:%d", f.pkg, f.name, f.fset.Position(n.Pos()).Line)
}

func importPath(i *ast.ImportSpec) string {
	p, err := strconv.Unquote(i.Path.Value)
	if err != nil {
		return i.Path.Value
	}
	return p
}

// TestImports holds every file of the module against the rules.
func TestImports(t *testing.T) {
	files := parseModule(t, "../..")
	if len(files) < 50 {
		t.Fatalf("found only %d Go files: is the module elsewhere?", len(files))
	}
	for _, f := range files {
		for _, problem := range problems(f) {
			t.Error(problem)
		}
	}
}

// parseModule parses what it can. Unfinished files are their authors' business; their imports stand at the top and are seen.
func parseModule(t *testing.T, root string) []file {
	t.Helper()
	var files []file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if p != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "vendor") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(p)
		if os.IsNotExist(err) { // saved under another name just now
			return nil
		} else if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(p))
		if err != nil {
			return err
		}
		if f, ok := parse(filepath.ToSlash(dir), name, string(text)); ok {
			files = append(files, f)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func parse(pkg, name, text string) (file, bool) {
	fset := token.NewFileSet()
	tree, _ := parser.ParseFile(fset, name, text, parser.SkipObjectResolution) // a part of a broken file is enough
	return file{pkg, name, tree, fset}, tree != nil && tree.Name != nil
}

// problems says what is wrong with a file, why, and how to mend it.
func problems(f file) (all []string) {
	say := func(n ast.Node, format string, args ...any) {
		all = append(all, f.at(n)+": "+fmt.Sprintf(format, args...))
	}
	if slices.Contains(badNames, strings.TrimSuffix(f.ast.Name.Name, "_test")) || slices.Contains(badNames, path.Base(f.pkg)) {
		say(f.ast.Name, "a package named %s collects what nobody owns: name it after the idea it owns", f.ast.Name.Name)
	}
	for _, i := range f.ast.Imports {
		p := importPath(i)
		for _, b := range bans {
			if b.from(f) && b.to(p) && (b.tests || !f.test()) && !usesOnly(f, i, b.only) {
				say(i, "imports %s. Banned, because %s. Instead: %s", p, b.why, b.remedy)
			}
		}
	}
	if anyExact(f.pkg, pure) && !f.test() {
		impurities(f, say)
	}
	return all
}

// usesOnly reports whether a file uses no names of an import but the allowed ones.
func usesOnly(f file, i *ast.ImportSpec, allowed []string) bool {
	if len(allowed) == 0 {
		return false
	}
	name, only := path.Base(importPath(i)), true
	if i.Name != nil {
		name = i.Name.Name
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == name && !slices.Contains(allowed, s.Sel.Name) {
				only = false
			}
		}
		return true
	})
	return only && name != "." && name != "_"
}

func anyExact(pkg string, list []string) bool { return slices.Contains(list, pkg) }

// impurities looks for I/O, clocks, goroutines, channels and locks in a pure package's file.
func impurities(f file, say func(ast.Node, string, ...any)) {
	const rule = "a pure package decides, its driver acts"
	names := map[string]string{} // what a file calls an imported package
	for _, i := range f.ast.Imports {
		p := importPath(i)
		if why, bad := impureImports[p]; bad {
			say(i, "%s is pure and imports %s: %s (%s)", f.pkg, p, why, rule)
		}
		if inside, ok := strings.CutPrefix(p, module+"/"); ok && !anyExact(inside, pure) && inside != "internal/fault" {
			say(i, "%s is pure and imports %s, which is not: move the part it needs into a pure package (%s)", f.pkg, p, rule)
		}
		names[path.Base(p)] = p
		if i.Name != nil {
			names[i.Name.Name] = p
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			say(n, "%s is pure and starts a goroutine: return what is to be done (%s)", f.pkg, rule)
		case *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
			say(n, "%s is pure and uses channels: take input as arguments, return output (%s)", f.pkg, rule)
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				say(n, "%s is pure and does something at import time: use a constructor or a literal", f.pkg)
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				if why, bad := impureCalls[names[x.Name]][n.Sel.Name]; bad {
					say(n, "%s is pure and uses %s.%s: %s (%s)", f.pkg, x.Name, n.Sel.Name, why, rule)
				}
			}
		}
		return true
	})
}

// TestRulesBite checks the checker: each of these is found, each with a remedy.
func TestRulesBite(t *testing.T) {
	pebble, grpc := "github.com/cockroachdb/pebble/v2/vfs", "google.golang.org/grpc/codes"
	prometheus, serf := "github.com/prometheus/client_golang/prometheus", "github.com/hashicorp/serf/serf"
	imports := func(p string) string { return fmt.Sprintf("package x\nimport %q\n", p) }
	for _, c := range []struct {
		pkg, name, text string
		want            string // "": nothing is wrong
	}{
		{"region/table", "a.go", imports(module + "/replication/link"), "declares the Source and Sink"},
		{"replication", "a.go", imports(module + "/region"), "Source or Sink"},
		{"replication", "a_test.go", imports(module + "/region"), "repltest"},
		{"replication/repltest", "a.go", imports(module + "/region"), ""},
		{"regional", "a.go", imports(module + "/replication"), ""},
		{"api", "a.go", imports(module + "/replication/member"), "ask region"},
		{"region", "a.go", imports(module + "/cmd/meridian"), "out of cmd"},
		{"bench", "a.go", imports(module + "/region"), "HTTP and admin APIs"},
		{"bench/limits", "a.go", imports(module + "/storage/pebblestore/rawpebble"), ""},
		{"region", "a.go", imports(pebble), "use package storage"},
		{"region", "a_test.go", imports(pebble), ""},
		{"storage/pebblestore", "a.go", imports(pebble), ""},
		{"replication", "a.go", imports(grpc), "transport"},
		{"replication/grpclink", "a.go", imports(grpc), ""},
		{"cmd/meridian", "a.go", imports(serf), "replication/member"},
		{"api", "http.go", imports(prometheus) + "var x prometheus.Counter", "metrics.go"},
		{"api", "http.go", imports(prometheus) + "type Options struct { R prometheus.Registerer }", ""},
		{"api", "metrics.go", imports(prometheus), ""},
		{"cmd/meridian", "a.go", imports(prometheus), ""},
		{"item/util", "a.go", "package util", "the idea it owns"},
		{"item", "a.go", imports("os"), "I/O"},
		{"item", "a_test.go", imports("os"), ""},
		{"crdt", "a.go", imports("sync"), "locks"},
		{"crdt", "a.go", imports(module + "/storage"), "which is not"},
		{"crdt", "a.go", "package x\nimport t \"time\"\nvar x = t.Now()", "take now as an argument"},
		{"crdt", "a.go", "package x\nimport \"time\"\nvar x = time.Second", ""},
		{"conflict", "a.go", "package x\nfunc f() { go f() }", "starts a goroutine"},
		{"conflict", "a.go", "package x\nvar c chan int", "channels"},
		{"expr", "a.go", "package x\nfunc init() {}", "constructor"},
		{"replication/link", "a.go", imports("net") + "func broken( {", "I/O"},
	} {
		f, ok := parse(c.pkg, c.name, c.text)
		if !ok {
			t.Errorf("%s/%s was not parsed: %q", c.pkg, c.name, c.text)
			continue
		}
		got := strings.Join(problems(f), "\n")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s/%s, %q: %q, want %q", c.pkg, c.name, c.text, got, c.want)
		}
	}
}
