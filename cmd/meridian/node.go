package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/meridiandb/meridian/api"
	"github.com/meridiandb/meridian/api/front"
	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/replication"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/pebblestore"
	"github.com/meridiandb/meridian/trigger"
)

// node is one running region: its database, its links to the others, and the two HTTP endpoints over them. dev runs
// several, serve one.
//
//	openNode   store → region → replication → triggers → handlers; on error nothing stays open
//	Run        serves until its context ends or a part fails, then stops HTTP, triggers, replication and region, in this order, so
//	           that no part outlives what it stands on; everything is awaited
type node struct {
	config      nodeConfig
	started     time.Time
	store       *pebblestore.Store // owned by region
	region      *region.Region
	replication *replication.Replication
	triggers    *trigger.Manager
	api         *front.Server
	admin       *http.Server

	trouble *trouble // nil: its clock and its disk are what they are

	assembled chan struct{} // closed when all of the above is set
	serving   atomic.Bool   // between the start of Run and the beginning of its end
}

// openNode opens a region and everything around it. It takes over the configuration's ports, also when it fails.
func openNode(c nodeConfig) (*node, error) {
	n := &node{config: c, started: time.Now(), assembled: make(chan struct{})}
	if c.AllowFaults {
		n.trouble = newTrouble()
	}
	if err := n.assemble(); err != nil {
		return nil, errors.Join(err, n.close())
	}
	close(n.assembled)
	return n, nil
}

func (n *node) assemble() error {
	if err := n.openRegion(); err != nil {
		return err
	}
	registry, registerer := admin.NewRegistry(n.config.Region)
	if err := n.startReplication(registerer); err != nil {
		return err
	}
	if err := n.startTriggers(registerer); err != nil {
		return err
	}
	registerer.MustRegister(admin.NewCollector(n.Status, func() []admin.Figure {
		return append(engineFigures(n.store), floorFigures(n.region.Stats(), time.Now())...)
	}))
	handler, err := api.New(api.Options{Region: n.region, Logger: n.config.Logger, Registerer: registerer})
	if err != nil {
		return err
	}
	clients, operators := connections(openFiles(), n.config.Beside)
	n.api = newEndpoint(handler, clients, n.config.Logger)
	options := admin.Options{
		Source: n, Conflicts: conflictSource{n.region}, Metrics: admin.NewMetrics(registry), Profile: n.config.Profile,
	}
	if n.config.AllowFaults {
		options.Faults, options.Trouble = n.config.Network, n.trouble
	}
	n.admin = newHTTPServer(withTriggers(withRepair(admin.Handler(options), n), n.triggers), operators, n.config.Logger)
	return nil
}

// openRegion opens the data folder. Whatever is wrong with it, the user has to do something about it before trying again.
func (n *node) openRegion() (err error) {
	c := n.config
	n.store, err = pebblestore.Open(c.Data, pebblestore.Options{
		CacheBytes: c.Cache, RowKind: storage.KindItem, OpenFiles: storeFiles(openFiles(), c.Beside), Logger: c.Logger,
		Full: n.trouble.diskFull(),
	})
	if err != nil {
		return usagef("data folder %s of %s: %w", c.Data, c.Region, err)
	}
	n.region, err = region.Open(region.Options{
		Name: c.Region, Store: n.store, Logger: c.Logger, Wall: n.trouble.wall(),
		ConflictAge: c.Feeds.age, ConflictBytes: int64(c.Feeds.size),
	})
	if err != nil {
		return errors.Join(usagef("data folder %s: %w", c.Data, err), n.store.Close())
	}
	return nil
}

// startReplication links the region to the others. From here on peers may ask things, hence assembled.
func (n *node) startReplication(metrics prometheus.Registerer) (err error) {
	c := n.config
	c.Ports.Replication.release() // replication and gossip open their ports themselves; they were free a moment ago
	c.Ports.Gossip.release()
	n.replication, err = replication.Start(replication.Options{
		Region: c.Region, Now: n.steadyTime,
		Source: sourceAndSink{n.region}, Sink: sourceAndSink{n.region}, Handler: commands{n},
		Repairer: repairer{n.region}, RepairEvery: cmp.Or(c.RepairEvery, -1),
		Listen: c.Ports.Replication.address(), Advertise: c.ReplicationAdvertise,
		GossipListen: c.Ports.Gossip.address(), GossipAdvertise: c.GossipAdvertise,
		Seeds: c.Join, Network: c.Network, TLS: c.Secrets.tls, GossipKey: c.Secrets.gossipKey,
		Logger: c.Logger, Registerer: metrics,
	})
	if err != nil {
		return usagef("region %s: links to other regions: %w", c.Region, err)
	}
	n.region.Connect(peers{n.replication})
	return nil
}

// Run serves until ctx ends or a part fails, and returns when everything has stopped.
func (n *node) Run(ctx context.Context) error {
	running, ctx := errgroup.WithContext(ctx)
	running.Go(func() error { return n.failure("DynamoDB endpoint", serveHTTP(n.api, n.config.Ports.DynamoDB.tcp)) })
	running.Go(func() error { return n.failure("admin endpoint", serveHTTP(n.admin, n.config.Ports.Admin.tcp)) })
	running.Go(func() error {
		select {
		case <-n.region.Failed():
			return n.failure("storage", n.region.Err())
		case <-ctx.Done():
			return nil
		}
	})
	running.Go(func() error {
		n.reportClocks(ctx)
		return nil
	})
	running.Go(func() error {
		<-ctx.Done()
		n.serving.Store(false)
		stopHTTP(n.api, n.admin)
		return nil
	})
	n.serving.Store(true)
	return errors.Join(running.Wait(), n.close())
}

// failure names the part that failed.
func (n *node) failure(part string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("region %s: %s: %w", n.config.Region, part, err)
}

// close takes down what there is, from the top. HTTP has stopped or was never started.
func (n *node) close() error {
	n.config.Ports.release()
	var errs []error
	if n.triggers != nil {
		n.triggers.Close()
	}
	if n.replication != nil {
		errs = append(errs, n.failure("stop replication", n.replication.Close()))
	}
	if n.region != nil {
		errs = append(errs, n.failure("close", n.region.Close()))
	}
	return errors.Join(errs...)
}

// links counts the peers that this region is connected to.
func (n *node) links() int {
	count := 0
	for _, p := range n.replication.Peers() {
		if peerStatus(p).Connected {
			count++
		}
	}
	return count
}
