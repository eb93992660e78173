package api

import (
	"slices"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
)

// describeTableReplicaAutoScaling answers that nothing scales by itself, which is so: auto scaling is not built
// (DYNAMODB.md 10.3). Only global tables can be asked about.
func describeTableReplicaAutoScaling(c *call) error {
	var name text
	in := plainInput{
		map[string]func(*decoder){"TableName": toText(&name)},
		func(v *violations) { v.tableName("tableName", name) },
	}
	if err := c.read(in); err != nil {
		return err
	}
	view, err := c.described(name)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	if err != nil || view.Replicas() < 2 {
		return clientError("ResourceNotFoundException", "Global table with name: '"+name.s+"' does not exist.")
	}
	w := &c.out
	w.openObject()
	w.openObjectMember("TableAutoScalingDescription")
	w.stringMember("TableName", view.Name)
	w.stringMember("TableStatus", view.Status)
	w.openListMember("Replicas")
	members := slices.Clone(view.Members)
	slices.SortFunc(members, func(a, b catalog.Member) int {
		if a.Region < b.Region {
			return -1
		}
		return 1
	})
	for _, m := range members {
		if m.State != catalog.MemberRemoved {
			writeReplicaScaling(w, &view, m)
		}
	}
	w.closeList()
	w.closeObject()
	w.closeObject()
	return nil
}

func writeReplicaScaling(w *writer, v *catalog.View, m catalog.Member) {
	w.openObject()
	w.stringMember("RegionName", m.Region)
	w.openListMember("GlobalSecondaryIndexes")
	for _, ix := range v.Indexes {
		if !ix.Global {
			continue
		}
		w.openObject()
		w.stringMember("IndexName", ix.Name)
		w.stringMember("IndexStatus", string(catalog.IndexActive))
		writeNoScaling(w, "ProvisionedReadCapacityAutoScalingSettings")
		writeNoScaling(w, "ProvisionedWriteCapacityAutoScalingSettings")
		w.closeObject()
	}
	w.closeList()
	writeNoScaling(w, "ReplicaProvisionedReadCapacityAutoScalingSettings")
	writeNoScaling(w, "ReplicaProvisionedWriteCapacityAutoScalingSettings")
	w.stringMember("ReplicaStatus", string(m.State))
	w.closeObject()
}

func writeNoScaling(w *writer, member string) {
	w.openObjectMember(member)
	w.boolMember("AutoScalingDisabled", true)
	w.openListMember("ScalingPolicies")
	w.closeList()
	w.closeObject()
}
