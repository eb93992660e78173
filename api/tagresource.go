package api

import (
	"maps"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
)

type tagResourceInput struct {
	arn  text
	tags tagList
}

func (in *tagResourceInput) member(d *decoder, name string) bool {
	switch name {
	case "ResourceArn":
		in.arn = d.text()
	case "Tags":
		in.tags = d.tags()
	default:
		return false
	}
	return true
}

func (in *tagResourceInput) constraints(v *violations) {
	resourceARN(v, in.arn)
	v.required("tags", in.tags.set)
}

// maxARN is the longest resource ARN, in characters.
const maxARN = 1283

func resourceARN(v *violations, arn text) {
	if v.required("resourceArn", arn.set) {
		v.length("resourceArn", arn, 1, maxARN)
	}
}

func tagResource(c *call) error {
	var in tagResourceInput
	if err := c.read(&in); err != nil {
		return err
	}
	r, err := c.taggedResource(in.arn.s)
	if err != nil {
		return err
	}
	if len(in.tags.list) == 0 {
		return errValidation("Atleast one Tag needs to be provided as Input.")
	}
	if err := in.tags.check(); err != nil {
		return err
	}
	return c.setTags(r, in.tags.values(), nil) // the answer is empty
}

// setTags changes the tags of a table, or of a stream.
func (c *call) setTags(r resource, set map[string]string, remove []string) error {
	if r.label == "" {
		return tagError(c.backend.SetTags(c.ctx, r.table, set, remove), r.arn)
	}
	_, err := c.backend.ChangeLocal(r.table, func(l *catalog.Local) error {
		if catalog.StreamIn(l.Streams, r.label) == nil {
			return errNoResource(r.arn)
		}
		kept := l.Resources[r.label]
		tags := maps.Clone(kept.Tags)
		if tags == nil {
			tags = map[string]string{}
		}
		maps.Copy(tags, set)
		for _, k := range remove {
			delete(tags, k)
		}
		if len(tags) > maxTags {
			return errTooManyTags()
		}
		kept.Tags = tags
		l.SetResource(r.label, kept)
		return nil
	})
	return tagError(err, r.arn)
}

func errNoResource(arn string) error {
	return clientError("ResourceNotFoundException", "Requested resource not found: ResourceArn: "+arn+" not found")
}

// tagError words a missing table as tag operations do.
func tagError(err error, arn string) error {
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return errNoResource(arn)
	}
	return err
}
