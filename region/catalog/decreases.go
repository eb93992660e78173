package catalog

import (
	"time"

	"github.com/meridiandb/meridian/internal/fault"
)

// ThroughputChanges is what a table or a global index remembers of changes of its provisioned throughput.
type ThroughputChanges struct {
	DecreasesOfDay  int64 `json:"decreasesOfDay,omitempty"`  // on the day of the last one; see DecreasesOn
	LastIncreasedAt int64 `json:"lastIncreasedAt,omitempty"` // unix ms
	LastDecreasedAt int64 `json:"lastDecreasedAt,omitempty"`
	// DecreasesFrom is when there were no decreases left. One comes back each hour since, up to decreasesHeld.
	DecreasesFrom int64 `json:"decreasesFrom,omitempty"` // unix ms
}

// decreasesHeld is how many decreases a day begins with, and the most that can be left (DYNAMODB.md section 6). With one an
// hour that makes at most 27 a day.
const decreasesHeld = 4

const (
	msPerHour = int64(time.Hour / time.Millisecond)
	msPerDay  = 24 * msPerHour
)

func day(ms int64) int64 { return ms / msPerDay }

// DecreasesOn is NumberOfDecreasesToday at a time.
func (c *ThroughputChanges) DecreasesOn(now int64) int64 {
	if day(c.LastDecreasedAt) != day(now) {
		return 0
	}
	return c.DecreasesOfDay
}

// note takes down a change at a time, or refuses a decrease too many.
func (c *ThroughputChanges) note(old, new Throughput, now int64) error {
	if new.Read < old.Read || new.Write < old.Write {
		if err := c.decrease(now); err != nil {
			return err
		}
	}
	if new.Read > old.Read || new.Write > old.Write {
		c.LastIncreasedAt = now
	}
	return nil
}

func (c *ThroughputChanges) decrease(now int64) error {
	c.DecreasesOfDay = c.DecreasesOn(now)
	from := max(c.DecreasesFrom, now-decreasesHeld*msPerHour)
	if c.DecreasesOfDay == 0 {
		from = now - decreasesHeld*msPerHour
	}
	if next := from + msPerHour; next > now {
		return fault.New(fault.Limit, "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. "+
			"After the first 4 decreases, each subsequent decrease in the same UTC day can be performed at most once every 3600 seconds. "+
			"Number of decreases today: %d. Last decrease at %s. Next decrease can be made at %s",
			c.DecreasesOfDay, longTime(c.LastDecreasedAt), longTime(min(next, (day(now)+1)*msPerDay)))
	}
	c.DecreasesFrom = from + msPerHour
	c.DecreasesOfDay++
	c.LastDecreasedAt = now
	return nil
}

func longTime(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("Monday, January 2, 2006 3:04:05 PM MST")
}
