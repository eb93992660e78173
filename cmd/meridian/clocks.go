package main

import (
	"context"
	"time"
)

// clockEvery is how often the region learns how its clock stands to the others'.
const clockEvery = time.Second

// steadyTime is the clock that regions compare: as the region's own, it begins with the machine's clock and does not follow
// when that is set.
func (n *node) steadyTime() time.Time {
	if n.trouble != nil {
		return n.trouble.clock.Now()
	}
	return n.started.Add(time.Since(n.started))
}

// reportClocks tells the region, until ctx ends, what the clocks of those it can reach show.
func (n *node) reportClocks(ctx context.Context) {
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		offsets := map[string]time.Duration{}
		for _, p := range n.replication.Peers() {
			if p.Connected && p.RoundTrip > 0 {
				offsets[p.Region] = p.ClockOffset
			}
		}
		n.region.ReportOffsets(offsets)
	}
}
