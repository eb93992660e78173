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
	switch {
	case len(parts) != 6 || parts[2] != "dynamodb":
		return "", errValidation("1 validation error detected: Invalid table ARN '" + t.s + "'")
	case parts[1] != "aws":
		return "", errValidation("1 validation error detected: Invalid AWS partition in '" + t.s + "'")
	}
	if parts[3] != c.server.region {
		return "", errValidation("1 validation error detected: Invalid AWS region in '" + t.s + "'")
	}
	if parts[4] != c.server.account {
		return "", errOtherAccount()
	}
	name, ok := strings.CutPrefix(parts[5], "table/")
	if !ok || !isName(name) { // an index, a stream, a backup
		return "", errValidation("1 validation error detected: Invalid resource type in '" + t.s + "'")
	}
	return name, nil
}

func errOtherAccount() error { return clientError("AccessDeniedException", "Access is denied") }

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
