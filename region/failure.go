package region

// Report hears of an error that a Table returned, which the region has not seen: items are read and written without its
// knowing. Corruption and a failed store stop the region for good, whoever finds them; other errors are the caller's.
func (r *Region) Report(err error) { _ = r.fail(err) }
