package api

import (
	"github.com/meridiandb/meridian/region/catalog"
)

// Strong consistency over regions is not built (DESIGN.md 1). What the service refuses of it is refused in its words, what it
// would do is refused in ours (DYNAMODB.md 10.5).

// witnessUpdate is a GlobalTableWitnessGroupUpdate.
type witnessUpdate struct{ create, delete text }

func (d *decoder) witnessUpdates() (list []witnessUpdate, set bool) {
	set = d.list(func() {
		var u witnessUpdate
		region := func(into *text) bool {
			return d.structure("GlobalTableWitnessGroupMemberAction", func(name string) bool {
				if name == "RegionName" {
					*into = d.text()
				}
				return name == "RegionName"
			})
		}
		d.structure("GlobalTableWitnessGroupUpdate", func(name string) bool {
			switch name {
			case "Create":
				region(&u.create)
			case "Delete":
				region(&u.delete)
			default:
				return false
			}
			return true
		})
		list = append(list, u)
	})
	return list, set
}

// witness is the one region that is to be a witness, or to be none any more; "" if the request names none.
func (in *updateTableInput) witness() string {
	for _, u := range in.witnesses {
		if u.create.s != "" {
			return u.create.s
		}
		if u.delete.s != "" {
			return u.delete.s
		}
	}
	return ""
}

// checkStrong applies the rules between consistency, witnesses and the rest that need no table. A request that has replicas or
// other changes beside them comes here.
func (in *updateTableInput) checkStrong() error {
	witness, strong := in.witness(), in.consistency.s == "STRONG"
	switch {
	case witness != "" && in.parts() > 0 && !in.replicasSet:
		return errInvalid("Requests that modify replicas or witnesses must not also modify other fields")
	case witness != "" && !strong:
		return errValidation("MultiRegionConsistency must be set as STRONG when GlobalTableWitnessUpdates parameter is present.")
	case in.consistency.set && in.replicasSet:
		for _, u := range in.replicas {
			if u.update || u.delete || u.disassociate {
				return errValidation("Only Replica Create actions are supported when MultiRegionConsistency parameter is provided.")
			}
		}
	}
	return nil
}

// buildsStrong refuses to make a strongly consistent table of one that is described by view.
func (in *updateTableInput) buildsStrong(c *call, view *catalog.View) error {
	if !in.consistency.set || !in.replicasSet {
		return nil
	}
	if view.Replicas() > 1 {
		return errValidation("MultiRegionConsistency parameter is unsupported on existing global table")
	}
	if in.consistency.s != "STRONG" {
		return nil
	}
	const mode = "MultiRegionConsistency set to STRONG"
	witness := in.witness()
	regions := map[string]bool{}
	for _, u := range in.replicas {
		regions[u.region.s] = true
	}
	count := len(regions)
	if witness != "" {
		count++
	}
	switch {
	case witness == c.server.region:
		return errValidation("Cannot add a witness in the same region as an existing replica when creating a global table with " + mode + ".")
	case regions[witness]:
		return errValidation("Cannot target multiple regions with the same action")
	case count != 2:
		return errValidation("Unsupported replica count for global tables with " + mode + ".")
	}
	return errValidation("The parameter MultiRegionConsistency does not support the value STRONG in Meridian yet")
}
