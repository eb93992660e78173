package api

import (
	"encoding/base64"
	"maps"
	"slices"

	"github.com/meridiandb/meridian/region/catalog"
)

// tagPage is how many tags one answer lists.
const tagPage = 10

type listTagsInput struct{ arn, next text }

func (in *listTagsInput) member(d *decoder, name string) bool {
	switch name {
	case "ResourceArn":
		in.arn = d.text()
	case "NextToken":
		in.next = d.text()
	default:
		return false
	}
	return true
}

func (in *listTagsInput) constraints(v *violations) { resourceARN(v, in.arn) }

// listTagsOfResource lists tags in the order of their keys; the token is the last key, so that tags set or removed
// meanwhile neither repeat nor hide others.
func listTagsOfResource(c *call) error {
	var in listTagsInput
	if err := c.read(&in); err != nil {
		return err
	}
	r, err := c.taggedResource(in.arn.s)
	if err != nil {
		return err
	}
	view, err := c.backend.DescribeTable(r.table)
	if err != nil {
		return tagError(err, in.arn.s)
	}
	tags := view.Tags()
	if r.label != "" {
		if catalog.StreamIn(view.Local.Streams, r.label) == nil {
			return errNoResource(in.arn.s)
		}
		tags = view.Local.Resources[r.label].Tags
	}
	keys := slices.Sorted(maps.Keys(tags))
	if after, err := base64.RawURLEncoding.DecodeString(in.next.s); in.next.set && err == nil { // any other begins anew
		keys = slices.DeleteFunc(keys, func(k string) bool { return k <= string(after) })
	}
	more := len(keys) > tagPage
	if more {
		keys = keys[:tagPage]
	}
	w := &c.out
	w.openObject()
	w.openListMember("Tags")
	for _, k := range keys {
		w.openObject()
		w.stringMember("Key", k)
		w.stringMember("Value", tags[k])
		w.closeObject()
	}
	w.closeList()
	if more {
		w.stringMember("NextToken", base64.RawURLEncoding.EncodeToString([]byte(keys[tagPage-1])))
	}
	w.closeObject()
	return nil
}
