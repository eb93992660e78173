package route

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Guess fills in the Hint of regions that have none, by what regions' admin endpoints tell of their distances from each other
// (measured by their links, or else Serf's network coordinates): the region that answers first is taken for the nearest, and
// the others are as much farther as they are from it. One answer is enough; without any, regions stay as they are.
//
// A router corrects every guess with its first probe. What a guess is good for is the first requests, which would else go to
// the region that was named first.
func Guess(ctx context.Context, regions []Region, admins []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		distances map[string]time.Duration
		err       error
	}
	answers := make(chan answer, len(admins))
	var asking sync.WaitGroup
	defer asking.Wait() // they end with ctx
	defer cancel()
	for _, a := range admins {
		asking.Go(func() {
			d, err := distances(ctx, a)
			answers <- answer{d, err}
		})
	}
	var errs []error
	for range admins {
		a := <-answers
		if a.err != nil {
			errs = append(errs, a.err)
			continue
		}
		for i, r := range regions {
			if d, ok := a.distances[r.Name]; ok && r.Hint == 0 {
				regions[i].Hint = d
			}
		}
		return nil
	}
	return errors.Join(errs...)
}

// maxStatus is more than any region tells of itself.
const maxStatus = 16 << 20

// distances asks a region how far it and the others are, from here by way of it.
func distances(ctx context.Context, admin string) (map[string]time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, admin+"/admin/status", nil)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	near := max(time.Since(began), time.Microsecond)
	defer res.Body.Close() //nolint:errcheck // it was only read
	var status struct {
		Region string
		Peers  []struct {
			Region                  string
			RoundTripMs, DistanceMs float64
		}
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxStatus))
	if err == nil {
		err = json.Unmarshal(b, &status)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is no admin address of a region: %w", admin, err)
	}
	if status.Region == "" {
		return nil, fmt.Errorf("%s is no admin address of a region: %s", admin, res.Status)
	}
	all := map[string]time.Duration{status.Region: near}
	for _, p := range status.Peers {
		ms := p.RoundTripMs
		if ms == 0 {
			ms = p.DistanceMs
		}
		if ms > 0 {
			all[p.Region] = near + time.Duration(ms*float64(time.Millisecond))
		}
	}
	return all, nil
}
