package api

import (
	"strings"
)

// resource is what a ResourceArn names: a table, or with a label one of its streams.
type resource struct {
	arn, table, label string
	region, account   string
	partition         string
}

// parseResource reads the ARN of a table or a stream, be it of whatever region and account.
func parseResource(arn string) (r resource, err error) {
	parts := strings.SplitN(arn, ":", 6)
	if parts[0] != "arn" || len(parts) == 1 {
		return r, errInvalid("ARNs must start with 'arn:': " + arn)
	}
	for n, lacks := range []string{
		"Second colon partition", "Third colon vendor", "Fourth colon (region/namespace delimiter)", "Fifth colon (namespace/relative-id delimiter)",
	} {
		if len(parts) < n+3 {
			return r, errInvalid(lacks + " not found: " + arn)
		}
	}
	r = resource{arn: arn, partition: parts[1], region: parts[3], account: parts[4]}
	name, ok := strings.CutPrefix(parts[5], "table/")
	name, rest, deeper := strings.Cut(name, "/")
	switch label, stream := strings.CutPrefix(rest, "stream/"); {
	case parts[2] != "dynamodb" || !ok || !isName(name):
	case !deeper:
		r.table = name
		return r, nil
	case stream && label != "": // without one it is no table either
		r.table, r.label = name, label
		return r, nil
	case strings.HasPrefix(rest, "index/"):
		return r, errInvalid("Invalid resource arn provided, only table or stream is accepted. Provided resource arn: " + arn)
	}
	return r, errInvalid("Provided Arn is not a DynamoDB resource arn: " + arn)
}

// taggedResource finds what operations on tags name.
func (c *call) taggedResource(arn string) (resource, error) {
	r, err := parseResource(arn)
	switch {
	case err != nil:
		return r, err
	case r.region != c.server.region || r.partition != "aws":
		return r, errValidation("Invalid TableArn: Invalid ResourceArn provided as input " + arn)
	case r.account != c.server.account:
		return r, errOtherAccount()
	}
	return r, nil
}
