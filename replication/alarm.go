package replication

// Alarm says what an operator must see to before anything else; nil if nothing is known: today, that another living process
// claims this region (member.ClashError).
func (r *Replication) Alarm() error {
	if m, ok := r.membership.(interface{ Err() error }); ok { // scripted ones have none
		return m.Err()
	}
	return nil
}
