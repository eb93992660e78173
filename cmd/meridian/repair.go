package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/meridiandb/meridian/replication"
)

// repairOptions are the flags of repair.
type repairOptions struct {
	admin, table, peer string
	scrub, json        bool
}

func newRepair() *cobra.Command {
	o := repairOptions{admin: defaultAdmin}
	cmd := &cobra.Command{
		Use:   "repair",
		Short: "Compare a region's tables with the other regions' and mend what differs",
		Long: `Compares a region's tables with those of the regions that it can reach, by hash trees, and mends what differs on both sides.
What is merely on its way between them is left alone. Regions do so by themselves about once a minute; this does it now.

Exit code: 0 when all was compared, 1 when something could not be, or differs in a way that no merge can mend, 2 when asked
wrongly.`,
		Example: `  meridian repair
  meridian repair --table things --peer eu-west-1
  meridian repair --scrub --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRepair(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.admin, "admin", o.admin, "admin address of the region")
	f.StringVar(&o.table, "table", o.table, "name of a table (default all that are shared)")
	f.StringVar(&o.peer, "peer", o.peer, "name of a region to compare with (default all that can be reached)")
	f.BoolVar(&o.scrub, "scrub", o.scrub, "read all items first, and mend the region's hash trees if they are not theirs")
	f.BoolVar(&o.json, "json", o.json, "print JSON; one document for each report, those of rounds under way have done=false")
	return cmd
}

func runRepair(cmd *cobra.Command, o repairOptions) error {
	base, err := parseAdmin(o.admin)
	if err != nil {
		return err
	}
	p := repairPrinter{out: cmd.OutOrStdout(), progress: cmd.ErrOrStderr(), json: o.json}
	query := url.Values{"table": {o.table}, "peer": {o.peer}, "scrub": {strconv.FormatBool(o.scrub)}}
	if err := askRepair(cmd.Context(), base, query, p.print); err != nil {
		return err
	}
	switch {
	case p.failed > 0:
		return fmt.Errorf("%d of %d could not be compared", p.failed, p.reports)
	case p.clashes > 0:
		return fmt.Errorf("%d items have seen the same writes on both sides and differ: two processes have written under one identity", p.clashes)
	}
	return nil
}

// askRepair calls fn with each report. It takes as long as it takes.
func askRepair(ctx context.Context, base string, query url.Values, fn func(*replication.RepairReport) error) error {
	answer, err := newAdminClient(0).ask(ctx, http.MethodPost, base, "/admin/repair?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Close() }() // it was read, or the error below says why not
	lines := bufio.NewScanner(answer)
	for lines.Scan() {
		l := repairLine{RepairReport: new(replication.RepairReport)}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return fmt.Errorf("%s is no Meridian admin address: %w", base, err)
		}
		switch {
		case l.Error != "":
			return errors.New(l.Error)
		case l.End:
			return nil
		}
		if err := fn(l.RepairReport); err != nil {
			return err
		}
	}
	return errors.Join(errors.New(base+" broke off in the middle"), lines.Err())
}

// repairPrinter prints reports as they come and counts what is wrong.
type repairPrinter struct {
	out, progress            io.Writer
	json                     bool
	reports, failed, clashes int
}

func (p *repairPrinter) print(r *replication.RepairReport) error {
	ended := r.Done || r.Error != ""
	if ended {
		p.reports++
		p.clashes += r.Clashes
	}
	if r.Error != "" {
		p.failed++
	}
	if p.json {
		return json.NewEncoder(p.out).Encode(r)
	}
	to := p.out
	if !ended {
		to = p.progress
	}
	_, err := fmt.Fprintln(to, repairText(r))
	return err
}

// repairText is a report in a line.
func repairText(r *replication.RepairReport) string {
	what := r.Table
	if r.Peer != "" {
		what += " with " + r.Peer
	}
	switch {
	case r.Error != "":
		return what + ": failed: " + r.Error
	case r.Peer == "":
		return fmt.Sprintf("%s: hash tree scrubbed, %d cells were wrong", what, r.CellsMended)
	}
	text := fmt.Sprintf("%s: %d differences, %d of them on their way; mended %d here, %d there; %d bytes in %.0f ms",
		what, r.Differences, r.InFlight, r.MendedHere, r.MendedThere, r.BytesSent+r.BytesReceived, r.Seconds*1000)
	if r.Clashes > 0 {
		text += fmt.Sprintf("; %d CANNOT BE MENDED", r.Clashes)
	}
	if !r.Done {
		text += " so far"
	}
	return text
}
