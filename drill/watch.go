package drill

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Sample is how one region stood at a moment.
type Sample struct {
	At     time.Duration `json:"at"`
	Region string        `json:"region"`
	Up     bool          `json:"up"`     // its admin endpoint answered, and it serves
	Behind float64       `json:"behind"` // seconds, of the link into it that is farthest behind
}

const (
	sampleEvery    = 200 * time.Millisecond
	samplePatience = 500 * time.Millisecond
)

// watch looks at each region again and again.
type watch struct {
	mu      sync.Mutex
	samples []Sample
}

// run returns when ctx has ended.
func (w *watch) run(ctx context.Context, api *adminAPI, regions []Region, began time.Time) {
	var watching sync.WaitGroup
	for _, r := range regions {
		watching.Go(func() {
			tick := time.NewTicker(sampleEvery)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				at := time.Since(began)
				asking, cancel := context.WithTimeout(ctx, samplePatience)
				s, err := api.status(asking, r)
				cancel()
				if ctx.Err() != nil {
					return
				}
				w.mu.Lock()
				w.samples = append(w.samples, Sample{at, r.Name, err == nil && s.Ready, s.behind()})
				w.mu.Unlock()
			}
		})
	}
	watching.Wait()
}

func (w *watch) all() []Sample {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.samples)
}
