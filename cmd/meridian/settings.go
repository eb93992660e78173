package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"
)

// Every flag of serve can also be given as a variable or in a file. The order of precedence is
//
//	command line > environment > file > default
//
// --replication-listen is MERIDIAN_REPLICATION_LISTEN in the environment and replication-listen in the file. An empty
// variable counts as not set, as compose files and units tend to have them.

const configFlag = "config"

func envName(flag string) string {
	return "MERIDIAN_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fillFlags gives values to the flags that the command line left alone.
func fillFlags(flags *pflag.FlagSet, getenv func(string) string) error {
	if err := fillFromEnv(flags, getenv); err != nil {
		return err
	}
	path := flags.Lookup(configFlag).Value.String()
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return usagef("cannot read the configuration: %w", err)
	}
	if err := fillFromFile(flags, text); err != nil {
		return usagef("%s: %w", path, err)
	}
	return nil
}

func fillFromEnv(flags *pflag.FlagSet, getenv func(string) string) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		v := getenv(envName(f.Name))
		if f.Changed || v == "" || f.Name == "help" || err != nil {
			return
		}
		if e := flags.Set(f.Name, v); e != nil {
			err = usagef("%s: %w", envName(f.Name), rootCause(e))
		}
	})
	return err
}

// fillFromFile takes a YAML mapping of flag names to values; lists are for flags that can be repeated. A name that is no
// flag is refused: a misspelt setting must not be a setting that silently does nothing.
func fillFromFile(flags *pflag.FlagSet, text []byte) error {
	d := yaml.NewDecoder(strings.NewReader(string(text)))
	var doc yaml.Node
	if err := d.Decode(&doc); err == io.EOF {
		return nil // nothing but comments
	} else if err != nil {
		return err
	}
	if err := d.Decode(new(yaml.Node)); err != io.EOF {
		return errors.New("there is more than one document")
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: not a list of \"name: value\"", top.Line)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(top.Content); i += 2 {
		name, value := top.Content[i].Value, top.Content[i+1]
		if err := setFromFile(flags, seen, name, value); err != nil {
			return fmt.Errorf("line %d: %s: %w", top.Content[i].Line, name, err)
		}
	}
	return nil
}

func setFromFile(flags *pflag.FlagSet, seen map[string]bool, name string, value *yaml.Node) error {
	f := flags.Lookup(name)
	if f == nil || name == configFlag || name == "help" {
		return errors.New("there is no such setting")
	}
	if seen[name] {
		return errors.New("it is set twice")
	}
	seen[name] = true
	var list []string
	switch {
	case value.Kind == yaml.ScalarNode && value.Tag == "!!null":
		return nil // "name:" with nothing after it
	case value.Kind == yaml.ScalarNode:
		list = []string{value.Value}
	case value.Kind == yaml.SequenceNode && value.Decode(&list) == nil:
	default:
		return errors.New("it takes one value, or a list of them")
	}
	if f.Changed {
		return nil
	}
	if s, ok := f.Value.(pflag.SliceValue); ok && value.Kind == yaml.SequenceNode {
		return s.Replace(list)
	}
	if len(list) != 1 {
		return errors.New("it takes one value, not a list")
	}
	return rootCause(flags.Set(name, list[0]))
}

// rootCause is the value's own complaint without pflag's words around it, which speak of command-line arguments.
func rootCause(err error) error {
	for e := err; e != nil; e = errors.Unwrap(e) {
		err = e
	}
	return err
}
