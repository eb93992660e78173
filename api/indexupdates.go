package api

import (
	"slices"
	"strconv"

	"github.com/meridiandb/meridian/region/catalog"
)

// indexUpdate is a GlobalSecondaryIndexUpdate: one of create, update and delete.
type indexUpdate struct {
	create, update, delete          indexInput
	createSet, updateSet, deleteSet bool
}

func (d *decoder) indexUpdates() (list []indexUpdate, set bool) {
	set = d.list(func() {
		var u indexUpdate
		d.structure("GlobalSecondaryIndexUpdate", func(name string) bool {
			switch name {
			case "Create":
				u.createSet = d.peek() != 'n'
				u.create = d.index("CreateGlobalSecondaryIndexAction")
			case "Update":
				u.updateSet = d.peek() != 'n'
				u.update = d.index("UpdateGlobalSecondaryIndexAction")
			case "Delete":
				u.deleteSet = d.peek() != 'n'
				u.delete = d.index("DeleteGlobalSecondaryIndexAction")
			default:
				return false
			}
			return true
		})
		list = append(list, u)
	})
	return list, set
}

func checkIndexUpdates(v *violations, list []indexUpdate) {
	for i := range list {
		u := &list[i]
		at := "globalSecondaryIndexUpdates." + strconv.Itoa(i+1) + ".member."
		if u.updateSet {
			if v.required(at+"update.indexName", u.update.name.set) {
				v.indexName(at+"update.indexName", u.update.name)
			}
			u.update.throughput.constraints(v, at+"update.provisionedThroughput")
		}
		if u.createSet {
			u.create.constraints(v, at+"create", 2*maxKeyParts)
		}
		if u.deleteSet && v.required(at+"delete.indexName", u.delete.name.set) {
			v.indexName(at+"delete.indexName", u.delete.name)
		}
	}
}

// changesIndexes reports whether a list creates or deletes an index.
func changesIndexes(list []indexUpdate) bool {
	return slices.ContainsFunc(list, func(u indexUpdate) bool { return u.createSet || u.deleteSet })
}

// checkIndexUpdateShape applies the rules between the updates of one request.
func checkIndexUpdateShape(list []indexUpdate) error {
	seen := map[string]bool{}
	online := 0
	for i := range list {
		u := &list[i]
		n := 0
		for _, kind := range []struct {
			set bool
			ix  *indexInput
		}{{u.createSet, &u.create}, {u.updateSet, &u.update}, {u.deleteSet, &u.delete}} {
			if !kind.set {
				continue
			}
			n++
			if kind.ix.warm.empty() && u.updateSet {
				return errInvalid("WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified for index: " + kind.ix.name.s)
			}
			if n > 1 {
				return errInvalid("Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object")
			}
			if seen[kind.ix.name.s] {
				return errInvalid("Only one global secondary index update per index is allowed simultaneously. Index: " + kind.ix.name.s)
			}
			seen[kind.ix.name.s] = true
		}
		if n == 0 {
			return errInvalid("One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null")
		}
		if u.createSet || u.deleteSet {
			online++
		}
	}
	if online > 1 {
		return clientError("LimitExceededException", "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
	}
	return nil
}

// applyIndexes puts the updates into a change of a table that is described by view. perRequest is the mode that the table will
// have. Definitions matter to an index that is created, and to nothing else.
func (in *updateTableInput) applyIndexes(ch *catalog.Change, view *catalog.View, perRequest bool) error {
	for i := range in.indexes {
		u := &in.indexes[i]
		switch {
		case u.createSet && !in.defsSet:
			return errInvalid("AttributeDefinitions is not specified for index: " + u.create.name.s)
		case u.createSet:
			if err := createIndex(ch, &u.create, in.defs, view, perRequest); err != nil {
				return err
			}
		case u.deleteSet:
			ch.DeleteIndex = u.delete.name.s
		case u.updateSet:
			if err := u.update.limits(ch, view, perRequest); err != nil {
				return err
			}
		}
	}
	return nil
}

// limits puts an index's new throughput, provisioned or its caps or what it takes at once, into a change.
func (ix *indexInput) limits(ch *catalog.Change, view *catalog.View, perRequest bool) error {
	name := ix.name.s
	have := view.Index(name)
	switch {
	case have == nil:
		return clientError("ResourceNotFoundException", "Requested resource not found: Index "+name+" for table "+view.Name)
	case !have.Global:
		return errValidation("Cannot update an index that is not a GlobalSecondaryIndex: " + name)
	}
	if ix.warm.set {
		if ch.IndexWarm == nil {
			ch.IndexWarm = map[string]catalog.WarmChange{}
		}
		ch.IndexWarm[name] = ix.warm.change()
	}
	capped := ix.onDemand.first()
	switch {
	case perRequest && (ix.throughput.set || capped == "" && !ix.warm.set):
		return errInvalid("The only Updates for index: " + name + " when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput")
	case !perRequest && capped != "":
		return errInvalid(capped + " for OnDemandThroughput for index : " + name + " cannot be specified when the table BillingMode is PROVISIONED")
	}
	if capped != "" {
		caps, err := ix.onDemand.apply(have.OnDemand, "index : "+name, false)
		if err != nil {
			return err
		}
		if ch.IndexOnDemand == nil {
			ch.IndexOnDemand = map[string]catalog.OnDemand{}
		}
		ch.IndexOnDemand[name] = caps
	}
	if !ix.throughput.set {
		if capped != "" || ix.warm.set {
			return nil
		}
		return errInvalid("ProvisionedThroughput must be specified for index: " + name)
	}
	if err := ix.throughput.bounds(name); err != nil {
		return err
	}
	if ch.IndexThroughput == nil {
		ch.IndexThroughput = map[string]catalog.Throughput{}
	}
	ch.IndexThroughput[name] = ix.throughput.value()
	return nil
}

func createIndex(ch *catalog.Change, in *indexInput, defs []definition, view *catalog.View, perRequest bool) error {
	if view.Index(in.name.s) != nil {
		return errValidation("Attempting to create an index which already exists")
	}
	defined := kinds(defs)
	var have, missing []string
	for _, a := range defs {
		have = append(have, a.name.s)
	}
	for _, n := range names(in.keys) {
		if _, ok := defined[n]; !ok && !slices.Contains(missing, n) {
			missing = append(missing, n)
		}
	}
	if len(missing) > 0 {
		return errInvalid("Some index key attributes are not defined in AttributeDefinitions. Keys: " + javaList(missing) + ", AttributeDefinitions: " + javaList(have))
	}
	if err := in.check(true, defined, nil); err != nil {
		return err
	}
	if err := in.billing(perRequest, true); err != nil {
		return err
	}
	ix, err := in.index(true, defined, perRequest)
	if err != nil {
		return err
	}
	ch.CreateIndex = &ix
	for _, a := range defs {
		if ix.Schema.Has(a.name.s) { // what else is defined does not matter
			ch.Attributes = append(ch.Attributes, catalog.AttributeChange{Name: a.name.s, Kind: a.kind.s})
		}
	}
	return nil
}
