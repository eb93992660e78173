package api

import (
	"fmt"
	"strings"
	"testing"
)

// tableSpec makes CreateTable requests that are right but for what a test changes.
type tableSpec struct {
	keys, defs, rest string
}

func (s tableSpec) body() string {
	if s.keys == "" {
		s.keys = `[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]`
	}
	if s.defs == "" {
		s.defs = `[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"}]`
	}
	return `{"TableName":"abc","KeySchema":` + s.keys + `,"AttributeDefinitions":` + s.defs + s.rest + `}`
}

const onDemand = `,"BillingMode":"PAY_PER_REQUEST"`

func keyList(names ...string) string {
	var parts []string
	for _, n := range names {
		name, kind, _ := strings.Cut(n, " ")
		parts = append(parts, `{"AttributeName":"`+name+`","KeyType":"`+kind+`"}`)
	}
	return `[` + strings.Join(parts, ",") + `]`
}

func defList(names ...string) string {
	var parts []string
	for _, n := range names {
		parts = append(parts, `{"AttributeName":"`+n+`","AttributeType":"S"}`)
	}
	return `[` + strings.Join(parts, ",") + `]`
}

func indexOf(name, keys, rest string) string {
	return `{"IndexName":"` + name + `","KeySchema":` + keys + `,"Projection":{"ProjectionType":"ALL"}` + rest + `}`
}

func lsi(list ...string) string { return `,"LocalSecondaryIndexes":[` + strings.Join(list, ",") + `]` }
func gsi(list ...string) string { return `,"GlobalSecondaryIndexes":[` + strings.Join(list, ",") + `]` }

