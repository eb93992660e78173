package catalog

import (
	"slices"
	"time"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
)

// apply returns d with one change made, or says why not. It is pure: now is in unix milliseconds. The keeper is the only
// caller, so what it decides holds everywhere. Texts are DynamoDB's (DYNAMODB.md 5.1 and 10.2).
func (d *Descriptor) apply(ch Change, now int64) (*Descriptor, error) {
	n := d.clone()
	steps := []func(*Descriptor, Change, int64) error{
		applyCapacity, applyIndexThroughput, applyIndexCaps, applyWarm, applyIndexes, applyStream, applySettings, applyReplicas,
	}
	n.keepWarm()
	for _, step := range steps {
		if err := step(n, ch, now); err != nil {
			return nil, err
		}
	}
	dropOverrides(d, n, ch)
	return n, nil
}

func invalid(format string, args ...any) error {
	return fault.New(fault.Invalid, format, args...)
}

func applyCapacity(d *Descriptor, ch Change, now int64) error {
	if ch.Billing != nil && *ch.Billing != d.Billing.PayPerRequest {
		d.Billing.PayPerRequest = *ch.Billing
		if *ch.Billing {
			d.Billing.SwitchedAt, d.Billing.EverPerRequest = now, true
			d.Throughput = Throughput{}
			for i := range d.Indexes {
				d.Indexes[i].Throughput = Throughput{}
			}
		} else {
			d.OnDemand = OnDemand{}
			for i := range d.Indexes {
				d.Indexes[i].OnDemand = OnDemand{}
			}
			if ch.Throughput == nil {
				return invalid("One or more parameter values were invalid: ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
			}
			d.Throughput = *ch.Throughput
			return nil
		}
	}
	if ch.Throughput != nil {
		if err := applyThroughput(d, *ch.Throughput, now); err != nil {
			return err
		}
	}
	if ch.OnDemand != nil {
		if !d.Billing.PayPerRequest {
			return invalid("One or more parameter values were invalid: %s for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED", ch.OnDemand.first())
		}
		d.OnDemand = *ch.OnDemand
	}
	return nil
}

func applyThroughput(d *Descriptor, t Throughput, now int64) error {
	if d.Billing.PayPerRequest {
		return invalid("One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	}
	old := d.Throughput
	if t == old {
		return invalid("The provisioned throughput for the table will not change. The requested value equals the current value. "+
			"Current ReadCapacityUnits provisioned for the table: %d. Requested ReadCapacityUnits: %d. "+
			"Current WriteCapacityUnits provisioned for the table: %d. Requested WriteCapacityUnits: %d. "+
			"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
			old.Read, t.Read, old.Write, t.Write)
	}
	d.Throughput = t
	return d.Billing.note(old, t, now)
}

func applyIndexThroughput(d *Descriptor, ch Change, now int64) error {
	for name, t := range ch.IndexThroughput {
		ix, err := d.globalIndex(name, "update")
		if err != nil {
			return err
		}
		if d.Billing.PayPerRequest {
			return invalid("One or more parameter values were invalid: The only Updates for index: %s when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput", name)
		}
		if ch.Billing == nil && ix.Throughput == t {
			return invalid("The provisioned throughput for the index %s will not change. The requested value equals the current value. "+
				"Current ReadCapacityUnits provisioned for the index: %d. Requested ReadCapacityUnits: %d. "+
				"Current WriteCapacityUnits provisioned for the index: %d. Requested WriteCapacityUnits: %d. "+
				"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
				name, t.Read, t.Read, t.Write, t.Write)
		}
		if ix.Throughput != (Throughput{}) { // not at the switch from on-demand
			if err := ix.Changes.note(ix.Throughput, t, now); err != nil {
				return err
			}
		}
		ix.Throughput = t
	}
	return nil
}

func applyIndexCaps(d *Descriptor, ch Change, _ int64) error {
	for name, caps := range ch.IndexOnDemand {
		ix, err := d.globalIndex(name, "update")
		if err != nil {
			return err
		}
		if !d.Billing.PayPerRequest {
			return invalid("One or more parameter values were invalid: %s for OnDemandThroughput for index : %s cannot be specified when the table BillingMode is PROVISIONED", caps.first(), name)
		}
		ix.OnDemand = caps
	}
	return nil
}

func applyIndexes(d *Descriptor, ch Change, _ int64) error {
	if ch.DeleteIndex != "" {
		if _, err := d.globalIndex(ch.DeleteIndex, "delete"); err != nil {
			return err
		}
		d.Indexes = slices.DeleteFunc(d.Indexes, func(i Index) bool { return i.Name == ch.DeleteIndex })
		d.dropUnusedAttributes()
	}
	if ch.CreateIndex != nil {
		return addIndex(d, *ch.CreateIndex, ch.Attributes)
	}
	return nil
}

func addIndex(d *Descriptor, ix Index, attrs []AttributeChange) error {
	if d.Index(ix.Name) != nil {
		return invalid("Attempting to create an index which already exists")
	}
	for _, a := range attrs {
		kind, ok := item.ParseKind(a.Kind)
		if !ok {
			return invalid("One or more parameter values were invalid: unknown attribute type %s", a.Kind)
		}
		if err := d.defineAttribute(a.Name, kind); err != nil {
			return err
		}
	}
	ix.Schema.Hash, ix.Schema.Range = slices.Clone(ix.Schema.Hash), slices.Clone(ix.Schema.Range) // the caller's
	for _, part := range [][]item.KeyAttr{ix.Schema.Hash, ix.Schema.Range} {
		for i := range part {
			kind, ok := d.attribute(part[i].Name)
			if !ok {
				return invalid("One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: %v", part[i].Name, d.attributeNames())
			}
			part[i].Kind = kind
		}
	}
	globals := 0
	for _, have := range d.Indexes {
		if have.Global {
			globals++
		}
	}
	if globals >= 20 {
		return fault.New(fault.Limit, "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20")
	}
	d.NextIndex++
	ix.ID, ix.Global, ix.State = d.NextIndex, true, IndexActive
	d.Indexes = append(d.Indexes, ix)
	d.dropUnusedAttributes()
	return nil
}

func (d *Descriptor) attribute(name string) (item.Kind, bool) {
	for _, a := range d.Attributes {
		if a.Name == name {
			return a.Kind, true
		}
	}
	return item.None, false
}

func (d *Descriptor) attributeNames() []string {
	var names []string
	for _, a := range d.Attributes {
		names = append(names, a.Name)
	}
	return names
}

func (d *Descriptor) defineAttribute(name string, kind item.Kind) error {
	if have, ok := d.attribute(name); ok {
		if have != kind {
			return invalid("One or more parameter values were invalid: Table attribute definitions cannot be changed: attribute %s is %s", name, have)
		}
		return nil
	}
	d.Attributes = append(d.Attributes, item.KeyAttr{Name: name, Kind: kind})
	return nil
}

// dropUnusedAttributes forgets definitions that no key uses, as DescribeTable of the service does after an index goes.
func (d *Descriptor) dropUnusedAttributes() {
	d.Attributes = slices.DeleteFunc(d.Attributes, func(a item.KeyAttr) bool {
		if d.Schema.Has(a.Name) {
			return false
		}
		for _, ix := range d.Indexes {
			if ix.Schema.Has(a.Name) {
				return false
			}
		}
		return true
	})
}

func applyStream(d *Descriptor, ch Change, now int64) error {
	if ch.Stream == nil {
		return nil
	}
	switch {
	case ch.Stream.Enabled && d.Stream.Enabled:
		return invalid("Table already has an enabled stream: TableName: %s", d.Name)
	case !ch.Stream.Enabled && !d.Stream.Enabled:
		return invalid("Table has no stream to disable: TableName: %s", d.Name)
	case !ch.Stream.Enabled && d.Replicas() > 1:
		return invalid("One or more parameter values were invalid: Disabling Stream is not allowed for a Global Table replica.")
	case ch.Stream.Enabled:
		d.Stream = d.newStream(ch.Stream.View, now)
	default:
		d.Stream.Enabled = false
	}
	return nil
}

func applySettings(d *Descriptor, ch Change, now int64) error {
	if ch.Class != nil {
		d.Class = *ch.Class
	}
	if ch.SSE != nil {
		if err := applyEncryption(d, ch); err != nil {
			return err
		}
	}
	if ch.SettingsMode != nil {
		if d.Replicas() > 1 {
			return invalid("One or more parameter values were invalid: GlobalTableSettingsReplicationMode of a global table cannot be changed")
		}
		d.SettingsMode = *ch.SettingsMode
	}
	if ch.Policy != nil {
		d.Policy = *ch.Policy
	}
	if ch.TTL != nil {
		return applyTTL(d, *ch.TTL, now)
	}
	return nil
}

func applyEncryption(d *Descriptor, ch Change) error {
	m := d.Member(ch.At)
	switch {
	case *ch.SSE == "" && d.SSE == "":
		return invalid("One or more parameter values were invalid: Table is already encrypted by default")
	case m != nil && ch.Key != "" && ch.Key == m.Key:
		return invalid("One or more parameter values were invalid: Table is already encrypted with given KMSMasterKeyId. " +
			"Use KMSMasterKeyId parameter if you want to change Master Key")
	}
	if d.SSE = *ch.SSE; d.SSE == "" {
		for i := range d.Members {
			d.Members[i].Key = ""
		}
	}
	if m != nil {
		m.Key = ch.Key
	}
	return nil
}

// globalIndex finds a global index that is to be changed in some way.
func (d *Descriptor) globalIndex(name, change string) (*Index, error) {
	switch ix := d.Index(name); {
	case ix == nil:
		return nil, fault.New(fault.NotFound, "Requested resource not found: Index %s for table %s", name, d.Name)
	case !ix.Global:
		return nil, invalid("Cannot %s an index that is not a GlobalSecondaryIndex: %s", change, name)
	default:
		return ix, nil
	}
}

func applyTTL(d *Descriptor, t TTLSpec, now int64) error {
	switch {
	case t.Enabled && d.TTL.Enabled && d.TTL.Attribute == t.Attribute:
		return invalid("TimeToLive is already enabled")
	case t.Enabled && d.TTL.Enabled:
		return invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", d.TTL.Attribute)
	case !t.Enabled && !d.TTL.Enabled:
		return invalid("TimeToLive is already disabled")
	case !t.Enabled && d.TTL.Attribute != t.Attribute:
		return invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", d.TTL.Attribute)
	}
	// Never the same twice: it names the setting (Local.Expiry).
	d.TTL = TTLSpec{Enabled: t.Enabled, Attribute: t.Attribute, ChangedAt: max(now, d.TTL.ChangedAt+1)}
	return nil
}

// addReplica lists a new member, which has answered where its log stands.
func (d *Descriptor) addReplica(m Member, now int64) *Descriptor {
	n := d.clone()
	if !n.Stream.Enabled {
		// The service turns the stream on by itself (DYNAMODB.md 10.2).
		n.Stream = n.newStream("NEW_AND_OLD_IMAGES", now)
	}
	m.State, m.Since = MemberCreating, now
	m.MemberSettings = n.overridden(MemberSettings{}, m.MemberSettings)
	n.setMember(m)
	return n
}

func errReplicaExists(name string) error {
	return invalid("Failed to create a the new replica of table with name: ‘%s’ because one or more replicas already existed as tables.", name)
}

// activated notes that a member has the data, and where its log stands. Since is when it became a member that holds
// everything, so a rebuilt one starts anew.
func (d *Descriptor) activated(m Member, now int64) *Descriptor {
	n := d.clone()
	if have := n.Member(m.Region); have != nil {
		m.MemberSettings = have.MemberSettings
	}
	m.State, m.Since = MemberActive, now
	n.setMember(m)
	return n
}

func (d *Descriptor) setMemberState(region string, s MemberState, now int64) *Descriptor {
	n := d.clone()
	m := n.Member(region)
	m.State, m.Since = s, now
	return n
}

// left ends a member's leaving. The last one to leave takes the table with it; a keeper hands on first.
func (d *Descriptor) left(region string, now int64) (*Descriptor, error) {
	n := d.setMemberState(region, MemberRemoved, now)
	if n.Replicas() == 0 {
		n.Deleted = true
		return n, nil
	}
	if n.Keeper == region {
		return nil, fault.New(fault.Internal, "catalog: the keeper of table %s (%s) leaves without having handed on", n.Name, n.ID)
	}
	return n, nil
}

// handOver makes the member that has been active longest the keeper.
func (d *Descriptor) handOver() (*Descriptor, error) {
	n := d.clone()
	var heir *Member
	for i := range n.Members {
		m := &n.Members[i]
		if m.State == MemberActive && m.Region != n.Keeper && (heir == nil || m.Since < heir.Since) {
			heir = m
		}
	}
	if heir == nil {
		return nil, fault.New(fault.InUse, "Attempt to change a resource which is still in use: no other replica of table %s is active yet", n.Name)
	}
	n.Keeper = heir.Region
	n.Epoch++
	return n, nil
}

// newStream is a stream that begins now. Its label is never that of an earlier one, however soon it follows.
func (d *Descriptor) newStream(view string, now int64) StreamSpec {
	s := StreamSpec{Enabled: true, View: view, Label: StreamLabel(now)}
	for s.Label <= d.Stream.Label && d.Stream.Label != "" {
		now++
		s.Label = StreamLabel(now)
	}
	return s
}

// StreamLabel names a stream by its creation time, as DynamoDB does (DYNAMODB.md section 8).
func StreamLabel(ms int64) string {
	return time.UnixMilli(ms).UTC().Format(labelLayout)
}

const labelLayout = "2006-01-02T15:04:05.000"
