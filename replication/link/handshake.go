package link

import (
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/stream/record"
)

// maxWindow is the largest window a sender grants: what a receiver asks for costs memory here too.
const maxWindow = 256 << 20

// Answer is the sender's decision about an Open. The error is a *Refusal.
func Answer(spoken Protocols, self crdt.Origin, end record.Seq, o *Open) (Accept, error) {
	version := min(spoken.Newest, o.Protocols.Newest)
	switch {
	case o.Protocols.Oldest > o.Protocols.Newest || o.Window <= 0 || o.Receiver.Region == "" || o.Sender.Region == "":
		return Accept{}, Refuse(ReasonMalformed, "the request to open a link makes no sense")
	case version < spoken.Oldest || version < o.Protocols.Oldest:
		return Accept{}, Refuse(ReasonProtocol,
			"region %s speaks replication protocol %d to %d, region %s %d to %d: upgrade the older one",
			self.Region, spoken.Oldest, spoken.Newest, o.Receiver.Region, o.Protocols.Oldest, o.Protocols.Newest)
	case o.Receiver.Region == self.Region:
		return Accept{}, Refuse(ReasonIdentity,
			"a region cannot replicate from itself: two servers call themselves %s (%v asks %v)", self.Region, o.Receiver, self)
	case o.Sender != self:
		return Accept{}, Refuse(ReasonIdentity, "this is %v, not %v", self, o.Sender)
	case len(o.Tables) > 0 && o.Cursor > end:
		return Accept{}, Refuse(ReasonCursor,
			"region %s holds %s's log up to %v, which ends at %v: %s's disk was rolled back, it needs a new incarnation",
			o.Receiver.Region, self.Region, o.Cursor, end, self.Region)
	}
	return Accept{Protocol: version, Sender: self, End: end}, nil
}

// Check is the receiver's decision about the answer. The error is a *Refusal.
func (o *Open) Check(a Accept) error {
	switch {
	case a.Sender != o.Sender:
		return Refuse(ReasonIdentity, "%v answered, not %v", a.Sender, o.Sender)
	case a.Protocol < o.Protocols.Oldest || a.Protocol > o.Protocols.Newest:
		return Refuse(ReasonProtocol, "region %s chose replication protocol %d, we speak %d to %d",
			a.Sender.Region, a.Protocol, o.Protocols.Oldest, o.Protocols.Newest)
	}
	return nil
}
