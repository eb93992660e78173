package api

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxViolations is how many violations one answer lists.
const maxViolations = 10

// violations collects what the framework finds wrong with single members, in the order of checking, and tells it in one
// message (DYNAMODB.md 4.10).
type violations struct {
	list []string
	// table is the violation of the table's name. It is told alone, unless a required member is missing too: then all are
	// told (measured on the service in 2026).
	table   string
	missing bool
	alone   error // a check of the framework with a text of its own
}

func (v *violations) err() error {
	if v.alone != nil {
		return v.alone
	}
	list := v.list
	if v.table != "" && !v.missing {
		list = []string{v.table}
	}
	switch n := min(len(list), maxViolations); n {
	case 0:
		return nil
	case 1:
		return errValidation("1 validation error detected: " + list[0])
	default:
		return errValidation(strconv.Itoa(n) + " validation errors detected: " + strings.Join(list[:n], "; "))
	}
}

// add notes a violation; value is as it shall be shown, "" for not at all.
func (v *violations) add(value, path, constraint string) {
	if value != "" {
		value += " "
	}
	v.list = append(v.list, "Value "+value+"at '"+path+"' failed to satisfy constraint: "+constraint)
}

func quoted(s string) string { return "'" + s + "'" }

// only replaces everything by one message.
func (v *violations) only(format string, args ...any) {
	if v.alone == nil {
		v.alone = errValidation(fmt.Sprintf(format, args...))
	}
}

// required reports whether a member is there, and notes it when not.
func (v *violations) required(path string, set bool) bool {
	if !set {
		v.add("null", path, "Member must not be null")
		v.missing = v.missing || path != "tableName"
	}
	return set
}

// oneOf checks an optional enumeration; the order of the names is the service's.
func (v *violations) oneOf(path string, t text, names ...string) {
	if !t.set {
		return
	}
	for _, n := range names {
		if t.s == n {
			return
		}
	}
	v.add(quoted(t.s), path, "Member must satisfy enum value set: ["+strings.Join(names, ", ")+"]")
}

// length checks an optional string's length in characters; most < 0 is no limit.
func (v *violations) length(path string, t text, least, most int) {
	if !t.set {
		return
	}
	switch n := utf8.RuneCountInString(t.s); {
	case n < least:
		v.add(quoted(t.s), path, "Member must have length greater than or equal to "+strconv.Itoa(least))
	case most >= 0 && n > most:
		v.add(quoted(t.s), path, "Member must have length less than or equal to "+strconv.Itoa(most))
	}
}

// count checks a list's or map's length; shown is how it is printed.
func (v *violations) count(path, shown string, n, least, most int) {
	switch {
	case n < least:
		v.add(shown, path, "Member must have length greater than or equal to "+strconv.Itoa(least))
	case most >= 0 && n > most:
		v.add(shown, path, "Member must have length less than or equal to "+strconv.Itoa(most))
	}
}

// between checks an optional number.
func (v *violations) between(path string, n number, least, most int64) {
	switch {
	case !n.set:
	case n.n < least:
		v.add(quoted(strconv.FormatInt(n.n, 10)), path, "Member must have value greater than or equal to "+strconv.FormatInt(least, 10))
	case n.n > most:
		v.add(quoted(strconv.FormatInt(n.n, 10)), path, "Member must have value less than or equal to "+strconv.FormatInt(most, 10))
	}
}

const namePattern = "[a-zA-Z0-9_.-]+"

// pattern checks the characters of a table's or index's name.
func (v *violations) pattern(path string, t text) {
	if t.set && !isName(t.s) {
		v.add(quoted(t.s), path, "Member must satisfy regular expression pattern: "+namePattern)
	}
}

func isName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.', c == '-':
		default:
			return false
		}
	}
	return s != ""
}

// indexName checks an optional index name.
func (v *violations) indexName(path string, t text) {
	v.pattern(path, t)
	v.length(path, t, 3, 255)
}

// tableName checks the table's name of an item operation, where an ARN may stand too.
func (v *violations) tableName(path string, t text) {
	n := len(v.list)
	if v.required(path, t.set) {
		if !strings.HasPrefix(t.s, "arn:") && t.s != "" {
			v.pattern(path, t)
		}
		v.length(path, t, 1, 1024)
	}
	if len(v.list) > n && path == "tableName" {
		v.table = v.list[n]
	}
}

// controlTableName checks the table's name of a table operation, whose absence has a text of its own.
func (v *violations) controlTableName(t text, least int) {
	n := len(v.list)
	switch {
	case !t.set:
		v.only("The parameter 'TableName' is required but was not present in the request")
	case strings.HasPrefix(t.s, "arn:"):
		v.length("tableName", t, least, 1024)
	default:
		if t.s != "" {
			v.pattern("tableName", t)
		}
		v.length("tableName", t, least, 255)
	}
	if len(v.list) > n {
		v.table = v.list[n]
	}
}