// DYNAMODB.md 5.1 and 4.10: what CreateTable refuses.
func TestCreateTableRefused(t *testing.T) {
	c := newMemoryClient(t)
	longName := strings.Repeat("a", 256)
	many := func(n int, list func(i int) string) []string {
		var out []string
		for i := range n {
			out = append(out, list(i))
		}
		return out
	}
	nonKey := func(n int) string {
		return `"` + strings.Join(many(n, func(i int) string { return fmt.Sprint("a", i) }), `","`) + `"`
	}
	include := func(name string, n int) string {
		return `{"IndexName":"` + name + `","KeySchema":` + keyList("pk HASH") + `,"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":[` + nonKey(n) + `]}}`
	}
	short := "' failed to satisfy constraint: Member must have length greater than or equal to 3"
	rows := []refusal{
		{"4.10", "CreateTable", `{}`, validation, "The parameter 'TableName' is required but was not present in the request"},
		{"4.10", "CreateTable", `{"TableName":"ab"}`, validation, violation(
			"Value 'ab' at 'tableName"+short, null("attributeDefinitions"), null("keySchema"))},
		{"4.10", "CreateTable", strings.Replace(tableSpec{}.body(), `"abc"`, `"ab"`, 1), validation, violation("Value 'ab' at 'tableName" + short)},
		{"4.10", "CreateTable", strings.Replace(tableSpec{}.body(), `"abc"`, `"a/b"`, 1), validation,
			violation("Value 'a/b' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")},
		{"4.10", "CreateTable", strings.Replace(tableSpec{}.body(), `"abc"`, `"`+longName+`"`, 1), validation,
			violation("Value '" + longName + "' at 'tableName' failed to satisfy constraint: Member must have length less than or equal to 255")},
		{"4.10", "CreateTable", tableSpec{keys: keyList("pk hash"), rest: onDemand}.body(), validation, violation(enum("hash", "keySchema.1.member.keyType", "HASH, RANGE"))},
		{"4.10", "CreateTable", tableSpec{defs: `[{"AttributeName":"pk","AttributeType":"L"}]`, rest: `,"BillingMode":"x","TableClass":"y"`}.body(), validation,
			violation(enum("L", "attributeDefinitions.1.member.attributeType", "B, N, S"), enum("x", "billingMode", "PROVISIONED, PAY_PER_REQUEST"))},
		{"4.10", "CreateTable", tableSpec{rest: `,"ProvisionedThroughput":{"ReadCapacityUnits":0,"WriteCapacityUnits":0}`}.body(), validation,
			violation("Value '0' at 'provisionedThroughput.writeCapacityUnits' failed to satisfy constraint: Member must have value greater than or equal to 1",
				"Value '0' at 'provisionedThroughput.readCapacityUnits' failed to satisfy constraint: Member must have value greater than or equal to 1")},
		{"4.10", "CreateTable", tableSpec{keys: keyList("pk HASH", "sk RANGE", "x RANGE"), rest: onDemand}.body(), validation,
			violation("Value '[KeySchemaElement(attributeName=pk, keyType=HASH), KeySchemaElement(attributeName=sk, keyType=RANGE), " +
				"KeySchemaElement(attributeName=x, keyType=RANGE)]' at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2")},
		{"5.1", "CreateTable", tableSpec{}.body(), validation,
			invalidParam + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"},
		{"5.1", "CreateTable", tableSpec{rest: onDemand + `,"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1}`}.body(), validation,
			invalidParam + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"},
		{"5.1", "CreateTable", tableSpec{rest: onDemand + gsi(indexOf("idx", keyList("sk HASH"), `,"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1}`))}.body(), validation,
			invalidParam + "ProvisionedThroughput should not be specified for index: idx when BillingMode is PAY_PER_REQUEST"},
		{"5.1", "CreateTable", tableSpec{defs: defList("pk"), rest: onDemand}.body(), validation, "Invalid KeySchema: Some index key attribute have no definition"},
		{"5.1", "CreateTable", tableSpec{defs: defList("pk", "x"), rest: onDemand}.body(), validation,
			invalidParam + "Some index key attributes are not defined in AttributeDefinitions. Keys: [pk, sk], AttributeDefinitions: [pk, x]"},
		{"5.1", "CreateTable", tableSpec{defs: defList("pk", "sk", "x"), rest: onDemand}.body(), validation,
			invalidParam + "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"},
		{"5.1", "CreateTable", tableSpec{defs: defList("pk", "sk", "x"), rest: onDemand + gsi(indexOf("idx", keyList("sk HASH"), ""))}.body(), validation,
			invalidParam + "Some AttributeDefinitions are not used. AttributeDefinitions: [pk, sk, x], keys used: [pk, sk]"},
		{"5.1", "CreateTable", tableSpec{rest: onDemand + gsi(indexOf("idx", keyList("y HASH"), ""))}.body(), validation,
			invalidParam + "Some index key attributes are not defined in AttributeDefinitions. Keys: [y], AttributeDefinitions: [pk, sk]"},
		{"5.1", "CreateTable", tableSpec{keys: keyList("pk RANGE", "sk HASH"), rest: onDemand}.body(), validation, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"},
		{"5.1", "CreateTable", tableSpec{keys: keyList("pk HASH", "sk HASH"), rest: onDemand}.body(), validation, "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"},
		{"5.1", "CreateTable", tableSpec{keys: keyList("pk HASH", "pk RANGE"), defs: defList("pk"), rest: onDemand}.body(), validation,
			"Invalid KeySchema: Some index key attribute have no definition"},
		{"5.1", "CreateTable", tableSpec{keys: keyList("pk HASH"), defs: defList("pk"), rest: onDemand + lsi(indexOf("idx", keyList("pk HASH", "pk RANGE"), ""))}.body(), validation,
			invalidParam + "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"},
		{"5.1", "CreateTable", tableSpec{rest: onDemand + lsi(indexOf("idx", keyList("pk HASH"), ""))}.body(), validation,
			invalidParam + "Index KeySchema does not have a range key for index: idx"},
		{"5.1", "CreateTable", tableSpec{rest: onDemand + lsi(indexOf("idx", keyList("sk HASH", "pk RANGE"), ""))}.body(), validation,
			invalidParam + "Index KeySchema does not have the same leading hash key as table KeySchema for index: idx. index hash key: sk, table hash key: pk"},
		{"5.1", "CreateTable", tableSpec{rest: onDemand + gsi(indexOf("idx", keyList("sk HASH"), ""), indexOf("idx", keyList("pk HASH"), ""))}.body(), validation,
			invalidParam + "Duplicate index name: idx"},
		{"5.1", "CreateTable", tableSpec{rest: onDemand + gsi(`{"IndexName":"idx","KeySchema":`+keyList("sk HASH")+`,"Projection":{}}`)}.body(), validation,
			invalidParam + "Unknown ProjectionType: null"},
		{"5.1", "CreateTable", tableSpec{rest: onDemand + gsi(`{"IndexName":"idx","KeySchema":`+keyList("sk HASH")+`,"Projection":{"ProjectionType":"ALL","NonKeyAttributes":["x"]}}`)}.body(), validation,
			invalidParam + "ProjectionType is ALL, but NonKeyAttributes is specified"},
		{"5.1", "CreateTable", tableSpec{rest: onDemand + `,"GlobalSecondaryIndexes":[]`}.body(), validation, invalidParam + "List of GlobalSecondaryIndexes is empty"},
		{"5.1", "CreateTable", tableSpec{rest: onDemand + `,"LocalSecondaryIndexes":[]`}.body(), validation, invalidParam + "List of LocalSecondaryIndexes is empty"},
		{"5.1", "CreateTable", tableSpec{rest: onDemand + lsi(many(6, func(i int) string { return indexOf(fmt.Sprint("idx", i), keyList("pk HASH", "sk RANGE"), "") })...)}.body(), validation,
			invalidParam + "Number of LocalSecondaryIndexes exceeds per-table limit of 5"},
		{"5.1", "CreateTable", tableSpec{rest: onDemand + gsi(many(21, func(i int) string { return indexOf(fmt.Sprint("idx", i), keyList("pk HASH"), "") })...)}.body(), validation,
			invalidParam + "GlobalSecondaryIndex count exceeds the per-table limit of 20"},
		{"5", "CreateTable", tableSpec{rest: onDemand + gsi(many(6, func(i int) string { return include(fmt.Sprint("idx", i), 20) })...)}.body(), validation,
			invalidParam + "The total number of non-key attributes projected into all indexes exceeds the limit of 100"},
		{"3.2", "CreateTable", tableSpec{rest: onDemand + gsi(indexOf("idx", keyList("pk HASH", "sk RANGE", "x HASH"), "")), defs: defList("pk", "sk", "x")}.body(), validation,
			invalidParam + "All HASH key attributes must precede RANGE key attributes in the KeySchema"},
		{"3.2", "CreateTable", tableSpec{rest: onDemand + gsi(indexOf("idx", keyList("pk HASH", "sk HASH", "pk RANGE"), ""))}.body(), validation,
			"The KeySchema contains multiple key attributes with the same name"},
		{"3.2", "CreateTable", tableSpec{keys: keyList("pk HASH", strings.Repeat("s", 256)+" RANGE"), rest: onDemand}.body(), validation,
			violation("Value '" + strings.Repeat("s", 256) + "' at 'keySchema.2.member.attributeName' failed to satisfy constraint: Member must have length less than or equal to 255")},
		{"9.2", "CreateTable", tableSpec{rest: onDemand + `,"Tags":[{"Key":"a","Value":"1"},{"Key":"a","Value":"2"}]`}.body(), validation,
			"Duplicate Tag Keys provided as input: Duplicate Tag Key found a"},
	}
	for _, p := range []string{"VectorIndexes", "GlobalTableSourceArn"} {
		rows = append(rows, refusal{"issue 2", "CreateTable", tableSpec{rest: onDemand + `,"` + p + `":"x"`}.body(), validation,
			"The parameter " + p + " is not supported by Meridian yet"})
	}
	c.refuses(rows)
	c.replies([]reply{{"5.1", "ListTables", `{}`, `{"TableNames":[]}`}})
}

// DYNAMODB.md 5.1: a table's life.
func TestTableLife(t *testing.T) {
	c := newMemoryClient(t)
	created := c.must("CreateTable", tableSpec{rest: onDemand +
		lsi(`{"IndexName":"loc","KeySchema":`+keyList("pk HASH", "at RANGE")+`,"Projection":{"ProjectionType":"KEYS_ONLY"}}`) +
		gsi(`{"IndexName":"glo","KeySchema":`+keyList("at HASH", "pk RANGE")+`,"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["x","y"]}}`) +
		`,"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"},"SSESpecification":{"Enabled":true},"TableClass":"STANDARD_INFREQUENT_ACCESS","DeletionProtectionEnabled":true`,
		defs: defList("pk", "sk", "at")}.body())
	for _, part := range []string{
		`{"TableDescription":{"TableName":"abc","TableStatus":"CREATING"`, `"TableArn":"arn:aws:dynamodb:us-east-1:000000000000:table/abc"`,
		`"DeletionProtectionEnabled":true`, `"IndexStatus":"CREATING"`,
	} {
		contains(t, created, part)
	}
	described := c.must("DescribeTable", `{"TableName":"abc"}`)
	for _, part := range []string{
		`{"Table":{"TableName":"abc","TableStatus":"ACTIVE","CreationDateTime":`, `"ItemCount":0,"TableSizeBytes":0`,
		`"ProvisionedThroughput":{"NumberOfDecreasesToday":0,"ReadCapacityUnits":0,"WriteCapacityUnits":0}`,
		`"BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST","LastUpdateToPayPerRequestDateTime":`,
		`"TableThroughputModeSummary":{"TableThroughputMode":"PAY_PER_REQUEST"`,
		`"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},{"AttributeName":"at","AttributeType":"S"}]`,
		`"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]`,
		`"LocalSecondaryIndexes":[{"IndexName":"loc","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"at","KeyType":"RANGE"}],` +
			`"Projection":{"ProjectionType":"KEYS_ONLY"},"IndexSizeBytes":0,"ItemCount":0,"IndexArn":"arn:aws:dynamodb:us-east-1:000000000000:table/abc/index/loc"}]`,
		`"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["x","y"]}`, `"IndexStatus":"ACTIVE"`,
		`"WarmThroughput":{"ReadUnitsPerSecond":12000,"WriteUnitsPerSecond":4000,"Status":"ACTIVE"}`,
		`"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"},"LatestStreamLabel":"`,
		`"LatestStreamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/abc/stream/`,
		`"SSEDescription":{"Status":"ENABLED","SSEType":"KMS"`, `"TableClassSummary":{"TableClass":"STANDARD_INFREQUENT_ACCESS"}`,
	} {
		contains(t, described, part)
	}
	for _, absent := range []string{"Replicas", "GlobalTableVersion", "MultiRegionConsistency", "RestoreSummary", "OnDemandThroughput"} {
		if strings.Contains(described, absent) {
			t.Errorf("a regional table is described with %s", absent)
		}
	}
	const gone = "Requested resource not found: Table: none not found"
	c.refuses([]refusal{
		{"5.1", "CreateTable", tableSpec{rest: onDemand}.body(), inUse, "Table already exists: abc"},
		{"5", "DescribeTable", `{"TableName":"none"}`, notFound, gone},
		{"5", "DeleteTable", `{"TableName":"none"}`, notFound, gone},
		{"5", "UpdateTable", `{"TableName":"none","DeletionProtectionEnabled":true}`, notFound, gone},
		{"9.1", "DescribeTimeToLive", `{"TableName":"none"}`, notFound, gone},
		{"4.10", "DescribeTable", `{}`, validation, "The parameter 'TableName' is required but was not present in the request"},
		{"5.1", "DeleteTable", `{"TableName":"abc"}`, validation,
			"Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first."},
	})
	c.must("UpdateTable", `{"TableName":"abc","DeletionProtectionEnabled":false}`)
	deleted := c.must("DeleteTable", `{"TableName":"abc"}`)
	contains(t, deleted, `"TableStatus":"DELETING"`)
	for _, absent := range []string{"KeySchema", "AttributeDefinitions", "SecondaryIndexes"} {
		if strings.Contains(deleted, absent) {
			t.Errorf("a deleted table is described with %s", absent)
		}
	}
}

func contains(t *testing.T, s, part string) {
	t.Helper()
	if !strings.Contains(s, part) {
		t.Errorf("no %s\nin %s", part, s)
	}
}

// DYNAMODB.md 5.1: what UpdateTable refuses, and in which order.
func TestUpdateTableRefused(t *testing.T) {
	c := newMemoryClient(t)
	c.must("CreateTable", tableSpec{rest: `,"ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":6}`}.body())
	up := func(rest string) string { return `{"TableName":"abc",` + rest + `}` }
	const (
		listHead = "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, " +
			"MultiAccountReplicaReady, ReplicaTransitRoleArn, "
		listTail   = "DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required"
		units      = `"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1}`
		stream     = `"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}`
		dropIndex  = `"GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"idx"}}]`
		addReplica = `"ReplicaUpdates":[{"Create":{"RegionName":"eu-west-1"}}]`
		only       = " modification must be the only operation in the request"
	)
	c.refuses([]refusal{
		{"5.1", "UpdateTable", `{"TableName":"abc"}`, validation, listHead + "MultiRegionConsistency, " + listTail},
		{"5.1", "UpdateTable", up(`"MultiRegionConsistency":"EVENTUAL"`), validation, listHead + listTail},
		{"10.5", "UpdateTable", up(`"MultiRegionConsistency":"STRONG"`), validation, listHead + listTail}, // no change by itself
		{"5.1", "UpdateTable", up(`"SSESpecification":{"Enabled":true},` + units), validation, invalidParam + "Server-Side Encryption" + only},
		{"5.1", "UpdateTable", up(`"TableClass":"STANDARD",` + units), validation, invalidParam + "TableClass" + only},
		{"5.1", "UpdateTable", up(`"DeletionProtectionEnabled":true,` + units), validation, invalidParam + "DeletionProtection" + only},
		{"10.2", "UpdateTable", up(addReplica + `,` + units), validation, invalidParam + "Replica" + only},
		{"5.1", "UpdateTable", up(stream + `,` + units), validation, invalidParam + "You cannot modify stream status while updating table IOPS"},
		{"5.1", "UpdateTable", up(dropIndex + `,` + units), validation, invalidParam + "You cannot create or delete index while updating table IOPS"},
		{"5.1", "UpdateTable", up(dropIndex + `,` + stream), validation, invalidParam + "You cannot create or delete index while changing stream status"},
		{"5.1", "UpdateTable", up(`"OnDemandThroughput":{"MaxReadRequestUnits":1},` + units), validation,
			invalidParam + "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request"},
		{"5.1", "UpdateTable", up(`"BillingMode":"PAY_PER_REQUEST",` + units), validation,
			invalidParam + "ProvisionedThroughput cannot be specified when BillingMode is PAY_PER_REQUEST"},
		{"5.1", "UpdateTable", up(`"ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":6}`), validation,
			"The provisioned throughput for the table will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the table: 5. " +
				"Requested ReadCapacityUnits: 5. Current WriteCapacityUnits provisioned for the table: 6. Requested WriteCapacityUnits: 6. " +
				"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."},
		{"5.1", "UpdateTable", up(`"GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"idx"}},{"Delete":{"IndexName":"idy"}}]`), limitExceeded,
			"Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"},
		{"5.1", "UpdateTable", up(`"GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"idx"}},{"Update":{"IndexName":"idx",` + units + `}}]`), validation,
			invalidParam + "Only one global secondary index update per index is allowed simultaneously. Index: idx"},
		{"5.1", "UpdateTable", up(dropIndex), notFound, "Requested resource not found: Index idx for table abc"},
		{"5.1", "UpdateTable", up(`"StreamSpecification":{"StreamEnabled":false}`), validation, "Table has no stream to disable: TableName: abc"},
		{"5.1", "UpdateTable", up(`"SSESpecification":{"Enabled":false}`), validation, invalidParam + "Table is already encrypted by default"},
		{"10.2", "UpdateTable", up(`"ReplicaUpdates":[{"Create":{"RegionName":"us-east-1"}}]`), validation,
			"Cannot add or delete the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or UpdateTable as required."},
		{"10.2", "UpdateTable", up(`"ReplicaUpdates":[{"Create":{"RegionName":"a"}},{"Create":{"RegionName":"b"}}]`), validation,
			"Update table operation with more than one create or delete replica actions not allowed"},
		{"10.2", "UpdateTable", up(`"ReplicaUpdates":[{"Create":{"RegionName":"a"},"Delete":{"RegionName":"b"}}]`), validation,
			"Update table operation with more than one type of replica actions not allowed."},
		{"10.2", "UpdateTable", up(`"ReplicaUpdates":[{"Update":{"RegionName":"a"}}]`), validation, "There are no actions specified in the Replica Update Action of the request."},
		{"10.2", "UpdateTable", up(`"ReplicaUpdates":[{}]`), validation, "There are no actions specified in the Replica Update Action of the request."},
		{"10.2", "UpdateTable", up(addReplica), validation, "Table write capacity should either be Pay-Per-Request or AutoScaled."},
		{"10.2", "UpdateTable", up(`"ReplicaUpdates":[{"Delete":{"RegionName":"eu-west-1"}}]`), validation,
			"Update global table operation failed because one or more replicas were not part of the global table. Please retry the request without these replicas: [eu-west-1]."},
	})
}

// DYNAMODB.md 5.1: what UpdateTable does.
func TestUpdateTable(t *testing.T) {
	c := newMemoryClient(t)
	c.must("CreateTable", tableSpec{rest: `,"ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":6}`}.body())
	up := func(rest string) string { return c.must("UpdateTable", `{"TableName":"abc",`+rest+`}`) }
	described := func() string { return c.must("DescribeTable", `{"TableName":"abc"}`) }
	if strings.Contains(described(), "BillingModeSummary") {
		t.Error("BillingModeSummary on a table that was always provisioned")
	}
	answer := up(`"ProvisionedThroughput":{"ReadCapacityUnits":7,"WriteCapacityUnits":6}`)
	contains(t, answer, `"TableStatus":"UPDATING"`)
	contains(t, answer, `"ReadCapacityUnits":5,"WriteCapacityUnits":6`) // old values
	contains(t, described(), `"ReadCapacityUnits":7,"WriteCapacityUnits":6`)
	contains(t, described(), `"LastIncreaseDateTime"`)
	up(`"BillingMode":"PAY_PER_REQUEST"`)
	contains(t, described(), `"BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST"`)
	up(`"BillingMode":"PAY_PER_REQUEST"`)
	up(`"OnDemandThroughput":{"MaxReadRequestUnits":10}`)
	contains(t, described(), `"OnDemandThroughput":{"MaxReadRequestUnits":10}`)
	up(`"OnDemandThroughput":{"MaxReadRequestUnits":-1}`)
	up(`"BillingMode":"PAY_PER_REQUEST","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}`)
	contains(t, described(), `"StreamViewType":"NEW_IMAGE"`)
	c.refuses([]refusal{{"5.1", "UpdateTable", `{"TableName":"abc","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}`, validation,
		"Table already has an enabled stream: TableName: abc"}})
	up(`"StreamSpecification":{"StreamEnabled":false}`)
	contains(t, described(), `"LatestStreamLabel"`)
	up(`"TableClass":"STANDARD_INFREQUENT_ACCESS"`)
	up(`"TableClass":"STANDARD_INFREQUENT_ACCESS"`)
	up(`"DeletionProtectionEnabled":true`)
	up(`"BillingMode":"PROVISIONED","ProvisionedThroughput":{"ReadCapacityUnits":2,"WriteCapacityUnits":3}`)
	contains(t, described(), `"BillingMode":"PROVISIONED"`)
}

// DYNAMODB.md 5.1: ListTables.
func TestListTables(t *testing.T) {
	c := newMemoryClient(t)
	for i := range 5 {
		c.table(fmt.Sprint("tab", i), false)
	}
	c.replies([]reply{
		{"5.1", "ListTables", `{}`, `{"TableNames":["tab0","tab1","tab2","tab3","tab4"]}`},
		{"5.1", "ListTables", `{"Limit":2}`, `{"TableNames":["tab0","tab1"],"LastEvaluatedTableName":"tab1"}`},
		{"5.1", "ListTables", `{"Limit":2,"ExclusiveStartTableName":"tab1"}`, `{"TableNames":["tab2","tab3"],"LastEvaluatedTableName":"tab3"}`},
		{"5.1", "ListTables", `{"ExclusiveStartTableName":"tab3"}`, `{"TableNames":["tab4"]}`},
		{"5.1", "ListTables", `{"ExclusiveStartTableName":"zzz"}`, `{"TableNames":[]}`},
		{"5.1", "ListTables", `{"Limit":5}`, `{"TableNames":["tab0","tab1","tab2","tab3","tab4"]}`},
		{"5.1", "DescribeLimits", `{}`, `{"AccountMaxReadCapacityUnits":80000,"AccountMaxWriteCapacityUnits":80000,"TableMaxReadCapacityUnits":40000,"TableMaxWriteCapacityUnits":40000}`},
		{"1.5", "DescribeEndpoints", `{}`, `{"Endpoints":[{"Address":"dynamodb.us-east-1.amazonaws.com","CachePeriodInMinutes":1440}]}`},
	})
	c.refuses([]refusal{
		{"4.10", "ListTables", `{"Limit":0}`, validation, violation("Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1")},
		{"4.10", "ListTables", `{"Limit":101}`, validation, violation("Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100")},
		{"4.10", "ListTables", `{"ExclusiveStartTableName":"a"}`, validation,
			violation("Value 'a' at 'exclusiveStartTableName' failed to satisfy constraint: Member must have length greater than or equal to 3")},
	})
}

// DYNAMODB.md 5.1: a table's ARN is a name of it.
func TestTableARN(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	arn := "arn:aws:dynamodb:us-east-1:000000000000:table/tab"
	c.must("PutItem", `{"TableName":"`+arn+`","Item":{"pk":{"S":"a"}}}`)
	c.replies([]reply{
		{"1.5", "GetItem", `{"TableName":"` + arn + `","Key":{"pk":{"S":"a"}},"ReturnConsumedCapacity":"TOTAL"}`,
			`{"Item":{"pk":{"S":"a"}},"ConsumedCapacity":{"TableName":"` + arn + `","CapacityUnits":0.5}}`},
		{"1.5", "BatchGetItem", `{"RequestItems":{"` + arn + `":{"Keys":[{"pk":{"S":"a"}}]}}}`, `{"Responses":{"` + arn + `":[{"pk":{"S":"a"}}]},"UnprocessedKeys":{}}`},
	})
	contains(t, c.must("DescribeTable", `{"TableName":"`+arn+`"}`), `"TableName":"tab"`)
	contains(t, c.must("DescribeTimeToLive", `{"TableName":"`+arn+`"}`), `DISABLED`)
	other := strings.Replace(arn, "us-east-1", "eu-west-1", 1)
	foreign := strings.Replace(arn, "000000000000", "111111111111", 1)
	for _, op := range []string{"DescribeTable", "Scan", "DeleteTable"} {
		c.refuses([]refusal{{"5.1", op, `{"TableName":"` + other + `"}`, validation, "1 validation error detected: Invalid AWS region in '" + other + "'"}})
		c.refuses([]refusal{
			{"5.1", op, `{"TableName":"` + foreign + `"}`, denied, "Access is denied"},
			{"5.1", op, `{"TableName":"` + strings.Replace(arn, "aws", "aws-cn", 1) + `"}`, validation,
				"1 validation error detected: Invalid AWS partition in '" + strings.Replace(arn, "aws", "aws-cn", 1) + "'"},
			{"5.1", op, `{"TableName":"` + arn + `/index/idx"}`, validation, "1 validation error detected: Invalid resource type in '" + arn + "/index/idx'"},
		})
	}
}
