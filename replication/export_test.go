package replication

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridiandb/meridian/replication/transport"
)

// Collector lets tests read the metrics of a Replication that was started without a registry.
func (r *Replication) Collector() prometheus.Collector { return r.metrics }

// Served is what a Replication answers others with.
func Served(r *Replication) transport.Server { return &server{r} }
