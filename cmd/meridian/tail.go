package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meridiandb/meridian/internal/tail"
)

// tailOptions are the flags of tail.
type tailOptions struct {
	endpoint, table string
	fromStart, json bool
	events, keys    []string
	poll            time.Duration
}

func newTail() *cobra.Command {
	o := tailOptions{endpoint: "http://127.0.0.1:8000", poll: 200 * time.Millisecond}
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Follow a table's changes",
		Long: `Shows a table's changes as they happen in a region, those that came from other regions too. The table needs a stream;
tables with replicas have one. Changes of one item come in order.

Each change is one line: time, event, key, and how the attributes changed; or with --json the stream's record as it is. Ends
with Ctrl-C.`,
		Example: `  meridian tail --table music
  meridian tail --table music --from-start --json | jq .dynamodb.Keys
  meridian tail --table music --event REMOVE --key artist=Queen --endpoint http://127.0.0.1:8001`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runTail(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.endpoint, "endpoint", o.endpoint, "DynamoDB endpoint of the region")
	f.StringVar(&o.table, "table", o.table, "table to follow (required)")
	f.BoolVar(&o.fromStart, "from-start", o.fromStart, "begin with the oldest change that the stream has, up to a day old")
	f.BoolVar(&o.json, "json", o.json, "print records as JSON, one a line")
	f.StringSliceVar(&o.events, "event", o.events, "only these: INSERT, MODIFY, REMOVE")
	f.StringArrayVar(&o.keys, "key", o.keys, "only items with this key attribute, like artist=Queen; several for several")
	f.DurationVar(&o.poll, "poll", o.poll, "how long to rest when there is nothing new")
	return cmd
}

func runTail(cmd *cobra.Command, o tailOptions) error {
	filter, err := o.filter()
	if err != nil {
		return err
	}
	follower := tail.Follower{
		Client: &tail.Client{Endpoint: o.endpoint, HTTP: &http.Client{Timeout: 30 * time.Second}},
		Table:  o.table, FromStart: o.fromStart, Poll: o.poll,
		Gap: func(shard string) {
			fmt.Fprintf(cmd.ErrOrStderr(), "meridian: changes of shard %s are missing: they were trimmed before they could be read\n", shard)
		},
	}
	err = follower.Run(cmd.Context(), func(r *tail.Record) error {
		if !filter.Shows(r) {
			return nil
		}
		line := string(r.Raw)
		if !o.json {
			line = r.Text()
		}
		_, err := fmt.Fprintln(cmd.OutOrStdout(), line)
		return err
	})
	if cmd.Context().Err() != nil {
		return nil // Ctrl-C is how it ends
	}
	return err
}

// filter checks the flags that can be checked before anything is asked.
func (o *tailOptions) filter() (tail.Filter, error) {
	f := tail.Filter{Events: o.events, Keys: map[string]string{}}
	if u, err := url.Parse(o.endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return f, usagef("--endpoint %q is not like http://127.0.0.1:8000", o.endpoint)
	}
	if o.table == "" {
		return f, usagef("--table is missing: which table to follow")
	}
	if o.poll <= 0 {
		return f, usagef("--poll must be more than nothing")
	}
	for _, e := range o.events {
		if !slices.Contains([]string{"INSERT", "MODIFY", "REMOVE"}, e) {
			return f, usagef("--event %q is none of INSERT, MODIFY, REMOVE", e)
		}
	}
	for _, k := range o.keys {
		name, value, ok := strings.Cut(k, "=")
		if !ok || name == "" {
			return f, usagef("--key %q is not like artist=Queen", k)
		}
		f.Keys[name] = value
	}
	return f, nil
}
