package drill

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// The four guarantees of a session, as a Violation names them.
const (
	ReadYourWrites    = "read your writes"
	MonotonicReads    = "monotonic reads"
	MonotonicWrites   = "monotonic writes"
	WritesFollowReads = "writes follow reads"
)

// Violation is a promise to a session that was not kept.
type Violation struct {
	Guarantee string        `json:"guarantee"`
	Client    int           `json:"client"`
	Key       string        `json:"key"`
	At        time.Duration `json:"at"`
	Region    string        `json:"region,omitempty"` // that answered; of the end: the first that holds the wrong thing
	Say       string        `json:"say"`
}

// lineage is which write came after which. A session's write comes after all that the session had seen of the item; no
// region may show, to somebody who has seen a write, one that it came after; nor hold that in the end. Writes of which none
// comes after the other are concurrent, and may win in any order.
type lineage struct {
	parents map[ID][]ID
	writer  map[ID]sessionID
	acked   map[ID]*Call
}

type sessionID struct{ client, number int }

func (c *Call) session() sessionID { return sessionID{c.Client, c.Session} }

// seen is what one session knows of one key.
type seen struct {
	session sessionID
	key     string
}

// before reports whether a comes before b, which is another write.
func (l *lineage) before(a, b ID) bool {
	if a == b {
		return false
	}
	if a == 0 {
		return true
	}
	_, found := l.path(a, b)
	return found
}

// path finds a among the ancestors of b, and which child of a leads there.
func (l *lineage) path(a, b ID) (child ID, found bool) {
	visited := map[ID]bool{b: true}
	for queue := []ID{b}; len(queue) > 0; {
		at := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, p := range l.parents[at] {
			if p == a {
				return at, true
			}
			if !visited[p] {
				visited[p] = true
				queue = append(queue, p)
			}
		}
	}
	return 0, false
}

// checkSessions follows each session through its calls and returns the violations, and the lineage for the end.
func checkSessions(calls []Call) ([]Violation, *lineage) {
	l := &lineage{parents: map[ID][]ID{}, writer: map[ID]sessionID{}, acked: map[ID]*Call{}}
	frontiers := map[seen][]ID{}
	ordered := make([]*Call, 0, len(calls))
	for i := range calls {
		if calls[i].Op != Add {
			ordered = append(ordered, &calls[i])
		}
	}
	// A write's ancestry must be known before it is read elsewhere: parents first, for the whole history. They depend on
	// each client's own order alone.
	slices.SortStableFunc(ordered, func(a, b *Call) int { return cmp.Or(a.Client-b.Client, cmp.Compare(a.Begin, b.Begin)) })
	for _, c := range ordered {
		at := seen{c.session(), c.Key}
		switch {
		case c.writes():
			l.parents[c.Wrote] = frontiers[at]
			l.writer[c.Wrote] = c.session()
			if c.Result == OK {
				l.acked[c.Wrote] = c
				frontiers[at] = []ID{c.Wrote}
			}
		case c.Op == Read && c.Result == OK && c.Saw != 0 && !slices.Contains(frontiers[at], c.Saw):
			frontiers[at] = append(slices.Clip(frontiers[at]), c.Saw)
		}
	}
	return l.checkReads(ordered), l
}

// checkReads goes through the sessions again, now that ancestry is known.
func (l *lineage) checkReads(ordered []*Call) (all []Violation) {
	frontiers := map[seen][]ID{}
	for _, c := range ordered {
		at := seen{c.session(), c.Key}
		known := frontiers[at]
		switch {
		case c.Op == Replace && c.Result == Condition && c.Attempts == 1:
			all = append(all, Violation{ReadYourWrites, c.Client, c.Key, c.Begin, c.Region,
				"a condition did not see the session's own last write"})
		case c.writes() && c.Result == OK:
			frontiers[at] = []ID{c.Wrote}
		case c.Op == Read && c.Result == OK:
			if i := slices.IndexFunc(known, func(f ID) bool { return l.before(c.Saw, f) }); i >= 0 {
				all = append(all, l.stale(c, known[i]))
				continue
			}
			if c.Saw == 0 || slices.Contains(known, c.Saw) {
				continue
			}
			kept := slices.DeleteFunc(slices.Clone(known), func(f ID) bool { return l.before(f, c.Saw) })
			frontiers[at] = append(kept, c.Saw)
		}
	}
	return all
}

func (l *lineage) stale(c *Call, newer ID) Violation {
	v := Violation{MonotonicReads, c.Client, c.Key, c.Begin, c.Region, ""}
	if l.writer[newer] == c.session() {
		v.Guarantee = ReadYourWrites
	}
	v.Say = fmt.Sprintf("it was shown %s after it knew write %d, which came later", sayID(c.Saw), newer)
	return v
}

func sayID(id ID) string {
	if id == 0 {
		return "nothing"
	}
	return fmt.Sprintf("write %d", id)
}

// checkEnd looks at what a region holds in the end: no acknowledged write may have been undone by one that it came after.
// lost are writes that went with a disk.
func (l *lineage) checkEnd(region string, items map[string]ID, lost func(*Call) bool) (all []Violation) {
	reported := map[string]bool{} // one for a key is enough
	for _, w := range slices.SortedFunc(keysOf(l.acked), func(a, b ID) int { return cmp.Compare(b, a) }) {
		c := l.acked[w]
		holds := items[c.Key]
		if reported[c.Key] || holds == w || lost(c) || !l.before(holds, w) {
			continue
		}
		reported[c.Key] = true
		v := Violation{MonotonicWrites, c.Client, c.Key, c.End, region,
			fmt.Sprintf("in the end %s holds %s, and not write %d, which came later", region, sayID(holds), w)}
		if child, ok := l.path(holds, w); ok && l.writer[child] != l.writer[holds] {
			v.Guarantee = WritesFollowReads
		}
		all = append(all, v)
	}
	return all
}

func keysOf(m map[ID]*Call) func(yield func(ID) bool) {
	return func(yield func(ID) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
