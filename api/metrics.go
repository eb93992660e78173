package api

import (
	"errors"
	"sync/atomic"
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

	// successes are the series of operations that went well once, by name: finding a series by its labels costs as much as
	// counting in ten. Whoever finds none looks it up.
	successes map[string]*atomic.Pointer[series]
}

// series are the figures of one outcome of one operation.
type series struct {
	requests prometheus.Counter
	latency  prometheus.Observer
}

func newMetrics(r prometheus.Registerer, operations ...map[string]operation) (*metrics, error) {
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
	m.successes = map[string]*atomic.Pointer[series]{}
	for _, names := range operations {
		for name := range names {
			m.successes[name] = new(atomic.Pointer[series])
		}
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
	s := m.series(operation, errorName)
	s.requests.Inc()
	s.latency.Observe(took.Seconds())
}

func (m *metrics) series(operation, errorName string) *series {
	kept := m.successes[operation]
	if errorName != "" || kept == nil {
		return m.find(operation, errorName)
	}
	s := kept.Load()
	if s == nil {
		s = m.find(operation, "")
		kept.Store(s)
	}
	return s
}

func (m *metrics) find(operation, errorName string) *series {
	return &series{m.requests.WithLabelValues(operation, errorName), m.latency.WithLabelValues(operation, errorName)}
}
