package route

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are a router's figures, by region.
type metrics struct {
	attempts *prometheus.CounterVec
	events   *prometheus.CounterVec
	healthy  *prometheus.GaugeVec
	latency  *prometheus.GaugeVec
	current  *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	region := []string{"region"}
	m := &metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_route_attempts_total", Help: "Attempts at a region, by result: ok, behind, refused, failed.",
		}, []string{"region", "result"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_route_events_total", Help: "What the router did: ejections, returns, moves, retries, hedges.",
		}, []string{"region", "event"}),
		healthy: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meridian_route_region_healthy", Help: "1 while the region may be used.",
		}, region),
		latency: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meridian_route_region_latency_seconds", Help: "Smoothed round trip to the region's endpoint, in seconds.",
		}, region),
		current: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meridian_route_region_current", Help: "1 for the region in use.",
		}, region),
	}
	if r == nil {
		return m, nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.attempts, m.events, m.healthy, m.latency, m.current} {
		errs = append(errs, r.Register(c))
	}
	return m, errors.Join(errs...)
}

// show sets the gauges to what the picker thinks.
func (m *metrics) show(p *Picker) {
	for i := range p.regions {
		name := p.regions[i].name
		m.healthy.WithLabelValues(name).Set(one(p.Healthy(i)))
		m.current.WithLabelValues(name).Set(one(i == p.Current()))
		if l, ok := p.Latency(i); ok {
			m.latency.WithLabelValues(name).Set(l.Seconds())
		}
	}
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
