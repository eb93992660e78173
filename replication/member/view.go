package member

import (
	"cmp"
	"slices"
)

// view is what the processes that Serf knows amount to.
type view struct {
	peers    []entry         // one for each other region, sorted by region
	replaced map[string]bool // names of processes in whose place another came
	clash    *ClashError     // another process that seems to live claims our region
	certain  bool            // it does live: it was started after us, so it is no memory of our predecessor
	rivals   []rivals        // regions of which two processes live
}

// rivals are two living processes of one region; everybody goes on with kept.
type rivals struct{ kept, other entry }

// look makes a view of all entries but our own.
func look(all []entry, self entry) view {
	v := view{replaced: map[string]bool{}}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.origin.Region, b.origin.Region), cmp.Compare(a.started, b.started), cmp.Compare(a.name, b.name))
	})
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].origin.Region == all[0].origin.Region {
			n++
		}
		v.addRegion(all[:n], self)
		all = all[n:]
	}
	return v
}

// addRegion settles which process speaks for a region. The entries stand in the order in which they were started.
func (v *view) addRegion(entries []entry, self entry) {
	if entries[0].origin.Region == self.origin.Region {
		v.ownRegion(entries, self)
		return
	}
	kept := entries[0]
	for _, e := range entries[1:] {
		loser := e
		if e.replaces(kept) {
			kept, loser = e, kept
		}
		if loser.state == Alive && !kept.samePlace(loser) {
			v.rivals = append(v.rivals, rivals{kept, loser})
		}
		if loser.state != Alive {
			v.replaced[loser.name] = true
		}
	}
	v.peers = append(v.peers, kept)
}

// replaces tells whether e, started after k, takes its place.
func (e entry) replaces(k entry) bool {
	if (e.state == Alive) != (k.state == Alive) {
		return e.state == Alive
	}
	return e.state != Alive || e.origin == k.origin || e.samePlace(k)
}

// samePlace is when two processes cannot both live, because they would listen on the same address.
func (e entry) samePlace(k entry) bool { return e.gossip == k.gossip }

// ownRegion looks for living processes that claim to be us.
func (v *view) ownRegion(entries []entry, self entry) {
	for _, e := range entries {
		switch {
		case e.state != Alive || e.samePlace(self):
			v.replaced[e.name] = true
		default:
			v.certain = v.certain || e.started > self.started
			v.clash = &ClashError{Region: self.origin.Region, Ours: self.gossip, Theirs: e.gossip, Origin: e.origin}
		}
	}
}
