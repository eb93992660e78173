package filter

import (
	"bytes"
	"encoding/json"
)

// Decode reads a record for Match.
func Decode(record []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(record))
	d.UseNumber() // a number keeps its text; numeric alone looks at its value
	var v any
	err := d.Decode(&v)
	return v, err
}

// Match reports whether a record, as Decode returns it, matches.
func (p *Pattern) Match(v any) bool { return p.root.match(v) }

func (n *node) match(v any) bool {
	for i := range n.fields {
		if !n.fields[i].match(v) {
			return false
		}
	}
	for _, group := range n.ors {
		if !anyNode(group, v) {
			return false
		}
	}
	return true
}

func anyNode(group []node, v any) bool {
	for i := range group {
		if group[i].match(v) {
			return true
		}
	}
	return false
}

// match looks for a field in an object, or in one of a list of objects.
func (f *field) match(v any) bool {
	if list, ok := v.([]any); ok {
		for _, e := range list {
			if _, isObject := e.(map[string]any); isObject && f.match(e) {
				return true
			}
		}
		return false
	}
	object, _ := v.(map[string]any) // of anything else no field is there
	have, present := object[f.name]
	if f.inner != nil {
		return f.inner.match(have)
	}
	list, ok := have.([]any)
	if !ok {
		return f.holds(have, present)
	}
	for _, e := range list {
		if f.holds(e, true) {
			return true
		}
	}
	return len(list) == 0 && f.holds(nil, false)
}

func (f *field) holds(v any, present bool) bool {
	for _, t := range f.tests {
		if t(v, present) {
			return true
		}
	}
	return false
}
