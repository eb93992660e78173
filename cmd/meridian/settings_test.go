package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// settingsFixture is a flag set with one flag of each sort that serve has.
type settingsFixture struct {
	listen, config string
	join           []string
	cache          byteSize
}

func newSettings(t *testing.T, file string, args ...string) (*settingsFixture, *pflag.FlagSet) {
	t.Helper()
	s := &settingsFixture{cache: 1 << 20}
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.StringVar(&s.listen, "listen", "default", "")
	f.StringSliceVar(&s.join, "join", nil, "")
	f.Var(&s.cache, "cache", "")
	f.StringVar(&s.config, configFlag, "", "")
	if file != "" {
		path := filepath.Join(t.TempDir(), "meridian.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return s, f
}

func getenvFrom(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

func TestPrecedenceOfSettings(t *testing.T) {
	env := map[string]string{"MERIDIAN_LISTEN": "env"}
	for _, c := range []struct {
		name string
		args []string
		env  map[string]string
		file string
		want string
	}{
		{"default", nil, nil, "", "default"},
		{"file over default", nil, nil, "listen: file", "file"},
		{"environment over file", nil, env, "listen: file", "env"},
		{"flag over all", []string{"--listen", "flag"}, env, "listen: file", "flag"},
		{"flag over environment, even when it says the default", []string{"--listen", "default"}, env, "", "default"},
		{"an empty variable is none", nil, map[string]string{"MERIDIAN_LISTEN": ""}, "listen: file", "file"},
		{"a setting without value is none", nil, nil, "listen:", "default"},
		{"comments only", nil, nil, "# listen: file\n", "default"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, f := newSettings(t, c.file, c.args...)
			if err := fillFlags(f, getenvFrom(c.env)); err != nil {
				t.Fatal(err)
			}
			if s.listen != c.want {
				t.Errorf("got %q, want %q", s.listen, c.want)
			}
		})
	}
}

func TestListsInSettings(t *testing.T) {
	const want = "a:1 b:2"
	for _, c := range []struct {
		name string
		args []string
		env  map[string]string
		file string
	}{
		{"repeated flag", []string{"--join", "a:1", "--join", "b:2"}, map[string]string{"MERIDIAN_JOIN": "c:3"}, "join: [d:4]"},
		{"flag with comma", []string{"--join", "a:1,b:2"}, nil, ""},
		{"variable with comma", nil, map[string]string{"MERIDIAN_JOIN": "a:1,b:2"}, "join: [d:4]"},
		{"YAML list", nil, nil, "join: [a:1, b:2]"},
		{"YAML block list", nil, nil, "join:\n  - a:1\n  - b:2\n"},
		{"YAML comma list", nil, nil, "join: a:1,b:2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, f := newSettings(t, c.file, c.args...)
			if err := fillFlags(f, getenvFrom(c.env)); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(s.join, " "); got != want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestSettingsRefused(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"a name that is no setting", "# x\nlistn: x", "line 2: listn: there is no such setting"},
		{"no mapping", "- a", `not a list of "name: value"`},
		{"no YAML", "a: [", "yaml:"},
		{"twice", "listen: a\nlisten: b", "set twice"},
		{"a list for one value", "listen: [a, b]", "not a list"},
		{"a mapping for one value", "listen: {a: b}", "one value"},
		{"a list of mappings", "join: [{a: b}]", "one value"},
		{"two documents", "listen: a\n---\nlisten: b", "more than one document"},
		{"a file that names a file", "config: other.yaml", "no such setting"},
		{"a value of the wrong kind", "cache: much", `"much" is no size`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, f := newSettings(t, c.file)
			err := fillFlags(f, getenvFrom(nil))
			if err == nil || !strings.Contains(err.Error(), c.want) || exitCode(err) != exitUsage {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	_, f := newSettings(t, "")
	err := fillFlags(f, getenvFrom(map[string]string{"MERIDIAN_CACHE": "x"}))
	if err == nil || !strings.HasPrefix(err.Error(), "MERIDIAN_CACHE: ") || exitCode(err) != exitUsage {
		t.Errorf("a bad variable: %v", err)
	}
	err = fillFlags(f, getenvFrom(map[string]string{"MERIDIAN_CONFIG": "/nowhere/x.yaml"}))
	if err == nil || !strings.Contains(err.Error(), "/nowhere/x.yaml") || exitCode(err) != exitUsage {
		t.Errorf("a missing file: %v", err)
	}
}

// FuzzSettingsFile: no text makes reading the file panic.
func FuzzSettingsFile(f *testing.F) {
	for _, s := range []string{"listen: a", "join: [a]", "? [a]: b", "&a [*a]", "<<: {listen: x}", "!!binary x: y", "a: &a [*a]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, flags := newSettings(t, "")
		_ = fillFromFile(flags, []byte(text))
	})
}
