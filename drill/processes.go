package drill

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Processes is a Target of processes of meridian serve, each with a folder below Folder: what kills and stops them is the
// operating system.
type Processes struct {
	Binary  string   // meridian
	Args    []string // for each, after serve and before the drill's own flags
	Env     []string // nil: this process's
	Regions []string
	Folder  string // made if it is not there, and not removed
	Ports   *Ports // required

	mu      sync.Mutex
	all     map[string]*process
	regions []Region
}

// process is one region's process, or its last one.
type process struct {
	region Region
	args   []string
	folder string
	log    string
	cmd    *exec.Cmd
	ended  chan struct{} // closed when it has, and was waited for
}

// startPatience is how long a process may take until it serves.
const startPatience = 30 * time.Second

// About describes the target.
func (p *Processes) About() string {
	return fmt.Sprintf("%d processes of meridian serve on this machine, really killed and stopped", len(p.Regions))
}

// Open starts all regions. Somebody else may take a port between our look and the start: then all is tried again.
func (p *Processes) Open(ctx context.Context, wan string) (regions []Region, err error) {
	for range 3 {
		if regions, err = p.open(ctx, wan); err == nil {
			return regions, nil
		}
		if ctx.Err() != nil {
			break
		}
		err = errors.Join(err, p.Close())
	}
	return nil, err
}

func (p *Processes) open(ctx context.Context, wan string) ([]Region, error) {
	ports, err := p.Ports.Take(4 * len(p.Regions))
	if err != nil {
		return nil, err
	}
	at := func(i, which int) string { return fmt.Sprintf("127.0.0.1:%d", ports[4*i+which]) }
	p.mu.Lock()
	p.all, p.regions = map[string]*process{}, nil
	for i, name := range p.Regions {
		q := &process{
			region: Region{name, "http://" + at(i, 0), "http://" + at(i, 1)},
			folder: filepath.Join(p.Folder, name), log: filepath.Join(p.Folder, name+".log"),
		}
		q.args = append(append([]string{"serve"}, p.Args...), "--region", name, "--data", q.folder, "--listen", at(i, 0), "--admin-listen", at(i, 1),
			"--replication-listen", at(i, 2), "--gossip-listen", at(i, 3), "--wan", wan, "--allow-faults", "--cache", "32MB", "--log-level", "warn")
		for j := range p.Regions {
			if j != i {
				q.args = append(q.args, "--join", at(j, 3))
			}
		}
		p.all[name] = q
		p.regions = append(p.regions, q.region)
	}
	p.mu.Unlock()
	var starting sync.WaitGroup
	errs := make([]error, len(p.Regions))
	for i, name := range p.Regions {
		starting.Go(func() { errs[i] = p.start(ctx, p.all[name]) })
	}
	starting.Wait()
	return p.regions, errors.Join(errs...)
}

// start runs a region's process and returns when it serves.
func (p *Processes) start(ctx context.Context, q *process) error {
	if err := os.MkdirAll(q.folder, 0o755); err != nil {
		return err
	}
	log, err := os.OpenFile(q.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // the process has its own
	cmd := exec.Command(p.Binary, q.args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = p.Env, log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { // ends with the process, which Close ends
		defer close(ended)
		_ = cmd.Wait() // that it ended is what counts
	}()
	p.mu.Lock()
	q.cmd, q.ended = cmd, ended
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for !ready(ctx, q.region) {
		select {
		case <-ended:
			return fmt.Errorf("%s ended instead of serving: %s", q.region.Name, tail(q.log))
		case <-ctx.Done():
			return fmt.Errorf("%s does not serve: %w; %s", q.region.Name, context.Cause(ctx), tail(q.log))
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func ready(ctx context.Context, r Region) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Admin+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	return res.Body.Close() == nil && res.StatusCode == http.StatusOK
}

// tail is the end of a log, for an error.
func tail(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return "its log ends with: " + strings.Join(lines[max(0, len(lines)-3):], " / ")
}

// Do does something to a region's process.
func (p *Processes) Do(ctx context.Context, a Action, region string) error {
	p.mu.Lock()
	q := p.all[region]
	p.mu.Unlock()
	if q == nil {
		return fmt.Errorf("there is no process of %s", region)
	}
	switch a {
	case Kill:
		return q.end(ctx, os.Kill)
	case Start:
		return p.start(ctx, q)
	case Pause:
		return stopProcess(q.cmd.Process)
	case Resume:
		return continueProcess(q.cmd.Process)
	case Restart:
		if err := q.end(ctx, os.Interrupt); err != nil {
			return err
		}
		return p.start(ctx, q)
	case LoseDisk:
		return os.RemoveAll(q.folder)
	}
	return fmt.Errorf("nobody knows how to %s a process", a)
}

// end sends a signal and waits until the process has ended.
func (q *process) end(ctx context.Context, s os.Signal) error {
	if err := q.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("%s: %w", q.region.Name, err)
	}
	select {
	case <-q.ended:
		return nil
	case <-time.After(startPatience):
		return fmt.Errorf("%s does not end after a signal (%v)", q.region.Name, s)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close ends all processes, whatever state they are in.
func (p *Processes) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.all {
		if q.cmd != nil {
			_ = q.cmd.Process.Kill() // it may have ended
			<-q.ended
		}
	}
	p.all = nil
	return nil
}
