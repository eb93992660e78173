package api

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/meridiandb/meridian/region/catalog"
)

// tagList is a Tags member.
type tagList struct {
	list []tag
	set  bool
}

type tag struct{ key, value text }

// Limits on tags (DYNAMODB.md 9.2), in characters.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func (d *decoder) tags() (t tagList) {
	t.set = d.list(func() {
		var one tag
		d.structure("Tag", func(name string) bool {
			switch name {
			case "Key":
				one.key = d.text()
			case "Value":
				one.value = d.text()
			default:
				return false
			}
			return true
		})
		t.list = append(t.list, one)
	})
	return t
}

func (t *tagList) check() error {
	seen := map[string]bool{}
	for _, one := range t.list {
		k := one.key.s
		switch {
		case seen[k]:
			return errValidation("Duplicate Tag Keys provided as input: Duplicate Tag Key found " + k)
		case hasReservedPrefix(k):
			return errReservedTag(k)
		case !isTagKey(k):
			return errValidation("The Tag Key provided is invalid, Key: " + orNull(one.key))
		case !one.value.set || !isTagText(one.value.s) || utf8.RuneCountInString(one.value.s) > maxTagValue:
			return errValidation("The Tag Value provided is invalid, Value: " + orNull(one.value))
		case k == catalog.PolicyTag:
			if err := catalog.CheckPolicy(one.value.s); err != nil {
				return err
			}
		}
		seen[k] = true
	}
	if len(t.list) > maxTags {
		return errTooManyTags()
	}
	return nil
}

func errTooManyTags() error {
	return errValidation("Number of Tags exceed the current limit for the provided ResourceArn")
}

func hasReservedPrefix(k string) bool { return strings.HasPrefix(strings.ToLower(k), "aws:") }

func errReservedTag(k string) error {
	return errValidation("Tag Key cannot be prefixed with aws:, Key: " + k)
}

func isTagKey(k string) bool {
	return k != "" && utf8.RuneCountInString(k) <= maxTagKey && isTagText(k)
}

// isTagText reports whether a tag has allowed characters only: letters of any script, digits, spaces and + - = . _ : / @.
func isTagText(s string) bool {
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsSpace(r) && !strings.ContainsRune("+-=._:/@", r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

func (t *tagList) values() map[string]string {
	m := make(map[string]string, len(t.list))
	for _, one := range t.list {
		m[one.key.s] = one.value.s
	}
	return m
}
