package drill

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Docker is a Target of containers that run already, those of docker-compose.yml: meridian-<region>, with a network named
// meridian-wan between the regions.
type Docker struct {
	api     *dockerAPI
	names   []string
	regions []Region

	mu   sync.Mutex
	away map[string][]string // isolated → its aliases
}

const wanNetwork = "meridian-wan"

func containerName(region string) string { return "meridian-" + region }

// NewDocker finds the engine. The socket may be empty: then it is that of $DOCKER_HOST, or the usual one.
func NewDocker(socket string, regions []string) (*Docker, error) {
	api, err := newDockerAPI(socket)
	if err != nil {
		return nil, err
	}
	return &Docker{api: api, names: regions, away: map[string][]string{}}, nil
}

// About describes the target.
func (d *Docker) About() string {
	return fmt.Sprintf("%d containers, broken through the Docker engine; links as they were started", len(d.names))
}

// Open finds the containers; distances between them are as they were started.
func (d *Docker) Open(ctx context.Context, _ string) ([]Region, error) {
	for _, name := range d.names {
		c, err := d.api.inspect(ctx, containerName(name))
		if err != nil {
			return nil, fmt.Errorf("container %s (docker compose up?): %w", containerName(name), err)
		}
		r := Region{Name: name}
		for port, to := range map[string]*string{"8000/tcp": &r.DynamoDB, "9000/tcp": &r.Admin} {
			bound := c.NetworkSettings.Ports[port]
			if len(bound) == 0 {
				return nil, fmt.Errorf("container %s publishes no port %s, or does not run", containerName(name), port)
			}
			*to = "http://127.0.0.1:" + bound[0].HostPort
		}
		d.regions = append(d.regions, r)
	}
	return d.regions, d.awaitReady(ctx, d.names...)
}

func (d *Docker) awaitReady(ctx context.Context, names ...string) error {
	for _, r := range d.regions {
		if !slices.Contains(names, r.Name) {
			continue
		}
		err := await(ctx, startPatience, func() error {
			if !ready(ctx, r) {
				return fmt.Errorf("%s does not serve", r.Name)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Do does something to a region's container.
func (d *Docker) Do(ctx context.Context, a Action, region string) error {
	name := containerName(region)
	switch a {
	case Kill:
		return d.api.act(ctx, name, "kill?signal=KILL")
	case Start:
		if err := d.api.act(ctx, name, "start"); err != nil {
			return err
		}
		return d.awaitReady(ctx, region)
	case Pause:
		return d.api.act(ctx, name, "pause")
	case Resume:
		return d.api.act(ctx, name, "unpause")
	case Restart:
		if err := d.api.act(ctx, name, "restart?t=30"); err != nil {
			return err
		}
		return d.awaitReady(ctx, region)
	case LoseDisk:
		return d.loseDisk(ctx, region)
	}
	return fmt.Errorf("nobody knows how to %s a container", a)
}

// loseDisk makes the region's container again on an empty volume.
func (d *Docker) loseDisk(ctx context.Context, region string) error {
	c, err := d.api.inspect(ctx, containerName(region))
	if err != nil {
		return err
	}
	for _, m := range c.Mounts {
		if m.Type == "volume" && m.Destination == "/data" {
			return d.api.again(ctx, c, m.Name)
		}
	}
	return fmt.Errorf("container %s has no volume at /data", containerName(region))
}

// Isolate takes a region out of the network between regions. Its clients reach it by another.
func (d *Docker) Isolate(ctx context.Context, region string) error {
	c, err := d.api.inspect(ctx, containerName(region))
	if err != nil {
		return err
	}
	if _, ok := c.NetworkSettings.Networks[wanNetwork]; !ok {
		return fmt.Errorf("container %s is in no network %s", containerName(region), wanNetwork)
	}
	if err := d.api.disconnect(ctx, wanNetwork, containerName(region)); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.away[region] = append(aliasesOf(c, wanNetwork), region)
	return nil
}

// Rejoin puts back what Isolate has taken out.
func (d *Docker) Rejoin(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, region := range slices.Sorted(maps.Keys(d.away)) {
		aliases := slices.Compact(slices.Sorted(slices.Values(d.away[region])))
		if err := d.api.connect(ctx, wanNetwork, containerName(region), aliases); err != nil {
			errs = append(errs, err)
			continue
		}
		delete(d.away, region)
	}
	return errors.Join(errs...)
}

// Close leaves the containers running, as they were found: all up, none paused, all in their network. A drill that was broken
// off may have left them otherwise.
func (d *Docker) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	errs := []error{d.Rejoin(ctx)}
	for _, r := range d.regions {
		c, err := d.api.inspect(ctx, containerName(r.Name))
		switch {
		case err != nil:
			errs = append(errs, err)
		case c.State.Paused:
			errs = append(errs, d.api.act(ctx, containerName(r.Name), "unpause"))
		case !c.State.Running:
			errs = append(errs, d.api.act(ctx, containerName(r.Name), "start"))
		}
	}
	d.api.http.CloseIdleConnections()
	return errors.Join(errs...)
}
