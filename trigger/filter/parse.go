package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
)

// Limits of one pattern. Lambda's own is 4,096 characters.
const (
	MaxBytes  = 4096
	maxDepth  = 100
	maxLeaves = 1000
)

// Pattern is one parsed pattern.
type Pattern struct{ root node }

// node is one object of a pattern: fields that must all match, and alternatives of which each group must.
type node struct {
	fields []field
	ors    [][]node
}

// field is one member of a pattern: a list of tests for a leaf, or an object.
type field struct {
	name  string
	inner *node  // nil: tests
	tests []test // one of them must hold
}

// test is one entry of a list.
type test func(v any, present bool) bool

// Parse reads a pattern.
func Parse(text string) (*Pattern, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("it has more than %d characters", MaxBytes)
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, errors.New("it is no JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) { // not More, which takes a closing bracket for an end
		return nil, errors.New("something follows it")
	}
	p := parser{}
	n, err := p.object(v, 0)
	if err != nil {
		return nil, err
	}
	if len(n.fields) == 0 && len(n.ors) == 0 {
		return nil, errors.New("it is empty")
	}
	return &Pattern{*n}, nil
}

type parser struct{ leaves int }

func (p *parser) object(v any, depth int) (*node, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("a pattern is an object whose leaves are lists")
	}
	if depth > maxDepth {
		return nil, errors.New("it is nested too deeply")
	}
	n := new(node)
	for _, name := range sorted(m) {
		var err error
		switch inner := m[name].(type) {
		case []any:
			if name == "$or" {
				err = p.or(n, inner, depth)
				break
			}
			err = p.list(n, name, inner)
		case map[string]any:
			f := field{name: name}
			f.inner, err = p.object(inner, depth+1)
			if err == nil && len(f.inner.fields) == 0 && len(f.inner.ors) == 0 {
				err = fmt.Errorf("%q is an empty object", name)
			}
			n.fields = append(n.fields, f)
		default:
			err = fmt.Errorf("%q is neither an object nor a list", name)
		}
		if err != nil {
			return nil, err
		}
	}
	return n, nil
}

func sorted(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (p *parser) or(n *node, list []any, depth int) error {
	if len(list) < 2 {
		return errors.New("$or takes two patterns or more")
	}
	var group []node
	for _, v := range list {
		alternative, err := p.object(v, depth+1)
		if err != nil {
			return fmt.Errorf("$or: %w", err)
		}
		group = append(group, *alternative)
	}
	n.ors = append(n.ors, group)
	return nil
}

func (p *parser) list(n *node, name string, list []any) error {
	if len(list) == 0 {
		return fmt.Errorf("%q has an empty list", name)
	}
	f := field{name: name}
	for _, v := range list {
		if p.leaves++; p.leaves > maxLeaves {
			return errors.New("it has too many values")
		}
		t, err := entry(v)
		if err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		f.tests = append(f.tests, t)
	}
	n.fields = append(n.fields, f)
	return nil
}

// entry reads one entry of a leaf's list.
func entry(v any) (test, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return literal(v)
	}
	if len(m) != 1 {
		return nil, errors.New("an operator is an object with one member")
	}
	for name, arg := range m {
		switch name {
		case "exists":
			want, ok := arg.(bool)
			if !ok {
				return nil, errors.New("exists takes true or false")
			}
			return func(v any, present bool) bool { return (present && isLeaf(v)) == want }, nil
		case "numeric":
			return numeric(arg)
		case "cidr":
			return cidr(arg)
		case "anything-but":
			return anythingBut(arg)
		}
		return textOperator(name, arg)
	}
	panic("unreachable")
}

// literal matches an equal value.
func literal(v any) (test, error) {
	switch v := v.(type) {
	case nil:
		return leaf(func(have any) bool { return have == nil }), nil
	case string:
		return leaf(func(have any) bool { return have == v }), nil
	case bool:
		return leaf(func(have any) bool { return have == v }), nil
	case json.Number:
		want, err := strconv.ParseFloat(v.String(), 64)
		if err != nil {
			return nil, fmt.Errorf("%s is too large a number", v)
		}
		return leaf(func(have any) bool {
			n, ok := number(have)
			return ok && n == want
		}), nil
	}
	return nil, errors.New("a list in a list matches nothing")
}

// leaf is a test of a leaf that is there.
func leaf(holds func(any) bool) test {
	return func(v any, present bool) bool { return present && isLeaf(v) && holds(v) }
}

func isLeaf(v any) bool {
	_, isObject := v.(map[string]any)
	return !isObject
}

func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// numeric reads one comparison, or two that bound a range.
func numeric(arg any) (test, error) {
	list, ok := arg.([]any)
	if !ok || len(list) != 2 && len(list) != 4 {
		return nil, errors.New("numeric takes an operator and a number, or two of both")
	}
	var all []func(float64) bool
	for i := 0; i < len(list); i += 2 {
		c, err := comparison(list[i], list[i+1])
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(list) == 4 && !(oneOf(list[0], ">", ">=") && oneOf(list[2], "<", "<=")) {
		return nil, errors.New("a range of numbers is like [\">\", 0, \"<=\", 5]")
	}
	return leaf(func(v any) bool {
		n, ok := number(v)
		return ok && !slices.ContainsFunc(all, func(c func(float64) bool) bool { return !c(n) })
	}), nil
}

func oneOf(v any, names ...string) bool {
	s, ok := v.(string)
	return ok && slices.Contains(names, s)
}

func comparison(operator, operand any) (func(float64) bool, error) {
	want, ok := number(operand)
	if !ok {
		return nil, errors.New("numeric compares with numbers")
	}
	switch operator {
	case "=":
		return func(n float64) bool { return n == want }, nil
	case "!=":
		return func(n float64) bool { return n != want }, nil
	case "<":
		return func(n float64) bool { return n < want }, nil
	case "<=":
		return func(n float64) bool { return n <= want }, nil
	case ">":
		return func(n float64) bool { return n > want }, nil
	case ">=":
		return func(n float64) bool { return n >= want }, nil
	}
	return nil, fmt.Errorf("numeric knows no operator %v", operator)
}

func cidr(arg any) (test, error) {
	s, _ := arg.(string)
	block, err := netip.ParsePrefix(s)
	if err != nil {
		return nil, fmt.Errorf("%q is no block of addresses", s)
	}
	return leaf(func(v any) bool {
		s, _ := v.(string)
		a, err := netip.ParseAddr(s)
		return err == nil && block.Contains(a)
	}), nil
}
