package drill

import (
	"cmp"
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
)

//go:embed scenarios/*.yaml
var files embed.FS

// order is how the named scenarios are listed: what happens most often first.
var order = []string{
	"region-outage", "pause", "partition", "cut-off", "one-way-partition", "slow-link", "flapping-link", "clock-skew", "full-disk",
	"rolling-restart", "disk-lost", "all-restarted",
}

// All lists the named scenarios.
func All() ([]Scenario, error) {
	entries, err := files.ReadDir("scenarios")
	if err != nil {
		return nil, err
	}
	var all []Scenario
	for _, e := range entries {
		text, err := files.ReadFile(path.Join("scenarios", e.Name()))
		if err != nil {
			return nil, err
		}
		s, err := Parse(e.Name(), text)
		if err != nil {
			return nil, err
		}
		if s.Name+".yaml" != e.Name() {
			return nil, fmt.Errorf("%s has the name %s", e.Name(), s.Name)
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Scenario) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Name), slices.Index(order, b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}

// Named finds a named scenario.
func Named(name string) (Scenario, error) {
	all, err := All()
	if err != nil {
		return Scenario{}, err
	}
	var names []string
	for _, s := range all {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Scenario{}, fmt.Errorf("there is no drill %q; there are %s; a file of your own ends with .yaml", name, strings.Join(names, ", "))
}

// Source is the text of a named scenario, to begin one's own with.
func Source(name string) ([]byte, error) {
	if _, err := Named(name); err != nil {
		return nil, err
	}
	return files.ReadFile("scenarios/" + name + ".yaml")
}
