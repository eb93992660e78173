package api

import (
	"slices"
	"strings"

	"github.com/meridiandb/meridian/region/catalog"
)

type updateTableInput struct {
	name        text
	defs        []definition
	defsSet     bool
	billing     text
	throughput  throughputInput
	onDemand    onDemandInput
	indexes     []indexUpdate
	indexesSet  bool
	stream      streamInput
	sse         sseInput
	replicas    []replicaUpdate
	replicasSet bool
	class       text
	protection  flag
	consistency text
	witnesses   []witnessUpdate
	witnessSet  bool
	warm        warmInput
	mode        text // GlobalTableSettingsReplicationMode
}

func (in *updateTableInput) member(d *decoder, name string) bool {
	switch name {
	case "TableName":
		in.name = d.text()
	case "AttributeDefinitions":
		in.defs, in.defsSet = d.definitions()
	case "BillingMode":
		in.billing = d.text()
	case "ProvisionedThroughput":
		in.throughput = d.throughput()
	case "OnDemandThroughput":
		in.onDemand = d.onDemand()
	case "GlobalSecondaryIndexUpdates":
		in.indexes, in.indexesSet = d.indexUpdates()
	case "StreamSpecification":
		in.stream = d.stream()
	case "SSESpecification":
		in.sse = d.sse()
	case "ReplicaUpdates":
		in.replicas, in.replicasSet = d.replicaUpdates()
	case "TableClass":
		in.class = d.text()
	case "DeletionProtectionEnabled":
		in.protection = d.flag()
	case "MultiRegionConsistency":
		in.consistency = d.text()
	case "WarmThroughput":
		in.warm = d.warm()
	case "GlobalTableSettingsReplicationMode":
		in.mode = d.text()
	case "GlobalTableWitnessUpdates":
		in.witnesses, in.witnessSet = d.witnessUpdates()
	case "DisassociationProtectionEnabled", "VectorIndexUpdates":
		return d.refuse(name)
	default:
		return false
	}
	return true
}

func (in *updateTableInput) constraints(v *violations) {
	v.controlTableName(in.name, 1)
	checkDefinitions(v, in.defs)
	v.oneOf("billingMode", in.billing, enumBilling...)
	in.throughput.constraints(v, "provisionedThroughput")
	checkIndexUpdates(v, in.indexes)
	in.stream.constraints(v)
	in.sse.constraints(v)
	checkReplicaUpdates(v, in.replicas, in.replicasSet)
	v.oneOf("globalTableSettingsReplicationMode", in.mode, enumSettingsMode...)
	v.oneOf("multiRegionConsistency", in.consistency, "EVENTUAL", "STRONG")
	if in.witnessSet {
		v.count("globalTableWitnessUpdates", "'[...]'", len(in.witnesses), 0, 1)
	}
}

func updateTable(c *call) error {
	var in updateTableInput
	if err := c.read(&in); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	name, err := c.tableNamed(in.name)
	if err != nil {
		return err
	}
	view, err := c.backend.DescribeTable(name)
	if err != nil {
		return err
	}
	ch, err := in.change(c, &view)
	if err != nil {
		return err
	}
	if view, err = c.backend.UpdateTable(c.ctx, name, ch); err != nil {
		return err
	}
	in.onDemand.echo(&view.OnDemand)
	c.out.openObject()
	c.out.key("TableDescription")
	c.server.describe(&c.out, &view)
	c.out.closeObject()
	return nil
}

// check applies the rules that need no table: what may be asked for together (DYNAMODB.md 5.1).
func (in *updateTableInput) check() error {
	if in.parts() == 0 {
		return in.errNothing()
	}
	if err := in.checkStrong(); err != nil {
		return err
	}
	if in.indexesSet && len(in.indexes) == 0 {
		return errInvalid("List of GlobalSecondaryIndexUpdates is empty")
	}
	if err := checkIndexUpdateShape(in.indexes); err != nil {
		return err
	}
	if err := in.checkOnly(); err != nil {
		return err
	}
	if err := in.checkTogether(); err != nil {
		return err
	}
	if err := in.throughput.bounds(""); err != nil {
		return err
	}
	if err := in.stream.check(); err != nil {
		return err
	}
	if err := checkClass(in.class); err != nil {
		return err
	}
	if err := checkSettingsMode(in.mode); err != nil {
		return err
	}
	return in.sse.check()
}

func (*updateTableInput) errCaps() error {
	return errInvalid("OnDemandThroughput can only be combined with BillingMode in an UpdateTable request")
}

