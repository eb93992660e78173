package api

import (
	"strings"
	"testing"
	"time"
)

// awaits describes a table until it shows some parts.
func (c *client) awaits(table string, parts ...string) string {
	c.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		a := c.call("DescribeTable", `{"TableName":"`+table+`"}`)
		missing := ""
		for _, p := range parts {
			if !strings.Contains(a.body, p) {
				missing = p
			}
		}
		if missing == "" {
			return a.body
		}
		if time.Now().After(end) {
			c.t.Fatalf("no %s\nin %s", missing, a.body)
		}
	}
}

// replicasOf is what a description says of other regions' replicas.
func replicasOf(body string) string {
	_, rest, _ := strings.Cut(body, `"Replicas":`)
	return rest
}

// DYNAMODB.md 10.1 to 10.3: a replica with settings of its own, as every region describes it.
func TestReplicaOverrides(t *testing.T) {
	w := newCluster(t, 1, "eu-west-1")
	c := &client{t: t, url: w.url}
	s, err := New(Options{Region: w.others[0]})
	if err != nil {
		t.Fatal(err)
	}
	away := &client{t: t, url: listen(t, s)}
	c.must("CreateTable", tableSpec{rest: onDemand + gsi(indexOf("idx", keyList("sk HASH"), "")) +
		`,"OnDemandThroughput":{"MaxReadRequestUnits":500},"SSESpecification":{"Enabled":true,"SSEType":"KMS","KMSMasterKeyId":"k1"}`}.body())
	update := func(list string) string { return `{"TableName":"abc","ReplicaUpdates":[` + list + `]}` }
	create := func(region, rest string) string {
		return update(`{"Create":{"RegionName":"` + region + `"` + rest + `}}`)
	}
	change := func(region, rest string) string {
		return update(`{"Update":{"RegionName":"` + region + `"` + rest + `}}`)
	}
	const (
		supported = " is not supported. The latest version of global tables are only supported in the following regions: [us-east-1]"
		key       = `,"KMSMasterKeyId":"k2"`
		eachKey   = invalidParam + "KMSMasterKeyId must be specified for each replica."
		nothing   = "There are no actions specified in the Replica Update Action of the request."
		strangers = "Update global table operation failed because one or more replicas were not part of the global table. Please retry the request without these replicas: "
		class     = `,"TableClassOverride":"STANDARD_INFREQUENT_ACCESS"`
		busy      = "Update table operation with more than one create or delete replica actions not allowed"
	)
	c.must("CreateTable", strings.Replace(tableSpec{rest: onDemand}.body(), `"abc"`, `"two"`, 1))
	c.refuses([]refusal{
		{"10.2", "UpdateTable", update(`{"Create":{}}`), validation, "One or more parameter values were invalid"},
		{"10.2", "UpdateTable", create("", key), validation, "Region " + supported},
		{"10.2", "UpdateTable", create("MARS-1", key), validation, "Region MARS-1" + supported},
		{"10.2", "UpdateTable", create("mars-1", key), validation, "Region mars-1" + supported},
		{"10.2", "UpdateTable", update(`{"Delete":{"RegionName":""}}`), validation, "Region " + supported},
		{"10.2", "UpdateTable", create("eu-west-1", ""), validation, eachKey},
		{"10.2", "UpdateTable", strings.Replace(create("eu-west-1", key), `"abc"`, `"two"`, 1), validation,
			invalidParam + "All replica keys must either be Customer Managed CMK or AWS Managed CMK."},
		{"10.2", "UpdateTable", create("eu-west-1", `,"TableClassOverride":"x"`), validation, inClass},
		{"10.2", "UpdateTable", change("eu-west-1", class), validation, strangers + "[eu-west-1]."},
		{"4.10", "UpdateTable", update(`{"Update":{}}`), validation, violation(null("replicaUpdates.1.member.update.regionName"))},
		{"4.10", "UpdateTable", create("eu-west-1", `,"GlobalSecondaryIndexes":[{}]`), validation, violation(null("replicaUpdates.1.member.create.globalSecondaryIndexes.1.member.indexName"))},
	})
	c.shows(c.must("UpdateTable", create("eu-west-1", key+class+`,"ProvisionedThroughputOverride":{"ReadCapacityUnits":5},"OnDemandThroughputOverride":{"MaxReadRequestUnits":100},`+
		`"GlobalSecondaryIndexes":[{"IndexName":"idx","OnDemandThroughputOverride":{"MaxReadRequestUnits":50}},{"IndexName":"ghost"}]`)),
		[]string{`"TableStatus":"UPDATING"`, `"GlobalTableVersion":"2019.11.21"`}, nil)
	const warm = `"WarmThroughput":{"ReadUnitsPerSecond":12000,"WriteUnitsPerSecond":4000,"Status":"ACTIVE"}`
	const mode = `,"GlobalTableSettingsReplicationMode":"ENABLED_WITH_OVERRIDES"}]}}`
	here := c.awaits("abc", `"TableStatus":"ACTIVE"`, `"ReplicaStatus":"ACTIVE"`)
	if got, want := replicasOf(here), `[{"RegionName":"eu-west-1","ReplicaStatus":"ACTIVE","KMSMasterKeyId":"arn:aws:kms:eu-west-1:000000000000:key/k2",`+
		`"OnDemandThroughputOverride":{"MaxReadRequestUnits":100},`+warm+`,"GlobalSecondaryIndexes":[{"IndexName":"idx","OnDemandThroughputOverride":{"MaxReadRequestUnits":50},`+warm+`}],`+
		`"ReplicaTableClassSummary":{"TableClass":"STANDARD_INFREQUENT_ACCESS"}`+mode; got != want {
		t.Errorf("here\n got %s\nwant %s", got, want)
	}
	c.shows(here, []string{`"OnDemandThroughput":{"MaxReadRequestUnits":500}`, `key/k1"}`}, []string{"TableClassSummary\":{\"TableClass\":\"STANDARD\""})
	there := away.awaits("abc", `"TableStatus":"ACTIVE"`, `"ReplicaStatus":"ACTIVE"`)
	c.shows(there, []string{`"OnDemandThroughput":{"MaxReadRequestUnits":100}`, `"OnDemandThroughput":{"MaxReadRequestUnits":50}`,
		`"SSEDescription":{"Status":"ENABLED","SSEType":"KMS","KMSMasterKeyArn":"arn:aws:kms:eu-west-1:000000000000:key/k2"}`, `"TableClassSummary":{"TableClass":"STANDARD_INFREQUENT_ACCESS"}`}, nil)
	if got, want := replicasOf(there), `[{"RegionName":"us-east-1","ReplicaStatus":"ACTIVE","KMSMasterKeyId":"arn:aws:kms:us-east-1:000000000000:key/k1",`+warm+
		`,"GlobalSecondaryIndexes":[{"IndexName":"idx",`+warm+`}]`+mode; got != want {
		t.Errorf("there\n got %s\nwant %s", got, want)
	}
	c.refuses([]refusal{
		{"10.2", "UpdateTable", change("eu-west-1", ""), validation, nothing},
		{"10.2", "UpdateTable", change("us-east-1", class), validation, "Cannot add or delete the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or UpdateTable as required."},
		{"10.2", "UpdateTable", change("eu-west-1", key), validation, eachKey},
		{"10.2", "UpdateTable", change("mars-1", class), validation, strangers + "[mars-1]."},
		{"10.2", "UpdateTable", change("eu-west-1", `,"ProvisionedThroughputOverride":{"ReadCapacityUnits":5}`), validation,
			"Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"},
		{"10.2", "UpdateTable", change("eu-west-1", `,"ProvisionedThroughputOverride":{"ReadCapacityUnits":0}`), validation,
			violation("Value '0' at 'replicaUpdates.1.member.update.provisionedThroughputOverride.readCapacityUnits' failed to satisfy constraint: Member must have value greater than or equal to 1")},
		{"10.2", "UpdateTable", update(`{"Delete":{"RegionName":"eu-west-1"}},{"Create":{"RegionName":"mars-1"}}`), validation, busy},
		{"10.2", "UpdateTable", update(`{"Delete":{"RegionName":"eu-west-1"}},{"Update":{"RegionName":"eu-west-1"` + class + `}}`), validation,
			"Update table operation with more than one type of replica actions not allowed."},
	})
	// Changes merge; the value that the table has takes an override away, as does a change of the table's, wherever it is made.
	c.must("UpdateTable", change("eu-west-1", `,"TableClassOverride":"STANDARD","OnDemandThroughputOverride":{"MaxReadRequestUnits":500},"GlobalSecondaryIndexes":[{"IndexName":"idx","OnDemandThroughputOverride":{"MaxReadRequestUnits":60}}]`))
	c.shows(c.awaits("abc", `"OnDemandThroughputOverride":{"MaxReadRequestUnits":60}`), nil, []string{"ReplicaTableClassSummary", `"MaxReadRequestUnits":100`})
	away.awaits("abc", `"OnDemandThroughput":{"MaxReadRequestUnits":500}`, `"OnDemandThroughput":{"MaxReadRequestUnits":60}`)
	away.must("UpdateTable", `{"TableName":"abc","GlobalSecondaryIndexUpdates":[{"Update":{"IndexName":"idx","OnDemandThroughput":{"MaxReadRequestUnits":70}}}]}`)
	c.shows(c.awaits("abc", `"OnDemandThroughput":{"MaxReadRequestUnits":70}`), nil, []string{"OnDemandThroughputOverride"})
	away.awaits("abc", `"OnDemandThroughput":{"MaxReadRequestUnits":70}`)
	c.refuses([]refusal{
		{"10.2", "UpdateTable", `{"TableName":"abc","StreamSpecification":{"StreamEnabled":false}}`, validation,
			invalidParam + "Disabling Stream is not allowed for a Global Table replica."},
		{"10.2", "UpdateTable", `{"TableName":"abc","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}`, validation,
			"Table already has an enabled stream: TableName: abc"},
	})
	away.must("CreateTable", strings.Replace(tableSpec{rest: onDemand}.body(), `"abc"`, `"two"`, 1))
	away.must("UpdateTable", `{"TableName":"abc","DeletionProtectionEnabled":true}`)
	const taken = "Failed to create a the new replica of table with name: ‘"
	c.refuses([]refusal{
		{"10.2", "UpdateTable", create("eu-west-1", key), validation, taken + "abc’ because one or more replicas already existed as tables."}, // a member already
		{"10.2", "UpdateTable", strings.Replace(create("eu-west-1", ""), `"abc"`, `"two"`, 1), validation, taken + "two’ because one or more replicas already existed as tables."},
		{"10.2", "UpdateTable", update(`{"Delete":{"RegionName":"eu-west-1"}}`), validation,
			"Cannot delete table abc in region eu-west-1 because it has deletion protection enabled. Disable deletion protection first."},
		{"10.5", "UpdateTable", `{"TableName":"abc","MultiRegionConsistency":"EVENTUAL","ReplicaUpdates":[{"Create":{"RegionName":"mars-1"}}]}`, validation,
			"MultiRegionConsistency parameter is unsupported on existing global table"},
		{"10.3", "DescribeTableReplicaAutoScaling", `{"TableName":"two"}`, notFound, "Global table with name: 'two' does not exist."},
	})
	c.shows(c.must("DescribeTableReplicaAutoScaling", `{"TableName":"abc"}`), []string{`"Replicas":[{"RegionName":"eu-west-1"`, `{"RegionName":"us-east-1"`,
		`"ReplicaProvisionedWriteCapacityAutoScalingSettings":{"AutoScalingDisabled":true,"ScalingPolicies":[]}`}, nil)
	away.must("UpdateTable", `{"TableName":"abc","DeletionProtectionEnabled":false}`)
	// All of it is gone with the last other replica; the stream stays.
	c.must("UpdateTable", update(`{"Delete":{"RegionName":"eu-west-1"}}`))
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		body := c.must("DescribeTable", `{"TableName":"abc"}`)
		if !strings.Contains(body, "Replicas") {
			c.shows(body, []string{`"StreamEnabled":true`}, []string{"GlobalTableVersion", "GlobalTableSettingsReplicationMode"})
			break
		}
		if time.Now().After(end) {
			t.Fatal(body)
		}
	}
}
