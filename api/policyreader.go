package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// policyReader is the text of a policy that is valid JSON.
type policyReader string

// policyPart is a member or an element: raw is the text from start to end.
type policyPart struct {
	name       string
	raw        json.RawMessage
	start, end int
}

// parts returns what an object or a list has, in order.
func (p policyReader) parts(of policyPart) (list []policyPart) {
	dec := json.NewDecoder(strings.NewReader(string(of.raw)))
	open, _ := dec.Token()
	for dec.More() {
		var part policyPart
		if open == json.Delim('{') {
			name, _ := dec.Token()
			part.name, _ = name.(string)
		}
		_ = dec.Decode(&part.raw) // all of it is valid
		part.end = of.start + int(dec.InputOffset())
		part.start = part.end - len(part.raw)
		list = append(list, part)
	}
	return list
}

// syntax is the error of a part that is nothing in its place: it names the position after it.
func (p policyReader) syntax(part policyPart) error {
	before := string(p)[:part.end]
	line := strings.Count(before, "\n") + 1
	column := len(before) - strings.LastIndexByte(before, '\n')
	return errPolicy(fmt.Sprintf("Syntax error at position (%d,%d)", line, column))
}

func (p policyReader) document() (doc policyDocument, err error) {
	whole := policyPart{raw: json.RawMessage(p), end: len(p)}
	found := false
	for _, m := range p.parts(whole) {
		switch m.name {
		case "Version":
			doc.Version, err = p.text(m)
			if err == nil && doc.Version != defaultPolicyVersion && doc.Version != "2012-10-17" {
				err = errPolicy("The policy must contain a valid version string")
			}
		case "Id":
			doc.ID, err = p.text(m)
		case "Statement":
			found = true
			doc.Statement, err = p.statements(m)
		default:
			err = p.syntax(m)
		}
		if err != nil {
			return doc, err
		}
	}
	if !found {
		return doc, p.syntax(whole)
	}
	seen := map[string]bool{}
	for _, s := range doc.Statement {
		if s.Sid != "" && seen[s.Sid] {
			return doc, errPolicy("The Statement Ids in the policy are not unique")
		}
		seen[s.Sid] = true
		if s.Effect == "Allow" && s.Condition == nil && everybody(s.Principal) {
			return doc, errValidation("Resource-based policy grants unbounded access in one or more elements. " +
				"Please revise the policy to ensure least-privilege form of access")
		}
	}
	return doc, nil
}

func (p policyReader) statements(m policyPart) (list []policyStatement, err error) {
	parts := []policyPart{m} // one may stand without a list
	if m.raw[0] == '[' {
		if parts = p.parts(m); len(parts) == 0 {
			return nil, errPolicy("Could not parse the policy: Statement is empty!")
		}
	}
	for _, part := range parts {
		if part.raw[0] != '{' {
			return nil, p.syntax(part)
		}
		s, err := p.statement(part)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

func (p policyReader) statement(of policyPart) (s policyStatement, err error) {
	for _, m := range p.parts(of) {
		switch m.name {
		case "Sid":
			s.Sid, err = p.text(m)
		case "Effect":
			s.Effect, err = p.effect(m)
		case "Principal":
			s.Principal, err = p.principal(m)
		case "NotPrincipal":
			s.NotPrincipal, err = p.principal(m)
		case "Action":
			s.Action, err = p.texts(m)
		case "NotAction":
			s.NotAction, err = p.texts(m)
		case "Resource":
			s.Resource, err = p.texts(m)
		case "NotResource":
			s.NotResource, err = p.texts(m)
		case "Condition":
			s.Condition, err = p.condition(m)
		default:
			err = p.syntax(m)
		}
		if err != nil {
			return s, err
		}
	}
	switch {
	case s.Effect == "":
		return s, errPolicy("Missing required field Effect")
	case s.Principal == nil && s.NotPrincipal == nil:
		return s, errPolicy("Missing required field Principal")
	case s.Action == nil && s.NotAction == nil:
		return s, errPolicy("Missing required field Action")
	case s.Resource == nil && s.NotResource == nil:
		return s, errPolicy("Missing required field Resource")
	}
	return s, nil
}

func (p policyReader) text(m policyPart) (s string, err error) {
	if m.raw[0] != '"' || json.Unmarshal(m.raw, &s) != nil {
		return "", p.syntax(m)
	}
	return s, nil
}

// texts reads a string or a list of strings.
func (p policyReader) texts(m policyPart) (any, error) {
	if m.raw[0] == '"' {
		return p.text(m)
	}
	var list []string
	if json.Unmarshal(m.raw, &list) != nil || len(list) == 0 {
		return nil, p.syntax(m)
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return list, nil
}

func (p policyReader) effect(m policyPart) (string, error) {
	s, err := p.text(m)
	switch {
	case err != nil:
		return "", err
	case strings.EqualFold(s, "Allow"):
		return "Allow", nil
	case strings.EqualFold(s, "Deny"):
		return "Deny", nil
	}
	return "", p.syntax(m)
}

var accountID = regexp.MustCompile(`^\d{12}$`)

func (p policyReader) principal(m policyPart) (any, error) {
	if string(m.raw) == `"*"` {
		return "*", nil
	}
	if m.raw[0] != '{' {
		return nil, p.syntax(m)
	}
	kinds := map[string]any{}
	for _, kind := range p.parts(m) {
		names, err := p.texts(kind)
		if err != nil {
			return nil, err
		}
		if kind.name == "AWS" {
			names = principals(names)
		}
		kinds[kind.name] = names
	}
	return kinds, nil
}

// principals writes accounts as their roots, and each of them once.
func principals(names any) any {
	var list []string
	switch names := names.(type) {
	case string:
		list = []string{names}
	case []string:
		list = names
	}
	var out []string
	for _, name := range list {
		if accountID.MatchString(name) {
			name = "arn:aws:iam::" + name + ":root"
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if len(out) == 1 {
		return out[0]
	}
	return out
}

// everybody reports whether a principal is anyone.
func everybody(principal any) bool {
	switch principal := principal.(type) {
	case string:
		return principal == "*"
	case []string:
		return slices.Contains(principal, "*")
	case map[string]any:
		return everybody(principal["AWS"])
	}
	return false
}

// condition reads {operator: {key: value or values}}.
func (p policyReader) condition(m policyPart) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(m.raw))
	dec.UseNumber()
	var operators map[string]map[string]any
	if dec.Decode(&operators) != nil || operators == nil {
		return nil, p.syntax(m)
	}
	for _, keys := range operators {
		for key, value := range keys {
			if list, ok := value.([]any); ok && len(list) == 1 {
				keys[key] = list[0]
			}
		}
	}
	return operators, nil
}
