package memstore

import "github.com/meridiandb/meridian/storage"

// EstimateSize is exact here.
func (s *Store) EstimateSize(lo, hi []byte) (uint64, error) {
	if !s.gate.Enter() {
		return 0, storage.ErrClosed
	}
	defer s.gate.Leave()
	s.mu.RLock()
	defer s.mu.RUnlock()
	data := s.data
	from, _ := data.search(lo)
	to, _ := data.search(hi)
	n := uint64(0)
	for _, e := range data[from:max(from, to)] {
		n += uint64(len(e.key) + len(e.value))
	}
	return n, nil
}
