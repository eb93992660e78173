package api

import (
	"slices"
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
)

// named is a parameter and its value.
type named struct {
	name string
	text text
}

// substitutions are a request's ExpressionAttributeNames and ExpressionAttributeValues.
type substitutions struct {
	names     map[string]string
	values    map[string]item.Value
	namesSet  bool
	valuesSet bool
	badValue  error // the first value that breaks the data model, with its name
}

// member reads the two maps.
func (s *substitutions) member(d *decoder, name string) bool {
	switch name {
	case "ExpressionAttributeNames":
		s.names = map[string]string{}
		s.namesSet = d.mapping(stringClass, func(k string) {
			if t := d.text(); t.set {
				s.names[k] = t.s
			}
		})
	case "ExpressionAttributeValues":
		s.values = map[string]item.Value{}
		s.valuesSet = d.mapping(valueClass, func(k string) {
			v, err := d.value()
			if err != nil && s.badValue == nil {
				s.badValue = errValidation("ExpressionAttributeValues contains invalid value: " + err.Error() + " for key " + k)
			}
			if !v.IsZero() || err != nil {
				s.values[k] = v
			}
		})
	default:
		return false
	}
	return true
}

// usage is what an operation's rules between parameters need to know.
type usage struct {
	expressions []named // all it has, in the service's order
	legacy      []string
	// plain names the expressions that take no values; the others alone justify ExpressionAttributeValues.
	plain string
}

// rules applies the rules between parameters and to the two maps (DYNAMODB.md 4.4). It is the first of the semantic checks.
func (s *substitutions) rules(u usage) error {
	var used []string
	for _, e := range u.expressions {
		if e.text.set {
			used = append(used, e.name)
		}
	}
	if len(used) > 0 && len(u.legacy) > 0 {
		return errValidation("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {" +
			strings.Join(u.legacy, ", ") + "} Expression parameters: {" + strings.Join(used, ", ") + "}")
	}
	if s.namesSet {
		if len(used) == 0 {
			return errValidation("ExpressionAttributeNames can only be specified when using expressions")
		}
		if err := s.checkNames(); err != nil {
			return err
		}
	}
	if !s.valuesSet {
		return nil
	}
	if err := u.takeValues(); err != nil {
		return err
	}
	return s.checkValues()
}

// takeValues refuses ExpressionAttributeValues where no expression could use them.
func (u *usage) takeValues() error {
	var takers []string
	for _, e := range u.expressions {
		if e.name == u.plain {
			continue
		}
		if e.text.set {
			return nil
		}
		takers = append(takers, e.name)
	}
	message := "ExpressionAttributeValues can only be specified when using expressions"
	switch len(takers) {
	case 0:
	case 1:
		message += ": " + takers[0] + " is null"
	default:
		message += ": " + strings.Join(takers, " and ") + " are null"
	}
	return errValidation(message)
}

func (s *substitutions) checkNames() error {
	if len(s.names) == 0 {
		return errValidation("ExpressionAttributeNames must not be empty")
	}
	if err := checkPlaceholders("ExpressionAttributeNames", '#', s.names); err != nil {
		return err
	}
	bad, found := "", error(nil)
	for k, name := range s.names {
		if err := item.CheckName(name); err != nil && (found == nil || k < bad) { // of several always the same is told
			bad, found = k, err
		}
	}
	if found != nil && s.names[bad] == "" {
		return errValidation("ExpressionAttributeNames contains invalid value: Empty attribute name for key " + bad)
	}
	return found
}

func (s *substitutions) checkValues() error {
	if len(s.values) == 0 {
		return errValidation("ExpressionAttributeValues must not be empty")
	}
	if err := checkPlaceholders("ExpressionAttributeValues", ':', s.values); err != nil {
		return err
	}
	return s.badValue
}

// params makes the maps ready for the expressions, of which there is one at least if there are any.
func (s *substitutions) params() (*expr.Params, error) {
	if n := s.size(); n > maxSubstitutions {
		return nil, errValidation("ExpressionAttributeNames and ExpressionAttributeValues have exceeded the maximum allowed size; size: " + strconv.Itoa(n))
	}
	return expr.NewParams(s.names, s.values), nil
}

// size is the length of all substitutions together, in bytes.
func (s *substitutions) size() int {
	n := 0
	for k, v := range s.names {
		n += len(k) + len(v)
	}
	for k, v := range s.values {
		n += len(k) + v.Size()
	}
	return n
}

// Limits on placeholders and on all substitutions together, in bytes (DYNAMODB.md 4.3).
const (
	maxPlaceholder   = 255
	maxSubstitutions = 2 << 20
)

// checkPlaceholders refuses keys that are no placeholders: too long ones first, and of several always the same.
func checkPlaceholders[V any](what string, sigil byte, m map[string]V) error {
	bad, long := "", ""
	ok := true
	for k := range m {
		switch {
		case len(k) > maxPlaceholder:
			if long == "" || k < long {
				long = k
			}
		case !isPlaceholder(k, sigil) && (ok || k < bad):
			bad, ok = k, false
		}
	}
	if long != "" {
		return errValidation(what + " contains invalid key: The expression attribute map contains a key that is too long; key: \"" + long + "\"")
	}
	if !ok {
		return errValidation(what + " contains invalid key: Syntax error; key: \"" + bad + "\"")
	}
	return nil
}

func isPlaceholder(k string, sigil byte) bool {
	if len(k) < 2 || k[0] != sigil {
		return false
	}
	for i := 1; i < len(k); i++ {
		switch c := k[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
		default:
			return false
		}
	}
	return true
}

// presentNames lists the names of the parameters that were given, in order.
func presentNames(ps ...namedSet) []string {
	var names []string
	for _, p := range ps {
		if p.set {
			names = append(names, p.name)
		}
	}
	return slices.Clip(names)
}

type namedSet struct {
	name string
	set  bool
}
