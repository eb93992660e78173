package api

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
}

func untagResource(c *call) error {
	var in untagResourceInput
	if err := c.read(&in); err != nil {
		return err
	}
	r, err := c.taggedResource(in.arn.s)
	if err != nil {
		return err
	}
	if len(in.keys) == 0 {
		return errValidation("Atleast one Tag Key needs to be provided as Input.")
	}
	if len(in.keys) > maxTags {
		return errTooManyTags()
	}
	for _, k := range in.keys {
		switch {
		case hasReservedPrefix(k):
			return errReservedTag(k)
		case !isTagKey(k):
			return errValidation("The Tag Key provided is invalid, Key: " + k)
		}
	}
	return c.setTags(r, nil, in.keys) // the answer is empty
}
