package api

import (
	"slices"
	"strconv"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
)

type createTableInput struct {
	name          text
	defs          []definition
	keys          []keyElement
	defsSet       bool
	keysSet       bool
	local, global []indexInput
	localSet      bool
	globalSet     bool
	billing       text
	throughput    throughputInput
	onDemand      onDemandInput
	warm          warmInput
	settingsMode  text
	policy        text
	stream        streamInput
	sse           sseInput
	class         text
	protection    flag
	tags          tagList
}

func (in *createTableInput) member(d *decoder, name string) bool {
	switch name {
	case "TableName":
		in.name = d.text()
	case "AttributeDefinitions":
		in.defs, in.defsSet = d.definitions()
	case "KeySchema":
		in.keys, in.keysSet = d.keySchema()
	case "LocalSecondaryIndexes":
		in.local, in.localSet = d.indexes("LocalSecondaryIndex")
	case "GlobalSecondaryIndexes":
		in.global, in.globalSet = d.indexes("GlobalSecondaryIndex")
	case "BillingMode":
		in.billing = d.text()
	case "ProvisionedThroughput":
		in.throughput = d.throughput()
	case "OnDemandThroughput":
		in.onDemand = d.onDemand()
	case "StreamSpecification":
		in.stream = d.stream()
	case "SSESpecification":
		in.sse = d.sse()
	case "TableClass":
		in.class = d.text()
	case "DeletionProtectionEnabled":
		in.protection = d.flag()
	case "Tags":
		in.tags = d.tags()
	case "WarmThroughput":
		in.warm = d.warm()
	case "GlobalTableSettingsReplicationMode":
		in.settingsMode = d.text()
	case "ResourcePolicy":
		in.policy = d.text()
	case "VectorIndexes", "GlobalTableSourceArn":
		return d.refuse(name)
	default:
		return false
	}
	return true
}

func (in *createTableInput) constraints(v *violations) {
	v.controlTableName(in.name, 3)
	if v.required("attributeDefinitions", in.defsSet) {
		checkDefinitions(v, in.defs)
	}
	checkKeySchema(v, "keySchema", in.keys, in.keysSet, 2)
	for i := range in.local {
		in.local[i].constraints(v, "localSecondaryIndexes."+strconv.Itoa(i+1)+".member", 2)
	}
	for i := range in.global {
		in.global[i].constraints(v, "globalSecondaryIndexes."+strconv.Itoa(i+1)+".member", 2*maxKeyParts)
	}
	v.oneOf("billingMode", in.billing, enumBilling...)
	in.throughput.constraints(v, "provisionedThroughput")
	in.stream.constraints(v)
	in.sse.constraints(v)
	v.oneOf("globalTableSettingsReplicationMode", in.settingsMode, enumSettingsMode...)
}

func createTable(c *call) error {
	var in createTableInput
	if err := c.read(&in); err != nil {
		return err
	}
	spec, err := in.spec(c)
	if err != nil {
		return err
	}
	view, err := c.backend.CreateTable(c.ctx, spec)
	if err != nil {
		return err
	}
	c.out.openObject()
	c.out.key("TableDescription")
	c.server.describe(&c.out, &view)
	c.out.closeObject()
	return nil
}

// spec checks everything that one request can be checked for, in the service's order.
func (in *createTableInput) spec(c *call) (s catalog.Spec, err error) {
	perRequest := in.billing.s == "PAY_PER_REQUEST"
	for _, check := range []func() error{
		in.checkBilling, in.checkKeys, in.checkIndexes, in.stream.checkNew, in.sse.check,
		func() error { return checkClass(in.class) }, func() error { return checkSettingsMode(in.settingsMode) }, in.tags.check,
	} {
		if err := check(); err != nil {
			return s, err
		}
	}
	name, err := c.tableNamed(in.name)
	if err != nil {
		return s, err
	}
	defined := kinds(in.defs)
	s.Name, s.Schema = name, schema(in.keys, defined)
	for _, a := range in.defs {
		s.Attributes = append(s.Attributes, item.KeyAttr{Name: a.name.s, Kind: defined[a.name.s]})
	}
	if s.Indexes, err = in.indexes(defined, perRequest); err != nil {
		return s, err
	}
	s.Billing = catalog.Billing{PayPerRequest: perRequest, EverPerRequest: perRequest}
	if perRequest {
		if s.OnDemand, err = in.onDemand.apply(catalog.OnDemand{}, "table", true); err != nil {
			return s, err
		}
	}
	if s.Warm, err = in.warm.initial(perRequest, in.throughput, "table"); err != nil {
		return s, err
	}
	s.Throughput, s.Stream, s.SSE, s.Class = in.throughput.value(), in.stream.value(), in.sse.value(), in.class.s
	if in.policy.set {
		policy, err := canonicalPolicy(in.policy.s)
		if err != nil {
			return s, err
		}
		s.Resource = catalog.Resource{Policy: policy, Revision: revisionAfter("")}
	}
	s.Key, s.SettingsMode = c.server.keyARN(c.server.region, in.sse.key.s), in.settingsMode.s
	s.Tags, s.DeletionProtection = in.tags.values(), in.protection.v
	return s, nil
}

