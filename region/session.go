package region

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage"
)

// A session is what a client has seen and written, as far as it shows it: for each origin a time up to which this region
// must hold everything before it may answer. The times up to which it does stand with the cursors, in the same batch:
//
//	applied/<origin>   8 bytes, big-endian   crdt.Time
//
// so that a region which restarts while another is gone can still tell what it holds of that one. Times of an idle log are
// not written: no write has them. A cursor that moves back (see inbound) takes the time with it.

const appliedPrefix = "applied/"

func appliedKey(o crdt.Origin) []byte { return storage.MetaKey(appliedPrefix + o.String()) }

func readTimes(r storage.Reader, prefix string) (map[crdt.Origin]crdt.Time, error) {
	return table.ReadTimes(r, prefix)
}

// setApplied writes in a batch that everything wanted of a peer up to t is in it and in those before.
func (in *inbound) setApplied(w storage.Writer, peer crdt.Origin, t crdt.Time) error {
	in.mu.Lock()
	t = max(t, in.closed[peer])
	in.mu.Unlock()
	if t == 0 {
		return nil
	}
	return w.Set(appliedKey(peer), storage.AppendSeq(nil, uint64(t)))
}

// riseLocked notes that everything wanted of a peer up to t is applied.
func (in *inbound) riseLocked(peer crdt.Origin, t crdt.Time) {
	if t <= in.closed[peer] {
		return
	}
	in.closed[peer] = t
	in.tellLocked()
}

// tellLocked wakes the sessions that wait.
func (in *inbound) tellLocked() {
	if in.waiters > 0 {
		close(in.risen)
		in.risen = make(chan struct{})
	}
}

// Seen is one part of what a session has seen: everything of an origin up to a time. Wrote says that the session has written
// at that origin, so that it must be waited for even if no table is known here that could have the write.
type Seen struct {
	crdt.Stamp
	Wrote bool
}

// BehindError says that this region does not hold what a session has seen.
type BehindError struct {
	Region string
	Lacks  crdt.Stamp // everything up to here of its origin
	Knows  crdt.Time  // how far this region has come there; 0: it knows nothing of that incarnation
}

func (e *BehindError) Error() string {
	return fmt.Sprintf("region %s holds %s up to %s and the session has seen %s", e.Region, e.Lacks.Origin, e.Knows, e.Lacks.Time)
}

// AwaitSession returns when this region holds everything that a session has seen, and fails with fault.Unavailable and
// *BehindError when it still does not after patience. It costs a few comparisons when nothing is missing.
func (r *Region) AwaitSession(ctx context.Context, session []Seen, patience time.Duration) error {
	in := r.inbound
	in.mu.Lock()
	defer in.mu.Unlock()
	missing := in.lacksLocked(session)
	if missing == nil {
		return nil
	}
	in.waiters++
	defer func() { in.waiters-- }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for missing != nil {
		risen, over := in.risen, false
		in.mu.Unlock()
		select {
		case <-risen:
		case <-timer.C:
			over = true
		case <-ctx.Done():
			over = true
		case <-r.ctx.Done():
			over = true
		}
		in.mu.Lock()
		if missing = in.lacksLocked(session); over && missing != nil {
			switch {
			case r.ctx.Err() != nil:
				return errClosed
			case ctx.Err() != nil:
				return context.Cause(ctx)
			}
			return fault.Wrap(fault.Unavailable, missing,
				"The region %s has not caught up with this session: writes of %s are missing. Retry, or ask another region.",
				r.name, missing.Lacks.Origin.Region)
		}
	}
	return nil
}

// lacksLocked is the first part of a session that is not here; nil if all is.
func (in *inbound) lacksLocked(session []Seen) *BehindError {
	for _, s := range session {
		have := in.closed[s.Origin]
		if s.Origin == in.region.origin {
			have = in.region.clock.Last() // it began at its ceiling: nothing durable is above
		} else if have < s.Time {
			have = in.holdsLocked(s.Origin)
		}
		if have < s.Time && (s.Wrote || in.concerns(s.Origin.Region) || in.isOverLocked(s.Origin)) {
			return &BehindError{Region: in.region.name, Lacks: s.Stamp, Knows: have}
		}
	}
	return nil
}

// concerns reports whether a table here has changes of another region: else no closed time comes from there, and nothing
// that a client could read here depends on it. Members that are yet to be adopted count.
func (in *inbound) concerns(region string) bool {
	return slices.ContainsFunc(in.region.catalog.Entries(), func(e *catalog.Entry) bool {
		m := e.Member(region)
		return e.Holds(in.region.name) && m != nil && m.State != catalog.MemberRemoved
	})
}

// Seen covers everything that a read which has ended may have shown.
func (r *Region) Seen(ctx context.Context) (crdt.Context, error) { return r.engine.Seen(ctx) }
