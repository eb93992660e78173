package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/meridiandb/meridian/internal/fault"
)

// expelOptions are the flags of expel.
type expelOptions struct {
	admin, region string
	force, json   bool
}

func newExpel() *cobra.Command {
	o := expelOptions{admin: defaultAdmin}
	cmd := &cobra.Command{
		Use:   "expel",
		Short: "Remove a region that is gone for good from all tables",
		Long: `Removes a region that is dead and will not come back from all tables that it shares with the region at --admin. Tables that it
keeps are taken over first. From then on nothing waits for it: logs are trimmed, deletes are forgotten, tables can be changed.

What the region had written and sent to nobody is void. Should it come back all the same, it sets that aside (meridian aside),
begins anew, and can be added to tables again.

A region that only stays away for long need not be expelled: what it wrote alone would be merged when it returns. One that answers
is refused; remove its replicas with UpdateTable, and nothing is lost. So is taking over a table while another replica's region does
not answer, which may know a newer description; --force does both all the same. It may be run again, and should be, where one table
failed, and at a region with which others of the lost region's tables were shared.`,
		Example: `  meridian expel --admin http://eu.example.net:9000 --region us-east-1
  meridian expel --region us-east-1 --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runExpel(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.admin, "admin", o.admin, "admin address of a region that lives")
	f.StringVar(&o.region, "region", o.region, "region that is gone for good (required)")
	f.BoolVar(&o.force, "force", o.force, "also if it answers, or another region does not")
	f.BoolVar(&o.json, "json", o.json, "print JSON")
	return cmd
}

// expulsion is the answer to POST /admin/expel.
type expulsion struct {
	Region string          `json:"region"`
	Tables []expelledTable `json:"tables"`
}

type expelledTable struct {
	Table string `json:"table"`
	Error string `json:"error,omitempty"`
}

// expelTime is how long a client waits: each table may take its own patience.
const expelTime = 2 * time.Minute

func runExpel(cmd *cobra.Command, o expelOptions) error {
	if o.region == "" {
		return usagef("--region is required")
	}
	base, err := parseAdmin(o.admin)
	if err != nil {
		return err
	}
	query := url.Values{"region": {o.region}, "force": {strconv.FormatBool(o.force)}}
	answer, err := newAdminClient(expelTime).change(cmd.Context(), http.MethodPost, base, "/admin/expel?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	var done expulsion
	if err := json.Unmarshal(answer, &done); err != nil {
		return fmt.Errorf("%s is no Meridian admin address: %w", base, err)
	}
	failed := 0
	for _, t := range done.Tables {
		if t.Error != "" {
			failed++
		}
	}
	out := cmd.OutOrStdout()
	if o.json {
		err = json.NewEncoder(out).Encode(done)
	} else {
		for _, t := range done.Tables {
			_, e := fmt.Fprintf(out, "table %s: %s\n", t.Table, cmp.Or(t.Error, done.Region+" has no replica any more"))
			err = errors.Join(err, e)
		}
	}
	if err == nil && failed > 0 {
		err = fmt.Errorf("%s still has %d of %d tables", done.Region, failed, len(done.Tables))
	}
	return err
}

// serveExpel answers POST /admin/expel.
func (n *node) serveExpel(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("region")
	force, err := strconv.ParseBool(cmp.Or(r.URL.Query().Get("force"), "false"))
	if err != nil || name == "" {
		http.Error(w, "region is a name, force is true or false", http.StatusBadRequest)
		return
	}
	tables, err := n.region.Expel(r.Context(), name, force)
	if err != nil {
		http.Error(w, oneLine(err), codeOf(err))
		return
	}
	done := expulsion{Region: name, Tables: []expelledTable{}}
	for _, t := range tables {
		row := expelledTable{Table: t.Table}
		if t.Err != nil {
			row.Error = oneLine(t.Err)
		}
		done.Tables = append(done.Tables, row)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(done) // or nobody reads it
}

// codeOf is the status of an answer to an operator.
func codeOf(err error) int {
	switch fault.KindOf(err) {
	case fault.NotFound:
		return http.StatusNotFound
	case fault.InUse, fault.Invalid:
		return http.StatusConflict
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
