package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/meridiandb/meridian/internal/admin"
)

// statusOptions are the flags of status.
type statusOptions struct {
	admin  []string
	maxLag time.Duration // 0: lag is no problem
	watch  time.Duration // 0: once
	json   bool
}

func newStatus() *cobra.Command {
	o := statusOptions{admin: []string{defaultAdmin}, maxLag: time.Minute}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show regions, the links between them, and tables",
		Long: `Shows every region, how far each link is behind in seconds, commits and bytes, and the tables with their replicas.

One --admin address is enough: that region asks the others. Given several, each is asked for itself.

Exit code: 0 when every region serves and every link is up and not further behind than --max-lag, 1 when not, 2 when asked
wrongly. With --watch, 0 after Ctrl-C.`,
		Example: `  meridian status
  meridian status --watch
  meridian status --admin http://10.0.0.5:9000 --json
  meridian status --admin host1:9000 --admin host2:9000 --max-lag 5s`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runStatus(cmd, o) },
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.admin, "admin", o.admin, "admin address of a region; several for several")
	f.DurationVar(&o.maxLag, "max-lag", o.maxLag, "a link further behind than this is a problem; 0: never")
	f.DurationVar(&o.watch, "watch", o.watch, "show it again and again at this interval, until Ctrl-C")
	f.Lookup("watch").NoOptDefVal = "2s"
	f.BoolVar(&o.json, "json", o.json, "print JSON; one document for each look")
	return cmd
}

func runStatus(cmd *cobra.Command, o statusOptions) error {
	if o.watch < 0 || o.maxLag < 0 {
		return usagef("--watch and --max-lag take no negative time")
	}
	bases := make([]string, len(o.admin))
	for i, a := range o.admin {
		base, err := parseAdmin(a)
		if err != nil {
			return err
		}
		bases[i] = base
	}
	if len(bases) == 0 {
		return usagef("--admin names no region")
	}
	if o.watch > 0 {
		return watchStatus(cmd, o, bases)
	}
	regions, err := askRegions(cmd.Context(), bases)
	if err != nil {
		return err
	}
	r := newReport(regions, o.maxLag)
	if err := r.print(cmd.OutOrStdout(), o.json); err != nil {
		return err
	}
	if !r.Healthy {
		return errUnhealthy
	}
	return nil
}

// watchStatus shows one look after the other; on a terminal in place. A region that does not answer now may do so next time.
func watchStatus(cmd *cobra.Command, o statusOptions, bases []string) error {
	out, ctx := cmd.OutOrStdout(), cmd.Context()
	tick := time.NewTicker(o.watch)
	defer tick.Stop()
	for {
		regions, err := askRegions(ctx, bases)
		if ctx.Err() != nil {
			return nil
		}
		if isTerminal(out) && !o.json {
			_, _ = io.WriteString(out, "\x1b[H\x1b[2J") // if it cannot be cleared, nothing can be printed either
		}
		if err == nil {
			err = newReport(regions, o.maxLag).print(out, o.json)
		} else {
			_, err = fmt.Fprintln(cmd.ErrOrStderr(), "meridian: "+oneLine(err))
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// report is what status prints.
type report struct {
	Healthy  bool           `json:"healthy"`
	Problems []string       `json:"problems"`
	Regions  []admin.Status `json:"regions"`
}

func newReport(regions []admin.Status, maxLag time.Duration) report {
	problems := admin.Problems(regions, maxLag)
	return report{Healthy: len(problems) == 0, Problems: slices.Concat([]string{}, problems), Regions: regions}
}

// print writes the report as JSON or for people.
func (r report) print(w io.Writer, asJSON bool) error {
	if !asJSON {
		return r.render(w)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// askRegions asks one address for all regions, or each of several for its own.
func askRegions(ctx context.Context, bases []string) ([]admin.Status, error) {
	client := newAdminClient(adminTimeout)
	if len(bases) == 1 {
		return client.fleet(ctx, bases[0])
	}
	regions := make([]admin.Status, len(bases))
	var asking sync.WaitGroup
	for i, base := range bases {
		asking.Go(func() {
			s, err := client.status(ctx, base)
			if err != nil {
				s = admin.Status{Region: "at " + base, Unreachable: err.Error()}
			}
			regions[i] = s
		})
	}
	asking.Wait()
	slices.SortStableFunc(regions, func(a, b admin.Status) int { return cmp.Compare(a.Region, b.Region) })
	return regions, nil
}
