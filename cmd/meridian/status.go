package main

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/meridiandb/meridian/internal/admin"
)

func newStatus() *cobra.Command {
	addresses := []string{defaultAdmin}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show regions, the links between them, and tables",
		Long: `Shows every region, how far each link is behind in seconds, commits and bytes, and the tables with their replicas.

One --admin address is enough: that region asks the others. Given several, each is asked for itself.

Exit code: 0 when every region serves and every link is up, 1 when not, 2 when asked wrongly. Lag is no failure.`,
		Example: `  meridian status
  meridian status --admin http://10.0.0.5:9000 --json
  meridian status --admin host1:9000 --admin host2:9000`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			regions, err := askRegions(cmd.Context(), addresses)
			if err != nil {
				return err
			}
			r := newReport(regions)
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				err = e.Encode(r)
			} else {
				err = r.render(cmd.OutOrStdout())
			}
			if err == nil && !r.Healthy {
				err = errUnhealthy
			}
			return err
		},
	}
	cmd.Flags().StringSliceVar(&addresses, "admin", addresses, "admin address of a region; several for several")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// report is what status prints.
type report struct {
	Healthy  bool           `json:"healthy"`
	Problems []string       `json:"problems"`
	Regions  []admin.Status `json:"regions"`
}

func newReport(regions []admin.Status) report {
	problems := admin.Problems(regions)
	return report{Healthy: len(problems) == 0, Problems: slices.Concat([]string{}, problems), Regions: regions}
}

// askRegions asks one address for all regions, or each of several for its own.
func askRegions(ctx context.Context, addresses []string) ([]admin.Status, error) {
	bases := make([]string, len(addresses))
	for i, a := range addresses {
		base, err := parseAdmin(a)
		if err != nil {
			return nil, err
		}
		bases[i] = base
	}
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
