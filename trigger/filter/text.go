package filter

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// textOperator reads an operator on texts.
func textOperator(name string, arg any) (test, error) {
	holds, err := onText(name, arg)
	if err != nil {
		return nil, err
	}
	return leaf(func(v any) bool {
		s, ok := v.(string)
		return ok && holds(s)
	}), nil
}

func onText(name string, arg any) (func(string) bool, error) {
	if fold, ok := folded(name, arg); ok {
		return fold, nil
	}
	s, ok := arg.(string)
	if !ok {
		return nil, fmt.Errorf("%s takes a text", name)
	}
	switch name {
	case "prefix":
		return func(v string) bool { return strings.HasPrefix(v, s) }, nil
	case "suffix":
		return func(v string) bool { return strings.HasSuffix(v, s) }, nil
	case "equals-ignore-case":
		return func(v string) bool { return strings.EqualFold(v, s) }, nil
	case "wildcard":
		return wildcard(s)
	}
	return nil, fmt.Errorf("there is no operator %q", name)
}

// folded reads {"prefix": {"equals-ignore-case": "a"}} and the same of suffix.
func folded(name string, arg any) (func(string) bool, bool) {
	m, _ := arg.(map[string]any)
	s, ok := m["equals-ignore-case"].(string)
	if !ok || len(m) != 1 {
		return nil, false
	}
	// Runes that fold onto each other may differ in length: the text is cut by runes.
	want := []rune(s)
	switch name {
	case "prefix":
		return func(v string) bool {
			have := []rune(v)
			return len(have) >= len(want) && strings.EqualFold(string(have[:len(want)]), s)
		}, true
	case "suffix":
		return func(v string) bool {
			have := []rune(v)
			return len(have) >= len(want) && strings.EqualFold(string(have[len(have)-len(want):]), s)
		}, true
	}
	return nil, false
}

// wildcard matches a text in which * stands for anything; \* and \\ are themselves.
func wildcard(pattern string) (func(string) bool, error) {
	var parts []string
	var b strings.Builder
	star := false
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern) && (pattern[i+1] == '*' || pattern[i+1] == '\\'):
			i++
			b.WriteByte(pattern[i])
			star = false
		case c == '\\':
			return nil, errors.New("in a wildcard, \\ stands before * or \\")
		case c == '*' && star:
			return nil, errors.New("in a wildcard, * does not follow *")
		case c == '*':
			parts = append(parts, b.String())
			b.Reset()
			star = true
		default:
			b.WriteByte(c)
			star = false
		}
	}
	parts = append(parts, b.String())
	return func(s string) bool { return matchParts(parts, s) }, nil
}

// matchParts reports whether s is the parts in order with anything between them. Taking each at its first place is right: it
// leaves the most for the others.
func matchParts(parts []string, s string) bool {
	if len(parts) == 1 {
		return s == parts[0]
	}
	last := parts[len(parts)-1]
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return strings.HasSuffix(s, last)
}

// anythingBut matches a leaf that is there and is none of some values.
func anythingBut(arg any) (test, error) {
	var not []test
	switch arg := arg.(type) {
	case map[string]any:
		if len(arg) != 1 {
			return nil, errors.New("anything-but takes one operator")
		}
		for name, values := range arg {
			list, ok := values.([]any)
			if !ok {
				list = []any{values}
			}
			for _, v := range list {
				t, err := textOperator(name, v)
				if err != nil {
					return nil, fmt.Errorf("anything-but: %w", err)
				}
				not = append(not, t)
			}
		}
	case []any:
		for _, v := range arg {
			t, err := butValue(v)
			if err != nil {
				return nil, err
			}
			not = append(not, t)
		}
	default:
		t, err := butValue(arg)
		if err != nil {
			return nil, err
		}
		not = append(not, t)
	}
	if len(not) == 0 {
		return nil, errors.New("anything-but takes a value")
	}
	return leaf(func(v any) bool {
		for _, t := range not {
			if t(v, true) {
				return false
			}
		}
		return true
	}), nil
}

func butValue(v any) (test, error) {
	switch v.(type) {
	case string, json.Number:
		return literal(v)
	}
	return nil, errors.New("anything-but takes texts or numbers")
}
