package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/meridiandb/meridian/internal/wan"
	"github.com/meridiandb/meridian/region"
)

// devOptions are the flags of dev.
type devOptions struct {
	regions []string
	// Each region's port is the first one's plus its place in regions; 0 takes any free port for every region.
	port, adminPort, replicationPort, gossipPort int
	data                                         string // empty: a temporary folder, removed at exit
	wan                                          string // profile of round-trip times
	allowFaults                                  bool
	triggers                                     triggerFlags
	cache                                        byteSize // of each region
	feeds                                        feedLimits
	logLevel                                     string
	pprof                                        bool
}

func newDev() *cobra.Command {
	o := devOptions{
		regions: []string{"us-east-1", "eu-west-1", "ap-northeast-1"},
		port:    8000, adminPort: 9000, replicationPort: 7000, gossipPort: 7100,
		wan: "none", cache: 32 << 20, logLevel: "warn",
	}
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run several regions on this machine, to try things",
		Long: `Runs several complete regions in one process. Each has its own ports and data folder, and they talk to each other over
real sockets, exactly as regions of "meridian serve" do. Ctrl-C stops them; a second Ctrl-C does not wait.`,
		Example: `  meridian dev
  meridian dev --regions us-east-1,eu-west-1 --data ./meridian-data
  meridian dev --port 18000 --admin-port 19000
  meridian dev --lambda-endpoint http://127.0.0.1:9101     # functions for tables' changes: docs/triggers.md`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDev(cmd, o) },
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.regions, "regions", o.regions, "names of the regions, in order")
	f.IntVar(&o.port, "port", o.port, "DynamoDB port of the first region; the next ones count up")
	f.IntVar(&o.adminPort, "admin-port", o.adminPort, "admin port, likewise")
	f.IntVar(&o.replicationPort, "replication-port", o.replicationPort, "replication port, likewise")
	f.IntVar(&o.gossipPort, "gossip-port", o.gossipPort, "gossip port (TCP and UDP), likewise")
	f.StringVar(&o.data, "data", o.data, "where to keep the data (default a temporary folder, removed at exit)")
	f.StringVar(&o.wan, "wan", o.wan, "distances between the regions: aws has the round-trip times of the real ones; none")
	f.BoolVar(&o.allowFaults, "allow-faults", o.allowFaults, allowFaultsHelp)
	o.triggers.flags(f)
	f.Var(&o.cache, "cache", "cache of items and blocks, of each region")
	o.feeds.flags(f)
	f.StringVar(&o.logLevel, "log-level", o.logLevel, "debug, info, warn or error")
	f.BoolVar(&o.pprof, "pprof", o.pprof, pprofHelp)
	return cmd
}