func (in *createTableInput) checkBilling() error {
	switch perRequest := in.billing.s == "PAY_PER_REQUEST"; {
	case perRequest && in.throughput.set:
		return errInvalid("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	case !perRequest && !in.throughput.set:
		return errInvalid("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	case !perRequest && in.onDemand.first() != "":
		return errInvalid(in.onDemand.first() + " for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED.")
	}
	return in.throughput.bounds("")
}

// checkKeys checks the table's key schema and that definitions and keys name the same attributes.
func (in *createTableInput) checkKeys() error {
	for i, a := range in.defs {
		for _, b := range in.defs[:i] {
			if a.name.s == b.name.s {
				return errValidation("Attribute Name is duplicated: " + a.name.s)
			}
		}
	}
	used := names(in.keys)
	for _, list := range [][]indexInput{in.local, in.global} {
		for _, ix := range list {
			used = append(used, names(ix.keys)...)
		}
	}
	return checkDefined(used, in.defs, in.localSet || in.globalSet, in.keys)
}

func names(keys []keyElement) []string {
	var list []string
	for _, k := range keys {
		list = append(list, k.name.s)
	}
	return list
}

// checkDefined compares the attributes that keys use with those that are defined; the service has a text for each way in
// which they can differ.
func checkDefined(used []string, defs []definition, indexed bool, table []keyElement) error {
	var unique, missing, have []string
	for _, a := range defs {
		have = append(have, a.name.s)
	}
	for _, n := range used {
		if slices.Contains(unique, n) {
			continue
		}
		unique = append(unique, n)
		if !slices.Contains(have, n) {
			missing = append(missing, n)
		}
	}
	switch {
	case len(missing) > 0 && !indexed && len(have) < len(unique):
		return errValidation("Invalid KeySchema: Some index key attribute have no definition")
	case len(missing) > 0 && !indexed:
		return errInvalid("Some index key attributes are not defined in AttributeDefinitions. Keys: " + javaList(unique) + ", AttributeDefinitions: " + javaList(have))
	case len(missing) > 0:
		return errInvalid("Some index key attributes are not defined in AttributeDefinitions. Keys: " + javaList(missing) + ", AttributeDefinitions: " + javaList(have))
	}
	if err := checkElements(table, false); err != nil {
		return err
	}
	switch {
	case len(have) > len(unique) && !indexed:
		return errInvalid("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	case len(have) > len(unique):
		return errInvalid("Some AttributeDefinitions are not used. AttributeDefinitions: " + javaList(have) + ", keys used: " + javaList(unique))
	}
	return nil
}

func (in *createTableInput) checkIndexes() error {
	seen := map[string]bool{}
	defined := kinds(in.defs)
	projected := 0
	for _, group := range []struct {
		list   []indexInput
		set    bool
		name   string
		global bool
	}{{in.local, in.localSet, "LocalSecondaryIndexes", false}, {in.global, in.globalSet, "GlobalSecondaryIndexes", true}} {
		switch {
		case group.set && len(group.list) == 0:
			return errInvalid("List of " + group.name + " is empty")
		case group.set && !group.global && len(in.keys) < 2:
			return errInvalid("Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
		}
		for i := range group.list {
			ix := &group.list[i]
			if seen[ix.name.s] {
				return errInvalid("Duplicate index name: " + ix.name.s)
			}
			seen[ix.name.s] = true
			projected += len(ix.projection.nonKey)
			if err := ix.check(group.global, defined, in.keys); err != nil {
				return err
			}
			if !group.global {
				continue
			}
			if err := ix.billing(in.billing.s == "PAY_PER_REQUEST", false); err != nil {
				return err
			}
		}
	}
	switch {
	case len(in.local) > maxLocalIndexes:
		return errInvalid("Number of LocalSecondaryIndexes exceeds per-table limit of 5")
	case len(in.global) > maxGlobalIndexes:
		return errInvalid("GlobalSecondaryIndex count exceeds the per-table limit of 20")
	case projected > maxProjectedInAll:
		return errInvalid("The total number of non-key attributes projected into all indexes exceeds the limit of 100")
	}
	return nil
}

func (in *createTableInput) indexes(defined map[string]item.Kind, perRequest bool) (list []catalog.Index, err error) {
	add := func(inputs []indexInput, global bool) {
		for i := range inputs {
			ix, e := inputs[i].index(global, defined, perRequest)
			if e != nil && err == nil {
				err = e
			}
			list = append(list, ix)
		}
	}
	add(in.local, false)
	add(in.global, true)
	return list, err
}
