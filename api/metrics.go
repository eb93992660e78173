package api

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the endpoint's figures. Labels are operation and error names only, both closed sets: a client cannot make
// new series.
type metrics struct {
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	inFlight prometheus.Gauge
	received prometheus.Counter
	sent     prometheus.Counter
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_api_requests_total", Help: "Requests answered, by operation and error name (empty: success).",
		}, []string{"operation", "error"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "meridian_api_request_seconds", Help: "Time from a request's headers to the end of its answer, in seconds.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 18),
		}, []string{"operation", "error"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "meridian_api_requests_in_flight", Help: "Requests being answered.",
		}),
		received: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "meridian_api_received_bytes_total", Help: "Bytes of request bodies as sent.",
		}),
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "meridian_api_sent_bytes_total", Help: "Bytes of answers as sent, without headers.",
		}),
	}
	if r == nil {
		return m, nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.requests, m.latency, m.inFlight, m.received, m.sent} {
		errs = append(errs, r.Register(c))
	}
	return m, errors.Join(errs...)
}

func (m *metrics) done(operation, errorName string, took time.Duration) {
	m.requests.WithLabelValues(operation, errorName).Inc()
	m.latency.WithLabelValues(operation, errorName).Observe(took.Seconds())
}
