package catalog

import (
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/stream/record"
)

// Descriptor is everything about a table that is the same in all its regions. One region, the keeper, writes it;
// the others take the newest revision they see. It is stored and sent as JSON, so that an older binary can read what it
// knows of a newer one's.
type Descriptor struct {
	ID       record.TableID `json:"id"`
	Name     string         `json:"name"`
	Keeper   string         `json:"keeper"`   // region that may write this descriptor
	Epoch    uint64         `json:"epoch"`    // raised when an operator moves the keeper
	Revision crdt.Stamp     `json:"revision"` // of the keeper; (Epoch, Revision) only grows
	Created  int64          `json:"created"`  // unix milliseconds
	Deleted  bool           `json:"deleted,omitempty"`

	Schema     item.KeySchema `json:"schema"`
	Attributes []item.KeyAttr `json:"attributes"` // AttributeDefinitions: every key attribute of table and indexes
	Indexes    []Index        `json:"indexes,omitempty"`
	NextIndex  uint32         `json:"nextIndex,omitempty"` // highest Index.ID ever given

	Billing    Billing    `json:"billing"`
	Throughput Throughput `json:"throughput"` // zeros when on demand
	OnDemand   OnDemand   `json:"onDemand"`
	Stream     StreamSpec `json:"stream"`
	TTL        TTLSpec    `json:"ttl"`
	Class      string     `json:"class,omitempty"` // STANDARD when empty
	SSE        string     `json:"sse,omitempty"`   // KMS when asked for
	Policy     string     `json:"policy,omitempty"`

	// Members are the regions that hold a replica, the creator included; a regional table has one. A removed member stays
	// listed as such, so that it learns of its removal whenever it asks.
	Members []Member `json:"members"`
}

// Billing is how a table is paid for.
type Billing struct {
	PayPerRequest   bool  `json:"payPerRequest"`
	SwitchedAt      int64 `json:"switchedAt,omitempty"`      // unix ms of the last switch to PAY_PER_REQUEST; 0 never
	EverPerRequest  bool  `json:"everPerRequest,omitempty"`  // BillingModeSummary is shown from then on
	DecreasesOfDay  int64 `json:"decreasesOfDay,omitempty"`  // NumberOfDecreasesToday
	LastIncreasedAt int64 `json:"lastIncreasedAt,omitempty"` // unix ms
	LastDecreasedAt int64 `json:"lastDecreasedAt,omitempty"`
}

// Throughput is provisioned capacity in units a second.
type Throughput struct {
	Read  int64 `json:"read,omitempty"`
	Write int64 `json:"write,omitempty"`
}

// OnDemand caps an on-demand table, in request units a second; 0 is no cap.
type OnDemand struct {
	MaxRead  int64 `json:"maxRead,omitempty"`
	MaxWrite int64 `json:"maxWrite,omitempty"`
}

// StreamSpec is the table's DynamoDB stream. Label names one enabling of it.
type StreamSpec struct {
	Enabled bool   `json:"enabled,omitempty"`
	View    string `json:"view,omitempty"`
	Label   string `json:"label,omitempty"`
}

// TTLSpec is the expiry setting.
type TTLSpec struct {
	Enabled   bool   `json:"enabled,omitempty"`
	Attribute string `json:"attribute,omitempty"`
	ChangedAt int64  `json:"changedAt,omitempty"`
}

// Index is a local or global secondary index. ID is unique in its table for ever and is what stored keys use, so that an
// index dropped and made again under one name never sees the old entries.
type Index struct {
	ID         uint32         `json:"id"`
	Name       string         `json:"name"`
	Global     bool           `json:"global"`
	Schema     item.KeySchema `json:"schema"`
	Projection string         `json:"projection"` // ALL, KEYS_ONLY, INCLUDE
	NonKey     []string       `json:"nonKey,omitempty"`
	Throughput Throughput     `json:"throughput"`
	OnDemand   OnDemand       `json:"onDemand"`
	State      IndexState     `json:"state,omitempty"`
}

// IndexState is an index's part of the lifecycle; each region keeps its own progress.
type IndexState string

// States of an index, as DescribeTable shows them.
const (
	IndexActive   IndexState = "ACTIVE"
	IndexCreating IndexState = "CREATING"
	IndexDeleting IndexState = "DELETING"
)

// MemberState is a replica's part of the lifecycle.
type MemberState string

// States of a replica, as DescribeTable shows them; Removed members are not shown.
const (
	MemberCreating MemberState = "CREATING"
	MemberActive   MemberState = "ACTIVE"
	MemberDeleting MemberState = "DELETING"
	MemberRemoved  MemberState = "REMOVED"
)

// Member is one region's replica of a table.
type Member struct {
	Region string      `json:"region"`
	State  MemberState `json:"state"`
	Since  int64       `json:"since"` // unix ms of this state
}

// Local is what one region keeps of a table for itself: settings that DynamoDB does not synchronise (DYNAMODB.md 10.3)
// and how far this region's replica has come.
type Local struct {
	// Ready: the replica holds the table's data (it was created here, or its backfill has ended).
	Ready              bool              `json:"ready"`
	DeletionProtection bool              `json:"deletionProtection,omitempty"`
	ProtectionChanged  int64             `json:"protectionChanged,omitempty"` // unix ms
	Tags               map[string]string `json:"tags,omitempty"`
	Joined             int64             `json:"joined"` // unix ms: this region's CreationDateTime
	Dropped            bool              `json:"dropped,omitempty"` // this region's data of it is gone, or on its way out
}
