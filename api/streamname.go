package api

import (
	"strings"
	"time"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region"
)

// A stream's ARN is its table's, "/stream/" and its label. Streams have no other name in requests. A table's conflict feed has
// streams like a table whose name is the table's with region.FeedSuffix behind it.

// streamedTable is the name of the table whose stream it is, or whose conflicts'.
func streamedTable(name string) string { return strings.TrimSuffix(name, region.FeedSuffix) }

func (s *Server) streamARN(n region.StreamName) string {
	return s.tableARN(n.Table) + "/stream/" + n.Label
}

// streamARN checks a stream's ARN as the framework does.
func (v *violations) streamARN(path string, t text) { v.length(path, t, 37, 1024) }

// streamNamed reads a stream's ARN. One that is well formed and of another region or account names nothing here.
func (c *call) streamNamed(t text) (region.StreamName, error) {
	var n region.StreamName
	parts := strings.SplitN(t.s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "dynamodb" || parts[3] == "" || parts[4] == "" {
		return n, errStreamARN(t.s)
	}
	name, ok := strings.CutPrefix(parts[5], "table/")
	if !ok {
		return n, errStreamARN(t.s)
	}
	if n.Table, n.Label, ok = strings.Cut(name, "/stream/"); !ok || !isName(streamedTable(n.Table)) || !isLabel(n.Label) {
		return n, errStreamARN(t.s)
	}
	if parts[3] != c.server.region || parts[4] != c.server.account {
		return n, errNoStream(t.s)
	}
	return n, nil
}

// isLabel reports whether a label has the form of a stream's.
func isLabel(s string) bool {
	const form = "2006-01-02T15:04:05.000"
	_, err := time.Parse(form, s)
	return err == nil && len(s) == len(form)
}

func errStreamARN(arn string) error { return errValidation("Invalid StreamArn: " + arn) }

func errNoStream(arn string) error {
	return clientError("ResourceNotFoundException", "Requested resource not found: Stream: "+arn+" not found")
}

// streamError words a missing stream as the service does, by its ARN.
func streamError(err error, arn string) error {
	if err != nil && fault.KindOf(err) == fault.NotFound && strings.HasPrefix(err.Error(), region.NoStream) {
		return errNoStream(arn)
	}
	return err
}
