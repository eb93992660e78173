package api

import (
	"slices"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/region/catalog"
)

// describe writes a TableDescription.
func (s *Server) describe(w *writer, all *catalog.View) {
	v := *all // as it holds in this region
	v.Descriptor = *all.In(s.region)
	s.describeView(w, &v)
}

func (s *Server) describeView(w *writer, v *catalog.View) {
	w.openObject()
	s.describeTable(w, v)
	if v.Status != "DELETING" { // the description of a table that goes away leaves these out
		writeDefinitions(w, v.Attributes)
		w.key("KeySchema")
		writeKeySchema(w, v.Schema)
		s.describeIndexes(w, v, "LocalSecondaryIndexes", false)
		s.describeIndexes(w, v, "GlobalSecondaryIndexes", true)
	}
	s.describeSettings(w, v)
	s.describeReplicas(w, v)
	w.closeObject()
}

func (s *Server) describeTable(w *writer, v *catalog.View) {
	w.stringMember("TableName", v.Name)
	w.stringMember("TableStatus", v.Status)
	w.timeMember("CreationDateTime", v.Local.Joined)
	w.stringMember("TableArn", s.tableARN(v.Name))
	w.stringMember("TableId", uuidOf(v.ID))
	w.integerMember("ItemCount", v.Items)
	w.integerMember("TableSizeBytes", v.Bytes)
	w.openObjectMember("ProvisionedThroughput")
	writeChanges(w, &v.Billing.ThroughputChanges, v.Now)
	writeThroughput(w, v.Throughput)
	w.closeObject()
	if v.Billing.PayPerRequest || v.Settling.Billing || v.Billing.EverPerRequest && v.Replicas() < 2 {
		writeBilling(w, v)
	}
}

func writeChanges(w *writer, c *catalog.ThroughputChanges, now int64) {
	if c.LastIncreasedAt > 0 {
		w.timeMember("LastIncreaseDateTime", c.LastIncreasedAt)
	}
	if c.LastDecreasedAt > 0 {
		w.timeMember("LastDecreaseDateTime", c.LastDecreasedAt)
	}
	w.integerMember("NumberOfDecreasesToday", c.DecreasesOn(now))
}

func writeThroughput(w *writer, t catalog.Throughput) {
	w.integerMember("ReadCapacityUnits", t.Read)
	w.integerMember("WriteCapacityUnits", t.Write)
}

func writeBilling(w *writer, v *catalog.View) {
	mode := "PROVISIONED"
	if v.Billing.PayPerRequest {
		mode = "PAY_PER_REQUEST"
	}
	since := v.Billing.SwitchedAt
	if since == 0 {
		since = v.Created
	}
	for _, name := range []string{"BillingMode", "TableThroughputMode"} { // two members say the same thing
		w.openObjectMember(name + "Summary")
		w.stringMember(name, mode)
		if !v.Settling.New && !v.Settling.Billing {
			w.timeMember("LastUpdateToPayPerRequestDateTime", since)
		}
		w.closeObject()
	}
}

func writeDefinitions(w *writer, attrs []item.KeyAttr) {
	w.openListMember("AttributeDefinitions")
	for _, a := range attrs {
		w.openObject()
		w.stringMember("AttributeName", a.Name)
		w.stringMember("AttributeType", a.Kind.String())
		w.closeObject()
	}
	w.closeList()
}

func writeKeySchema(w *writer, s item.KeySchema) {
	w.openList()
	for kind, attrs := range [][]item.KeyAttr{s.Hash, s.Range} {
		for _, a := range attrs {
			w.openObject()
			w.stringMember("AttributeName", a.Name)
			w.stringMember("KeyType", enumKeyType[kind])
			w.closeObject()
		}
	}
	w.closeList()
}

func (s *Server) describeIndexes(w *writer, v *catalog.View, member string, global bool) {
	opened := false
	for i := range v.Indexes {
		ix := &v.Indexes[i]
		if ix.Global != global {
			continue
		}
		if !opened {
			w.openListMember(member)
			opened = true
		}
		w.openObject()
		s.describeIndex(w, v, ix)
		w.closeObject()
	}
	if opened {
		w.closeList()
	}
}

func (s *Server) describeIndex(w *writer, v *catalog.View, ix *catalog.Index) {
	w.stringMember("IndexName", ix.Name)
	w.key("KeySchema")
	writeKeySchema(w, ix.Schema)
	w.openObjectMember("Projection")
	w.stringMember("ProjectionType", ix.Projection)
	if len(ix.NonKey) > 0 {
		w.openListMember("NonKeyAttributes")
		for _, a := range ix.NonKey {
			w.str(a)
		}
		w.closeList()
	}
	w.closeObject()
	w.integerMember("IndexSizeBytes", v.IndexBytes[ix.Name])
	w.integerMember("ItemCount", v.IndexItems[ix.Name])
	w.stringMember("IndexArn", s.tableARN(v.Name)+"/index/"+ix.Name)
	if !ix.Global {
		return
	}
	state := ix.State
	if state == "" {
		state = catalog.IndexActive
	}
	switch {
	case v.Status == "CREATING":
		state = catalog.IndexCreating
	case state == catalog.IndexActive && !slices.Contains(v.Local.Built, ix.ID):
		state = catalog.IndexCreating
		w.boolMember("Backfilling", true)
	case slices.Contains(v.Settling.Indexes, ix.Name):
		state = "UPDATING"
	}
	w.stringMember("IndexStatus", string(state))
	w.openObjectMember("ProvisionedThroughput")
	writeChanges(w, &ix.Changes, v.Now)
	writeThroughput(w, ix.Throughput)
	w.closeObject()
	writeOnDemand(w, ix.OnDemand)
	writeWarm(w, v.Settling, ix.Warm, v.IndexWarm(ix))
}

