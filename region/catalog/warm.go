package catalog

// Warm is how many units a second a table or an index is known to take at once. It never falls: it is what was asked for, or
// the most that the table was ever provisioned, or what every on-demand table begins with.
type Warm struct {
	Read  int64 `json:"read,omitempty"`
	Write int64 `json:"write,omitempty"`
}

// InitialWarm is what an on-demand table takes from the start (DYNAMODB.md section 6).
var InitialWarm = Warm{Read: 12000, Write: 4000}

// Over is the larger of each.
func (w Warm) Over(o Warm) Warm {
	return Warm{max(w.Read, o.Read), max(w.Write, o.Write)}
}

// floor is the least that a mode and a throughput come with.
func (b *Billing) floor(t Throughput) Warm {
	if b.PayPerRequest {
		return InitialWarm
	}
	return Warm(t)
}

// WarmNow is the table's warm throughput.
func (d *Descriptor) WarmNow() Warm { return d.Warm.Over(d.Billing.floor(d.Throughput)) }

// IndexWarm is a global index's.
func (d *Descriptor) IndexWarm(ix *Index) Warm { return ix.Warm.Over(d.Billing.floor(ix.Throughput)) }

// keepWarm notes what the table and its indexes take now, before a change of capacity.
func (d *Descriptor) keepWarm() {
	d.Warm = d.WarmNow()
	for i := range d.Indexes {
		if ix := &d.Indexes[i]; ix.Global {
			ix.Warm = d.IndexWarm(ix)
		}
	}
}

// applyWarm raises warm throughput; a member that is not asked for is 0.
func applyWarm(d *Descriptor, ch Change, _ int64) error {
	if ch.Warm != nil {
		w, err := raised(d.WarmNow(), *ch.Warm, "table")
		if err != nil {
			return err
		}
		d.Warm = w
	}
	for name, asked := range ch.IndexWarm {
		ix, err := d.globalIndex(name, "update")
		if err != nil {
			return err
		}
		if ix.Warm, err = raised(d.IndexWarm(ix), asked, "index "+name); err != nil {
			return err
		}
	}
	return nil
}

func raised(now Warm, asked WarmChange, of string) (Warm, error) {
	for _, u := range []struct {
		name string
		asks *int64
		now  *int64
	}{{"ReadUnitsPerSecond", asked.Read, &now.Read}, {"WriteUnitsPerSecond", asked.Write, &now.Write}} {
		switch {
		case u.asks == nil:
		case *u.asks < *u.now:
			return now, invalid("One or more parameter values were invalid: Requested %s for WarmThroughput for %s is lower than "+
				"current WarmThroughput, decreasing WarmThroughput is not supported", u.name, of)
		default:
			*u.now = *u.asks
		}
	}
	return now, nil
}
