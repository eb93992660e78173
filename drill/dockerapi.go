package drill

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// dockerAPI is as much of a Docker engine's HTTP API as drills need, over its unix socket. The engine's own client library
// would bring a hundred packages for a dozen calls.
type dockerAPI struct{ http http.Client }

// newDockerAPI finds the engine: the socket given, that of $DOCKER_HOST, or the usual one.
func newDockerAPI(socket string) (*dockerAPI, error) {
	if socket == "" {
		socket = os.Getenv("DOCKER_HOST")
	}
	if socket == "" {
		socket = "/var/run/docker.sock"
	}
	file := strings.TrimPrefix(socket, "unix://")
	if !strings.HasPrefix(file, "/") {
		return nil, fmt.Errorf("the Docker engine at %q is not on this machine's unix socket", socket)
	}
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("no Docker engine: %w", err)
	}
	var d net.Dialer
	return &dockerAPI{http.Client{Timeout: time.Minute, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", file) },
	}}}, nil
}

// dockerError is an engine's refusal.
type dockerError struct {
	status int
	say    string
}

func (e *dockerError) Error() string { return "Docker: " + e.say }

// call sends body, if there is one, and reads the answer into to, if that is not nil.
func (d *dockerAPI) call(ctx context.Context, method, path string, body, to any) error {
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://docker"+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := d.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // it was only read
	b, err = io.ReadAll(io.LimitReader(res.Body, maxAdminAnswer))
	if err != nil {
		return err
	}
	if res.StatusCode >= http.StatusBadRequest {
		var says struct{ Message string }
		if json.Unmarshal(b, &says) != nil || says.Message == "" {
			says.Message = res.Status
		}
		return &dockerError{res.StatusCode, says.Message}
	}
	if to == nil || len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, to)
}

// container is what inspecting one tells. Config, HostConfig and the networks' settings are kept as they are, to make it
// again.
type container struct {
	ID              string `json:"Id"`
	Name            string
	Config          map[string]any
	HostConfig      map[string]any
	State           struct{ Running, Paused bool }
	NetworkSettings struct {
		Networks map[string]map[string]any
		Ports    map[string][]struct{ HostIP, HostPort string }
	}
	Mounts []struct{ Type, Name, Destination string }
}

func (d *dockerAPI) inspect(ctx context.Context, name string) (c container, err error) {
	err = d.call(ctx, http.MethodGet, "/containers/"+url.PathEscape(name)+"/json", nil, &c)
	return c, err
}

// act does what needs nothing but a container's name: start, stop, kill, pause, unpause.
func (d *dockerAPI) act(ctx context.Context, name, what string) error {
	return d.call(ctx, http.MethodPost, "/containers/"+url.PathEscape(name)+"/"+what, nil, nil)
}

// connect puts a container into a network, under aliases.
func (d *dockerAPI) connect(ctx context.Context, network, name string, aliases []string) error {
	return d.call(ctx, http.MethodPost, "/networks/"+url.PathEscape(network)+"/connect",
		map[string]any{"Container": name, "EndpointConfig": map[string]any{"Aliases": aliases}}, nil)
}

func (d *dockerAPI) disconnect(ctx context.Context, network, name string) error {
	return d.call(ctx, http.MethodPost, "/networks/"+url.PathEscape(network)+"/disconnect",
		map[string]any{"Container": name, "Force": true}, nil)
}

// again makes a container like one that there is, in its place, on a volume of the same name that is empty. It does not
// start it.
func (d *dockerAPI) again(ctx context.Context, c container, volume string) error {
	name := strings.TrimPrefix(c.Name, "/")
	var labels struct {
		Labels map[string]string
		Driver string
	}
	if err := d.call(ctx, http.MethodGet, "/volumes/"+url.PathEscape(volume), nil, &labels); err != nil {
		return err
	}
	if err := d.call(ctx, http.MethodDelete, "/containers/"+url.PathEscape(name)+"?force=true", nil, nil); err != nil {
		return err
	}
	if err := d.call(ctx, http.MethodDelete, "/volumes/"+url.PathEscape(volume), nil, nil); err != nil {
		return err
	}
	err := d.call(ctx, http.MethodPost, "/volumes/create",
		map[string]any{"Name": volume, "Driver": labels.Driver, "Labels": labels.Labels}, nil)
	if err != nil {
		return err
	}
	// An engine before version 25 takes one network at creation: the one that HostConfig names, or the first; the others follow.
	body := map[string]any{"HostConfig": c.HostConfig}
	for k, v := range c.Config {
		body[k] = v
	}
	first := fmt.Sprint(c.HostConfig["NetworkMode"])
	if _, ok := c.NetworkSettings.Networks[first]; !ok {
		first = ""
	}
	if first != "" {
		body["NetworkingConfig"] = map[string]any{"EndpointsConfig": map[string]any{first: map[string]any{"Aliases": aliasesOf(c, first)}}}
	}
	if err := d.call(ctx, http.MethodPost, "/containers/create?name="+url.QueryEscape(name), body, nil); err != nil {
		return err
	}
	for network := range c.NetworkSettings.Networks {
		if network != first {
			if err := d.connect(ctx, network, name, aliasesOf(c, network)); err != nil {
				return err
			}
		}
	}
	return nil
}

// aliasesOf are the names by which others in a network find a container, without the engine's own: its short identity.
func aliasesOf(c container, network string) (names []string) {
	list, ok := c.NetworkSettings.Networks[network]["Aliases"].([]any)
	if !ok {
		return nil
	}
	for _, a := range list {
		if s, ok := a.(string); ok && !strings.HasPrefix(c.ID, s) {
			names = append(names, s)
		}
	}
	return names
}
