package replication

import (
	"errors"

	"github.com/meridiandb/meridian/replication/grpclink"
	"github.com/meridiandb/meridian/replication/member"
)

// Start opens both ports, joins the others and replicates until Close.
func Start(o Options) (*Replication, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	t, err := grpclink.New(grpclink.Options{Listen: o.Listen, TLS: o.TLS, Network: o.Network})
	if err != nil {
		return nil, err
	}
	if o.Advertise == "" {
		o.Advertise = t.Address()
	}
	m, err := member.Start(member.Options{
		Origin: o.Source.Origin(), Listen: o.GossipListen, Advertise: o.GossipAdvertise,
		ReplicationAddress: o.Advertise, Seeds: o.Seeds, Key: o.GossipKey, Logger: o.Logger,
	})
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return StartOver(o, t, m)
}
