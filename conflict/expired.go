package conflict

import "github.com/meridiandb/meridian/crdt"

// Expired reports whether the state is that of an item whose time to live was over, and which write found that.
func (s State) Expired() (by crdt.Stamp, ok bool) {
	s = s.full()
	if s.deleted.IsZero() || s.deleted.Order == s.deleted.Dot {
		return crdt.Stamp{}, false
	}
	return s.deleted.Dot, true
}
