package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/meridiandb/meridian/internal/admin"
)

// conflictPrinter prints conflicts one a line.
type conflictPrinter struct {
	json *json.Encoder // nil: for people
	text *tabwriter.Writer
	n    int
}

func newConflictPrinter(w io.Writer, asJSON bool) *conflictPrinter {
	if asJSON {
		return &conflictPrinter{json: json.NewEncoder(w)}
	}
	return &conflictPrinter{text: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
}

func (p *conflictPrinter) print(c *admin.Conflict) error {
	p.n++
	if p.json != nil {
		return p.json.Encode(c)
	}
	if p.n == 1 {
		fmt.Fprintln(p.text, "TIME\tREGION\tTABLE\tKEY\tLOST\tTO\tWRITE") // a writer that fails fails at Flush
	}
	_, err := fmt.Fprintf(p.text, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Lost.Time.Format("2006-01-02T15:04:05.000Z"), c.Lost.Region, c.Table,
		compactJSON(c.Key), lostPart(c), c.Winner.Region, c.Lost.Write)
	return err
}

func (p *conflictPrinter) end() error {
	if p.text == nil {
		return nil
	}
	return p.text.Flush()
}

// lostPart says in a word what of a write lost.
func lostPart(c *admin.Conflict) string {
	switch {
	case string(c.Lost.Item) == "null":
		return "delete"
	case c.Attributes == nil:
		return "item"
	}
	b, _ := json.Marshal(slices.Sorted(maps.Keys(c.Attributes))) // a list of strings
	return string(b)
}

func writeConflict(w io.Writer, c *admin.Conflict) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name string, value any) { fmt.Fprintf(t, "%s\t%v\n", name, value) }
	line("table", c.Table)
	line("key", compactJSON(c.Key))
	line("reason", c.Reason)
	line("policy", c.Policy)
	line("noted", c.Noted.Format(time.RFC3339Nano))
	line("lost", fmt.Sprintf("%s in %s, %s", c.Lost.Time.Format(time.RFC3339Nano), c.Lost.Region, c.Lost.Write))
	line("", itemText(c.Lost.Item))
	for _, name := range slices.Sorted(maps.Keys(c.Attributes)) {
		line("", fmt.Sprintf("of it lost %q: %s", name, compactJSON(c.Attributes[name])))
	}
	line("replaced", c.Base)
	line("winner", fmt.Sprintf("%s in %s, %s", c.Winner.Time.Format(time.RFC3339Nano), c.Winner.Region, c.Winner.Write))
	line("", itemText(c.Winner.Item))
	return t.Flush()
}

func itemText(b json.RawMessage) string {
	if string(b) == "null" {
		return "a delete"
	}
	return compactJSON(b)
}

func compactJSON(b json.RawMessage) string {
	var out bytes.Buffer
	if json.Compact(&out, b) != nil {
		return string(b)
	}
	return out.String()
}