func writeOnDemand(w *writer, o catalog.OnDemand) {
	if o == (catalog.OnDemand{}) {
		return
	}
	w.openObjectMember("OnDemandThroughput")
	for _, u := range []struct {
		name string
		n    int64
	}{{"MaxReadRequestUnits", o.MaxRead}, {"MaxWriteRequestUnits", o.MaxWrite}} {
		if u.n != 0 {
			w.integerMember(u.name, u.n)
		}
	}
	w.closeObject()
}

// writeWarm writes a WarmThroughput. What is just being created shows what it was asked to have, or nothing.
func writeWarm(w *writer, s catalog.Settling, asked, now catalog.Warm) {
	status := "ACTIVE"
	switch {
	case s.New && asked == (catalog.Warm{}):
		return
	case s.New || s.Warm:
		status = "UPDATING"
	}
	w.openObjectMember("WarmThroughput")
	w.integerMember("ReadUnitsPerSecond", now.Read)
	w.integerMember("WriteUnitsPerSecond", now.Write)
	w.stringMember("Status", status)
	w.closeObject()
}

func (s *Server) describeSettings(w *writer, v *catalog.View) {
	w.boolMember("DeletionProtectionEnabled", v.Local.DeletionProtection)
	writeWarm(w, v.Settling, v.Warm, v.WarmNow())
	writeOnDemand(w, v.OnDemand)
	if v.Stream.Enabled {
		w.openObjectMember("StreamSpecification")
		w.boolMember("StreamEnabled", true)
		w.stringMember("StreamViewType", v.Stream.View)
		w.closeObject()
	}
	if label := v.Local.StreamLabel; label != "" {
		w.stringMember("LatestStreamLabel", label)
		w.stringMember("LatestStreamArn", s.streamARN(region.StreamName{Table: v.Name, Label: label}))
	}
	if v.SSE != "" {
		s.describeEncryption(w, v)
	}
	if v.Class != "" {
		w.openObjectMember("TableClassSummary")
		w.stringMember("TableClass", v.Class)
		w.closeObject()
	}
}

func (s *Server) describeEncryption(w *writer, v *catalog.View) {
	status, key := "ENABLED", ""
	if v.Settling.SSE {
		status = "UPDATING"
	}
	if m := v.Member(s.region); m != nil {
		key = m.Key
	}
	if key == "" {
		key = "arn:aws:kms:" + s.region + ":" + s.account + ":" + awsKeyAlias
	}
	w.openObjectMember("SSEDescription")
	w.stringMember("Status", status)
	w.stringMember("SSEType", v.SSE)
	w.stringMember("KMSMasterKeyArn", key)
	w.closeObject()
}

// describeReplicas lists the other regions' replicas. A regional table shows nothing of the kind (DYNAMODB.md 10.1).
func (s *Server) describeReplicas(w *writer, v *catalog.View) {
	if v.Replicas() < 2 {
		if v.SettingsMode != "" {
			w.stringMember("GlobalTableSettingsReplicationMode", v.SettingsMode)
		}
		return
	}
	w.stringMember("GlobalTableVersion", "2019.11.21")
	w.stringMember("GlobalTableSettingsReplicationMode", "ENABLED_WITH_OVERRIDES")
	w.openListMember("Replicas")
	for _, m := range v.Members {
		if m.Region == s.region || m.State == catalog.MemberRemoved {
			continue
		}
		w.openObject()
		w.stringMember("RegionName", m.Region)
		w.stringMember("ReplicaStatus", string(m.State))
		if m.Key != "" {
			w.stringMember("KMSMasterKeyId", m.Key)
		}
		writeOverride(w, m.ReadOverride)
		writeWarm(w, catalog.Settling{}, v.Warm, v.WarmNow())
		describeReplicaIndexes(w, v, m)
		if m.Class != "" {
			w.openObjectMember("ReplicaTableClassSummary")
			w.stringMember("TableClass", m.Class)
			w.closeObject()
		}
		w.stringMember("GlobalTableSettingsReplicationMode", "ENABLED_WITH_OVERRIDES")
		w.closeObject()
	}
	w.closeList()
}

// writeOverride writes what a replica has for itself of read capacity. What it has from the table is not shown.
func writeOverride(w *writer, o catalog.ReadOverride) {
	if o.Read > 0 {
		w.openObjectMember("ProvisionedThroughputOverride")
		w.integerMember("ReadCapacityUnits", o.Read)
		w.closeObject()
	}
	if o.MaxRead > 0 {
		w.openObjectMember("OnDemandThroughputOverride")
		w.integerMember("MaxReadRequestUnits", o.MaxRead)
		w.closeObject()
	}
}

func describeReplicaIndexes(w *writer, v *catalog.View, m catalog.Member) {
	opened := false
	for i := range v.Indexes {
		ix := &v.Indexes[i]
		if !ix.Global {
			continue
		}
		if !opened {
			w.openListMember("GlobalSecondaryIndexes")
			opened = true
		}
		w.openObject()
		w.stringMember("IndexName", ix.Name)
		writeOverride(w, m.Indexes[ix.Name])
		writeWarm(w, catalog.Settling{}, ix.Warm, v.IndexWarm(ix))
		w.closeObject()
	}
	if opened {
		w.closeList()
	}
}
