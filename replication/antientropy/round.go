package antientropy

import (
	"errors"

	"github.com/meridiandb/meridian/crdt"
)

// Round is the asking side of a round. Call Next for a message to send, hand its answer to Took, and mend what that
// returns, until Next says that there is nothing left to ask.
//
//	stack     nodes whose digests differ, the deepest last
//	suspects  entries that differ and are not judged
//	pulls     paths whose items this side lacks;  pushes: whose items the other side lacks
type Round struct {
	view        View
	mine, their Held
	whole       bool
	tally       Tally

	stack    []Node
	suspects []suspect
	pulls    []Path
	pushes   []Path

	told  bool // the answerer knows that a tree is hollow
	ended bool // the answerer knows what it holds now

	asked   byte // kind of the message under way; 0: none
	nodes   []Node
	judging []suspect
	wanted  []Path
	gave    int
}

// suspect is an entry that differs.
type suspect struct {
	path        Path
	mine, their bool // who has it
}

// Tally counts what a round did.
type Tally struct {
	Differences int // entries that differ
	InFlight    int // of these, on their way
	Clashes     int // of these, not to be mended by merging
	Lacked      int // of these, missed by this side
	LackedThere int // of these, missed by the other
	Taken       int // items that came
	Given       int // items that went, GivenNews of them were news there
	GivenNews   int
	First       Path // where the first clash is
	Hollow      int  // nodes whose digests differed although nothing beneath them does: stored digests are wrong
}

// Begin begins a round with what the answerer said. Mine is what the View holds. Whole mends all that differs, not only what
// is missing for sure.
func Begin(v View, mine Held, w *Welcome, whole bool) (*Round, error) {
	l, err := look(v, Node{})
	if err != nil {
		return nil, err
	}
	r := &Round{view: v, mine: mine, their: w.Held, whole: whole}
	r.differing(Node{}, &l.children, &w.top)
	return r, nil
}

// Tally is what was done so far.
func (r *Round) Tally() Tally { return r.tally }

// Equal reports whether nothing differed, or nothing is known yet to differ.
func (r *Round) Equal() bool { return r.tally.Differences == 0 && len(r.stack) == 0 }

// Next is the next message to send; nil at the end.
func (r *Round) Next() ([]byte, error) {
	if r.asked != 0 {
		return nil, errors.New("antientropy: a message is under way")
	}
	switch {
	case len(r.pulls)+len(r.pushes) > 0:
		return r.swap()
	case len(r.suspects) > 0:
		return r.contexts(), nil
	case len(r.stack) > 0:
		return r.descend(), nil
	case r.tally.Hollow > 0 && !r.told:
		r.told, r.asked = true, 'z'
		return []byte{'z'}, nil
	case !r.ended && r.tally.Hollow == 0:
		r.ended, r.asked = true, 'g'
		return appendGained(nil, r.their.gained(&r.mine, r.whole)), nil
	}
	return nil, nil
}

// Gained is what this side holds of some origins after the round, where it held less; nil before its end, and if a tree is not
// that of its items.
func (r *Round) Gained() map[crdt.Origin]crdt.Time {
	if !r.ended || r.asked != 0 {
		return nil
	}
	return r.mine.gained(&r.their, r.whole)
}

// Took takes the answer to what Next returned. The items are to be merged here, durably, before Next is called again.
func (r *Round) Took(answer []byte) ([]Item, error) {
	asked := r.asked
	r.asked = 0
	switch asked {
	case 'd':
		return nil, r.tookLevels(answer)
	case 'c':
		return nil, r.tookSeen(answer)
	case 'p':
		return r.tookItems(answer)
	case 'z', 'g':
		return nil, nil
	}
	return nil, errors.New("antientropy: no message is under way")
}

// differing notes which children of a node differ.
func (r *Round) differing(n Node, mine, their *[fanOut]short) {
	for i := fanOut - 1; i >= 0; i-- { // the first is taken first
		if mine[i] != their[i] {
			r.stack = append(r.stack, n.child(i))
		}
	}
}

func (r *Round) descend() []byte {
	at := max(0, len(r.stack)-maxNodes)
	r.nodes = append(r.nodes[:0], r.stack[at:]...)
	r.stack = r.stack[:at]
	r.asked = 'd'
	return appendDescend(nil, r.nodes)
}

