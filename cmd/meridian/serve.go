package main

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/meridiandb/meridian/region"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	region, data                            string
	listen, adminListen                     string
	replicationListen, replicationAdvertise string
	gossipListen, gossipAdvertise           string
	join                                    []string
	cache                                   byteSize
	logLevel, logFormat                     string
	pprof                                   bool
	wan                                     string
	allowFaults                             bool
	repairEvery                             time.Duration
	feeds                                   feedLimits
	secrets                                 secretFiles
	triggers                                triggerFlags
	config                                  string
}

func newServe() *cobra.Command {
	o := serveOptions{
		listen: "127.0.0.1:8000", adminListen: "127.0.0.1:9000",
		replicationListen: "127.0.0.1:7000", gossipListen: "127.0.0.1:7100",
		cache: 256 << 20, logLevel: "info", logFormat: "text", wan: "none", repairEvery: defaultRepairEvery,
	}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run one region",
		Long: `Runs one region of a deployment. It finds the other regions through any one of them (--join) and goes on looking for
those that are not there yet.

Every flag can also be given as a variable (--replication-listen is MERIDIAN_REPLICATION_LISTEN) or in a YAML file
(replication-listen: …). The command line wins over the environment, that over the file.

Everything listens on loopback unless told otherwise. A region that listens on all interfaces (0.0.0.0) must be told
under which address the others reach it (--replication-advertise, --gossip-advertise).

Whoever reaches the replication port is taken for a region unless --replication-ca, --replication-cert and --replication-key
say otherwise: then regions show each other certificates of that authority, and nobody else gets in. --gossip-key does the same
for membership. All regions need them alike.`,
		Example: `  meridian serve --region us-east-1 --data /var/lib/meridian
  meridian serve --region eu-west-1 --data /var/lib/meridian --listen 0.0.0.0:8000 \
      --replication-listen 0.0.0.0:7000 --replication-advertise eu.example.net:7000 \
      --gossip-listen 0.0.0.0:7100 --gossip-advertise eu.example.net:7100 --join us.example.net:7100
  MERIDIAN_REGION=us-east-1 meridian serve --config /etc/meridian.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fillFlags(cmd.Flags(), os.Getenv); err != nil {
				return err
			}
			return runServe(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.region, "region", o.region, "name of the region, like us-east-1 (required)")
	f.StringVar(&o.data, "data", o.data, "data folder (required)")
	f.StringVar(&o.listen, "listen", o.listen, "DynamoDB endpoint")
	f.StringVar(&o.adminListen, "admin-listen", o.adminListen, "admin endpoint")
	f.StringVar(&o.replicationListen, "replication-listen", o.replicationListen, "where other regions connect to")
	f.StringVar(&o.replicationAdvertise, "replication-advertise", o.replicationAdvertise, "that address as the others see it (default the same)")
	f.StringVar(&o.gossipListen, "gossip-listen", o.gossipListen, "membership endpoint, TCP and UDP")
	f.StringVar(&o.gossipAdvertise, "gossip-advertise", o.gossipAdvertise, "that address as the others see it (default the same)")
	f.StringSliceVar(&o.join, "join", o.join, "gossip address of another region; several for several")
	f.Var(&o.cache, "cache", "cache of items and blocks")
	f.DurationVar(&o.repairEvery, "repair-every", o.repairEvery, repairHelp)
	o.feeds.flags(f)
	f.StringVar(&o.logLevel, "log-level", o.logLevel, "debug, info, warn or error")
	f.StringVar(&o.logFormat, "log-format", o.logFormat, "text or json")
	f.BoolVar(&o.pprof, "pprof", o.pprof, pprofHelp)
	f.StringVar(&o.wan, "wan", o.wan, "simulate distances to the other regions: aws or none; the same in all regions")
	f.BoolVar(&o.allowFaults, "allow-faults", o.allowFaults, allowFaultsHelp+"; the same in all regions")
	o.secrets.flags(f)
	o.triggers.flags(f)
	f.StringVar(&o.config, configFlag, o.config, "YAML file with settings")
	return cmd
}

func runServe(cmd *cobra.Command, o serveOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	logger, err := newLogger(cmd.ErrOrStderr(), o.logLevel, o.logFormat)
	if err != nil {
		return err
	}
	profile, err := profileFor(o.wan, o.region)
	if err != nil {
		return err
	}
	secrets, err := o.secrets.read()
	if err != nil {
		return err
	}
	triggers, err := o.triggers.read()
	if err != nil {
		return err
	}
	c := nodeConfig{
		Region: o.region, Data: o.data, Cache: int64(o.cache), Profile: o.pprof,
		ReplicationAdvertise: o.replicationAdvertise, GossipAdvertise: o.gossipAdvertise,
		Join: o.join, RepairEvery: o.repairEvery, Feeds: o.feeds, Logger: logger.With("region", o.region),
		Network: network(o.region, profile, o.allowFaults), AllowFaults: o.allowFaults, Secrets: secrets, Triggers: triggers,
	}
	limitMemory(c.Cache)
	spareProcessors()
	defer context.AfterFunc(cmd.Context(), func() { c.Logger.Info("stopping") })()
	for {
		err := o.run(cmd.Context(), c)
		if !errors.Is(err, region.ErrRebuild) || cmd.Context().Err() != nil {
			return err
		}
		c.Logger.Warn("the region is opened again", "because", oneLine(err))
	}
}

// run serves from the opening of the data folder until it is closed.
func (o *serveOptions) run(ctx context.Context, c nodeConfig) error {
	ports, err := claimPorts(nodeWants(o.region, o.listen, o.adminListen, o.replicationListen, o.gossipListen))
	if err != nil {
		return err
	}
	if err := checkFolder(o.data); err != nil {
		ports.release()
		return err
	}
	c.Ports = portsOfNode(ports, 0)
	n, err := openNode(c)
	if err != nil {
		return err
	}
	return runNodes(ctx, []*node{n}, func(context.Context) error {
		e := c.endpoints()
		c.Logger.Info("serving", "dynamodb", e.DynamoDB, "admin", e.Admin,
			"replication", e.Replication, "gossip", e.Gossip, "data", c.Data)
		return nil
	})
}

// check refuses what can be seen to be wrong before anything is touched.
func (o *serveOptions) check() error {
	if o.region == "" {
		return usagef("--region is missing: the name of the region, like us-east-1")
	}
	if err := region.CheckName(o.region); err != nil {
		return usagef("--region: %w", err)
	}
	if o.data == "" {
		return usagef("--data is missing: the folder for the region's data")
	}
	if o.repairEvery < 0 {
		return usagef("--repair-every takes no negative time")
	}
	if err := o.feeds.check(); err != nil {
		return err
	}
	if err := checkAdvertise("replication", o.replicationListen, o.replicationAdvertise); err != nil {
		return err
	}
	if err := checkAdvertise("gossip", o.gossipListen, o.gossipAdvertise); err != nil {
		return err
	}
	for _, seed := range o.join {
		if _, _, err := net.SplitHostPort(seed); err != nil {
			return usagef("--join %q is not host:port", seed)
		}
	}
	return nil
}

// checkAdvertise makes sure that the others get an address that they can connect to: 0.0.0.0 names none.
func checkAdvertise(what, listen, advertise string) error {
	if advertise == "" {
		host, _, err := net.SplitHostPort(listen)
		ip := net.ParseIP(host)
		if err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
			return usagef("--%s-listen %s is no address that others can reach: say which one is with --%s-advertise", what, listen, what)
		}
		return nil
	}
	host, port, err := net.SplitHostPort(advertise)
	if err != nil || host == "" || port == "0" {
		return usagef("--%s-advertise %q is not host:port", what, advertise)
	}
	return nil
}
