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
	usedNames  refs
	usedValues refs
}

// NewParams takes ExpressionAttributeNames and ExpressionAttributeValues with their sigils; either may be nil.
func NewParams(names map[string]string, values map[string]item.Value) *Params {
	return &Params{names: names, values: values}
}

func (p *Params) name(ref string) (string, bool) {
	n, ok := p.names[ref]
	if ok {
		p.usedNames.add(ref)
	}
	return n, ok
}

func (p *Params) value(ref string) (item.Value, bool) {
	v, ok := p.values[ref]
	if ok {
		p.usedValues.add(ref)
	}
	return v, ok
}

// CheckUnused refuses substitutions that no expression bound so far has used.
func (p *Params) CheckUnused() error {
	if u := unused(p.names, &p.usedNames); u != "" {
		return errorf("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", u)
	}
	if u := unused(p.values, &p.usedValues); u != "" {
		return errorf("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", u)
	}
	return nil
}

func unused[V any](have map[string]V, used *refs) string {
	if len(have) == used.len() {
		return ""
	}
	var keys []string
	for k := range have {
		if !used.has(k) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return strings.Join(keys, ", ")
}

// refs is a set of references: a list while it is short, as it nearly always is, and then a map.
type refs struct {
	few  []string
	many map[string]bool
}

const fewRefs = 16

func (r *refs) len() int { return len(r.few) + len(r.many) }

func (r *refs) has(ref string) bool { return slices.Contains(r.few, ref) || r.many[ref] }

func (r *refs) add(ref string) {
	switch {
	case r.has(ref):
	case len(r.few) < fewRefs:
		r.few = append(r.few, ref)
	case r.many == nil:
		r.many = map[string]bool{ref: true}
	default:
		r.many[ref] = true
	}
}
