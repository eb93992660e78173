package drill

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/meridiandb/meridian/internal/wan"
)

// status is what a drill wants to know of a region's /admin/status.
type status struct {
	Region    string
	Ready     bool
	Peers     []peerStatus
	Conflicts map[string]uint64
}

type peerStatus struct {
	Region             string
	Connected          bool
	Sending, Receiving struct {
		Seconds float64
		Commits uint64
	}
}

// behind is how far the farthest link that brings something is behind, in seconds.
func (s status) behind() (most float64) {
	for _, p := range s.Peers {
		most = max(most, p.Receiving.Seconds)
	}
	return most
}

// level reports whether links to so many others are up, and all are at most so many seconds behind; 0: nothing is under way.
func (s status) level(others int, within float64) bool {
	up := 0
	for _, p := range s.Peers {
		if p.Connected && p.Sending.Seconds <= within && p.Receiving.Seconds <= within &&
			(within > 0 || p.Sending.Commits == 0 && p.Receiving.Commits == 0) {
			up++
		}
	}
	return s.Ready && up >= others
}

// adminAPI asks regions' admin endpoints.
type adminAPI struct{ http http.Client }

const (
	adminPatience  = 3 * time.Second
	maxAdminAnswer = 16 << 20
)

func newAdminAPI() *adminAPI {
	return &adminAPI{http.Client{Timeout: adminPatience, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}}
}

func (a *adminAPI) close() { a.http.CloseIdleConnections() }

func (a *adminAPI) status(ctx context.Context, r Region) (s status, err error) {
	b, err := a.ask(ctx, http.MethodGet, r.Admin+"/admin/status", nil)
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	return s, err
}

func (a *adminAPI) setLink(ctx context.Context, r Region, to string, f wan.Fault) error {
	return a.change(ctx, r, "/admin/faults", map[string]any{"to": to, "fault": f})
}

func (a *adminAPI) setClock(ctx context.Context, r Region, jump, drift time.Duration) error {
	return a.change(ctx, r, "/admin/faults/clock", map[string]any{"jump": jump, "drift": drift})
}

func (a *adminAPI) setDisk(ctx context.Context, r Region, full bool) error {
	return a.change(ctx, r, "/admin/faults/disk", map[string]any{"full": full})
}

// heal takes all faults of a region away: of its links, its clock and its disk.
func (a *adminAPI) heal(ctx context.Context, r Region) error {
	_, err := a.ask(ctx, http.MethodDelete, r.Admin+"/admin/faults", nil)
	return err
}

func (a *adminAPI) change(ctx context.Context, r Region, page string, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	_, err = a.ask(ctx, http.MethodPost, r.Admin+page, b)
	return err
}

func (a *adminAPI) ask(ctx context.Context, method, url string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := a.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() //nolint:errcheck // it was only read
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAdminAnswer))
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s: %.300s", method, url, res.Status, bytes.TrimSpace(b))
	}
	return b, nil
}
