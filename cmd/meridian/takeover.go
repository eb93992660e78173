package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
)

// takeOverOptions are the flags of takeover.
type takeOverOptions struct {
	admin, table string
	force, json  bool
}

func newTakeOver() *cobra.Command {
	o := takeOverOptions{admin: defaultAdmin}
	cmd := &cobra.Command{
		Use:   "takeover",
		Short: "Make a region the keeper of a table whose keeper is lost",
		Long: `Makes the region at --admin the keeper of a table: the region that writes the table's description, and by which replicas, indexes
and settings are changed. That is needed only when the region that keeps it is gone for good, or for too long; reads and writes of
items go on without it.

It is refused while the keeper answers, and while another replica's region does not, which may know a newer description; --force
does it all the same. What a keeper that is taken over from had changed of the table, and told nobody, is void when it returns; no
item is lost.`,
		Example: `  meridian takeover --admin http://eu.example.net:9000 --table things
  meridian takeover --table things --force --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runTakeOver(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.admin, "admin", o.admin, "admin address of the region that is to be the keeper")
	f.StringVar(&o.table, "table", o.table, "name of the table (required)")
	f.BoolVar(&o.force, "force", o.force, "also if the keeper answers, or another region does not")
	f.BoolVar(&o.json, "json", o.json, "print JSON")
	return cmd
}

// takenOver is the answer to POST /admin/takeover.
type takenOver struct {
	Table  string `json:"table"`
	Keeper string `json:"keeper"`
	Epoch  uint64 `json:"epoch"`
	Was    string `json:"was"` // keeper before
}

func runTakeOver(cmd *cobra.Command, o takeOverOptions) error {
	if o.table == "" {
		return usagef("--table is required")
	}
	base, err := parseAdmin(o.admin)
	if err != nil {
		return err
	}
	query := url.Values{"table": {o.table}, "force": {strconv.FormatBool(o.force)}}
	answer, err := newAdminClient(adminTimeout*3).change(cmd.Context(), http.MethodPost, base, "/admin/takeover?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	var done takenOver
	if err := json.Unmarshal(answer, &done); err != nil {
		return fmt.Errorf("%s is no Meridian admin address: %w", base, err)
	}
	if o.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(done)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "table %s is kept by %s now (epoch %d); it was kept by %s\n", done.Table, done.Keeper, done.Epoch, done.Was)
	return err
}

// serveTakeOver answers POST /admin/takeover.
func (n *node) serveTakeOver(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("table")
	force, err := strconv.ParseBool(cmp.Or(r.URL.Query().Get("force"), "false"))
	if err != nil || name == "" {
		http.Error(w, "table is a name, force is true or false", http.StatusBadRequest)
		return
	}
	was, err := n.region.DescribeTable(name)
	if err == nil {
		v, e := n.region.TakeOver(r.Context(), name, force)
		if err = e; err == nil {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(takenOver{Table: name, Keeper: v.Keeper, Epoch: v.Epoch, Was: was.Keeper}) // or nobody reads it
			return
		}
	}
	http.Error(w, oneLine(err), codeOf(err))
}