func (r *Round) tookLevels(answer []byte) error {
	theirs, err := decodeLevels(answer, r.nodes)
	if err != nil {
		return err
	}
	for i, n := range r.nodes {
		mine, err := look(r.view, n)
		if err != nil {
			return err
		}
		before := r.tally.Differences + len(r.stack)
		switch {
		case mine.few && theirs[i].few:
			r.compare(mine.entries, theirs[i].entries)
		case n.Depth == deepest:
			return ErrMessage // there are entries only, whatever their number
		default:
			r.differing(n, &mine.children, &theirs[i].children)
		}
		if r.tally.Differences+len(r.stack) == before {
			r.tally.Hollow++
		}
	}
	return nil
}

// compare walks over two lists of entries in order.
func (r *Round) compare(mine, theirs []entry) {
	for len(mine) > 0 || len(theirs) > 0 {
		c := 0
		switch {
		case len(theirs) == 0:
			c = -1
		case len(mine) == 0:
			c = 1
		default:
			c = compare(mine[0].path, theirs[0].path)
		}
		s := suspect{mine: c <= 0, their: c >= 0}
		same := c == 0 && mine[0].sum == theirs[0].sum
		if s.their {
			s.path, theirs = theirs[0].path, theirs[1:]
		}
		if s.mine {
			s.path, mine = mine[0].path, mine[1:]
		}
		if !same {
			r.tally.Differences++
			r.suspects = append(r.suspects, s)
		}
	}
}

func (r *Round) contexts() []byte {
	n := min(maxPaths, len(r.suspects))
	r.judging = append(r.judging[:0], r.suspects[len(r.suspects)-n:]...)
	r.suspects = r.suspects[:len(r.suspects)-n]
	paths := make([]Path, n)
	for i := range r.judging {
		paths[i] = r.judging[i].path
	}
	r.asked = 'c'
	return appendContexts(nil, paths)
}

func (r *Round) tookSeen(answer []byte) error {
	theirs, err := decodeSeen(answer, len(r.judging))
	if err != nil {
		return err
	}
	for i, s := range r.judging {
		if theirs[i].Present != s.their {
			return ErrMessage // a snapshot does not change its mind
		}
		var mine Seen
		if mine.Context, mine.Present, mine.Visible, err = r.view.Context(s.path); err != nil {
			return err
		}
		r.judge(s.path, mine, theirs[i])
	}
	return nil
}

func (r *Round) judge(p Path, mine, theirs Seen) {
	v := Judge(mine, &r.mine, theirs, &r.their)
	if r.whole {
		v = different(mine, &r.mine, theirs, &r.their)
	}
	switch {
	case v.Clash:
		if r.tally.Clashes++; r.tally.Clashes == 1 {
			r.tally.First = p
		}
		return
	case !v.MineLacks && !v.TheirsLacks:
		r.tally.InFlight++
		return
	}
	if v.MineLacks {
		r.tally.Lacked++
		r.pulls = append(r.pulls, p)
	}
	if v.TheirsLacks {
		r.tally.LackedThere++
		r.pushes = append(r.pushes, p)
	}
}

func (r *Round) swap() ([]byte, error) {
	n := min(maxPaths, len(r.pulls))
	r.wanted = append(r.wanted[:0], r.pulls[:n]...)
	r.pulls = r.pulls[n:]
	var give []Item
	for size := 0; len(r.pushes) > 0 && len(give) < maxPaths && size < swapBytes; {
		key, state, err := r.view.State(r.pushes[0])
		if err != nil {
			return nil, err
		}
		if key == nil {
			return nil, errors.New("antientropy: a snapshot has lost an item")
		}
		r.pushes = r.pushes[1:]
		give = append(give, Item{key, state})
		size += len(key) + len(state)
	}
	r.asked, r.gave = 'p', len(give)
	r.tally.Given += len(give)
	return appendSwap(nil, r.wanted, give), nil
}

func (r *Round) tookItems(answer []byte) ([]Item, error) {
	s, err := decodeSwapped(answer, len(r.wanted), r.gave)
	if err != nil {
		return nil, err
	}
	r.pulls = append(append([]Path(nil), r.wanted[s.done:]...), r.pulls...)
	r.tally.GivenNews += s.news
	r.tally.Taken += len(s.items)
	for i := range s.items {
		if s.items[i].Key == nil {
			return nil, ErrMessage // it said that it had it
		}
	}
	return s.items, nil
}
