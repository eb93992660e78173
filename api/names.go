package api

import (
	"strings"

	"github.com/google/uuid"
)

// A table may be named by its ARN: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME.

func (s *Server) tableARN(name string) string {
	return "arn:aws:dynamodb:" + s.region + ":" + s.account + ":table/" + name
}

// tableNamed returns the bare name that a TableName means here.
func (c *call) tableNamed(t text) (string, error) {
	if !strings.HasPrefix(t.s, "arn:") {
		return t.s, nil
	}
	parts := strings.SplitN(t.s, ":", 6)
	if len(parts) != 6 || parts[2] != "dynamodb" || !strings.HasPrefix(parts[5], "table/") {
		return "", errValidation("1 validation error detected: Invalid table ARN '" + t.s + "'")
	}
	if parts[3] != c.server.region {
		return "", errValidation("1 validation error detected: Invalid AWS region in '" + t.s + "'")
	}
	if parts[4] != c.server.account {
		return "", c.errOtherAccount(t.s)
	}
	name := strings.TrimPrefix(parts[5], "table/")
	if !isName(name) {
		return "", errValidation("1 validation error detected: Invalid table ARN '" + t.s + "'")
	}
	return name, nil
}

func (c *call) errOtherAccount(arn string) error {
	return clientError("AccessDeniedException", "User: arn:aws:iam::"+c.server.account+":root is not authorized to perform: dynamodb:"+
		c.operation+" on resource: "+arn+" because no resource-based policy allows the dynamodb:"+c.operation+" action")
}

// table finds the table that a TableName means, for items.
func (c *call) table(t text) (Table, error) {
	name, err := c.tableNamed(t)
	if err != nil {
		return nil, err
	}
	return c.backend.Table(name)
}

// uuidOf prints a table's id.
func uuidOf(id [16]byte) string { return uuid.UUID(id).String() }
