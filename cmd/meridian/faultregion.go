package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/internal/wan"
)

// Faults of a region itself: its clock, its disk.

func newClockFault() *cobra.Command {
	var o faultOptions
	var region string
	var f wan.ClockFault
	right := false
	cmd := &cobra.Command{
		Use: "clock", Short: "Make a region's clock wrong",
		Long: `Sets the clock that a region goes by ahead (or behind, if negative), lets it drift, or both, while the region runs. A region
whose clock is more than half a second ahead of the majority's refuses writes until it is right again; one that is behind
alarms. Each call takes the place of the last one.`,
		Example: `  meridian fault clock --region eu-west-1 --jump 10s
  meridian fault clock --region eu-west-1 --drift 20ms      # each second
  meridian fault clock --region eu-west-1 --right`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if right == (f != wan.ClockFault{}) {
				return usagef("say how wrong the clock is to be, --jump or --drift, or --right")
			}
			if err := f.Check(); err != nil {
				return usagef("%w", err)
			}
			return o.setRegion(cmd, region, "/admin/faults/clock", f, sayClockFault(f))
		},
	}
	o.regionFlags(cmd, &region)
	cmd.Flags().DurationVar(&f.Jump, "jump", 0, "how far ahead; behind if negative")
	cmd.Flags().DurationVar(&f.Drift, "drift", 0, "how much more each second; less if negative")
	cmd.Flags().BoolVar(&right, "right", false, "set it right")
	return cmd
}

func sayClockFault(f wan.ClockFault) string {
	var say []string
	if f.Jump > 0 {
		say = append(say, fmt.Sprintf("is %v ahead", f.Jump))
	}
	if f.Jump < 0 {
		say = append(say, fmt.Sprintf("is %v behind", -f.Jump))
	}
	if f.Drift != 0 {
		say = append(say, fmt.Sprintf("drifts by %v each second", f.Drift))
	}
	if say == nil {
		say = []string{"is right"}
	}
	return "the clock " + strings.Join(say, " and ")
}

func newDiskFault() *cobra.Command {
	var o faultOptions
	var region string
	full, free := false, false
	cmd := &cobra.Command{
		Use: "disk", Short: "Make a region's disk full",
		Long: `Makes a region act as if its disk were full: writes are refused, reads go on. Nothing is written to fill it.`,
		Example: `  meridian fault disk --region eu-west-1 --full
  meridian fault disk --region eu-west-1 --free`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if full == free {
				return usagef("say --full or --free")
			}
			say := "the disk is full"
			if free {
				say = "the disk is what it is"
			}
			return o.setRegion(cmd, region, "/admin/faults/disk", admin.DiskFault{Full: full}, say)
		},
	}
	o.regionFlags(cmd, &region)
	cmd.Flags().BoolVar(&full, "full", false, "it has no room")
	cmd.Flags().BoolVar(&free, "free", false, "it has the room that it has")
	return cmd
}

func (o *faultOptions) regionFlags(cmd *cobra.Command, region *string) {
	cmd.Args = noArgs
	o.adminFlag(cmd)
	cmd.Flags().StringVar(region, "region", "", "region to break (required)")
}

// setRegion sends a fault to the region itself.
func (o *faultOptions) setRegion(cmd *cobra.Command, region, page string, fault any, say string) error {
	if region == "" {
		return usagef("--region is missing")
	}
	c := newAdminClient(adminTimeout)
	found, err := o.regions(cmd.Context(), c)
	if err != nil {
		return err
	}
	if found[region] == "" {
		return o.notFound(region)
	}
	b, err := json.Marshal(fault)
	if err != nil {
		return err
	}
	if _, err := c.change(cmd.Context(), http.MethodPost, found[region], page, b); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", region, say)
	return err
}