func runDev(cmd *cobra.Command, o devOptions) (err error) {
	began := time.Now()
	if err := o.check(); err != nil {
		return err
	}
	spareProcessors()
	logger, err := newLogger(cmd.ErrOrStderr(), o.logLevel, "text")
	if err != nil {
		return err
	}
	triggers, err := o.triggers.read()
	if err != nil {
		return err
	}
	ports, err := claimPorts(o.wants())
	if err != nil {
		return err
	}
	folder, remove, err := o.folder()
	if err != nil {
		ports.release()
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()

	profile, err := profileFor(o.wan)
	if err != nil {
		return err // check has seen that there is none
	}
	configs := make([]nodeConfig, len(o.regions))
	for i, name := range o.regions {
		configs[i] = nodeConfig{
			Region: name, Data: filepath.Join(folder, name), Cache: int64(o.cache), Beside: len(o.regions), Profile: o.pprof,
			Ports: portsOfNode(ports, i), RepairEvery: defaultRepairEvery, Feeds: o.feeds, Logger: logger.With("region", name),
			Network: network(name, profile, o.allowFaults), AllowFaults: o.allowFaults, Triggers: triggers,
		}
		for j := range o.regions {
			if j != i {
				configs[i].Join = append(configs[i].Join, portsOfNode(ports, j).Gossip.address())
			}
		}
	}
	nodes, err := openNodes(configs)
	if err != nil {
		return err
	}
	return runNodes(cmd.Context(), nodes, func(ctx context.Context) error {
		awaitLinks(ctx, nodes, linkPatience)
		return printDev(cmd.OutOrStdout(), devSummary{nodes: configs, took: time.Since(began), data: o.data, wan: profile})
	})
}

// check refuses what can be seen to be wrong before anything is touched.
func (o *devOptions) check() error {
	if err := checkRegions(o.regions); err != nil {
		return err
	}
	if err := o.feeds.check(); err != nil {
		return err
	}
	_, err := profileFor(o.wan, o.regions...)
	return err
}

// checkRegions reads --regions.
func checkRegions(names []string) error {
	if len(names) == 0 {
		return usagef("--regions names no region")
	}
	seen := map[string]bool{}
	for _, name := range names {
		if err := region.CheckName(name); err != nil {
			return usagef("--regions: %w", err)
		}
		if seen[name] {
			return usagef("--regions names %s twice", name)
		}
		seen[name] = true
	}
	return nil
}

// wants lists the ports of all regions, four for each, in the order that portsOfNode expects.
func (o *devOptions) wants() []want {
	var all []want
	for i, name := range o.regions {
		at := func(first int) string {
			if first != 0 {
				first += i
			}
			return net.JoinHostPort("127.0.0.1", strconv.Itoa(first))
		}
		all = append(all, nodeWants(name, at(o.port), at(o.adminPort), at(o.replicationPort), at(o.gossipPort))...)
	}
	return all
}

// folder makes sure of the data folders and says how to clean up at the end.
func (o *devOptions) folder() (path string, remove func() error, err error) {
	path, remove = o.data, func() error { return nil }
	if path == "" {
		if path, err = os.MkdirTemp("", "meridian-dev-*"); err != nil {
			return "", nil, usagef("cannot make a temporary data folder: %w", err)
		}
		remove = func() error { return os.RemoveAll(path) }
	}
	for _, name := range o.regions {
		if err := checkFolder(filepath.Join(path, name)); err != nil {
			return "", nil, errors.Join(err, remove())
		}
	}
	return path, remove, nil
}

// openNodes opens all regions side by side; if one fails, none stays open.
func openNodes(configs []nodeConfig) ([]*node, error) {
	nodes := make([]*node, len(configs))
	var opening errgroup.Group
	for i, c := range configs {
		opening.Go(func() (err error) {
			nodes[i], err = openNode(c)
			return err
		})
	}
	err := opening.Wait()
	if err == nil {
		return nodes, nil
	}
	for _, n := range nodes {
		if n != nil {
			err = errors.Join(err, n.close())
		}
	}
	return nil, err
}

// runNodes serves until ctx ends or a region fails, and returns when all have stopped. started is called once all serve.
func runNodes(ctx context.Context, nodes []*node, started func(context.Context) error) error {
	running, ctx := errgroup.WithContext(ctx)
	for _, n := range nodes {
		running.Go(func() error { return n.Run(ctx) })
	}
	running.Go(func() error { return started(ctx) })
	return running.Wait()
}

const (
	linkPatience = 1500 * time.Millisecond // how long dev's table waits for the regions to have found each other
	linkPoll     = 10 * time.Millisecond
)

// awaitLinks returns when every region has links to all others, so that the first thing a newcomer pastes works; or after a
// while without them, which is no failure.
func awaitLinks(ctx context.Context, nodes []*node, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(linkPoll)
	defer tick.Stop()
	for {
		linked := true
		for _, n := range nodes {
			linked = linked && n.links() == len(nodes)-1
		}
		if linked {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// devSummary is what dev prints when it is ready.
type devSummary struct {
	nodes []nodeConfig
	took  time.Duration
	data  string // empty: temporary
	wan   *wan.Profile
}

// wanLine says how far the regions are apart.
func (s devSummary) wanLine() string {
	if s.wan == nil {
		return "none (--wan aws has those of the real regions)"
	}
	var pairs []string
	for i, a := range s.nodes {
		for _, b := range s.nodes[i+1:] {
			pairs = append(pairs, fmt.Sprintf("%s to %s %v", a.Region, b.Region, s.wan.RTT(a.Region, b.Region)))
		}
	}
	return "round trips " + strings.Join(pairs, ", ")
}

func (s devSummary) dataLine() string {
	if s.data == "" {
		return "temporary, removed at exit (--data keeps it)"
	}
	return fmt.Sprintf("kept in %s", s.data)
}

// adminFlag is what meridian status needs to find these regions.
func (s devSummary) adminFlag() string {
	if at := s.nodes[0].endpoints().Admin; at != defaultAdmin {
		return " --admin " + at
	}
	return ""
}