// checkTogether applies the rules about changes of which each may stand beside others.
func (in *updateTableInput) checkTogether() error {
	iops := in.throughput.set || in.billing.set || in.updatesIndexThroughput()
	switch online := changesIndexes(in.indexes); {
	case online && in.throughput.set:
		return errInvalid("You cannot create or delete index while updating table IOPS")
	case in.stream.set && iops && in.billing.s != "PAY_PER_REQUEST":
		return errInvalid("You cannot modify stream status while updating table IOPS")
	case online && in.stream.set:
		return errInvalid("You cannot create or delete index while changing stream status")
	case in.onDemand.set && (in.throughput.set || in.indexesSet || in.stream.set):
		return in.errCaps()
	case in.billing.s == "PAY_PER_REQUEST" && in.throughput.set:
		return errInvalid("ProvisionedThroughput cannot be specified when BillingMode is PAY_PER_REQUEST")
	case in.billing.s == "PROVISIONED" && !in.throughput.set:
		return errInvalid("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
	}
	return nil
}

func (in *updateTableInput) updatesIndexThroughput() bool {
	return slices.ContainsFunc(in.indexes, func(u indexUpdate) bool { return u.updateSet })
}

// parts are the operations that a request can hold; some stand alone.
func (in *updateTableInput) parts() int {
	n := 0
	for _, set := range []bool{
		in.throughput.set || in.billing.set, in.onDemand.set, len(in.indexes) > 0, in.stream.set, in.sse.set, in.replicasSet,
		in.class.set, in.protection.set, in.warm.set, in.mode.set,
	} {
		if set {
			n++
		}
	}
	return n
}

func (in *updateTableInput) errNothing() error {
	options := []string{
		"ProvisionedThroughput", "BillingMode", "UpdateStreamEnabled", "GlobalSecondaryIndexUpdates", "SSESpecification", "ReplicaUpdates",
		"MultiAccountReplicaReady", "ReplicaTransitRoleArn", "MultiRegionConsistency", "DeletionProtectionEnabled", "OnDemandThroughput",
		"WarmThroughput",
	}
	if in.consistency.set {
		options = slices.DeleteFunc(options, func(s string) bool { return s == "MultiRegionConsistency" })
	}
	return errValidation("At least one of " + strings.Join(options, ", ") + " or TableClass is required")
}

func (in *updateTableInput) checkOnly() error {
	if in.parts() < 2 {
		return nil
	}
	for _, alone := range []struct {
		set  bool
		name string
	}{
		{in.sse.set, "Server-Side Encryption"}, {in.class.set, "TableClass"}, {in.protection.set, "DeletionProtection"},
		{in.replicasSet, "Replica"},
	} {
		if alone.set {
			return errInvalid(alone.name + " modification must be the only operation in the request")
		}
	}
	switch {
	case in.warm.set && in.onDemand.set:
		return in.errCaps()
	case in.warm.set && slices.ContainsFunc(in.indexes, func(u indexUpdate) bool { return u.createSet }):
		return errInvalid("Create global secondary index cannot be specified when updating WarmThroughput")
	case in.warm.set:
		return errInvalid("WarmThroughput must be the only operation in the request")
	}
	return nil
}

// change makes the change of a table that is described by view.
func (in *updateTableInput) change(c *call, view *catalog.View) (ch catalog.Change, err error) {
	if err := in.buildsStrong(c, view); err != nil {
		return ch, err
	}
	if err := c.server.replicaChange(&ch, in.replicas); err != nil {
		return ch, err
	}
	perRequest := view.Billing.PayPerRequest
	if in.billing.set {
		perRequest = in.billing.s == "PAY_PER_REQUEST"
		ch.Billing = &perRequest
	}
	if in.throughput.set {
		t := in.throughput.value()
		ch.Throughput = &t
	}
	if err := in.applyIndexes(&ch, view, perRequest); err != nil {
		return ch, err
	}
	if name := in.onDemand.first(); name != "" {
		if !perRequest {
			return ch, errInvalid(name + " for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED")
		}
		caps, err := in.onDemand.apply(view.OnDemand, "table", false)
		if err != nil {
			return ch, err
		}
		ch.OnDemand = &caps
	}
	in.settings(&ch)
	if in.sse.set {
		s := in.sse.value()
		ch.SSE, ch.Key, ch.At = &s, c.server.keyARN(c.server.region, in.sse.key.s), c.server.region
	}
	return ch, in.provisionAll(&ch, view, perRequest)
}

// provisionAll refuses a switch to provisioned mode that leaves an index without capacity.
func (in *updateTableInput) provisionAll(ch *catalog.Change, view *catalog.View, perRequest bool) error {
	if perRequest || !view.Billing.PayPerRequest || ch.Throughput == nil {
		return nil
	}
	for _, ix := range view.Indexes {
		if _, ok := ch.IndexThroughput[ix.Name]; ix.Global && !ok {
			return errInvalid("ProvisionedThroughput must be specified for index: " + ix.Name)
		}
	}
	return nil
}

func (in *updateTableInput) settings(ch *catalog.Change) {
	if in.protection.set {
		ch.DeletionProtection = &in.protection.v
	}
	if in.class.set {
		ch.Class = &in.class.s
	}
	if in.stream.set {
		s := in.stream.value()
		ch.Stream = &s
	}
	if in.warm.set {
		w := in.warm.change()
		ch.Warm = &w
	}
	if in.mode.set {
		ch.SettingsMode = &in.mode.s
	}
}
