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

// cpu is the processor time that the process has used; 0 for nil, somebody else's server.
func (p *process) cpu() time.Duration {
	if p == nil {
		return 0
	}
	b, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/stat")
	if err != nil {
		return 0 // not Linux, or gone: then it is not told
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest) // the first is the third of proc(5): utime is its fourteenth, stime the next
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // in hundredths of a second, on all of Go's platforms
}

// ownCPU is the processor time of this process.
func ownCPU() time.Duration {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return 0
	}
	return (&process{cmd: &exec.Cmd{Process: self}}).cpu()
}

// meridian knows how to start a region on a data folder.
type meridian struct{ binary, data, cache string }

func build(dir string) (string, error) {
	path := filepath.Join(dir, "meridian")
	cmd := exec.Command("go", "build", "-o", path, "github.com/meridiandb/meridian/cmd/meridian") //nolint:gosec // a path of ours
	cmd.Env, cmd.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr                        // as it is released: without it, memory is another
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
