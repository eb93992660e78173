package bench

import (
	"fmt"
	"net/url"
	"time"
)

// Config says what to run. Check fills in defaults.
type Config struct {
	Endpoints []string // URLs; connections are dealt out to them in turn
	Table     string   // default "meridian-bench"; made and filled by Load
	Workload  string   // a name of Workloads

	Tables       int           // alike, over which the items are dealt; default 1; more are called Table-0000, …
	Items        int           // in all; default 100,000
	PerPartition int           // items of a partition, told apart by a sort key; 0: a table without one
	ItemSize     int           // bytes, names included; default 1,024, at least 64
	Attributes   int           // beside the key; default 10
	Zipfian      bool          // keys by popularity instead of uniformly
	Connections  int           // default 64
	Rate         float64       // requests a second over all connections; 0 is a closed loop
	Warmup       time.Duration // default 2 s
	Duration     time.Duration // default 10 s
	Seed         uint64        // default 1
	Eventual     bool          // reads without ConsistentRead

	// Sign makes a request's Authorization header; nil sends one that is well formed and signed by nobody, which local
	// servers accept.
	Sign func(host string, body []byte, target string) (headers string, err error)
}

// Check fills in defaults and refuses what cannot be run.
func (c *Config) Check() error {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&c.Tables, 1)
	def(&c.Items, 100_000)
	def(&c.ItemSize, 1024)
	def(&c.Attributes, 10)
	def(&c.Connections, 64)
	if c.Table == "" {
		c.Table = "meridian-bench"
	}
	if c.Warmup == 0 {
		c.Warmup = 2 * time.Second
	}
	if c.Duration == 0 {
		c.Duration = 10 * time.Second
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	if len(c.Endpoints) == 0 {
		return fmt.Errorf("bench: no endpoint")
	}
	for _, e := range c.Endpoints {
		if u, err := url.Parse(e); err != nil || u.Scheme != "http" || u.Host == "" {
			return fmt.Errorf("bench: endpoint %q is not like http://127.0.0.1:8000", e)
		}
	}
	switch {
	case c.Items < 1 || c.Items > 1e12:
		return fmt.Errorf("bench: %d items: at least 1", c.Items)
	case c.Tables < 1 || c.Tables > 2500 || c.Tables > c.Items:
		return fmt.Errorf("bench: %d tables: from 1 to 2500, and not more than items", c.Tables)
	case c.ItemSize < 64 || c.ItemSize > 400<<10:
		return fmt.Errorf("bench: items of %d bytes: from 64 to 409600", c.ItemSize)
	case c.Attributes < 1 || c.Attributes > c.ItemSize/16:
		return fmt.Errorf("bench: %d attributes do not fit an item of %d bytes", c.Attributes, c.ItemSize)
	case c.Connections < 1 || c.Connections > 10_000:
		return fmt.Errorf("bench: %d connections: from 1 to 10000", c.Connections)
	case c.PerPartition < 0:
		return fmt.Errorf("bench: %d items in a partition", c.PerPartition)
	case c.Rate < 0:
		return fmt.Errorf("bench: a rate of %g", c.Rate)
	case c.Duration < 0 || c.Warmup < 0:
		return fmt.Errorf("bench: a negative time")
	}
	if _, ok := FindWorkload(c.Workload); !ok {
		return fmt.Errorf("bench: no workload %q; there are %s", c.Workload, WorkloadNames())
	}
	return nil
}

// tableOf is the number of the table that holds an item; what is beyond Items, inserts, go to the last.
func (c *Config) tableOf(item int) int {
	return min(item/((c.Items+c.Tables-1)/c.Tables), c.Tables-1)
}

// appendTable writes a table's name.
func (c *Config) appendTable(dst []byte, n int) []byte {
	if dst = append(dst, c.Table...); c.Tables > 1 {
		dst = fmt.Appendf(dst, "-%04d", n)
	}
	return dst
}
