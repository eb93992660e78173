package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that was started here.
type process struct{ cmd *exec.Cmd }

func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	_ = p.cmd.Wait() // says that it was killed
	return err
}

// stop ends a server as an operator does.
func (p *process) stop() error {
	return errors.Join(p.cmd.Process.Signal(syscall.SIGTERM), p.cmd.Wait())
}

// residentMB is the process's resident memory.
func (p *process) residentMB() (float64, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kb / 1024, err
		}
	}
	return 0, errors.New("the kernel does not say how much memory the server has")
}

// meridian knows how to start a region on a data folder.
type meridian struct{ binary, data, cache string }

func build(dir string) (string, error) {
	path := filepath.Join(dir, "meridian")
	cmd := exec.Command("go", "build", "-o", path, "github.com/meridiandb/meridian/cmd/meridian") //nolint:gosec // a path of ours
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
}

// start returns when the region serves, with its endpoint and how long that took.
func (m meridian) start(ctx context.Context) (*process, string, time.Duration, error) {
	addrs, err := freeAddresses(4)
	if err != nil {
		return nil, "", 0, err
	}
	cmd := exec.Command(m.binary, "serve", "--region", "us-east-1", "--data", m.data, "--cache", m.cache, "--log-level", "error", //nolint:gosec // ours
		"--listen", addrs[0], "--admin-listen", addrs[1], "--replication-listen", addrs[2], "--gossip-listen", addrs[3])
	cmd.Stderr = os.Stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, "", 0, err
	}
	p := &process{cmd: cmd}
	if err := ready(ctx, "http://"+addrs[1]+"/readyz"); err != nil {
		return nil, "", 0, errors.Join(err, p.kill())
	}
	return p, "http://" + addrs[0], time.Since(began), nil
}

func ready(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		r, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = r.Body.Close() // nothing in it matters
			if r.StatusCode == http.StatusOK {
				return nil
			}
		}
		pause := time.NewTimer(2 * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return fmt.Errorf("the server does not become ready: %w", errors.Join(context.Cause(ctx), err))
		}
	}
}

// freeAddresses finds ports that nobody uses now.
func freeAddresses(n int) ([]string, error) {
	var addrs []string
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close() // it was only to hold the number
		}
	}()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		held = append(held, l)
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}
