package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/meridiandb/meridian/drill"
	"github.com/meridiandb/meridian/internal/wan"
)

// devFleet is a drill's Target of regions as meridian dev runs them, in this process.
type devFleet struct {
	names  []string
	folder string
	ports  *drill.Ports
	logger *slog.Logger
	log    io.Closer // under logger

	networks sync.Mutex // guards each region's config.Network; taken after mu

	mu      sync.Mutex
	profile *wan.Profile
	regions map[string]*devRegion
}

// devRegion is one region, or its last run.
type devRegion struct {
	config nodeConfig
	at     drill.Region
	wants  []want // its ports, by number
	gate   *gate
	stop   context.CancelFunc
	done   chan error // what Run returned; size 1
	up     bool
}

// About describes the target.
func (f *devFleet) About() string {
	return fmt.Sprintf("%d regions in one process, as meridian dev has them; a kill cuts all connections at once and then closes the region, a pause stops its connections", len(f.names))
}

// Open starts all regions.
func (f *devFleet) Open(_ context.Context, profile string) ([]drill.Region, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := profileFor(profile, f.names...)
	if err != nil {
		return nil, err
	}
	f.profile, f.regions = p, map[string]*devRegion{}
	numbers, err := f.ports.Take(4 * len(f.names))
	if err != nil {
		return nil, err
	}
	at := func(i int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(numbers[i])) }
	var wants []want
	for i, name := range f.names {
		wants = append(wants, nodeWants(name, at(4*i), at(4*i+1), at(4*i+2), at(4*i+3))...)
	}
	ports, err := claimPorts(wants)
	if err != nil {
		return nil, err
	}
	var all []drill.Region
	for i, name := range f.names {
		folder := filepath.Join(f.folder, name)
		if err := checkFolder(folder); err != nil {
			ports.release()
			return nil, err
		}
		c := nodeConfig{
			Region: name, Data: folder, Cache: 32 << 20, Beside: len(f.names), Ports: portsOfNode(ports, i),
			RepairEvery: defaultRepairEvery, Logger: f.logger.With("region", name), AllowFaults: true,
		}
		for j := range f.names {
			if j != i {
				c.Join = append(c.Join, portsOfNode(ports, j).Gossip.address())
			}
		}
		e := c.endpoints()
		r := &devRegion{
			config: c, at: drill.Region{Name: name, DynamoDB: e.DynamoDB, Admin: e.Admin},
			wants: nodeWants(name, c.Ports.DynamoDB.address(), c.Ports.Admin.address(), e.Replication, e.Gossip),
		}
		f.regions[name] = r
		all = append(all, r.at)
	}
	var errs []error
	for _, name := range f.names {
		errs = append(errs, f.start(f.regions[name]))
	}
	return all, errors.Join(errs...)
}

// start opens a region on its claimed ports and serves. As for a process, faults of an earlier run are gone.
func (f *devFleet) start(r *devRegion) error {
	c := r.config
	c.Network = network(c.Region, f.profile, true)
	r.gate = newGate()
	c.Ports.DynamoDB.tcp, c.Ports.Admin.tcp = r.gate.listen(c.Ports.DynamoDB.tcp), r.gate.listen(c.Ports.Admin.tcp)
	f.networks.Lock()
	r.config.Network = c.Network
	f.networks.Unlock()
	n, err := openNode(c)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }() // ends by stop, which halt and Close call and wait for
	r.stop, r.done, r.up = stop, done, true
	return nil
}

// Do is drill.Target's.
func (f *devFleet) Do(_ context.Context, a drill.Action, region string) error {
	f.mu.Lock()
	r := f.regions[region]
	f.mu.Unlock()
	if r == nil {
		return fmt.Errorf("there is no region %s", region)
	}
	switch a {
	case drill.Kill:
		r.gate.cut()
		return r.halt()
	case drill.Start:
		return f.again(r)
	case drill.Restart:
		return errors.Join(r.halt(), f.again(r))
	case drill.Pause:
		r.gate.shut()
		f.links(region, wan.Fault{Cut: true})
		return nil
	case drill.Resume:
		f.links(region, wan.Fault{})
		r.gate.open()
		return nil
	case drill.LoseDisk:
		return os.RemoveAll(r.config.Data)
	}
	return fmt.Errorf("nobody knows how to %s a region of this process", a)
}

// again starts a region that has been stopped, where it was.
func (f *devFleet) again(r *devRegion) error {
	ports, err := claimPorts(r.wants)
	if err != nil {
		return err
	}
	if err := checkFolder(r.config.Data); err != nil {
		ports.release()
		return err
	}
	r.config.Ports = portsOfNode(ports, 0)
	return f.start(r)
}

// links sets a fault on all ways from and to a region.
func (f *devFleet) links(region string, fault wan.Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.networks.Lock()
	defer f.networks.Unlock()
	for name, o := range f.regions {
		if name != region {
			f.regions[region].config.Network.Set(name, fault)
			o.config.Network.Set(region, fault)
		}
	}
}

// halt stops a region and waits until it has ended.
func (r *devRegion) halt() error {
	if !r.up {
		return nil
	}
	r.stop()
	r.up = false
	return <-r.done
}

// Close ends all regions.
func (f *devFleet) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ending sync.WaitGroup
	errs := make([]error, len(f.names))
	for i, name := range f.names {
		if r := f.regions[name]; r != nil {
			ending.Go(func() {
				if r.gate != nil {
					r.gate.open()
				}
				errs[i] = r.halt()
			})
		}
	}
	ending.Wait()
	return errors.Join(errors.Join(errs...), f.log.Close())
}
