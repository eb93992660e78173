package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sync/atomic"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/meridiandb/meridian/bench"
)

func newBench() *cobra.Command {
	c := bench.Config{Endpoints: []string{"http://127.0.0.1:8000"}, Workload: "ycsb-b"}
	size, skipLoad, asJSON := byteSize(1024), false, false
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Load a DynamoDB endpoint and say how it did",
		Long: `Makes a table, fills it, loads it with one workload, and prints rates and latencies. It works with any DynamoDB endpoint
that takes plain HTTP and any credentials, so that servers can be compared by the same tool.

Without --rate each connection sends its next request when the last was answered: that finds the most the server can do.
With it, requests are sent at that rate whether or not the server keeps up, and latencies count from when they were due.

It loads the endpoint with all its might. Do not point it at a server that others use.`,
		Example: `  meridian bench
  meridian bench --workload put --connections 64 --duration 30s
  meridian bench --workload get --rate 5000 --json
  meridian bench --endpoint http://127.0.0.1:8000 --endpoint http://127.0.0.1:8001 --workload ycsb-a
  meridian bench list`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.ItemSize = int(size)
			return runBench(cmd, c, !skipLoad, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&c.Endpoints, "endpoint", c.Endpoints, "DynamoDB endpoint; connections are dealt out over several")
	f.StringVar(&c.Table, "table", "meridian-bench", "table, made if it is not there")
	f.StringVar(&c.Workload, "workload", c.Workload, "what to do; \"meridian bench list\" explains them")
	f.IntVar(&c.Tables, "tables", 1, "tables alike, over which the items are dealt")
	f.IntVar(&c.Items, "items", 100_000, "items in all")
	f.Var(&size, "item-size", "size of an item, its names included")
	f.IntVar(&c.Attributes, "attributes", 10, "attributes of an item beside its key")
	f.IntVar(&c.PerPartition, "per-partition", 0, "items of a partition, told apart by a sort key; 0: no sort key")
	f.BoolVar(&c.Zipfian, "zipfian", false, "choose keys by popularity instead of uniformly")
	f.IntVar(&c.Connections, "connections", 64, "connections")
	f.Float64Var(&c.Rate, "rate", 0, "requests a second over all connections; 0: as many as can be")
	f.DurationVar(&c.Warmup, "warmup", 0, "not counted, before the rest (default 2s)")
	f.DurationVar(&c.Duration, "duration", 0, "counted (default 10s)")
	f.Uint64Var(&c.Seed, "seed", 1, "decides keys and contents")
	f.BoolVar(&c.Eventual, "eventual", false, "read without ConsistentRead")
	f.BoolVar(&skipLoad, "skip-load", false, "the table is filled already")
	f.BoolVar(&asJSON, "json", asJSON, "print JSON")
	cmd.AddCommand(newBenchList())
	return cmd
}

func runBench(cmd *cobra.Command, c bench.Config, load, asJSON bool) error {
	if err := c.Check(); err != nil {
		return usagef("%w", err)
	}
	if load {
		var told atomic.Bool // by any connection
		err := bench.Load(cmd.Context(), c, func(items int) {
			told.Store(true)
			fmt.Fprintf(cmd.ErrOrStderr(), "\rloading: %d of %d items", items, c.Items)
		})
		if told.Load() {
			fmt.Fprintln(cmd.ErrOrStderr())
		}
		if err != nil {
			return err
		}
	}
	r, err := bench.Run(cmd.Context(), c)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
	}
	return r.WriteText(cmd.OutOrStdout())
}

func newBenchList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "Explain the workloads",
		Example: "  meridian bench list",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return listWorkloads(cmd.OutOrStdout()) },
	}
}

func listWorkloads(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, x := range bench.Workloads() {
		fmt.Fprintf(t, "%s\t%s\n", x.Name, x.About)
	}
	return t.Flush()
}
