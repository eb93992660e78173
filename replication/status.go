package replication

import (
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/replication/member"
)

// State says in a word how the link from a peer stands.
type State string

// States.
const (
	StateConnecting  State = "connecting"   // not for the first time through yet, or one direction is
	StateConnected   State = "connected"    // both directions flow
	StateUnreachable State = "unreachable"  // it does not answer
	StateRefused     State = "refused"      // it answers, but does not give its log: PeerStatus.Error says why
	StateHeld        State = "held"         // its clock is too far ahead: what it writes is not applied
	StateRepair      State = "needs repair" // its log no longer reaches back to where we are
	StateLeft        State = "left"         // it said goodbye
)

// Lag is what one direction is behind.
type Lag = link.Lag

// PeerStatus is one other region as this one sees it.
type PeerStatus struct {
	Region    string
	Origin    crdt.Origin
	State     string
	Connected bool // both directions flow
	Outbound  Lag  // what the peer has not acknowledged
	Inbound   Lag  // what is not applied here
	// BytesSent and BytesReceived are of commits, before compression, since the process started.
	BytesSent, BytesReceived uint64
	ClockOffset              time.Duration // the peer's clock minus ours
	RoundTrip                time.Duration // 0: not measured yet
	Distance                 time.Duration // a round trip as network coordinates have it; 0: not known
	Error                    string        // empty while the link works
}

// Peers describes the other regions, by name.
func (r *Replication) Peers() []PeerStatus {
	var all []PeerStatus
	distances := map[string]time.Duration{}
	for _, m := range r.membership.Peers() {
		distances[m.Region] = m.RTT
	}
	for _, p := range r.list() {
		if s, ok := p.status(time.Now()); ok {
			s.Distance = distances[s.Region]
			all = append(all, s)
		}
	}
	return all
}

// status describes a peer; ok is false for one that membership does not name.
func (p *peer) status(now time.Time) (s PeerStatus, ok bool) {
	end, _ := p.r.o.Source.End()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.member.Origin.IsZero() {
		return s, false
	}
	p.backlog.End(end, now)
	s = PeerStatus{
		Region: p.region, Origin: p.member.Origin, Outbound: p.backlog.Lag(now),
		BytesSent: p.count.sent.bytes.Load(), BytesReceived: p.count.received.bytes.Load(),
	}
	s.ClockOffset, s.RoundTrip, _ = p.clock.Estimate()
	open, held := false, error(nil)
	if p.in != nil {
		s.Inbound = p.in.lag(now)
		open, held = p.in.stands()
	}
	s.Connected = open && held == nil && p.out != nil
	s.State = string(p.stateLocked(open, held != nil))
	switch {
	case held != nil:
		s.Error = held.Error()
	case p.err != nil && !s.Connected:
		s.Error = p.err.Error()
	}
	return s, true
}

func (p *peer) stateLocked(open, held bool) State {
	switch {
	case p.member.State == member.Left:
		return StateLeft
	case held:
		return StateHeld
	case open && p.out != nil:
		return StateConnected
	case open, p.state == StateConnected: // the other direction does not flow, or the link is just being opened again
		return StateConnecting
	}
	return p.state
}

// stands reports whether the link is open, and why it is held if it is.
func (v *receiving) stands() (open bool, held error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.open, v.held
}
