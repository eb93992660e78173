package admin

import "time"

// Status is one region as it sees itself.
type Status struct {
	Region  string    `json:"region"`
	Origin  string    `json:"origin,omitempty"`
	Version string    `json:"version,omitempty"`
	Started time.Time `json:"started,omitzero"`
	// UptimeSeconds counts from Started on the region's own clock, so that a reader needs no clock that agrees with it.
	UptimeSeconds float64 `json:"uptimeSeconds"`

	// Ready is whether the region serves; NotReady says why not, and is empty iff Ready.
	Ready    bool   `json:"ready"`
	NotReady string `json:"notReady,omitempty"`
	// Unreachable says why a region did not answer; then only Region is known of it.
	Unreachable string `json:"unreachable,omitempty"`

	Endpoints Endpoints `json:"endpoints,omitzero"`
	Log       Log       `json:"log,omitzero"`
	DiskBytes uint64    `json:"diskBytes"`
	// Clock is the region's hybrid time in unix milliseconds; ClockAheadSeconds how far it is ahead of the majority's clock,
	// 0 while no other has been measured.
	Clock             int64   `json:"clock,omitempty"`
	ClockAheadSeconds float64 `json:"clockAheadSeconds"`
	// Alarms are sentences about the region that an operator should see to.
	Alarms []string `json:"alarms,omitempty"`
	// Commits (own) and Applied (of other regions) count from the start of the process, Conflicts likewise: writes that lost
	// to one that had not seen them, by table name.
	Commits   uint64            `json:"commits"`
	Applied   uint64            `json:"applied"`
	Conflicts map[string]uint64 `json:"conflicts"`
	// ConflictCounts are the same by policy and regions; ConflictsDropped those that the feed has had and dropped, ever.
	ConflictCounts   []ConflictCount   `json:"conflictCounts,omitempty"`
	ConflictsDropped map[string]uint64 `json:"conflictsDropped,omitempty"`
	// Expired counts, by table name, the items that this region expired since the start of the process; OverdueSeconds says
	// since when the oldest one is due that is still there.
	Expired        map[string]uint64  `json:"expired,omitempty"`
	OverdueSeconds map[string]float64 `json:"overdueSeconds,omitempty"`

	Tables []Table `json:"tables"`
	Peers  []Peer  `json:"peers"`
}

// Endpoints are the addresses a region listens on.
type Endpoints struct {
	DynamoDB    string `json:"dynamodb,omitempty"`
	Admin       string `json:"admin,omitempty"`
	Replication string `json:"replication,omitempty"`
	Gossip      string `json:"gossip,omitempty"`
}

// Log is where a region's ordered commits stand: First ≤ Durable ≤ Last, all 0 while nothing was written.
type Log struct {
	First   uint64 `json:"first"`
	Durable uint64 `json:"durable"`
	Last    uint64 `json:"last"`
	Bytes   int64  `json:"bytes"`
}

// Entries is the number of commits kept.
func (l Log) Entries() uint64 {
	if l.First == 0 || l.Durable < l.First {
		return 0
	}
	return l.Durable - l.First + 1
}

// Table is one region's replica of a table.
type Table struct {
	Name   string `json:"name"`
	ID     string `json:"id"`
	Status string `json:"status"` // as DescribeTable shows it
	Keeper string `json:"keeper"`
	Ready  bool   `json:"ready"` // the replica holds the table's data
	// Items and Bytes are kept as writes go and may be a little off after a crash.
	Items   int64    `json:"items"`
	Bytes   int64    `json:"bytes"`
	Usage   Usage    `json:"usage"`
	Members []Member `json:"members"`
}

// Usage is what a table was used for since the process started, in capacity units.
type Usage struct {
	ReadUnits  float64 `json:"readUnits"`
	WriteUnits float64 `json:"writeUnits"`
	Throttled  uint64  `json:"throttled"` // requests refused for want of capacity
}

// Member is one region's place in a table's replica set.
type Member struct {
	Region string `json:"region"`
	State  string `json:"state"`
}

// Peer is another region as this one sees it.
type Peer struct {
	Region    string `json:"region"`
	Origin    string `json:"origin,omitempty"`
	State     string `json:"state"`
	Connected bool   `json:"connected"` // both directions flow
	// Sending is what the peer has not acknowledged of this region's log: what would be lost with this region now.
	Sending Lag `json:"sending"`
	// Receiving is what this region has not applied yet of the peer's log.
	Receiving Lag `json:"receiving"`
	// BytesSent and BytesReceived count from the start of the process.
	BytesSent     uint64  `json:"bytesSent"`
	BytesReceived uint64  `json:"bytesReceived"`
	ClockOffsetMs float64 `json:"clockOffsetMs"` // the peer's clock minus this one
	RoundTripMs   float64 `json:"roundTripMs,omitempty"`
	// DistanceMs is a round trip as gossip's network coordinates have it, also to a peer that there is no link to yet.
	DistanceMs float64 `json:"distanceMs,omitempty"`
	Error      string  `json:"error,omitempty"` // the last failure of the link, empty while it works
}

// Lag is how far one side of a link is behind, all 0 when it is level.
type Lag struct {
	Seconds float64 `json:"seconds"`
	Commits uint64  `json:"commits"`
	Bytes   uint64  `json:"bytes"`
}

// IsZero reports whether the side is level.
func (l Lag) IsZero() bool { return l == Lag{} }

// Fleet is all regions as seen from one of them; From is its name.
type Fleet struct {
	From    string   `json:"from"`
	Regions []Status `json:"regions"`
}

// Problems says in words what is wrong in a set of regions; none means healthy. A link that is further behind than maxLag
// is a problem; 0 leaves lag alone, which is how much work is under way.
func Problems(regions []Status, maxLag time.Duration) []string {
	var out []string
	for _, s := range regions {
		if s.Unreachable != "" {
			out = append(out, "region "+s.Region+" does not answer: "+s.Unreachable)
			continue
		}
		if !s.Ready {
			out = append(out, "region "+s.Region+" is not ready: "+s.NotReady)
		}
		for _, a := range s.Alarms {
			out = append(out, "region "+s.Region+": "+a)
		}
		for _, p := range s.Peers {
			if text := p.problem(maxLag); text != "" {
				out = append(out, "region "+s.Region+" "+text)
			}
		}
	}
	return out
}

// problem says what is wrong with a link; empty if nothing is.
func (p Peer) problem(maxLag time.Duration) string {
	if !p.Connected {
		text := "has no link to " + p.Region + " (" + p.State
		if p.Error != "" {
			text += ": " + p.Error
		}
		return text + ")"
	}
	behind := time.Duration(max(p.Sending.Seconds, p.Receiving.Seconds) * float64(time.Second))
	if maxLag > 0 && behind > maxLag {
		return "and " + p.Region + " are " + behind.Round(time.Millisecond).String() + " apart"
	}
	return ""
}
