package drill

import (
	"slices"
	"time"
)

// outage is one stretch in which a client met errors, or answers that came too late. It lasts from the beginning of the first
// such call to the end of the last one before the next good answer.
type outage struct {
	client   int
	from, to time.Duration
}

// bad reports whether a client would call a call's answer an error or a delay.
func (c *Call) bad(slow time.Duration) bool {
	return c.Result != OK && c.Result != Condition || c.Took() > slow
}

// outages finds each client's bad stretches, in order of time. Calls of one client do not overlap.
func outages(calls []Call, slow time.Duration) []outage {
	open := map[int]int{} // client → place in all
	var all []outage
	for i := range calls { // in the order in which they ended
		c := &calls[i]
		at, is := open[c.Client]
		switch {
		case !c.bad(slow):
			delete(open, c.Client)
		case is:
			all[at].to = c.End
		default:
			open[c.Client] = len(all)
			all = append(all, outage{c.Client, c.Begin, c.End})
		}
	}
	return all
}

// suffered is how long each client was out in all, the least first. Every client counts.
func suffered(calls []Call, slow time.Duration) []time.Duration {
	total := map[int]time.Duration{}
	for i := range calls {
		total[calls[i].Client] += 0
	}
	for _, o := range outages(calls, slow) {
		total[o.client] += o.to - o.from
	}
	var all []time.Duration
	for _, d := range total {
		all = append(all, d)
	}
	slices.Sort(all)
	return all
}

// percentile is the smallest that p in 100 do not exceed; 0 of none. The times are in order.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}
