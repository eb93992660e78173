package replication

import (
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridiandb/meridian/internal/wan"
	"github.com/meridiandb/meridian/replication/grpclink"
	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/replication/member"
)

// TLS names the files of mutual authentication between regions.
type TLS = grpclink.TLS

// Options says what to replicate and how to meet the others. Region, Source, Sink and Handler are required.
type Options struct {
	Region  string
	Source  Source
	Sink    Sink
	Handler Handler

	// Listen is the replication endpoint, host:port, and Advertise what others are told of it; empty: as it listens.
	Listen, Advertise string
	// GossipListen and GossipAdvertise are the same for gossip.
	GossipListen, GossipAdvertise string
	// Seeds are gossip endpoints of other regions; one that answers is enough.
	Seeds []string
	// TLS is for replication; nil: none.
	TLS *TLS
	// GossipKey encrypts gossip: 16, 24 or 32 bytes, the same in all regions; nil: it is not encrypted.
	GossipKey []byte
	// Network makes the links as slow as real ones, or breaks them; nil: they are as they are. Gossip is left alone.
	Network *wan.Network

	// Repairer compares this region's tables with the others', and mends what differs; nil: nobody does.
	Repairer Repairer
	// RepairEvery is how often, about, each table is compared with each peer; 0: once a minute, negative: only when asked to. A
	// round of a table at rest reads its hash cells (1 MB) on both sides.
	RepairEvery time.Duration

	Link       link.Config           // zero: defaults
	Logger     *slog.Logger          // nil: none
	Registerer prometheus.Registerer // nil: no metrics
	Now        func() time.Time      // the wall clock that peers compare; nil: the machine's
}

func (o *Options) check() error {
	if o.Region == "" || o.Source == nil || o.Sink == nil || o.Handler == nil {
		return errors.New("replication: Region, Source, Sink and Handler are required")
	}
	if origin := o.Source.Origin(); origin.Region != o.Region {
		return errors.New("replication: the source is " + origin.Region + ", not " + o.Region)
	}
	o.Link = o.Link.WithDefaults()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// Membership says who is there. *member.Member is one.
type Membership interface {
	// Peers lists the other regions, each once.
	Peers() []member.Peer
	// Changed is closed when Peers would answer differently from how it did when Changed was called.
	Changed() <-chan struct{}
	Close() error
}

var _ Membership = (*member.Member)(nil)
