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

// apply puts the updates into a change of a table that is described by view. perRequest is the mode that the table will have.
func applyIndexUpdates(ch *catalog.Change, list []indexUpdate, defs []definition, view *catalog.View, perRequest bool) error {
	for i := range list {
		u := &list[i]
		switch {
		case u.createSet:
			if err := createIndex(ch, &u.create, defs, view, perRequest); err != nil {
				return err
			}
		case u.deleteSet:
			ch.DeleteIndex = u.delete.name.s
		case u.updateSet:
			if err := u.update.limits(ch, view); err != nil {
				return err
			}
		}
	}
	return nil
}

// limits puts an index's new throughput, provisioned or its caps, into a change.
func (ix *indexInput) limits(ch *catalog.Change, view *catalog.View) error {
	name := ix.name.s
	if ix.onDemand.set {
		var old catalog.OnDemand
		if have := view.Index(name); have != nil {
			old = have.OnDemand
		}
		caps, err := ix.onDemand.apply(old, false)
		if err != nil {
			return err
		}
		if ch.IndexOnDemand == nil {
			ch.IndexOnDemand = map[string]catalog.OnDemand{}
		}
		ch.IndexOnDemand[name] = caps
	}
	if !ix.throughput.set {
		if ix.onDemand.set {
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
	defined := kinds(defs)
	for _, a := range view.Attributes {
		if _, ok := defined[a.Name]; !ok {
			defined[a.Name] = a.Kind
		}
	}
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
	if err := in.billing(perRequest); err != nil {
		return err
	}
	ix, err := in.index(true, defined)
	if err != nil {
		return err
	}
	ch.CreateIndex = &ix
	for _, a := range defs {
		ch.Attributes = append(ch.Attributes, catalog.AttributeChange{Name: a.name.s, Kind: a.kind.s})
	}
	return nil
}
