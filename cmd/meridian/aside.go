package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/meridiandb/meridian/region"
)

// asideOptions are the flags of aside.
type asideOptions struct {
	admin   string
	discard bool
}

func newAside() *cobra.Command {
	o := asideOptions{admin: defaultAdmin}
	cmd := &cobra.Command{
		Use:   "aside",
		Short: "Print what a region set aside when it came back after it had been expelled",
		Long: `Prints all writes that a region had acknowledged and no other region had when it learnt that it had been expelled: one line of
JSON for each, in the order in which they were made, with table, key and item in DynamoDB JSON. A write without an item is a delete.
Writes of one transaction have one stamp.

They are in no table. Write back what is worth it (PutItem), and discard the rest.`,
		Example: `  meridian aside --admin http://us.example.net:9000 > aside.jsonl
  meridian aside --admin http://us.example.net:9000 --discard`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAside(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.admin, "admin", o.admin, "admin address of the region")
	f.BoolVar(&o.discard, "discard", o.discard, "forget them, and print nothing")
	return cmd
}

// asideLine is a line of the answer to GET /admin/aside. One without an end was cut off.
type asideLine struct {
	*region.Aside
	End   bool   `json:"end,omitempty"`
	Error string `json:"failure,omitempty"` // with End
}

func runAside(cmd *cobra.Command, o asideOptions) error {
	base, err := parseAdmin(o.admin)
	if err != nil {
		return err
	}
	if o.discard {
		_, err := newAdminClient(adminTimeout).change(cmd.Context(), http.MethodDelete, base, "/admin/aside", nil)
		return err
	}
	body, err := newAdminClient(0).ask(cmd.Context(), http.MethodGet, base, "/admin/aside", nil)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read to its end, or given up
	return copyAsides(cmd.OutOrStdout(), body, base)
}

// copyAsides prints the lines but the last, which says whether these are all.
func copyAsides(out io.Writer, in io.Reader, base string) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return fmt.Errorf("%s: the list was cut off: %w", base, err)
		}
		var l asideLine
		if err := json.Unmarshal(line, &l); err != nil {
			return fmt.Errorf("%s is no Meridian admin address: %w", base, err)
		}
		if l.End {
			if l.Error != "" {
				return fmt.Errorf("%s: %s", base, l.Error)
			}
			return nil
		}
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
}

// serveAside answers GET /admin/aside.
func (n *node) serveAside(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	ctl, out := http.NewResponseController(w), json.NewEncoder(w)
	tell := func(l asideLine) error {
		_ = ctl.SetWriteDeadline(time.Now().Add(lineWait)) // where it cannot be set, the server's own holds
		return out.Encode(l)
	}
	end := asideLine{End: true}
	if err := n.region.Asides(r.Context(), func(a region.Aside) error { return tell(asideLine{Aside: &a}) }); err != nil {
		end.Error = oneLine(err)
	}
	_ = tell(end) // or nobody reads it
}

// serveDiscard answers DELETE /admin/aside.
func (n *node) serveDiscard(w http.ResponseWriter, _ *http.Request) {
	if err := n.region.DiscardAsides(); err != nil {
		http.Error(w, oneLine(err), codeOf(err))
	}
}
