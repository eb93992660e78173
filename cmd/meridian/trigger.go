package main

import (
	"context"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"github.com/meridiandb/meridian/trigger"
)

// triggerFlags are those of serve and dev about triggers.
type triggerFlags struct {
	file     string
	endpoint string
	timeout  time.Duration
	folder   string
}

func (t *triggerFlags) flags(f *pflag.FlagSet) {
	t.timeout = trigger.DefaultTimeout
	f.StringVar(&t.file, "triggers", t.file, "YAML file with triggers: functions that are called with tables' changes")
	f.StringVar(&t.endpoint, "lambda-endpoint", t.endpoint, "where functions are called by Lambda's Invoke API, like http://127.0.0.1:9001; for triggers that say nothing else")
	f.DurationVar(&t.timeout, "trigger-timeout", t.timeout, "how long a function may take, for triggers that say nothing else")
	f.StringVar(&t.folder, "trigger-files", t.folder, "folder for triggers' failures whose destination is file:NAME (default: such destinations are refused)")
}

// triggerSettings are the flags, checked.
type triggerSettings struct {
	triggerFlags
	declared []trigger.Declared
}

func (t *triggerFlags) read() (s triggerSettings, err error) {
	s.triggerFlags = *t
	if t.timeout <= 0 || t.timeout > 15*time.Minute {
		return s, usagef("--trigger-timeout must be more than nothing, and 15m at the most")
	}
	if t.folder != "" {
		if err := checkFolder(t.folder); err != nil {
			return s, err
		}
	}
	if t.endpoint != "" && !strings.HasPrefix(t.endpoint, "http://") && !strings.HasPrefix(t.endpoint, "https://") {
		return s, usagef("--lambda-endpoint %q is not like http://127.0.0.1:9001", t.endpoint)
	}
	if t.file == "" {
		return s, nil
	}
	text, err := os.ReadFile(t.file)
	if err != nil {
		return s, usagef("cannot read the triggers: %w", err)
	}
	if s.declared, err = trigger.ReadFile(text); err != nil {
		return s, usagef("%s: %w", t.file, err)
	}
	return s, nil
}

// startTriggers begins to run triggers. The links to the other regions are there.
func (n *node) startTriggers(metrics prometheus.Registerer) (err error) {
	c := n.config.Triggers
	n.triggers, err = trigger.Open(trigger.Options{
		Source: n.region, Store: n.store, Peers: n.replication, Endpoint: c.endpoint, Timeout: c.timeout, Files: c.folder,
		Logger: n.config.Logger, Registerer: metrics,
	})
	if err != nil {
		return usagef("triggers: %w", err)
	}
	n.triggers.Declare(c.declared)
	return nil
}

// withTriggers adds Lambda's API of event source mappings to the admin pages.
func withTriggers(pages http.Handler, m *trigger.Manager) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.Handle(trigger.Path, m.Handler())
	mux.Handle(trigger.Path+"/", m.Handler())
	return mux
}

// handleTrigger takes another region's word about triggers.
func (n *node) handleTrigger(ctx context.Context, from, name string, payload []byte) ([]byte, error) {
	select {
	case <-n.assembled:
		return n.triggers.Handle(ctx, from, name, payload)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
