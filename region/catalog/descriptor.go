package catalog

import (
	"maps"
	"slices"

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
	Epoch    uint64         `json:"epoch"`    // raised whenever another region becomes the keeper
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
	Warm       Warm       `json:"warm,omitzero"` // see WarmNow
	Stream     StreamSpec `json:"stream"`
	TTL        TTLSpec    `json:"ttl"`
	Class      string     `json:"class,omitempty"` // STANDARD when empty
	SSE        string     `json:"sse,omitempty"`   // KMS when asked for
	Policy     string     `json:"policy,omitempty"`
	Triggers   []Trigger  `json:"triggers,omitempty"`
	// SettingsMode is what the owner chose as GlobalTableSettingsReplicationMode while the table was regional.
	SettingsMode string `json:"settingsMode,omitempty"`

	// Members are the regions that hold a replica, the creator included; a regional table has one. A removed member stays
	// listed as such, so that it learns of its removal whenever it asks.
	Members []Member `json:"members"`
	// Gone lists regions that were removed while they were dead, with the highest incarnation of which that is true: what such an
	// origin wrote and no member has is not taken any more (gone.go). The map is replaced, never changed.
	Gone map[string]uint64 `json:"gone,omitempty"`
}

// Billing is how a table is paid for.
type Billing struct {
	PayPerRequest  bool  `json:"payPerRequest"`
	SwitchedAt     int64 `json:"switchedAt,omitempty"`     // unix ms of the last switch to PAY_PER_REQUEST; 0 never
	EverPerRequest bool  `json:"everPerRequest,omitempty"` // BillingModeSummary is shown from then on
	ThroughputChanges
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

// first names the first cap that is set, for messages.
func (o OnDemand) first() string {
	if o.MaxRead == 0 && o.MaxWrite != 0 {
		return "MaxWriteRequestUnits"
	}
	return "MaxReadRequestUnits"
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
	Warm       Warm           `json:"warm,omitzero"` // see IndexWarm

	Changes ThroughputChanges `json:"changes,omitzero"`

	State IndexState `json:"state,omitempty"`
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
	// Origin and From say where this member's log stood when it joined: nothing that it wrote to the table is at or before
	// From. A peer that has read nothing of that log yet may begin there.
	Origin crdt.Origin `json:"origin"`
	From   record.Seq  `json:"from"`

	MemberSettings
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
	// Sources lists the other regions whose logs are read for this table: whatever of their logs was read since they stand
	// here was read with this table wanted. A member that is not in it yet must be adopted first (package region).
	Sources []string `json:"sources,omitempty"`
	// Past lists regions that were sources until they were removed while dead: what their logs had brought until then, they had
	// brought with this table.
	Past []string `json:"past,omitempty"`
	// From is where this region's log stood when the data was complete here: its changes of the table are after it.
	From record.Seq `json:"from,omitempty"`
	// Dropping lists the ids of indexes that the table no longer has and whose entries are still to be removed here.
	Dropping []uint32 `json:"dropping,omitempty"`
	// Built lists the ids of indexes whose entries are complete here. An index of the descriptor that is not in it is being
	// backfilled: writes keep it, reads are refused.
	Built []uint32 `json:"built,omitempty"`
	// Streams are the table's streams here, those that ended less than a day ago included, in order; only the last can be
	// open. StreamLabel is the newest's label, also when it is forgotten.
	Streams     []Stream `json:"streams,omitempty"`
	StreamLabel string   `json:"streamLabel,omitempty"`
	// Feeds and FeedLabel are the same of the streams of the table's conflict feed. It has one while the table is shared.
	Feeds     []Stream `json:"feeds,omitempty"`
	FeedLabel string   `json:"feedLabel,omitempty"`
	// Resources are the table, by "", and streams of it, by their labels; Insights are the table's and its global indexes'. Both
	// maps are replaced, never changed.
	Resources map[string]Resource `json:"resources,omitempty"`
	Insights  map[string]Insights `json:"insights,omitempty"`
	// Expiry is the ChangedAt of the TTL setting that the index of expiry times agrees with: it is complete if that setting
	// is on, and empty if it is off.
	Expiry int64 `json:"expiry,omitempty"`
	// Dropped: the replica's data has been removed after the table was deleted or the region left it.
	Dropped bool `json:"dropped,omitempty"`
}

// Clone copies l so deep that changing the copy's lists leaves l alone.
func (l Local) Clone() Local {
	l.Tags = maps.Clone(l.Tags)
	l.Sources, l.Past = slices.Clone(l.Sources), slices.Clone(l.Past)
	l.Dropping = slices.Clone(l.Dropping)
	l.Built = slices.Clone(l.Built)
	l.Streams, l.Feeds = cloneStreams(l.Streams), cloneStreams(l.Feeds)
	return l
}

// Newer reports whether d replaces o: a higher epoch, or in one epoch a later revision.
func (d *Descriptor) Newer(o *Descriptor) bool {
	if d.Epoch != o.Epoch {
		return d.Epoch > o.Epoch
	}
	return d.Revision.Compare(o.Revision) > 0
}

// Member returns a region's entry, nil if it never had one.
func (d *Descriptor) Member(region string) *Member {
	for i := range d.Members {
		if d.Members[i].Region == region {
			return &d.Members[i]
		}
	}
	return nil
}

// Holds reports whether a region has, or is getting, a replica that it serves.
func (d *Descriptor) Holds(region string) bool {
	m := d.Member(region)
	return !d.Deleted && m != nil && (m.State == MemberActive || m.State == MemberCreating)
}

// Replicas counts the members that have not left.
func (d *Descriptor) Replicas() int {
	n := 0
	for _, m := range d.Members {
		if m.State != MemberRemoved {
			n++
		}
	}
	return n
}

// Shared reports whether the table has, or ever had, a replica elsewhere. Its deletes are remembered from then on.
func (d *Descriptor) Shared() bool { return len(d.Members) > 1 }

// HasIndex reports whether the table has the index with an id.
func (d *Descriptor) HasIndex(id uint32) bool {
	return slices.ContainsFunc(d.Indexes, func(ix Index) bool { return ix.ID == id })
}

// Index finds an index by name, nil if there is none.
func (d *Descriptor) Index(name string) *Index {
	for i := range d.Indexes {
		if d.Indexes[i].Name == name {
			return &d.Indexes[i]
		}
	}
	return nil
}

// clone copies d so deep that changing the copy's lists leaves d alone.
func (d *Descriptor) clone() *Descriptor {
	c := *d
	c.Indexes = append([]Index(nil), d.Indexes...)
	c.Members = append([]Member(nil), d.Members...)
	c.Attributes = append([]item.KeyAttr(nil), d.Attributes...)
	c.Triggers = append([]Trigger(nil), d.Triggers...)
	return &c
}

func (d *Descriptor) setMember(m Member) {
	if old := d.Member(m.Region); old != nil {
		*old = m
		return
	}
	d.Members = append(d.Members, m)
}
