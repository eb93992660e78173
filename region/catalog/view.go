package catalog

// View is a table as one region describes it.
type View struct {
	Descriptor
	Local  Local
	Region string // the describing region
	Status string // CREATING UPDATING DELETING ACTIVE
	Items  int64  // approximate, refreshed now and then
	Bytes  int64
	Now    int64 // unix ms at which it is described
	// IndexItems and IndexBytes are per index name.
	IndexItems map[string]int64
	IndexBytes map[string]int64

	Settling Settling
}

// Settling is what the answer to a change shows as being under way; when next asked about it is done.
type Settling struct {
	New     bool     // the table is being created
	Billing bool     // its mode is changing
	Warm    bool     // so is its warm throughput
	SSE     bool     // or its encryption
	Indexes []string // global indexes of which a throughput changes
}

// Spec is what CreateTable asks for, validated by api as far as one request can be without knowing other tables.
type Spec struct {
	Descriptor         // Name, Schema, Attributes, Indexes, Billing, Throughput, OnDemand, Stream, TTL, Class, SSE, Policy; the rest is filled in
	Tags               map[string]string
	DeletionProtection bool
	Key                string   // see MemberSettings
	Resource           Resource // its policy
}

// Change is one UpdateTable. Nil fields are left as they are. api has checked which of them may come together.
type Change struct {
	Billing            *bool // PayPerRequest
	Throughput         *Throughput
	OnDemand           *OnDemand
	Warm               *WarmChange
	IndexWarm          map[string]WarmChange
	IndexThroughput    map[string]Throughput
	IndexOnDemand      map[string]OnDemand
	CreateReplica      string
	DeleteReplica      string
	DeletionProtection *bool
	Class              *string
	Stream             *StreamSpec
	SSE                *string
	Key                string // with SSE: the ARN of the customer's key for the region At
	At                 string
	SettingsMode       *string
	Replicas           map[string]MemberSettings // by region: what is to change
	Settings           MemberSettings            // of CreateReplica
	Policy             *string
	TTL                *TTLSpec
	Trigger            *TriggerChange
	CreateIndex        *Index
	DeleteIndex        string
	Attributes         []AttributeChange
}

// WarmChange is what is asked for as warm throughput; nil is left as it is.
type WarmChange struct{ Read, Write *int64 }

// AttributeChange adds an attribute definition that a new index needs.
type AttributeChange struct {
	Name string
	Kind string
}
