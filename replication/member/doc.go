// Package member knows which regions there are, how to reach them and how far away they are. It is the only place that
// knows Serf.
//
//	m, err := member.Start(member.Options{Origin: o, Listen: "0.0.0.0:7100", Advertise: "eu.example.net:7100",
//		ReplicationAddress: "eu.example.net:7000", Seeds: []string{"us.example.net:7100"}})
//	for {
//		changed := m.Changed() // before Peers, so that no change falls between the two
//		use(m.Peers())
//		<-changed
//	}
//
// # Promises
//
// One seed that answers is enough: whoever is known there is known here a moment later. Start waits for nobody. Seeds are
// tried until they have answered once, and all of them again while this region knows of no living peer; a region that is
// known but does not answer is tried for as long as it is remembered (Left a day, Failed a month). So any two regions that
// can reach each other find each other within about two seconds, in whichever order they were started, cut off or restarted.
//
// A dead region is noticed after about five seconds, on links of up to 200 ms round trip; by a region that is itself cut off,
// after about ten. That is a hint for people and for back-off and never a reason to give data up: replication decides by
// its own links.
//
// Peers has one entry for each other region: the process that speaks for it. A region's restart, or its rebuilding from
// nothing, takes the old process's place at once if it has the same origin or the same gossip address, else as soon as the
// old one is noticed to be dead.
//
// # Two processes with one region name
//
// Nothing can stop an operator from starting them, and neither can know which is the right one. Both stay what they are:
// everybody goes on with the one that was there first (by the hosts' clocks, of which nothing more is asked than that the
// answer stays the same; with one origin twice, a cloned disk, the last one), and it is an error in everybody's log and
// Err in both. Names in Serf are origins with the process's starting time, so that they can be told apart at all: with
// plain region names the two would take turns.
//
// # Addresses
//
// Host names are resolved when they are used, not when they are learned: a container that comes back under another address
// is found. Serf itself carries IP addresses only; a host name to advertise travels as a tag, and packets to its region
// take the way that the name resolves to here.
//
// # Concurrency
//
// All methods may be called at the same time. Nothing is called back.
package member
