package antientropy

import (
	"fmt"

	"github.com/meridiandb/meridian/crdt"
)

// Answerer answers one round.
type Answerer struct {
	view View
	// mend merges what was given and says how much of it was news; it returns when that is durable.
	mend func([]Item) (news int, err error)
	// Hollow is set once the asker has found a tree that is not that of its items: this side's, or its own.
	Hollow bool
	// Gained, if not nil, hears at the end of a round what this side holds of some origins now, if it held less.
	Gained func(map[crdt.Origin]crdt.Time) error
}

// NewAnswerer makes the answering side and the first message, what it says of itself. Of w all but the digests is given.
func NewAnswerer(v View, w Welcome, mend func([]Item) (int, error)) (*Answerer, []byte, error) {
	l, err := look(v, Node{})
	if err != nil {
		return nil, nil, err
	}
	w.top = l.children
	return &Answerer{view: v, mend: mend}, w.append(nil), nil
}

// Answer answers one message. An error ends the round.
func (a *Answerer) Answer(request []byte) ([]byte, error) {
	if len(request) == 0 {
		return nil, ErrMessage
	}
	switch request[0] {
	case 'd':
		return a.descend(request)
	case 'c':
		return a.contexts(request)
	case 'p':
		return a.swap(request)
	case 'z':
		a.Hollow = true
		return request[:1], nil
	case 'g':
		return a.gained(request)
	}
	return nil, fmt.Errorf("%w: kind %q", ErrMessage, request[0])
}

func (a *Answerer) gained(request []byte) ([]byte, error) {
	up, err := decodeGained(request)
	if err == nil && a.Gained != nil {
		err = a.Gained(up)
	}
	return request[:1], err
}

func (a *Answerer) descend(request []byte) ([]byte, error) {
	nodes, err := decodeDescend(request)
	if err != nil {
		return nil, err
	}
	levels := make([]level, len(nodes))
	for i, n := range nodes {
		if levels[i], err = look(a.view, n); err != nil {
			return nil, err
		}
	}
	return appendLevels(nil, levels), nil
}

func (a *Answerer) contexts(request []byte) ([]byte, error) {
	paths, err := decodeContexts(request)
	if err != nil {
		return nil, err
	}
	seen := make([]Seen, len(paths))
	for i, p := range paths {
		if seen[i].Context, seen[i].Present, seen[i].Visible, err = a.view.Context(p); err != nil {
			return nil, err
		}
	}
	return appendSeen(nil, seen), nil
}

func (a *Answerer) swap(request []byte) ([]byte, error) {
	want, give, err := decodeSwap(request)
	if err != nil {
		return nil, err
	}
	var s swapped
	if len(give) > 0 {
		if s.news, err = a.mend(give); err != nil {
			return nil, err
		}
		s.news = min(s.news, len(give))
	}
	for size := 0; s.done < len(want) && size < swapBytes; s.done++ {
		key, state, err := a.view.State(want[s.done])
		if err != nil {
			return nil, err
		}
		s.items = append(s.items, Item{key, state})
		size += len(key) + len(state)
	}
	return s.append(nil), nil
}
