package replication_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridiandb/meridian/replication"
)

// figure is one value of one metric.
type figure struct {
	name, peer, direction string
	value                 float64
}

// gather reads all metrics of a region.
func gather(t *testing.T, r *replication.Replication) []figure {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(r.Collector())
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []figure
	for _, f := range families {
		for _, m := range f.GetMetric() {
			x := figure{name: f.GetName(), value: m.GetGauge().GetValue() + m.GetCounter().GetValue()}
			for _, l := range m.GetLabel() {
				switch l.GetName() {
				case "peer":
					x.peer = l.GetValue()
				case "direction":
					x.direction = l.GetValue()
				}
			}
			all = append(all, x)
		}
	}
	return all
}
