package replication

import "fmt"

// Alarm says what an operator must see to before anything else; nil if nothing is known: today, that another living process
// claims this region (member.ClashError).
func (r *Replication) Alarm() error {
	if m, ok := r.membership.(interface{ Err() error }); ok { // scripted ones have none
		return m.Err()
	}
	return nil
}

// RepairAlarms says what comparisons with other regions have found since the process started that no merge mends.
func (r *Replication) RepairAlarms() []string {
	var out []string
	if r.repairs == nil {
		return out
	}
	for _, p := range r.list() {
		if n := p.count.repair.clashes.Load(); n > 0 {
			out = append(out, fmt.Sprintf("items were found %d times to differ from %s's though both have seen the same writes: "+
				"two processes have written under one identity", n, p.region))
		}
	}
	if n := r.repairs.scrubbed.Load(); n > 0 {
		out = append(out, fmt.Sprintf("%d cells of its hash trees were wrong and are mended: look at its disk", n))
	}
	return out
}
