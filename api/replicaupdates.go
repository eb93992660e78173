package api

import (
	"strconv"
)

// replicaUpdate is a ReplicationGroupUpdate.
type replicaUpdate struct {
	create, update, delete, disassociate bool
	region                               text
	kind                                 string // of the last one set, for messages
	idle                                 bool   // an Update that asks for nothing
}

func (d *decoder) replicaUpdates() (list []replicaUpdate, set bool) {
	set = d.list(func() {
		var u replicaUpdate
		d.structure("ReplicationGroupUpdate", func(name string) bool {
			switch name {
			case "Create":
				u.create = d.replicaAction(&u, name)
			case "Update":
				u.idle = true
				u.update = d.replicaAction(&u, name)
			case "Delete":
				u.delete = d.replicaAction(&u, name)
			case "Disassociate":
				u.disassociate = d.replicaAction(&u, name)
			default:
				return false
			}
			return true
		})
		list = append(list, u)
	})
	return list, set
}

func (d *decoder) replicaAction(u *replicaUpdate, kind string) bool {
	set := d.structure(kind+"ReplicationGroupMemberAction", func(name string) bool {
		switch name {
		case "RegionName":
			u.region = d.text()
		case "KMSMasterKeyId", "ProvisionedThroughputOverride", "OnDemandThroughputOverride", "GlobalSecondaryIndexes", "TableClassOverride",
			"DisassociationMode":
			u.idle = false
			return d.refuse("ReplicaUpdates." + kind + "." + name)
		default:
			return false
		}
		return true
	})
	if set {
		u.kind = kind
	}
	return set
}

func checkReplicaUpdates(v *violations, list []replicaUpdate, set bool) {
	if set {
		v.count("replicaUpdates", "'[]'", len(list), 1, -1)
	}
	for i, u := range list {
		if u.kind != "" {
			v.required("replicaUpdates."+strconv.Itoa(i+1)+".member."+lowerFirst(u.kind)+".regionName", u.region.set)
		}
	}
}

func lowerFirst(s string) string { return string(s[0]|0x20) + s[1:] }

// replicaChange finds the one region to add or remove (DYNAMODB.md 10.2).
func (s *Server) replicaChange(list []replicaUpdate) (create, remove string, err error) {
	for _, u := range list {
		n := 0
		for _, set := range []bool{u.create, u.update, u.delete, u.disassociate} {
			if set {
				n++
			}
		}
		switch {
		case n > 1:
			return "", "", errValidation("Update table operation with more than one type of replica actions not allowed.")
		case n == 0 || u.update && u.idle:
			return "", "", errValidation("There are no actions specified in the Replica Update Action of the request.")
		case u.disassociate:
			return "", "", errValidation("The parameter ReplicaUpdates.Disassociate is not supported by Meridian yet")
		case u.create && (create == "" || create == u.region.s) && remove == "":
			create = u.region.s // the same creation twice is one
		case u.delete && create == "" && remove == "":
			remove = u.region.s
		default:
			return "", "", errValidation("Update table operation with more than one create or delete replica actions not allowed")
		}
	}
	if create == s.region || remove == s.region {
		return "", "", errValidation("Cannot add or delete the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or UpdateTable as required.")
	}
	return create, remove, nil
}
