package api

import (
	"strconv"

	"github.com/meridiandb/meridian/region/catalog"
)

// replicaUpdate is a ReplicationGroupUpdate.
type replicaUpdate struct {
	create, update, delete, disassociate bool
	region                               text
	kind                                 string // of the last one set, for messages
	overrides                            overrides
}

// overrides are the settings that a replica is to have for itself.
type overrides struct {
	key, class text
	read       number // ProvisionedThroughputOverride
	maxRead    number // OnDemandThroughputOverride
	indexes    []indexOverride
	any        bool // something is asked for
}

// indexOverride is a ReplicaGlobalSecondaryIndex.
type indexOverride struct {
	name          text
	read, maxRead number
}

func (d *decoder) replicaUpdates() (list []replicaUpdate, set bool) {
	set = d.list(func() {
		var u replicaUpdate
		d.structure("ReplicationGroupUpdate", func(name string) bool {
			switch name {
			case "Create":
				u.create = d.replicaAction(&u, name)
			case "Update":
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
		switch {
		case name == "RegionName":
			u.region = d.text()
		case kind == "Disassociate" && name == "DisassociationMode":
			return d.refuse("ReplicaUpdates." + kind + "." + name)
		case kind == "Create" || kind == "Update":
			return d.override(&u.overrides, name)
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

func (d *decoder) override(o *overrides, name string) bool {
	asked := d.peek() != 'n'
	switch name {
	case "KMSMasterKeyId":
		o.key = d.text()
	case "TableClassOverride":
		o.class = d.text()
	case "GlobalSecondaryIndexes":
		d.list(func() { o.indexes = append(o.indexes, d.indexOverride()) })
	default:
		if !d.readOverride(name, &o.read, &o.maxRead) {
			return false
		}
	}
	o.any = o.any || asked
	return true
}

func (d *decoder) indexOverride() (ix indexOverride) {
	d.structure("ReplicaGlobalSecondaryIndex", func(name string) bool {
		if name == "IndexName" {
			ix.name = d.text()
			return true
		}
		return d.readOverride(name, &ix.read, &ix.maxRead)
	})
	return ix
}

// readOverride reads the two structures in which read capacity is overridden.
func (d *decoder) readOverride(name string, read, maxRead *number) bool {
	member, into := "ReadCapacityUnits", read
	switch name {
	case "ProvisionedThroughputOverride":
	case "OnDemandThroughputOverride":
		member, into = "MaxReadRequestUnits", maxRead
	default:
		return false
	}
	d.structure(name, func(name string) bool {
		if name == member {
			*into = d.number("Long")
		}
		return name == member
	})
	return true
}

func checkReplicaUpdates(v *violations, list []replicaUpdate, set bool) {
	if set {
		v.count("replicaUpdates", "'[]'", len(list), 1, -1)
	}
	for i, u := range list {
		at := "replicaUpdates." + strconv.Itoa(i+1) + ".member." + lowerFirst(u.kind)
		if u.kind != "" && u.kind != "Create" { // the service tells that one otherwise
			v.required(at+".regionName", u.region.set)
		}
		v.between(at+".provisionedThroughputOverride.readCapacityUnits", u.overrides.read, 1, 1<<63-1)
		for j, ix := range u.overrides.indexes {
			path := at + ".globalSecondaryIndexes." + strconv.Itoa(j+1) + ".member"
			if v.required(path+".indexName", ix.name.set) {
				v.indexName(path+".indexName", ix.name)
			}
			v.between(path+".provisionedThroughputOverride.readCapacityUnits", ix.read, 1, 1<<63-1)
		}
	}
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return string(s[0]|0x20) + s[1:]
}

// replicaChange finds the one region to add or to remove, or those whose settings change (DYNAMODB.md 10.2).
func (s *Server) replicaChange(ch *catalog.Change, list []replicaUpdate) error {
	for _, u := range list {
		if err := u.check(s); err != nil {
			return err
		}
		others := ch.CreateReplica != "" || ch.DeleteReplica != ""
		switch {
		case u.create && (ch.CreateReplica == "" || ch.CreateReplica == u.region.s) && ch.DeleteReplica == "": // the same creation twice is one
			ch.CreateReplica, ch.Settings = u.region.s, u.overrides.settings(s, u.region.s)
		case u.delete && !others:
			ch.DeleteReplica = u.region.s
		case !u.update:
			return errValidation("Update table operation with more than one create or delete replica actions not allowed")
		}
		if u.update {
			if ch.Replicas == nil {
				ch.Replicas = map[string]catalog.MemberSettings{}
			}
			ch.Replicas[u.region.s] = u.overrides.settings(s, u.region.s)
		}
		if u.region.s == s.region {
			return errValidation("Cannot add or delete the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or UpdateTable as required.")
		}
	}
	if ch.Replicas != nil && (ch.CreateReplica != "" || ch.DeleteReplica != "") {
		return errValidation("Update table operation with more than one type of replica actions not allowed.")
	}
	return nil
}

func (u *replicaUpdate) check(s *Server) error {
	n := 0
	for _, set := range []bool{u.create, u.update, u.delete, u.disassociate} {
		if set {
			n++
		}
	}
	switch {
	case n > 1:
		return errValidation("Update table operation with more than one type of replica actions not allowed.")
	case n == 0 || u.update && !u.overrides.any:
		return errValidation("There are no actions specified in the Replica Update Action of the request.")
	case u.disassociate:
		return errValidation("The parameter ReplicaUpdates.Disassociate is not supported by Meridian yet")
	case u.create && !u.region.set:
		return errValidation("One or more parameter values were invalid")
	case u.region.s == "":
		return errValidation("Region  is not supported. The latest version of global tables are only supported in the following regions: [" + s.region + "]")
	case u.update && u.overrides.key.set:
		return errInvalid("KMSMasterKeyId must be specified for each replica.")
	}
	return checkClass(u.overrides.class)
}

func (o *overrides) settings(s *Server, region string) catalog.MemberSettings {
	m := catalog.MemberSettings{Key: s.keyARN(region, o.key.s), Class: o.class.s, ReadOverride: catalog.ReadOverride{Read: o.read.n, MaxRead: o.maxRead.n}}
	for _, ix := range o.indexes {
		if m.Indexes == nil {
			m.Indexes = map[string]catalog.ReadOverride{}
		}
		m.Indexes[ix.name.s] = catalog.ReadOverride{Read: ix.read.n, MaxRead: ix.maxRead.n}
	}
	return m
}
