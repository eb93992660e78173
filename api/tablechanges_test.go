package api

import (
	"fmt"
	"strings"
	"testing"
)

const (
	only        = " modification must be the only operation in the request"
	inClass     = "Invalid table-class parameter provided. Please try again with a valid table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS]."
	lessWarm    = " is lower than current WarmThroughput, decreasing WarmThroughput is not supported"
	initialWarm = " is lower than initial throughput for OnDemand. See: " +
		"https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html#on-demand-capacity-mode-initial"
	oneUnit = `"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1}`
)

// described checks that a table's description has some parts and lacks others.
func (c *client) described(name string, parts, absent []string) {
	c.t.Helper()
	c.shows(c.must("DescribeTable", `{"TableName":"`+name+`"}`), parts, absent)
}

func (c *client) shows(body string, parts, absent []string) {
	c.t.Helper()
	for _, p := range parts {
		if !strings.Contains(body, p) {
			c.t.Errorf("no %s\nin %s", p, body)
		}
	}
	for _, p := range absent {
		if strings.Contains(body, p) {
			c.t.Errorf("there is %s\nin %s", p, body)
		}
	}
}

// DYNAMODB.md 5, 5.1 and 6: what CreateTable refuses of capacity, indexes and settings.
func TestCreateTableShapes(t *testing.T) {
	c := newMemoryClient(t)
	create := func(rest string) string { return tableSpec{rest: rest}.body() }
	warm := func(read, write string) string {
		return `,"WarmThroughput":{"ReadUnitsPerSecond":` + read + `,"WriteUnitsPerSecond":` + write + `}`
	}
	index := func(rest string) string { return gsi(indexOf("idx", keyList("sk HASH"), rest)) }
	caps := func(read, write string) string {
		return `,"OnDemandThroughput":{"MaxReadRequestUnits":` + read + `,"MaxWriteRequestUnits":` + write + `}`
	}
	names := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprint("a", i))
		}
		return list
	}
	keys := func(hashes, ranges int) string {
		var list []string
		for i, n := range names(hashes + ranges) {
			list = append(list, n+map[bool]string{true: " HASH", false: " RANGE"}[i < hashes])
		}
		return gsi(indexOf("idx", keyList(list...), ""))
	}
	multi := func(hashes, ranges int) string {
		return tableSpec{defs: defList(append(names(hashes+ranges), "pk", "sk")...), rest: onDemand + keys(hashes, ranges)}.body()
	}
	const range0 = "Requested MaxReadRequestUnits for OnDemandThroughput for "
	c.refuses([]refusal{
		{"5.1", "CreateTable", tableSpec{defs: defList("pk", "sk", "pk"), rest: onDemand}.body(), validation, "Attribute Name is duplicated: pk"},
		{"5.1", "CreateTable", create(onDemand + gsi(indexOf("idx", keyList("sk HASH", "sk RANGE"), ""))), validation,
			"Both the Hash Key and the Range Key element in the KeySchema have the same name"},
		{"5.1", "CreateTable", create(onDemand + `,"TableClass":"GLACIER"`), validation, inClass},
		{"3.2", "CreateTable", multi(5, 0), validation, invalidParam + "The KeySchema exceeds the maximum allowed number of HASH key attributes"},
		{"3.2", "CreateTable", multi(1, 5), validation, invalidParam + "The KeySchema exceeds the maximum allowed number of RANGE key attributes"},
		{"5", "CreateTable", create(onDemand + gsi(`{"IndexName":"idx","KeySchema":`+keyList("sk HASH")+`,"Projection":{"ProjectionType":"INCLUDE"}}`)), validation,
			invalidParam + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"},
		{"5", "CreateTable", create(onDemand + gsi(`{"IndexName":"idx","KeySchema":`+keyList("sk HASH")+`,"Projection":{"ProjectionType":"KEYS_ONLY","NonKeyAttributes":["x"]}}`)), validation,
			invalidParam + "ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified"},
		{"5", "CreateTable", create(onDemand + gsi(`{"IndexName":"idx","KeySchema":`+keyList("sk HASH")+`,"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["x","y","x"]}}`)), validation,
			invalidParam + "Duplicate element in NonKeyAttributes: x"},
		{"5", "CreateTable", create(onDemand + gsi(`{"IndexName":"idx","KeySchema":`+keyList("sk HASH")+`,"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":[]}}`)), validation,
			violation("Value '[]' at 'globalSecondaryIndexes.1.member.projection.nonKeyAttributes' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"4.10", "CreateTable", create(onDemand + gsi(`{"IndexName":"idx","KeySchema":`+keyList("sk HASH")+`}`)), validation, violation(null("globalSecondaryIndexes.1.member.projection"))},
		{"5.1", "CreateTable", create(onDemand + lsi(indexOf("idx", keyList("pk HASH", "sk RANGE"), "")) + gsi(indexOf("idx", keyList("sk HASH"), ""))), validation,
			invalidParam + "Duplicate index name: idx"},
		// Definitions are checked before anything else of an index.
		{"5.1", "CreateTable", tableSpec{defs: defList("pk", "sk", "x"), rest: onDemand + gsi(`{"IndexName":"idx","KeySchema":`+keyList("sk HASH")+`,"Projection":{}}`)}.body(), validation,
			invalidParam + "Some AttributeDefinitions are not used. AttributeDefinitions: [pk, sk, x], keys used: [pk, sk]"},
		{"5.1", "CreateTable", create(`,` + oneUnit + caps("1", "1")), validation,
			invalidParam + "MaxReadRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED."},
		{"5.1", "CreateTable", create(`,` + oneUnit + `,"OnDemandThroughput":{"MaxWriteRequestUnits":1}`), validation,
			invalidParam + "MaxWriteRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED."},
		{"5.1", "CreateTable", create(`,` + oneUnit + index(`,`+oneUnit+caps("1", "1"))), validation,
			invalidParam + "MaxReadRequestUnits for OnDemandThroughput for index: idx cannot be specified when table BillingMode is PROVISIONED."},
		{"6", "CreateTable", create(onDemand + caps("0", "0")), validation, invalidParam + range0 + "table is outside of valid range"},
		{"6", "CreateTable", create(onDemand + caps("-1", "-1")), validation, invalidParam + range0 + "table is outside of valid range"}, // only on update
		{"6", "CreateTable", create(onDemand + caps("1", "-2")), validation,
			invalidParam + "Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid range"},
		{"6", "CreateTable", create(onDemand + index(caps("-1", "1"))), validation, invalidParam + range0 + "index : idx is outside of valid range"},
		{"6", "CreateTable", create(onDemand + warm("1", "1")), validation, invalidParam + "Requested ReadUnitsPerSecond for WarmThroughput for table" + initialWarm},
		{"6", "CreateTable", create(onDemand + warm("12000", "3999")), validation, invalidParam + "Requested WriteUnitsPerSecond for WarmThroughput for table" + initialWarm},
		{"6", "CreateTable", create(onDemand + index(warm("-1", "-1"))), validation, invalidParam + "Requested ReadUnitsPerSecond for WarmThroughput for index idx" + initialWarm},
		{"6", "CreateTable", create(provisioned("10", "10") + warm("5", "10")), validation,
			invalidParam + "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than ReadCapacityUnits of ProvisionedThroughput"},
		{"6", "CreateTable", create(provisioned("10", "10") + warm("10", "5")), validation,
			invalidParam + "Requested WriteUnitsPerSecond for WarmThroughput for table is lower than WriteCapacityUnits of ProvisionedThroughput"},
		{"9.9", "CreateTable", create(onDemand + `,"SSESpecification":{"Enabled":false,"SSEType":"KMS"}`), validation, invalidParam + "SSEType can not be specified if Enabled is false"},
		{"9.9", "CreateTable", create(onDemand + `,"SSESpecification":{"Enabled":false,"KMSMasterKeyId":"k"}`), validation,
			invalidParam + "KMSMasterKeyId can not be specified if Enabled is false"},
		{"9.9", "CreateTable", create(onDemand + `,"SSESpecification":{"Enabled":true,"SSEType":"KMS","KMSMasterKeyId":""}`), validation,
			violation("Value '' at 'sSESpecification.kMSMasterKeyId' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"10.1", "CreateTable", create(onDemand + `,"GlobalTableSettingsReplicationMode":"ENABLED_WITH_OVERRIDES"`), validation,
			"Value 'ENABLED_WITH_OVERRIDES' at 'GlobalTableSettingsReplicationMode' failed to satisfy constraint: Only ENABLED and DISABLED settings replication are supported for a Regional Table."},
	})
	c.replies([]reply{{"5.1", "ListTables", `{}`, `{"TableNames":[]}`}})
	for i, rest := range []string{ // accepted, odd as they look
		onDemand + index(`,"WarmThroughput":{},"OnDemandThroughput":{}`), onDemand + `,"OnDemandThroughput":{},"WarmThroughput":{}`, onDemand + `,"Tags":[]`,
		onDemand + lsi(indexOf("idx", keyList("pk HASH", "sk RANGE"), "")), onDemand + gsi(indexOf("abc", keyList("pk HASH", "sk RANGE"), "")),
		`,` + oneUnit + `,"OnDemandThroughput":{}`, onDemand + `,"SSESpecification":{"SSEType":"KMS"}`,
		onDemand + gsi(`{"IndexName":"idx","KeySchema":`+keyList("sk HASH")+`,"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["pk","sk"]}}`),
	} {
		c.must("CreateTable", strings.Replace(create(rest), `"abc"`, fmt.Sprintf(`"abc%d"`, i), 1))
	}
	c.must("CreateTable", multi(4, 4))
}

// DYNAMODB.md 5.1 and 6: what a new table shows at once, and what only later.
func TestCreateTableAnswers(t *testing.T) {
	c := newMemoryClient(t)
	c.shows(c.must("CreateTable", tableSpec{rest: onDemand + gsi(indexOf("idx", keyList("sk HASH"), ""))}.body()),
		[]string{`"TableStatus":"CREATING"`, `"BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST"}`, `"TableThroughputModeSummary":{"TableThroughputMode":"PAY_PER_REQUEST"}`},
		[]string{"LastUpdateToPayPerRequestDateTime", "WarmThroughput", "GlobalTableSettingsReplicationMode", "OnDemandThroughput"})
	c.described("abc", []string{`"TableStatus":"ACTIVE"`, `"LastUpdateToPayPerRequestDateTime"`, `"WarmThroughput":{"ReadUnitsPerSecond":12000,"WriteUnitsPerSecond":4000,"Status":"ACTIVE"}`},
		[]string{`"ReadUnitsPerSecond":0`})
	second := func(rest string) string { return strings.Replace(tableSpec{rest: rest}.body(), `"abc"`, `"two"`, 1) }
	c.shows(c.must("CreateTable", second(onDemand+`,"WarmThroughput":{"ReadUnitsPerSecond":12001},"OnDemandThroughput":{"MaxReadRequestUnits":100},"GlobalTableSettingsReplicationMode":"ENABLED"`)),
		[]string{`"WarmThroughput":{"ReadUnitsPerSecond":12001,"WriteUnitsPerSecond":4000,"Status":"UPDATING"}`}, nil)
	c.described("two", []string{`"WarmThroughput":{"ReadUnitsPerSecond":12001,"WriteUnitsPerSecond":4000,"Status":"ACTIVE"}`,
		`"OnDemandThroughput":{"MaxReadRequestUnits":100}`, `"GlobalTableSettingsReplicationMode":"ENABLED"`}, []string{"Replicas"})
	c.must("DeleteTable", `{"TableName":"two"}`)
	c.until("ListTables", `{}`, `{"TableNames":["abc"]}`)
	c.must("CreateTable", second(provisioned("5", "6")))
	c.described("two", []string{`"WarmThroughput":{"ReadUnitsPerSecond":5,"WriteUnitsPerSecond":6,"Status":"ACTIVE"}`}, []string{"BillingModeSummary", "TableThroughputModeSummary"})
}

// DYNAMODB.md 5.1: what UpdateTable refuses, in the words that it has for tables and indexes that are there.
func TestUpdateTableShapes(t *testing.T) {
	c := newMemoryClient(t)
	c.must("CreateTable", tableSpec{rest: onDemand + lsi(indexOf("loc", keyList("pk HASH", "sk RANGE"), "")) + gsi(indexOf("idx", keyList("sk HASH"), ""))}.body())
	c.must("CreateTable", strings.Replace(tableSpec{rest: provisioned("5", "5") + gsi(indexOf("idx", keyList("sk HASH"), provisioned("5", "5")))}.body(), `"abc"`, `"pro"`, 1))
	up := func(rest string) string { return `{"TableName":"abc",` + rest + `}` }
	pro := func(rest string) string { return `{"TableName":"pro",` + rest + `}` }
	indexes := func(list ...string) string { return `"GlobalSecondaryIndexUpdates":[` + strings.Join(list, ",") + `]` }
	update := func(name, rest string) string { return `{"Update":{"IndexName":"` + name + `"` + rest + `}}` }
	create := func(name, key, rest string) string {
		return `"AttributeDefinitions":` + defList(key) + `,` + indexes(`{"Create":`+indexOf(name, keyList(key+" HASH"), rest)+`}`)
	}
	const (
		list = "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, " +
			"MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required"
		protect = `"DeletionProtectionEnabled":false`
		warm    = `"WarmThroughput":{"ReadUnitsPerSecond":20000}`
		neither = "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
		updates = "The only Updates for index: idx when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput"
	)
	c.refuses([]refusal{
		{"5.1", "UpdateTable", up(`"GlobalSecondaryIndexUpdates":[]`), validation, list},
		{"5.1", "UpdateTable", up(`"AttributeDefinitions":` + defList("pk") + `,"GlobalSecondaryIndexUpdates":[]`), validation, list},
		{"5.1", "UpdateTable", up(protect + `,"GlobalSecondaryIndexUpdates":[]`), validation, invalidParam + "List of GlobalSecondaryIndexUpdates is empty"},
		{"5.1", "UpdateTable", `{"TableName":"none"}`, validation, list}, // before the table is looked for
		{"5.1", "UpdateTable", up(indexes(`{"Update":{"IndexName":"idx",` + oneUnit + `},"Delete":{"IndexName":"idx"}}`)), validation,
			invalidParam + "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object"},
		{"5.1", "UpdateTable", up(indexes(`{}`)), validation,
			invalidParam + "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null"},
		{"5.1", "UpdateTable", up(indexes(update("idx", ""), update("idx", ""))), validation,
			invalidParam + "Only one global secondary index update per index is allowed simultaneously. Index: idx"},
		{"5.1", "UpdateTable", up(indexes(`{"Delete":{"IndexName":"loc"}}`)), validation, "Cannot delete an index that is not a GlobalSecondaryIndex: loc"},
		{"5.1", "UpdateTable", pro(indexes(update("none", `,`+oneUnit))), notFound, "Requested resource not found: Index none for table pro"},
		{"5.1", "UpdateTable", up(indexes(update("loc", `,`+oneUnit))), validation, "Cannot update an index that is not a GlobalSecondaryIndex: loc"},
		{"5.1", "UpdateTable", up(indexes(update("idx", `,`+oneUnit))), validation, invalidParam + updates},
		{"5.1", "UpdateTable", up(indexes(update("idx", ``))), validation, invalidParam + updates},
		{"5.1", "UpdateTable", up(indexes(update("idx", `,"OnDemandThroughput":{}`))), validation, invalidParam + updates},
		{"5.1", "UpdateTable", up(indexes(update("idx", `,"ProvisionedThroughput":{}`))), validation,
			violation(null("globalSecondaryIndexUpdates.1.member.update.provisionedThroughput.writeCapacityUnits"), null("globalSecondaryIndexUpdates.1.member.update.provisionedThroughput.readCapacityUnits"))},
		{"5.1", "UpdateTable", up(create("loc", "pk", "")), validation, "Attempting to create an index which already exists"},
		{"5.1", "UpdateTable", up(indexes(`{"Create":` + indexOf("new", keyList("pk HASH"), "") + `}`)), validation, invalidParam + "AttributeDefinitions is not specified for index: new"},
		{"5.1", "UpdateTable", up(`"AttributeDefinitions":` + defList("x") + `,` + indexes(`{"Create":`+indexOf("new", keyList("pk HASH"), "")+`}`)), validation, // of the table does not help
			invalidParam + "Some index key attributes are not defined in AttributeDefinitions. Keys: [pk], AttributeDefinitions: [x]"},
		{"5.1", "UpdateTable", up(create("new", "x", `,`+oneUnit)), validation,
			invalidParam + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: new when BillingMode is PAY_PER_REQUEST"},
		{"5.1", "UpdateTable", pro(create("new", "x", "")), validation, invalidParam + "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: new"},
		{"5.1", "UpdateTable", up(oneUnit), validation, invalidParam + neither},
		{"5.1", "UpdateTable", up(`"BillingMode":"PROVISIONED"`), validation, invalidParam + "ProvisionedThroughput must be specified when BillingMode is PROVISIONED"},
		{"5.1", "UpdateTable", pro(`"BillingMode":"PROVISIONED"`), validation, invalidParam + "ProvisionedThroughput must be specified when BillingMode is PROVISIONED"},
		{"5.1", "UpdateTable", up(`"BillingMode":"PROVISIONED",` + oneUnit), validation, invalidParam + "ProvisionedThroughput must be specified for index: idx"},
		{"6", "UpdateTable", pro(`"OnDemandThroughput":{"MaxReadRequestUnits":1}`), validation,
			invalidParam + "MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED"},
		{"6", "UpdateTable", pro(indexes(update("idx", `,"OnDemandThroughput":{"MaxWriteRequestUnits":1}`))), validation,
			invalidParam + "MaxWriteRequestUnits for OnDemandThroughput for index : idx cannot be specified when the table BillingMode is PROVISIONED"},
		{"6", "UpdateTable", up(`"OnDemandThroughput":{"MaxWriteRequestUnits":0}`), validation,
			invalidParam + "Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid range"},
		{"6", "UpdateTable", up(`"OnDemandThroughput":{"MaxReadRequestUnits":-2}`), validation,
			invalidParam + "Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid range"},
		{"6", "UpdateTable", up(`"WarmThroughput":{"ReadUnitsPerSecond":11999,"WriteUnitsPerSecond":5000}`), validation,
			invalidParam + "Requested ReadUnitsPerSecond for WarmThroughput for table" + lessWarm},
		{"6", "UpdateTable", pro(`"WarmThroughput":{"WriteUnitsPerSecond":-1}`), validation, invalidParam + "Requested WriteUnitsPerSecond for WarmThroughput for table" + lessWarm},
		{"6", "UpdateTable", up(indexes(update("idx", `,"WarmThroughput":{"ReadUnitsPerSecond":1}`))), validation,
			invalidParam + "Requested ReadUnitsPerSecond for WarmThroughput for index idx" + lessWarm},
		{"6", "UpdateTable", up(indexes(update("none", `,"WarmThroughput":{}`))), validation,
			invalidParam + "WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified for index: none"},
		{"5.1", "UpdateTable", up(warm + `,"BillingMode":"PAY_PER_REQUEST"`), validation, invalidParam + "WarmThroughput must be the only operation in the request"},
		{"5.1", "UpdateTable", up(warm + `,` + protect), validation, invalidParam + "DeletionProtection" + only},
		{"5.1", "UpdateTable", up(warm + `,"OnDemandThroughput":{"MaxReadRequestUnits":5}`), validation,
			invalidParam + "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request"},
		{"5.1", "UpdateTable", up(`"OnDemandThroughput":{"MaxReadRequestUnits":5},` + protect), validation, invalidParam + "DeletionProtection" + only},
		{"5.1", "UpdateTable", up(`"SSESpecification":{"Enabled":true},"TableClass":"STANDARD",` + warm + `,` + protect), validation, invalidParam + "Server-Side Encryption" + only},
		{"5.1", "UpdateTable", up(warm + `,` + create("new", "x", "")), validation, invalidParam + "Create global secondary index cannot be specified when updating WarmThroughput"},
		{"5.1", "UpdateTable", up(protect + `,` + create("new", "x", "")), validation, invalidParam + "DeletionProtection" + only},
		{"5.1", "UpdateTable", up(`"BillingMode":"PAY_PER_REQUEST",` + protect), validation, invalidParam + "DeletionProtection" + only},
		{"5.1", "UpdateTable", up(`"TableClass":"STANDARD",` + protect), validation, invalidParam + "TableClass" + only},
		{"5.1", "UpdateTable", up(`"SSESpecification":{"Enabled":true},` + protect), validation, invalidParam + "Server-Side Encryption" + only},
		{"5.1", "UpdateTable", up(`"TableClass":"x"`), validation, inClass},
		{"5.1", "UpdateTable", up(`"StreamSpecification":{"StreamEnabled":true}`), validation, invalidParam + "If stream is being enabled then UpdateViewType is required"},
		{"5.1", "UpdateTable", up(`"StreamSpecification":{"StreamEnabled":false,"StreamViewType":"NEW_IMAGE"}`), validation,
			invalidParam + "If stream is being disabled, then UpdateViewType must not be specified"},
		{"5.1", "UpdateTable", up(`"StreamSpecification":{}`), validation, violation(null("streamSpecification.streamEnabled"))},
		{"5.1", "UpdateTable", up(`"StreamSpecification":{"StreamEnabled":false}`), validation, "Table has no stream to disable: TableName: abc"},
		{"10.2", "UpdateTable", up(`"ReplicaUpdates":[]`), validation,
			violation("Value '[]' at 'replicaUpdates' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"10.1", "UpdateTable", up(`"GlobalTableSettingsReplicationMode":"ENABLED_WITH_OVERRIDES"`), validation,
			"Value 'ENABLED_WITH_OVERRIDES' at 'GlobalTableSettingsReplicationMode' failed to satisfy constraint: Only ENABLED and DISABLED settings replication are supported for a Regional Table."},
	})
	// Definitions matter to a new index only: what else they say, be it wrong, is passed over.
	c.must("UpdateTable", `{"TableName":"pro","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"N"},{"AttributeName":"z","AttributeType":"B"}],"ProvisionedThroughput":{"ReadCapacityUnits":6,"WriteCapacityUnits":6}}`)
	c.described("pro", []string{`"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"}]`}, nil)
	c.must("UpdateTable", up(`"AttributeDefinitions":`+defList("x", "unused")+`,`+indexes(`{"Create":`+indexOf("new", keyList("x HASH"), "")+`}`)))
	c.described("abc", []string{`"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},{"AttributeName":"x","AttributeType":"S"}]`}, nil)
}

// DYNAMODB.md 10.5: what is refused of strong consistency in the service's words, and what in ours.
func TestStrongConsistencyRefused(t *testing.T) {
	c := newMemoryClient(t)
	c.must("CreateTable", tableSpec{rest: onDemand}.body())
	const list = "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, " +
		"MultiAccountReplicaReady, ReplicaTransitRoleArn, "
	const tail = "DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required"
	const strong, eventual = `"MultiRegionConsistency":"STRONG",`, `"MultiRegionConsistency":"EVENTUAL",`
	const one, two = `{"Create":{"RegionName":"eu-west-1"}}`, `{"Create":{"RegionName":"us-west-2"}}`
	const set = " for global tables with MultiRegionConsistency set to STRONG."
	up := func(rest string) string { return `{"TableName":"abc",` + rest + `}` }
	replicas := func(list string) string { return `"ReplicaUpdates":[` + list + `]` }
	witness := func(list string) string { return `"GlobalTableWitnessUpdates":[` + list + `]` }
	c.refuses([]refusal{
		{"10.5", "UpdateTable", up(witness(one)), validation, list + "MultiRegionConsistency, " + tail},
		{"10.5", "UpdateTable", up(strong + witness(one)), validation, list + tail},
		{"10.5", "UpdateTable", up(witness(`{},{}`)), validation,
			violation("Value '[...]' at 'globalTableWitnessUpdates' failed to satisfy constraint: Member must have length less than or equal to 1")},
		{"10.5", "UpdateTable", up(witness(one) + `,` + replicas(two)), validation, "MultiRegionConsistency must be set as STRONG when GlobalTableWitnessUpdates parameter is present."},
		{"10.2", "UpdateTable", up(witness(one) + `,"DeletionProtectionEnabled":true`), validation,
			invalidParam + "Requests that modify replicas or witnesses must not also modify other fields"},
		{"10.5", "UpdateTable", up(strong + replicas(one)), validation, "Unsupported replica count" + set},
		{"10.5", "UpdateTable", up(strong + replicas(one+`,`+two) + `,` + witness(`{"Create":{"RegionName":"ap-south-1"}}`)), validation, "Unsupported replica count" + set},
		{"10.5", "UpdateTable", up(strong + replicas(one) + `,` + witness(one)), validation, "Cannot target multiple regions with the same action"},
		{"10.5", "UpdateTable", up(strong + replicas(one) + `,` + witness(`{"Create":{"RegionName":"us-east-1"}}`)), validation,
			"Cannot add a witness in the same region as an existing replica when creating a global table with MultiRegionConsistency set to STRONG."},
		{"10.5", "UpdateTable", up(strong + replicas(`{"Delete":{"RegionName":"eu-west-1"}}`)), validation,
			"Only Replica Create actions are supported when MultiRegionConsistency parameter is provided."},
		{"10.5", "UpdateTable", up(eventual + replicas(`{"Delete":{"RegionName":"eu-west-1"}}`)), validation,
			"Only Replica Create actions are supported when MultiRegionConsistency parameter is provided."},
		{"issue 3", "UpdateTable", up(strong + replicas(one+`,`+two)), validation, "The parameter MultiRegionConsistency does not support the value STRONG in Meridian yet"},
		{"issue 3", "UpdateTable", up(strong + replicas(one) + `,` + witness(two)), validation, "The parameter MultiRegionConsistency does not support the value STRONG in Meridian yet"},
	})
}

// DYNAMODB.md 5.1: a 21st index is one too many for another reason than in CreateTable.
func TestUpdateTableIndexLimit(t *testing.T) {
	c := newMemoryClient(t)
	c.must("CreateTable", tableSpec{rest: onDemand + gsi(some(20, func(i int) string { return indexOf(fmt.Sprint("idx", i), keyList("sk HASH"), "") }))}.body())
	c.refuses([]refusal{{"5.1", "UpdateTable", `{"TableName":"abc","AttributeDefinitions":` + defList("sk") + `,"GlobalSecondaryIndexUpdates":[{"Create":` + indexOf("more", keyList("sk HASH"), "") + `}]}`,
		limitExceeded, "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20"}})
}

// DYNAMODB.md 5.1: how UpdateTable answers each change, and what the table shows afterwards.
func TestUpdateTableAnswers(t *testing.T) {
	c := newMemoryClient(t)
	c.must("CreateTable", tableSpec{rest: provisioned("5", "6") + gsi(indexOf("idx", keyList("sk HASH"), provisioned("7", "8")))}.body())
	for _, s := range []struct {
		change         string
		answer, absent []string
		later, gone    []string
	}{
		{`"ProvisionedThroughput":{"ReadCapacityUnits":4,"WriteCapacityUnits":9}`,
			[]string{`"TableStatus":"UPDATING"`, `"NumberOfDecreasesToday":0,"ReadCapacityUnits":5,"WriteCapacityUnits":6`, `"LastIncreaseDateTime"`, `"LastDecreaseDateTime"`}, nil,
			[]string{`"TableStatus":"ACTIVE"`, `"NumberOfDecreasesToday":1,"ReadCapacityUnits":4,"WriteCapacityUnits":9`, `"WarmThroughput":{"ReadUnitsPerSecond":5,"WriteUnitsPerSecond":9,`}, nil},
		{`"GlobalSecondaryIndexUpdates":[{"Update":{"IndexName":"idx","ProvisionedThroughput":{"ReadCapacityUnits":10,"WriteCapacityUnits":10}}}]`,
			[]string{`"TableStatus":"ACTIVE"`, `"IndexStatus":"UPDATING"`, `"ReadCapacityUnits":7,"WriteCapacityUnits":8`}, nil,
			[]string{`"IndexStatus":"ACTIVE"`, `"ReadCapacityUnits":10,"WriteCapacityUnits":10`, `"WarmThroughput":{"ReadUnitsPerSecond":10,"WriteUnitsPerSecond":10,`}, nil},
		{`"WarmThroughput":{"ReadUnitsPerSecond":50}`,
			[]string{`"TableStatus":"ACTIVE"`, `"WarmThroughput":{"ReadUnitsPerSecond":5,"WriteUnitsPerSecond":9,"Status":"UPDATING"}`}, nil,
			[]string{`"WarmThroughput":{"ReadUnitsPerSecond":50,"WriteUnitsPerSecond":9,"Status":"ACTIVE"}`}, nil},
		{`"WarmThroughput":{"ReadUnitsPerSecond":50}`, []string{`"Status":"UPDATING"`}, nil, nil, nil}, // again
		{`"BillingMode":"PAY_PER_REQUEST"`,
			[]string{`"TableStatus":"UPDATING"`, `"BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST"}`, `"ReadCapacityUnits":0,"WriteCapacityUnits":0`}, []string{"LastUpdateToPayPerRequestDateTime"},
			[]string{`"BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST","LastUpdateToPayPerRequestDateTime":`, `"WarmThroughput":{"ReadUnitsPerSecond":12000,"WriteUnitsPerSecond":4000,`}, nil},
		{`"BillingMode":"PAY_PER_REQUEST"`, []string{`"TableStatus":"UPDATING"`}, nil, []string{`"TableStatus":"ACTIVE"`}, nil}, // again
		{`"OnDemandThroughput":{"MaxReadRequestUnits":1000,"MaxWriteRequestUnits":500}`,
			[]string{`"TableStatus":"ACTIVE"`, `"OnDemandThroughput":{"MaxReadRequestUnits":1000,"MaxWriteRequestUnits":500}`}, nil, nil, nil},
		{`"OnDemandThroughput":{"MaxReadRequestUnits":-1}`,
			[]string{`"OnDemandThroughput":{"MaxReadRequestUnits":-1,"MaxWriteRequestUnits":500}`}, nil, []string{`"OnDemandThroughput":{"MaxWriteRequestUnits":500}`}, nil},
		{`"OnDemandThroughput":{"MaxWriteRequestUnits":-1}`, []string{`"OnDemandThroughput":{"MaxWriteRequestUnits":-1}`}, nil, nil, []string{`OnDemandThroughput`}},
		{`"DeletionProtectionEnabled":true`, []string{`"TableStatus":"ACTIVE"`, `"DeletionProtectionEnabled":true`}, nil, nil, nil},
		{`"GlobalTableSettingsReplicationMode":"ENABLED"`, []string{`"TableStatus":"ACTIVE"`}, nil, []string{`"GlobalTableSettingsReplicationMode":"ENABLED"`}, nil},
		{`"GlobalTableSettingsReplicationMode":"ENABLED"`, []string{`"TableStatus":"ACTIVE"`}, nil, nil, nil},
		{`"TableClass":"STANDARD_INFREQUENT_ACCESS"`, []string{`"TableStatus":"UPDATING"`}, []string{"TableClassSummary"}, []string{`"TableClassSummary":{"TableClass":"STANDARD_INFREQUENT_ACCESS"}`}, nil},
		{`"SSESpecification":{"Enabled":true}`, []string{`"TableStatus":"ACTIVE"`, `"SSEDescription":{"Status":"UPDATING","SSEType":"KMS","KMSMasterKeyArn":"arn:aws:kms:us-east-1:000000000000:alias/aws/dynamodb"}`}, nil,
			[]string{`"SSEDescription":{"Status":"ENABLED"`}, nil},
		{`"SSESpecification":{"SSEType":"KMS","KMSMasterKeyId":"1234"}`, []string{`"KMSMasterKeyArn":"arn:aws:kms:us-east-1:000000000000:key/1234"`}, nil, nil, nil},
		{`"SSESpecification":{"Enabled":true,"SSEType":"KMS","KMSMasterKeyId":"arn:aws:kms:us-east-1:000000000000:key/5678"}`, nil, nil,
			[]string{`"SSEDescription":{"Status":"ENABLED","SSEType":"KMS","KMSMasterKeyArn":"arn:aws:kms:us-east-1:000000000000:key/5678"}`}, nil},
		{`"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"OLD_IMAGE"}`, []string{`"TableStatus":"UPDATING"`, `"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"OLD_IMAGE"}`, `"LatestStreamArn"`}, nil, nil, nil},
	} {
		c.shows(c.must("UpdateTable", `{"TableName":"abc",`+s.change+`}`), s.answer, s.absent)
		c.described("abc", s.later, s.gone)
	}
	c.refuses([]refusal{
		{"9.9", "UpdateTable", `{"TableName":"abc","SSESpecification":{"Enabled":true,"SSEType":"KMS","KMSMasterKeyId":"5678"}}`, validation,
			invalidParam + "Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to change Master Key"},
	})
	c.must("UpdateTable", `{"TableName":"abc","SSESpecification":{}}`)
	c.described("abc", nil, []string{"SSEDescription"})
	c.shows(c.must("UpdateTable", `{"TableName":"abc","BillingMode":"PROVISIONED","ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1},"GlobalSecondaryIndexUpdates":[{"Update":{"IndexName":"idx",`+oneUnit+`}}]}`),
		[]string{`"BillingModeSummary":{"BillingMode":"PROVISIONED"}`, `"ReadCapacityUnits":0,"WriteCapacityUnits":0`}, nil)
	c.described("abc", []string{`"BillingModeSummary":{"BillingMode":"PROVISIONED","LastUpdateToPayPerRequestDateTime":`, `"ReadCapacityUnits":1,"WriteCapacityUnits":1`, `"ReadUnitsPerSecond":12000`}, nil)
}
