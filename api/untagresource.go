package api

import "strconv"

type untagResourceInput struct {
	arn     text
	keys    []string
	keysSet bool
}

func (in *untagResourceInput) member(d *decoder, name string) bool {
	switch name {
	case "ResourceArn":
		in.arn = d.text()
	case "TagKeys":
		in.keys, in.keysSet = d.texts()
	default:
		return false
	}
	return true
}

func (in *untagResourceInput) constraints(v *violations) {
	resourceARN(v, in.arn)
	v.required("tagKeys", in.keysSet)
	for i, k := range in.keys {
		v.length("tagKeys."+strconv.Itoa(i+1)+".member", text{k, true}, 1, maxTagKey)
	}
}

func untagResource(c *call) error {
	var in untagResourceInput
	if err := c.read(&in); err != nil {
		return err
	}
	name, err := c.taggedTable(in.arn.s)
	if err != nil {
		return err
	}
	if len(in.keys) == 0 {
		return errValidation("Atleast one Tag Key needs to be provided as Input.")
	}
	return tagError(c.backend.SetTags(c.ctx, name, nil, in.keys), in.arn.s) // the answer is empty
}
