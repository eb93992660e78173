package repltest

import (
	"context"
	"time"

	"github.com/meridiandb/meridian/conflict"
)

// judgeHeld: of each origin a region has everything that it says it has, by logs or by other ways.
func (l *life) judgeHeld(t *tableInfo, states map[string]conflict.State) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := l.region.OpenCopy(ctx, t.id, 0, nil)
	if err != nil {
		l.n.w.fail("%s opens no copy of %s: %v", l.n.name, t.name, err)
		return
	}
	have := c.Have()
	if err := c.Close(); err != nil {
		l.n.w.fail("%s: %v", l.n.name, err)
	}
	h := l.n.w.history
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, all := range h.writes {
		if id.table != t.id {
			continue
		}
		for stamp := range all {
			if s := states[id.key]; stamp.Time <= have[stamp.Origin] && !s.Context().Covers(stamp) && (!s.IsZero() || h.lastLocked(id).visible) {
				l.n.w.fail("held: %s says that it has %v up to %v in %s, and item %q is %s without %v",
					l.n.name, stamp.Origin, have[stamp.Origin], t.name, id.key, show(s), stamp)
			}
		}
	}
}
