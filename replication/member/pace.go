package member

import (
	"log"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/serf/serf"
)

// pace is how fast things go. One pace serves a machine and a planet: memberlist's LAN profile would do for links of 200 ms
// but takes up to 30 s to find somebody again; its WAN profile takes half a minute to notice a death.
type pace struct {
	// probe is the time between two looks at somebody, and ack how long to wait for a direct answer; the rest of probe is for
	// asking by way of others and by TCP. ack must be well above the longest round trip. A dead peer is noticed after about
	// suspicion+2 probes: too few, and a pause of a busy machine is taken for a death.
	probe, ack time.Duration
	suspicion  int
	gossip     time.Duration // between two rounds of news; too short costs packets, too long delays news
	dial       time.Duration // for a whole exchange of state by TCP
	// retryMin and retryMax are between attempts to reach somebody who does not answer; each is spread by half.
	retryMin, retryMax time.Duration
	// greet is how often to exchange everything with somebody who seems alive; 0: never. A process that was killed and came
	// back at once under the same address is taken for its predecessor until that one's silence is noticed, and if it has no
	// seeds, nobody else would tell it of the others.
	greet    time.Duration
	patience time.Duration // how long two processes of one region must seem to live until that is an error
	goodbye  time.Duration // for each of the two messages of a goodbye to go out
	linger   time.Duration // after that, so that nobody takes the goodbye for a death
	forget   time.Duration // how long to remember a process in whose place another came
}

var production = pace{
	probe: time.Second, ack: 500 * time.Millisecond, suspicion: 3, gossip: 100 * time.Millisecond, dial: 3 * time.Second,
	retryMin: 50 * time.Millisecond, retryMax: time.Second, greet: 3 * time.Second, patience: 15 * time.Second,
	goodbye: 500 * time.Millisecond, linger: 100 * time.Millisecond, forget: 30 * time.Second,
}

// label keeps other users of Serf that share our network apart from us.
const label = "meridian"

func (p pace) config(logger *log.Logger) *serf.Config {
	c := serf.DefaultConfig()
	c.Logger, c.LogOutput = logger, nil
	c.ProtocolVersion = serf.ProtocolVersionMax
	c.EnableNameConflictResolution = false // names differ; and a vote must not end a region
	c.BroadcastTimeout, c.LeavePropagateDelay = p.goodbye, p.linger
	c.ReapInterval = p.forget / 2
	c.ReconnectInterval = 365 * 24 * time.Hour // run does it: Serf's way leaves out those who left, and seeds
	c.ReconnectTimeout, c.TombstoneTimeout = 30*24*time.Hour, 24*time.Hour

	ml := memberlist.DefaultLANConfig()
	ml.Logger, ml.LogOutput = logger, nil
	ml.Label = label
	ml.ProbeInterval, ml.ProbeTimeout = p.probe, p.ack
	ml.SuspicionMult, ml.SuspicionMaxTimeoutMult = p.suspicion, 2
	ml.AwarenessMaxMultiplier = 3 // a machine that is itself slow probes every 3 s at the slowest
	ml.GossipInterval = p.gossip
	ml.PushPullInterval = 15 * p.probe
	ml.TCPTimeout = p.dial
	c.MemberlistConfig = ml
	return c
}
