package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/internal/wan"
)

// faultOptions are the flags of the fault commands.
type faultOptions struct {
	admin    []string
	from, to string
	oneWay   bool
	length   time.Duration
	add      time.Duration
	share    float64
}

func newFault() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fault",
		Short: "Break links, clocks and disks of regions on purpose, to rehearse failures",
		Long: `Breaks the replication links between running regions, a region's clock or its disk, and heals them. Clients of a region
still reach it. Regions refuse unless they were started with --allow-faults. A process that is started again has no faults.

A link's fault is on the way from one region to another, and on the way back unless --one-way is given. It takes the place of one
that is there, and heals by itself after --for.`,
		Example: `  meridian fault partition --from us-east-1 --to eu-west-1 --for 30s
  meridian fault latency --from us-east-1 --to eu-west-1 --add 300ms --one-way
  meridian fault loss --from us-east-1 --to eu-west-1 --share 0.05
  meridian fault pause --from us-east-1 --to eu-west-1 --for 5s
  meridian fault clock --region us-east-1 --jump 10s
  meridian fault disk --region us-east-1 --full
  meridian fault heal`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPartition(), newLatency(), newLoss(), newPause(), newClockFault(), newDiskFault(), newHeal())
	return cmd
}

func (o *faultOptions) flags(cmd *cobra.Command) {
	cmd.Args = noArgs
	o.adminFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&o.from, "from", "", "region that sends")
	f.StringVar(&o.to, "to", "", "region that is sent to")
	f.BoolVar(&o.oneWay, "one-way", false, "not the way back")
	f.DurationVar(&o.length, "for", 0, "heal after this time (default when told to)")
}

func (o *faultOptions) adminFlag(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&o.admin, "admin", []string{defaultAdmin, "http://127.0.0.1:9001", "http://127.0.0.1:9002"},
		"admin addresses of the regions; those that do not answer are passed over")
}

func (o *faultOptions) notFound(region string) error {
	return fmt.Errorf("region %s does not answer at any of %s: say where it is with --admin", region, strings.Join(o.admin, ", "))
}

func newPartition() *cobra.Command {
	var o faultOptions
	cmd := &cobra.Command{
		Use: "partition", Short: "Let nothing through between two regions",
		Example: "  meridian fault partition --from us-east-1 --to eu-west-1 --one-way",
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.set(cmd, wan.Fault{Cut: true}) },
	}
	o.flags(cmd)
	return cmd
}

func newLatency() *cobra.Command {
	var o faultOptions
	cmd := &cobra.Command{
		Use: "latency", Short: "Make a link slower",
		Example: "  meridian fault latency --from us-east-1 --to eu-west-1 --add 300ms",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.add == 0 {
				return usagef("--add is missing: how much longer a way takes, like 300ms")
			}
			return o.set(cmd, wan.Fault{Latency: o.add})
		},
	}
	o.flags(cmd)
	cmd.Flags().DurationVar(&o.add, "add", 0, "how much longer each way takes")
	return cmd
}

func newLoss() *cobra.Command {
	var o faultOptions
	cmd := &cobra.Command{
		Use: "loss", Short: "Lose packets, as a bad line does",
		Long:    "Loses packets. TCP sends them again: what clients of the link see is that it is slow, by fits and starts.",
		Example: "  meridian fault loss --from us-east-1 --to eu-west-1 --share 0.05",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.share == 0 {
				return usagef("--share is missing: which share of packets is lost, like 0.05")
			}
			return o.set(cmd, wan.Fault{Loss: o.share})
		},
	}
	o.flags(cmd)
	cmd.Flags().Float64Var(&o.share, "share", 0, "share of packets that are lost, from 0 to 1")
	return cmd
}

func newPause() *cobra.Command {
	var o faultOptions
	cmd := &cobra.Command{
		Use: "pause", Short: "Let a link stand still for a while",
		Example: "  meridian fault pause --from us-east-1 --to eu-west-1 --for 5s",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.length == 0 {
				return usagef("--for is missing: how long the link stands still; without an end it is a partition")
			}
			return o.set(cmd, wan.Fault{Cut: true})
		},
	}
	o.flags(cmd)
	return cmd
}

func newHeal() *cobra.Command {
	var o faultOptions
	cmd := &cobra.Command{
		Use: "heal", Short: "Heal a link; or all, and clocks and disks",
		Example: "  meridian fault heal\n  meridian fault heal --from us-east-1 --to eu-west-1",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.from != "" || o.to != "" {
				return o.set(cmd, wan.Fault{})
			}
			return o.healAll(cmd)
		},
	}
	o.flags(cmd)
	return cmd
}

// regions finds the admin address of each region that answers.
func (o *faultOptions) regions(ctx context.Context, c *adminClient) (map[string]string, error) {
	found := map[string]string{}
	var errs []error
	for _, address := range o.admin {
		base, err := parseAdmin(address)
		if err != nil {
			return nil, err
		}
		s, err := c.status(ctx, base)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		found[s.Region] = base
	}
	if len(found) == 0 {
		return nil, errors.Join(errs...)
	}
	return found, nil
}

// set puts a fault on the way from one region to the other, and back.
func (o *faultOptions) set(cmd *cobra.Command, f wan.Fault) error {
	if o.from == "" || o.to == "" || o.from == o.to {
		return usagef("--from and --to must name two regions")
	}
	if o.length < 0 {
		return usagef("--for takes no negative time")
	}
	if err := f.Check(); err != nil {
		return usagef("%w", err)
	}
	if o.length > 0 && f != (wan.Fault{}) {
		f.Until = time.Now().Add(o.length)
	}
	c := newAdminClient(adminTimeout)
	found, err := o.regions(cmd.Context(), c)
	if err != nil {
		return err
	}
	ways := [][2]string{{o.from, o.to}, {o.to, o.from}}
	if o.oneWay {
		ways = ways[:1]
	}
	for _, way := range ways { // before anything is broken
		if found[way[0]] == "" {
			return o.notFound(way[0])
		}
	}
	for _, way := range ways {
		b, err := json.Marshal(admin.FaultChange{To: way[1], Fault: f})
		if err != nil {
			return err
		}
		if _, err := c.change(cmd.Context(), http.MethodPost, found[way[0]], "/admin/faults", b); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s to %s: %s\n", way[0], way[1], sayFault(f)); err != nil {
			return err
		}
	}
	return nil
}

func (o *faultOptions) healAll(cmd *cobra.Command) error {
	c := newAdminClient(adminTimeout)
	found, err := o.regions(cmd.Context(), c)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if _, err := c.change(cmd.Context(), http.MethodDelete, found[name], "/admin/faults", nil); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: all is healed\n", name); err != nil {
			return err
		}
	}
	return nil
}

func sayFault(f wan.Fault) string {
	say := "healed"
	switch {
	case f.Cut:
		say = "nothing gets through"
	case f.Latency > 0:
		say = fmt.Sprintf("%v longer", f.Latency)
	case f.Loss > 0:
		say = fmt.Sprintf("%g%% of packets are lost", f.Loss*100)
	}
	if !f.Until.IsZero() {
		say += " for " + time.Until(f.Until).Round(time.Second).String()
	}
	return say
}
