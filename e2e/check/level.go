package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

type levelOptions struct {
	meridian string
	admins   []string
	regions  int
	cutOff   string
	within   time.Duration
}

func newLevel() *cobra.Command {
	o := levelOptions{meridian: "bin/meridian", admins: []string{"127.0.0.1:9000"}, regions: 3, within: time.Minute}
	cmd := &cobra.Command{
		Use:   "level",
		Short: "Wait until `meridian status` shows every region ready, every link up and all lag 0",
		Long: `Asks "meridian status --json" until it shows what is wanted: every region ready, each linked with every other, and nothing
left to send or to apply. With --cut-off, that one region has no link, and everything else is up.`,
		Example: `  check level --within 30s
  check level --admins 127.0.0.1:9000,127.0.0.1:9001,127.0.0.1:9002 --cut-off eu-west-1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.meridian, "meridian", o.meridian, "the binary")
	f.StringSliceVar(&o.admins, "admins", o.admins, "admin addresses; one is enough, as long as it reaches the others")
	f.IntVar(&o.regions, "regions", o.regions, "how many regions there are")
	f.StringVar(&o.cutOff, "cut-off", o.cutOff, "wait until this region has no link instead")
	f.DurationVar(&o.within, "within", o.within, "how long it may take")
	return cmd
}

// status is the part of `meridian status --json` that matters here.
type status struct {
	Regions []struct {
		Region      string
		Ready       bool
		Unreachable string
		Peers       []peer
	}
}

type peer struct {
	Region             string
	Connected          bool
	Sending, Receiving lag
}

type lag struct {
	Seconds float64
	Commits uint64
	Bytes   uint64
}

func (o levelOptions) run(ctx context.Context) error {
	began := time.Now()
	err := until(ctx, o.within, 50*time.Millisecond, func(ctx context.Context) error {
		s, err := o.ask(ctx)
		if err != nil {
			return err
		}
		return o.complaint(s)
	})
	if err != nil {
		return err
	}
	what := "every link up, all lag 0"
	if o.cutOff != "" {
		what = o.cutOff + " cut off"
	}
	fmt.Printf("%d regions, %s after %s\n", o.regions, what, time.Since(began).Round(time.Millisecond))
	return nil
}

func (o levelOptions) ask(ctx context.Context) (s status, err error) {
	args := []string{"status", "--json"}
	for _, a := range o.admins {
		args = append(args, "--admin", a)
	}
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, o.meridian, args...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	// Exit code 1 with a report on standard output means "not healthy"; the report says more.
	if err := cmd.Run(); err != nil && out.Len() == 0 {
		return s, fmt.Errorf("%s status: %w: %s", o.meridian, err, strings.TrimSpace(complaints.String()))
	}
	return s, json.Unmarshal(out.Bytes(), &s)
}

// complaint says what is not yet as wanted.
func (o levelOptions) complaint(s status) error {
	var all []error
	if n := len(s.Regions); n != o.regions {
		return fmt.Errorf("status shows %d regions of %d", n, o.regions)
	}
	for _, r := range s.Regions {
		if !r.Ready {
			all = append(all, fmt.Errorf("%s is not ready %s", r.Region, r.Unreachable))
			continue
		}
		if linked := slices.DeleteFunc(slices.Clone(r.Peers), func(p peer) bool { return !p.Connected }); o.cutOff == "" &&
			len(linked) != o.regions-1 {
			all = append(all, fmt.Errorf("%s has %d links of %d", r.Region, len(linked), o.regions-1))
		}
		for _, p := range r.Peers {
			all = append(all, o.linkComplaint(r.Region, p))
		}
	}
	return errors.Join(all...)
}

func (o levelOptions) linkComplaint(region string, p peer) error {
	switch cut := o.cutOff != "" && (region == o.cutOff || p.Region == o.cutOff); {
	case cut && p.Connected:
		return fmt.Errorf("%s is still linked with %s", region, p.Region)
	case !cut && !p.Connected:
		return fmt.Errorf("%s has no link to %s", region, p.Region)
	case o.cutOff == "" && (p.Sending != lag{} || p.Receiving != lag{}):
		return fmt.Errorf("%s has %d commits to send to %s and %d to apply", region, p.Sending.Commits, p.Region, p.Receiving.Commits)
	}
	return nil
}
