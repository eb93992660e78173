package drill

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Parse reads a scenario. It is strict: a name that means nothing is refused, since a misspelt limit must not be one that
// silently does not hold. Errors begin with file and line.
func Parse(file string, text []byte) (Scenario, error) {
	s, err := parse(text)
	if err != nil {
		return s, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

func parse(text []byte) (Scenario, error) {
	s := defaults()
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return s, errors.New("there is nothing in it")
	} else if err != nil {
		return s, err
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return s, errors.New("there is more than one document")
	}
	err := object(doc.Content[0], setters{
		"name": text1(&s.Name), "title": text1(&s.Title), "about": text1(&s.About), "expect": text1(&s.Expect), "wan": text1(&s.WAN),
		"load": func(n *yaml.Node) error {
			return object(n, setters{"for": duration(&s.Load.For), "clients": integer(&s.Load.Clients), "rate": decimal(&s.Load.Rate)})
		},
		"steps":  func(n *yaml.Node) error { return steps(n, &s.Steps) },
		"limits": func(n *yaml.Node) error { return object(n, limitSetters(&s.Limits)) },
	})
	if err != nil {
		return s, err
	}
	if s.Title == "" {
		s.Title = s.Name
	}
	return s, s.check()
}

func limitSetters(l *Limits) setters {
	return setters{
		"client-outage": duration(&l.ClientOutage), "slow": duration(&l.Slow), "catch-up": duration(&l.CatchUp),
		"converge": duration(&l.Converge), "lost-writes": integer(&l.LostWrites), "errors": decimal(&l.Errors),
	}
}

func steps(n *yaml.Node, to *[]Step) error {
	if n.Kind != yaml.SequenceNode {
		return at(n, errors.New("steps are a list"))
	}
	for _, e := range n.Content {
		st, err := step(e)
		if err != nil {
			return err
		}
		*to = append(*to, st)
	}
	return nil
}

func step(n *yaml.Node) (Step, error) {
	st := Step{line: n.Line}
	said := map[string]bool{}
	note := func(name string, set setter) setter {
		return func(n *yaml.Node) error {
			said[name] = true
			return set(n)
		}
	}
	var do string
	all := setters{
		"at": note("at", duration(&st.At)), "do": note("do", text1(&do)),
		"region": note("region", text1(&st.Region)), "from": note("from", text1(&st.From)), "to": note("to", text1(&st.To)),
		"one-way": note("one-way", boolean(&st.OneWay)), "add": note("add", duration(&st.Add)),
		"share": note("share", decimal(&st.Share)), "jump": note("jump", duration(&st.Jump)), "drift": note("drift", duration(&st.Drift)),
	}
	if err := object(n, all); err != nil {
		return st, err
	}
	st.Do = Action(do)
	takes, ok := fields[st.Do]
	switch {
	case !said["at"]:
		return st, at(n, errors.New("a step says when: at"))
	case !ok:
		return st, at(n, fmt.Errorf("do %q is none of %s", do, listActions()))
	}
	for _, f := range takes {
		if name, must := strings.CutSuffix(f, "!"); must && !said[name] {
			return st, at(n, fmt.Errorf("%s needs %q", st.Do, name))
		}
	}
	for name := range said {
		if name != "at" && name != "do" && !slices.Contains(takes, name) && !slices.Contains(takes, name+"!") {
			return st, at(n, fmt.Errorf("%s takes no %q", st.Do, name))
		}
	}
	return st, nil
}

func listActions() string {
	var all []string
	for _, a := range slices.Sorted(maps.Keys(fields)) {
		all = append(all, string(a))
	}
	return strings.Join(all, ", ")
}

type (
	setter  func(*yaml.Node) error
	setters map[string]setter
)

// object sets what a mapping names, each name once.
func object(n *yaml.Node, known setters) error {
	if n.Kind != yaml.MappingNode {
		return at(n, errors.New(`not a list of "name: value"`))
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i].Value, n.Content[i+1]
		set, ok := known[name]
		if !ok {
			return at(n.Content[i], fmt.Errorf("there is no %q here; there are %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", ")))
		}
		if seen[name] {
			return at(n.Content[i], fmt.Errorf("%q is set twice", name))
		}
		seen[name] = true
		if err := set(value); err != nil {
			return at(value, fmt.Errorf("%s: %w", name, err))
		}
	}
	return nil
}

// lined is an error that knows its line already.
type lined struct {
	line int
	err  error
}

func (e *lined) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e *lined) Unwrap() error { return e.err }

// at gives an error a line, unless something inside it has a more exact one.
func at(n *yaml.Node, err error) error {
	var l *lined
	if errors.As(err, &l) {
		return l
	}
	return &lined{n.Line, err}
}

func scalar(n *yaml.Node) (string, error) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return "", errors.New("it takes one value")
	}
	return n.Value, nil
}

func text1(to *string) setter {
	return func(n *yaml.Node) (err error) {
		*to, err = scalar(n)
		*to = strings.Join(strings.Fields(*to), " ")
		return err
	}
}

func duration(to *time.Duration) setter {
	return func(n *yaml.Node) error {
		v, err := scalar(n)
		if err != nil {
			return err
		}
		if *to, err = time.ParseDuration(v); err != nil {
			return fmt.Errorf("%q is no time, like 300ms or 5s", v)
		}
		return nil
	}
}

func integer(to *int) setter {
	return func(n *yaml.Node) error {
		v, err := scalar(n)
		if err != nil {
			return err
		}
		if *to, err = strconv.Atoi(v); err != nil || *to < 0 {
			return fmt.Errorf("%q is no whole number from 0", v)
		}
		return nil
	}
}

func decimal(to *float64) setter {
	return func(n *yaml.Node) error {
		v, err := scalar(n)
		if err != nil {
			return err
		}
		if *to, err = strconv.ParseFloat(v, 64); err != nil || !(*to >= 0) {
			return fmt.Errorf("%q is no number from 0", v)
		}
		return nil
	}
}

func boolean(to *bool) setter {
	return func(n *yaml.Node) error {
		v, err := scalar(n)
		if err != nil {
			return err
		}
		if v != "true" && v != "false" {
			return fmt.Errorf("%q is neither true nor false", v)
		}
		*to = v == "true"
		return nil
	}
}
