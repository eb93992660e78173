package conflict

import (
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// Outcome is what became of a merge. Changed says that State differs from the stored one, be it in its context alone.
type Outcome struct {
	State   State
	Changed bool
	Lost    []Loss
}

// Loss is one write that nobody who saw it has replaced: it simply had the lower stamp.
type Loss struct {
	Stamp  crdt.Stamp // of the losing write
	Image  item.Item  // what it wrote; zero if it was a delete
	Winner crdt.Stamp
	Reason Reason
}

// Reason says in an operator's words why a write lost.
type Reason string

// The reasons of last-writer-wins.
const (
	OverwrittenByPut    Reason = "a concurrent write in another region has a later stamp"
	OverwrittenByDelete Reason = "a concurrent delete in another region has a later stamp"
	DeleteOverwritten   Reason = "a concurrent write in another region has a later stamp than this delete"
)

// Merge joins the stored and the arriving state. It is the only place where versions meet: replication, copies of tables
// and repair all go through it.
func Merge(stored, arriving State) Outcome {
	if arriving.IsZero() {
		return Outcome{State: stored}
	}
	if stored.IsZero() {
		return Outcome{State: arriving, Changed: true}
	}
	l, r := stored.full(), arriving.full()
	switch {
	case r.ctx.SubsetOf(l.ctx):
		return Outcome{State: l}
	case l.ctx.SubsetOf(r.ctx):
		return Outcome{State: r, Changed: true}
	}
	winner, loser := l, r
	if l.stamp.Less(r.stamp) {
		winner, loser = r, l
	}
	joined := winner
	joined.ctx = l.ctx.Join(r.ctx)
	out := Outcome{State: joined, Changed: true}
	if loss, ok := lost(winner, loser); ok {
		out.Lost = []Loss{loss}
	}
	return out
}

// lost reports whether the loser's newest write is a conflict: the winner's author had not seen it, and it matters.
func lost(winner, loser State) (Loss, bool) {
	if winner.ctx.Covers(loser.stamp) {
		return Loss{}, false
	}
	same := winner.Visible() == loser.Visible() && winner.item.Equal(loser.item)
	if same {
		return Loss{}, false // equal values, or delete against delete
	}
	l := Loss{Stamp: loser.stamp, Image: loser.item, Winner: winner.stamp, Reason: OverwrittenByPut}
	switch {
	case !winner.Visible():
		l.Reason = OverwrittenByDelete
	case !loser.Visible():
		l.Reason = DeleteOverwritten
	}
	return l, true
}
