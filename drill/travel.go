package drill

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/wan"
)

// nearby is the round trip between a client and its own region.
const nearby = 2 * time.Millisecond

// traveller carries a client's requests to regions as far away as they are from its home, and notes which was asked.
type traveller struct {
	base  http.RoundTripper
	to    map[string]string        // host and port → region
	trips map[string]time.Duration // region → round trip from home
}

func newTraveller(home string, regions []Region, p *wan.Profile, base http.RoundTripper) *traveller {
	t := &traveller{base: base, to: map[string]string{}, trips: map[string]time.Duration{}}
	for _, r := range regions {
		t.to[hostOf(r.DynamoDB)] = r.Name
		if p != nil {
			t.trips[r.Name] = nearby + p.RTT(home, r.Name)
		}
	}
	return t
}

// hint is what the router may believe of a region before it has measured.
func (t *traveller) hint(region, home string) time.Duration {
	if region == home {
		return max(t.trips[region], time.Millisecond)
	}
	return max(t.trips[region], 2*time.Millisecond)
}

func (t *traveller) RoundTrip(req *http.Request) (*http.Response, error) {
	region := t.to[req.URL.Host]
	if tr, ok := req.Context().Value(attemptsKey{}).(*attempts); ok {
		tr.add(region)
	}
	if err := travel(req.Context(), t.trips[region]/2); err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // it was never read
		}
		return nil, err
	}
	res, err := t.base.RoundTrip(req)
	if e := travel(req.Context(), t.trips[region]/2); e != nil && err == nil {
		_ = res.Body.Close() // nobody waits for it any more
		return nil, e
	}
	return res, err
}

func travel(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// attempts notes the regions that were asked for one call.
type attempts struct {
	mu    sync.Mutex
	count int
	last  string
}

type attemptsKey struct{}

func (a *attempts) add(region string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count++
	a.last = region
}

func (a *attempts) get() (count int, last string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.count, a.last
}

// newTransport is what clients connect by. A region that does not take the connection is given up in good time.
func newTransport() *http.Transport {
	d := net.Dialer{Timeout: 750 * time.Millisecond}
	return &http.Transport{DialContext: d.DialContext, MaxIdleConnsPerHost: 256, DisableCompression: true}
}
