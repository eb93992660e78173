package route

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Router sends requests to the region that its Picker chooses.
type Router struct {
	o         Options
	endpoints []*url.URL
	metrics   *metrics
	signer    *v4.Signer
	transport http.RoundTripper
	own       *http.Transport // made here; nil if Options gave one

	ctx    context.Context
	cancel context.CancelCauseFunc
	probes sync.WaitGroup

	telling sync.Mutex // orders events; taken before mu

	mu     sync.Mutex
	picker *Picker
	lives  []life
}

// life is the time between two ejections of a region: reads that wait for an answer there end with it.
type life struct {
	ctx context.Context
	end context.CancelCauseFunc
}

// New makes a router and starts to probe its regions.
func New(o Options) (*Router, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &Router{o: o, signer: v4.NewSigner(), transport: o.Transport, picker: NewPicker(o.Picker, o.Regions), lives: make([]life, len(o.Regions))}
	if r.metrics, err = newMetrics(o.Registerer); err != nil {
		return nil, err
	}
	if r.transport == nil {
		r.own = newTransport(o.AttemptTimeout)
		r.transport = r.own
	}
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	for i, region := range o.Regions {
		u, err := url.Parse(region.Endpoint)
		if err != nil {
			return nil, err
		}
		r.endpoints = append(r.endpoints, u)
		r.lives[i] = r.newLife()
	}
	for i := range o.Regions {
		r.probes.Go(func() { r.probe(i) })
	}
	return r, nil
}

func newTransport(attempt time.Duration) *http.Transport {
	d := net.Dialer{Timeout: attempt / 2, KeepAlive: 10 * time.Second}
	return &http.Transport{
		DialContext: d.DialContext, MaxIdleConnsPerHost: 256, IdleConnTimeout: time.Minute,
		DisableCompression: true, // answers are handed on as they come
		WriteBufferSize:    16 << 10, ReadBufferSize: 16 << 10,
	}
}

func (r *Router) newLife() life {
	ctx, end := context.WithCancelCause(r.ctx)
	return life{ctx, end}
}

// Close ends the probes and all requests under way, and waits for the probes.
func (r *Router) Close() {
	r.cancel(errClosed)
	r.probes.Wait()
	if r.own != nil {
		r.own.CloseIdleConnections()
	}
}

// Current is the name of the region in use.
func (r *Router) Current() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.o.Regions[r.picker.Current()].Name
}

// RegionState is what a router knows of one region.
type RegionState struct {
	Region  string
	Current bool
	Healthy bool
	Latency time.Duration // 0: not measured yet
}

// Regions lists the regions in the order in which they would be tried.
func (r *Router) Regions() []RegionState {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []RegionState
	for _, i := range r.picker.Order() {
		s := RegionState{Region: r.o.Regions[i].Name, Current: i == r.picker.Current(), Healthy: r.picker.Healthy(i)}
		if l, ok := r.picker.Latency(i); ok {
			s.Latency = l
		}
		all = append(all, s)
	}
	return all
}

func (r *Router) order() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.picker.Order()
}

func (r *Router) life(i int) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lives[i].ctx
}

// observe tells the picker an outcome and does what follows from it.
func (r *Router) observe(i int, o Outcome) {
	r.telling.Lock()
	defer r.telling.Unlock()
	r.mu.Lock()
	events := r.picker.Observe(i, o, time.Now())
	if o.Probe || len(events) > 0 {
		r.metrics.show(r.picker)
	}
	if slices.ContainsFunc(events, func(e Event) bool { return e.Kind == Ejected }) {
		r.lives[i].end(errEjected)
		r.lives[i] = r.newLife()
	}
	r.mu.Unlock()
	for _, e := range events {
		r.tell(e)
	}
}

// event tells of something that a request met.
func (r *Router) event(k EventKind, i int, why error) {
	r.telling.Lock()
	defer r.telling.Unlock()
	reason := ""
	if why != nil {
		reason = why.Error()
	}
	r.tell(Event{k, r.o.Regions[i].Name, reason})
}

func (r *Router) tell(e Event) {
	r.metrics.events.WithLabelValues(e.Region, string(e.Kind)).Inc()
	if r.o.OnEvent != nil {
		r.o.OnEvent(e)
	}
}
