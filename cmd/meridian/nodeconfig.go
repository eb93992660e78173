package main

import (
	"log/slog"
	"time"

	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/internal/wan"
)

// nodeConfig says how to run one region. All fields are required unless they say otherwise.
type nodeConfig struct {
	Region string
	Data   string // exists and can be written in
	Cache  int64  // bytes
	// Beside is how many regions share the process's files, this one among them; 0: it has them for itself.
	Beside int
	// Profile adds /debug/pprof/ to the admin endpoint.
	Profile bool
	Ports   nodePorts
	// What the other regions are told to connect to; empty: the address listened on.
	ReplicationAdvertise, GossipAdvertise string
	Join                                  []string      // gossip addresses of other regions; may be empty
	RepairEvery                           time.Duration // how often tables are compared with the others'; 0: only when asked to
	Feeds                                 feedLimits    // of the conflict feeds; zero: the defaults
	Logger                                *slog.Logger
	Network                               *wan.Network // simulated; nil: none is
	AllowFaults                           bool         // whoever reaches the admin endpoint may break Network, clock and disk
	Secrets                               secrets      // between regions
	Triggers                              triggerSettings
}

const allowFaultsHelp = `let "meridian fault" break this region's links, clock and disk, for rehearsals`

// network is the simulated network of a region, if one is asked for. Faults need one, be it without distances.
func network(region string, p *wan.Profile, allowFaults bool) *wan.Network {
	if p == nil && !allowFaults {
		return nil
	}
	return wan.New(region, p)
}

// profileFor finds a WAN profile and makes sure that it has all regions.
func profileFor(name string, regions ...string) (*wan.Profile, error) {
	p, err := wan.ParseProfile(name)
	if err != nil {
		return nil, usagef("--wan: %w", err)
	}
	for _, r := range regions {
		if err := p.Check(r); err != nil {
			return nil, usagef("--wan: %w", err)
		}
	}
	return p, nil
}

const (
	defaultRepairEvery = time.Minute
	repairHelp         = "how often, about, each table is compared with each other region's and mended; 0: only by meridian repair"
)

const pprofHelp = "serve profiles of the process on the admin endpoint, /debug/pprof/"

// nodePorts are the ports of one region, claimed.
type nodePorts struct{ DynamoDB, Admin, Replication, Gossip *claim }

func (p nodePorts) release() { claims{p.DynamoDB, p.Admin, p.Replication, p.Gossip}.release() }

// nodeWants lists a region's ports; portsOfNode finds those of the i-th region again in what was claimed.
func nodeWants(region, dynamodb, admin, replication, gossip string) []want {
	return []want{
		{what: "DynamoDB endpoint of " + region, addr: dynamodb},
		{what: "admin of " + region, addr: admin},
		{what: "replication of " + region, addr: replication},
		{what: "gossip of " + region, addr: gossip, packet: true},
	}
}

func portsOfNode(cs claims, i int) nodePorts {
	cs = cs[4*i:]
	return nodePorts{DynamoDB: cs[0], Admin: cs[1], Replication: cs[2], Gossip: cs[3]}
}

func (c nodeConfig) endpoints() admin.Endpoints {
	return admin.Endpoints{
		DynamoDB: "http://" + c.Ports.DynamoDB.address(), Admin: "http://" + c.Ports.Admin.address(),
		Replication: c.Ports.Replication.address(), Gossip: c.Ports.Gossip.address(),
	}
}
