package expr

import (
	"slices"
	"strings"

	"github.com/meridiandb/meridian/item"
)

// Params are one request's substitutions. They note which are used, so that unused ones can be refused over all of the
// request's expressions. They are for one goroutine.
type Params struct {
	names      map[string]string
	values     map[string]item.Value
	usedNames  map[string]bool
	usedValues map[string]bool
}

// NewParams takes ExpressionAttributeNames and ExpressionAttributeValues with their sigils; either may be nil.
func NewParams(names map[string]string, values map[string]item.Value) *Params {
	return &Params{names, values, make(map[string]bool, len(names)), make(map[string]bool, len(values))}
}

func (p *Params) name(ref string) (string, bool) {
	n, ok := p.names[ref]
	if ok {
		p.usedNames[ref] = true
	}
	return n, ok
}

func (p *Params) value(ref string) (item.Value, bool) {
	v, ok := p.values[ref]
	if ok {
		p.usedValues[ref] = true
	}
	return v, ok
}

// CheckUnused refuses substitutions that no expression bound so far has used.
func (p *Params) CheckUnused() error {
	if u := unused(p.names, p.usedNames); u != "" {
		return errorf("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", u)
	}
	if u := unused(p.values, p.usedValues); u != "" {
		return errorf("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", u)
	}
	return nil
}

func unused[V any](have map[string]V, used map[string]bool) string {
	var keys []string
	for k := range have {
		if !used[k] {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return strings.Join(keys, ", ")
}
