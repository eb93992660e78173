package catalog

import (
	"maps"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/internal/fault"
)

// PolicyTag is the tag by which a table's owner chooses what becomes of concurrent writes (package conflict). A tag, because
// every client, the oldest too, can set one. Unlike other tags it is no local affair: it stands in the description.
const PolicyTag = "meridian:conflict-policy"

// CheckPolicy refuses what is no policy. The empty one is none here: whoever wants the default names it, or removes the tag.
func CheckPolicy(s string) error {
	if _, err := conflict.ParsePolicy(s); err != nil || s == "" {
		return fault.New(fault.Invalid, "One or more parameter values were invalid: Tag %s must be one of "+
			"last-writer-wins, attribute, crdt; it is '%s'", PolicyTag, s)
	}
	return nil
}

// Tags are the table's tags as its region shows them: its own, and the policy in force if one was chosen.
func (v *View) Tags() map[string]string {
	if v.Policy == "" {
		return v.Local.Tags
	}
	tags := maps.Clone(v.Local.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	tags[PolicyTag] = v.Policy
	return tags
}
