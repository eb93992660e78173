package member

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/serf/serf"

	"github.com/meridiandb/meridian/crdt"
)

// A member's tags. They travel in every announcement and must fit in memberlist.MetaMaxSize (512) bytes together. Unknown
// tags are left alone, so that newer versions may add some; the first three are required.
const (
	tagOrigin      = "o" // crdt.Origin
	tagStarted     = "s" // unix nanoseconds, decimal: tells processes of one region apart and orders them
	tagReplication = "r" // host:port
	tagGossip      = "g" // host:port; only if the host is a name: Serf carries IP addresses itself
	tagDynamoDB    = "d" // URL or host:port, may be missing
	tagAdmin       = "a" // likewise
)

// nameOf is a process's name in Serf. It has no "/", which memberlist would take for the end of a name.
func nameOf(o crdt.Origin, started int64) string {
	return o.String() + "+" + strconv.FormatInt(started, 36)
}

func (m *Member) tags() map[string]string {
	tags := map[string]string{
		tagOrigin: m.o.Origin.String(), tagStarted: strconv.FormatInt(m.started, 10), tagReplication: m.o.ReplicationAddress,
		tagDynamoDB: m.o.DynamoDB, tagAdmin: m.o.Admin,
	}
	if !isIP(m.advert) {
		tags[tagGossip] = m.advert
	}
	return tags
}

// encodeTags drops empty tags and makes sure that the rest will fit: MessagePack takes up to 3 bytes for the map and for
// each text of less than 64 KiB, and Serf puts one byte in front.
func encodeTags(tags map[string]string) (map[string]string, error) {
	out, size, longest := map[string]string{}, 1+3, ""
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		v := tags[k]
		if v == "" {
			continue
		}
		out[k] = v
		size += 3 + len(k) + 3 + len(v)
		if len(v) > len(longest) {
			longest = v
		}
	}
	if size > memberlist.MetaMaxSize {
		return nil, fmt.Errorf("membership: addresses and names take %d bytes together, %d fit; the longest is %q",
			size, memberlist.MetaMaxSize, longest)
	}
	return out, nil
}

// entry is one process that Serf knows, of which a region may have several: predecessors, or two by mistake.
type entry struct {
	name    string
	origin  crdt.Origin
	started int64
	state   State
	gossip  string // host:port to reach it by, with a host name if it has one

	replication, dynamodb, admin string
}

// entryOf reads a member; ok is false when it is no Meridian region that this version understands.
func entryOf(s serf.Member) (e entry, ok bool) {
	o, err := crdt.ParseOrigin(s.Tags[tagOrigin])
	started, err2 := strconv.ParseInt(s.Tags[tagStarted], 10, 64)
	_, _, err3 := net.SplitHostPort(s.Tags[tagReplication])
	if err != nil || err2 != nil || err3 != nil || s.Name != nameOf(o, started) {
		return entry{}, false
	}
	e = entry{
		name: s.Name, origin: o, started: started, gossip: net.JoinHostPort(s.Addr.String(), strconv.Itoa(int(s.Port))),
		replication: s.Tags[tagReplication], dynamodb: s.Tags[tagDynamoDB], admin: s.Tags[tagAdmin],
	}
	if g := s.Tags[tagGossip]; g != "" {
		e.gossip = g
	}
	switch s.Status {
	case serf.StatusAlive:
	case serf.StatusLeaving, serf.StatusLeft:
		e.state = Left
	case serf.StatusFailed:
		e.state = Failed
	default:
		return entry{}, false
	}
	return e, true
}

func (e entry) peer() Peer {
	return Peer{Region: e.origin.Region, Origin: e.origin, Address: e.replication, DynamoDB: e.dynamodb, Admin: e.admin, State: e.state}
}

// isIP tells addresses with an IP address from those with a host name.
func isIP(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return false
	}
	_, err = netip.ParseAddr(strings.TrimSpace(host))
	return err == nil
}
