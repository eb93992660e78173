package api

import (
	"slices"
	"strconv"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
)

// Limits of indexes (DYNAMODB.md 3.2 and 5).
const (
	maxKeyParts        = 4 // of a GSI, of each kind
	maxLocalIndexes    = 5
	maxGlobalIndexes   = 20
	maxProjectedInAll  = 100
	maxProjectedNonKey = 20
)

const invalidPrefix = "One or more parameter values were invalid: "

func errInvalid(message string) error { return errValidation(invalidPrefix + message) }

// indexInput is a secondary index as CreateTable and UpdateTable describe it.
type indexInput struct {
	name       text
	keys       []keyElement
	keysSet    bool
	projection struct {
		kind      text
		nonKey    []string
		nonKeySet bool
		set       bool
	}
	throughput throughputInput
	onDemand   onDemandInput
	warm       warmInput
}

func (d *decoder) index(class string) (ix indexInput) {
	d.structure(class, func(name string) bool {
		switch name {
		case "IndexName":
			ix.name = d.text()
		case "KeySchema":
			ix.keys, ix.keysSet = d.keySchema()
		case "Projection":
			ix.projection.set = d.structure("Projection", func(name string) bool {
				switch name {
				case "ProjectionType":
					ix.projection.kind = d.text()
				case "NonKeyAttributes":
					ix.projection.nonKey, ix.projection.nonKeySet = d.texts()
				default:
					return false
				}
				return true
			})
		case "ProvisionedThroughput":
			ix.throughput = d.throughput()
		case "OnDemandThroughput":
			ix.onDemand = d.onDemand()
		case "WarmThroughput":
			ix.warm = d.warm()
		default:
			return false
		}
		return true
	})
	return ix
}

func (d *decoder) indexes(class string) (list []indexInput, set bool) {
	set = d.list(func() { list = append(list, d.index(class)) })
	return list, set
}

func (ix *indexInput) constraints(v *violations, path string, parts int) {
	if v.required(path+".indexName", ix.name.set) {
		v.indexName(path+".indexName", ix.name)
	}
	checkKeySchema(v, path+".keySchema", ix.keys, ix.keysSet, parts)
	if v.required(path+".projection", ix.projection.set) {
		v.oneOf(path+".projection.projectionType", ix.projection.kind, enumProjection...)
		if ix.projection.nonKeySet {
			n := len(ix.projection.nonKey)
			v.count(path+".projection.nonKeyAttributes", quoted(javaList(ix.projection.nonKey)), n, 1, maxProjectedNonKey)
			for i, a := range ix.projection.nonKey {
				v.length(path+".projection.nonKeyAttributes."+strconv.Itoa(i+1)+".member", text{a, true}, 1, 255)
			}
		}
	}
	ix.throughput.constraints(v, path+".provisionedThroughput")
}

// check applies the rules for one index that do not depend on others.
func (ix *indexInput) check(global bool, defined map[string]item.Kind, table []keyElement) error {
	if err := checkElements(ix.keys, global); err != nil {
		return err
	}
	if !global {
		switch {
		case len(ix.keys) < 2:
			return errInvalid("Index KeySchema does not have a range key for index: " + ix.name.s)
		case ix.keys[0].name.s != table[0].name.s:
			return errInvalid("Index KeySchema does not have the same leading hash key as table KeySchema for index: " + ix.name.s +
				". index hash key: " + ix.keys[0].name.s + ", table hash key: " + table[0].name.s)
		}
	}
	return ix.checkProjection()
}

func (ix *indexInput) checkProjection() error {
	p := &ix.projection
	switch {
	case !p.kind.set:
		return errInvalid("Unknown ProjectionType: null")
	case p.kind.s != "INCLUDE" && p.nonKeySet:
		return errInvalid("ProjectionType is " + p.kind.s + ", but NonKeyAttributes is specified")
	case p.kind.s == "INCLUDE" && !p.nonKeySet:
		return errInvalid("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
	}
	for i, a := range p.nonKey {
		if slices.Contains(p.nonKey[:i], a) {
			return errInvalid("Duplicate element in NonKeyAttributes: " + a)
		}
	}
	return nil
}

// billing checks a new index's capacity against the table's mode. The service has other words for an index that is added than
// for one that comes with its table.
func (ix *indexInput) billing(perRequest, added bool) error {
	n := ix.name.s
	switch {
	case perRequest && ix.throughput.set && added:
		return errInvalid("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: " + n + " when BillingMode is PAY_PER_REQUEST")
	case perRequest && ix.throughput.set:
		return errInvalid("ProvisionedThroughput should not be specified for index: " + n + " when BillingMode is PAY_PER_REQUEST")
	case !perRequest && !ix.throughput.set && added:
		return errInvalid("Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: " + n)
	case !perRequest && !ix.throughput.set:
		return errInvalid("ProvisionedThroughput is not specified for index: " + n)
	case !perRequest && ix.onDemand.first() != "":
		return errInvalid(ix.onDemand.first() + " for OnDemandThroughput for index: " + n + " cannot be specified when table BillingMode is PROVISIONED.")
	}
	return ix.throughput.bounds(n)
}

func (ix *indexInput) index(global bool, defined map[string]item.Kind, perRequest bool) (catalog.Index, error) {
	caps, err := ix.onDemand.apply(catalog.OnDemand{}, "index : "+ix.name.s, true)
	if err != nil {
		return catalog.Index{}, err
	}
	warm, err := ix.warm.initial(perRequest, ix.throughput, "index "+ix.name.s)
	return catalog.Index{
		Name: ix.name.s, Global: global, Schema: schema(ix.keys, defined), Projection: ix.projection.kind.s, NonKey: ix.projection.nonKey,
		Throughput: ix.throughput.value(), OnDemand: caps, Warm: warm,
	}, err
}

// checkElements checks the order of a key schema's elements: one HASH and perhaps one RANGE, or for a GSI all HASH before
// all RANGE, no attribute twice.
func checkElements(keys []keyElement, global bool) error {
	if len(keys) == 0 || keys[0].kind.s != "HASH" {
		return errValidation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	}
	if !global {
		switch {
		case len(keys) < 2:
		case keys[1].name.s == keys[0].name.s:
			return errValidation("Invalid KeySchema: Some index key attribute have no definition")
		case keys[1].kind.s != "RANGE":
			return errValidation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
		}
		return nil
	}
	hashes, ranges := 0, 0
	seen := map[string]bool{}
	for _, k := range keys {
		switch {
		case seen[k.name.s] && len(keys) == 2:
			return errValidation("Both the Hash Key and the Range Key element in the KeySchema have the same name")
		case seen[k.name.s]:
			return errValidation("The KeySchema contains multiple key attributes with the same name")
		case k.kind.s == "RANGE":
			ranges++
		case ranges > 0:
			return errInvalid("All HASH key attributes must precede RANGE key attributes in the KeySchema")
		default:
			hashes++
		}
		seen[k.name.s] = true
	}
	switch {
	case hashes > maxKeyParts:
		return errInvalid("The KeySchema exceeds the maximum allowed number of HASH key attributes")
	case ranges > maxKeyParts:
		return errInvalid("The KeySchema exceeds the maximum allowed number of RANGE key attributes")
	}
	return nil
}

// javaList prints a list of strings as the service's language does.
func javaList(list []string) string {
	out := "["
	for i, s := range list {
		if i > 0 {
			out += ", "
		}
		out += s
	}
	return out + "]"
}
