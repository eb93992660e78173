package route

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/prometheus/client_golang/prometheus"
)

// Region is one region that requests can go to.
type Region struct {
	Name     string
	Endpoint string        // its DynamoDB endpoint, like http://127.0.0.1:8000
	Hint     time.Duration // a guess of its latency (Guess), until it is measured; 0: none
}

// Options says where requests go and how. Regions is required.
type Options struct {
	Regions []Region
	Picker  PickerConfig

	// ProbeEvery is how often each region is asked whether it is there; 200 ms. A dead region is noticed after about two
	// probes even if no request fails.
	ProbeEvery time.Duration
	// ProbeTimeout is how long a probe may take at most; 800 ms. It must be well above the round trip to the farthest region.
	// A region whose latency is known is given four times that, and 250 ms at least: less would take a region out because
	// its machine, or ours, was busy.
	ProbeTimeout time.Duration
	// AttemptTimeout is how long one attempt at one region may take; 1.5 s. Then a read goes elsewhere, and the fate of a
	// write is unknown. It must be above the time that the slowest request takes.
	AttemptTimeout time.Duration
	// HedgeAfter sends a read that has no answer by then to the next region as well, and takes the first answer; 0: never.
	// Below the usual latency it doubles the load.
	HedgeAfter time.Duration

	// Credentials sign each request again for the region that it goes to; nil: requests go on with the signature that they
	// came with, which is for another address. Whoever reaches a Proxy then acts by these credentials.
	Credentials aws.CredentialsProvider

	Transport  http.RoundTripper     // nil: one made for the purpose
	OnEvent    func(Event)           // called in order, one at a time; it must not wait. May be nil
	Registerer prometheus.Registerer // nil: no metrics
}

func (o Options) withDefaults() (Options, error) {
	o.ProbeEvery = cmp.Or(o.ProbeEvery, 200*time.Millisecond)
	o.ProbeTimeout = cmp.Or(o.ProbeTimeout, 800*time.Millisecond)
	o.AttemptTimeout = cmp.Or(o.AttemptTimeout, 1500*time.Millisecond)
	if len(o.Regions) == 0 {
		return o, errors.New("route: there is no region to go to")
	}
	seen := map[string]bool{}
	for _, r := range o.Regions {
		u, err := url.Parse(r.Endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return o, fmt.Errorf("route: the endpoint %q of region %q is not like http://127.0.0.1:8000", r.Endpoint, r.Name)
		}
		if r.Name == "" || seen[r.Name] {
			return o, fmt.Errorf("route: region %q is named twice, or not at all", r.Name)
		}
		seen[r.Name] = true
	}
	return o, nil
}
