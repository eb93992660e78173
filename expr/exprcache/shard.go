package exprcache

import (
	"sync"
	"sync/atomic"
)

// shard is a ring with second chances: an entry that was used since the hand last came by stays for another round. That
// keeps what is used often about as well as an order of use does, and a hit needs only the read lock.
type shard struct {
	mu    sync.RWMutex
	index map[key]*entry
	ring  []*entry // the same entries
	hand  int      // where the next victim is looked for
	bytes int      // of the entries' texts

	maxEntries, maxBytes int
}

type entry struct {
	key  key
	tree any
	used atomic.Bool
}

func (s *shard) init(limit int) {
	s.index = make(map[key]*entry)
	s.maxEntries, s.maxBytes = limit, limit*meanText
}

// get returns the tree under a key, nil if there is none.
func (s *shard) get(k key) any {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.index[k]
	if e == nil {
		return nil
	}
	if !e.used.Load() { // a store would take the line from the other processors each time
		e.used.Store(true)
	}
	return e.tree
}

// put adds a tree and makes room for it. A text for which there can be no room is not kept.
func (s *shard) put(k key, tree any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.index[k] != nil || len(k.text) > s.maxBytes {
		return
	}
	for len(s.ring) >= s.maxEntries || s.bytes+len(k.text) > s.maxBytes {
		s.evictLocked()
	}
	e := &entry{key: k, tree: tree}
	s.index[k] = e
	s.ring = append(s.ring, e)
	s.bytes += len(k.text)
}

// evictLocked removes the first entry from the hand on that was not used since the hand last came by. There is one.
func (s *shard) evictLocked() {
	for {
		if s.hand >= len(s.ring) {
			s.hand = 0
		}
		e := s.ring[s.hand]
		if !e.used.Swap(false) {
			break
		}
		s.hand++
	}
	e, last := s.ring[s.hand], len(s.ring)-1
	s.ring[s.hand], s.ring[last] = s.ring[last], nil
	s.ring = s.ring[:last]
	s.bytes -= len(e.key.text)
	delete(s.index, e.key)
}
