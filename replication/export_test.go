package replication

import "github.com/prometheus/client_golang/prometheus"

// Collector lets tests read the metrics of a Replication that was started without a registry.
func (r *Replication) Collector() prometheus.Collector { return r.metrics }
