package pebblestore

// EstimateSize is Pebble's estimate of the sorted files in a range; what still stands in memory tables is missing.
func (s *Store) EstimateSize(lo, hi []byte) (uint64, error) {
	if err := s.enter(); err != nil {
		return 0, err
	}
	defer s.gate.Leave()
	n, err := s.db.EstimateDiskUsage(lo, hi)
	return n, classify("estimate", err)
}
