package api

import (
	"strings"

	"github.com/meridiandb/meridian/internal/fault"
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
	in.tags.constraints(v)
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
	name, err := c.taggedTable(in.arn.s)
	if err != nil {
		return err
	}
	if len(in.tags.list) == 0 {
		return errValidation("Atleast one Tag needs to be provided as Input.")
	}
	if err := in.tags.check(); err != nil {
		return err
	}
	return tagError(c.backend.SetTags(c.ctx, name, in.tags.values(), nil), in.arn.s) // the answer is empty
}

// taggedTable finds the table that a resource ARN names.
func (c *call) taggedTable(arn string) (string, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "dynamodb" || parts[3] == "" || parts[4] == "" {
		return "", errValidation("Invalid TableArn: Invalid ResourceArn provided as input " + arn)
	}
	name, ok := strings.CutPrefix(parts[5], "table/")
	if !ok || !isName(name) {
		return "", errValidation("Invalid TableArn: Invalid ResourceArn provided as input " + arn)
	}
	if parts[4] != c.server.account {
		return "", c.errOtherAccount(arn)
	}
	if parts[3] != c.server.region {
		return "", errNoResource(arn)
	}
	return name, nil
}

func errNoResource(arn string) error {
	return clientError("ResourceNotFoundException", "Requested resource not found: ResourcArn: "+arn+" not found")
}

// tagError words a missing table as tag operations do.
func tagError(err error, arn string) error {
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return errNoResource(arn)
	}
	return err
}
