package api

import (
	"fmt"
	"strings"
	"testing"
)

// DYNAMODB.md 5.1 and 9.9: streams, encryption and throughput as tables take and show them.
func TestTableShapes(t *testing.T) {
	c := newMemoryClient(t)
	create := func(rest string) string { return tableSpec{rest: rest}.body() }
	const units = `,"ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":5}`
	index := gsi(indexOf("idx", keyList("sk HASH"), ""))
	c.refuses([]refusal{
		{"5.1", "CreateTable", create(units + index), validation, invalidParam + "ProvisionedThroughput is not specified for index: idx"},
		{"5.1", "CreateTable", create(onDemand + `,"StreamSpecification":{"StreamEnabled":true}`), validation,
			invalidParam + "Table is being created with a stream enabled, UpdateViewType is required"},
		{"5.1", "CreateTable", create(onDemand + `,"StreamSpecification":{"StreamEnabled":false,"StreamViewType":"NEW_IMAGE"}`), validation,
			invalidParam + "Table is being created with a stream disabled, UpdateViewType should not be specified"},
		{"4.10", "CreateTable", create(onDemand + `,"StreamSpecification":{}`), validation, violation(null("streamSpecification.streamEnabled"))},
		{"4.10", "CreateTable", create(onDemand + `,"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"ALL"}`), validation,
			violation(enum("ALL", "streamSpecification.streamViewType", "OLD_IMAGE, KEYS_ONLY, NEW_AND_OLD_IMAGES, NEW_IMAGE"))},
		{"9.9", "CreateTable", create(onDemand + `,"SSESpecification":{"Enabled":true,"SSEType":"AES256"}`), validation, invalidParam + "SSEType AES256 is not supported"},
		{"9.9", "CreateTable", create(onDemand + `,"SSESpecification":{"Enabled":true,"KMSMasterKeyId":"alias/mine"}`), validation,
			invalidParam + "SSEType KMS is required if KMSMasterKeyId is specified"},
		{"4.10", "CreateTable", create(onDemand + `,"SSESpecification":{"Enabled":true,"SSEType":"x"}`), validation,
			violation(enum("x", "sSESpecification.sSEType", "AES256, KMS"))},
	})
	c.must("CreateTable", create(onDemand+`,"SSESpecification":{"Enabled":true,"SSEType":"KMS"},"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"},"TableClass":"STANDARD_INFREQUENT_ACCESS"`))
	body := c.must("DescribeTable", `{"TableName":"abc"}`)
	for _, want := range []string{
		`"SSEDescription":{"Status":"ENABLED","SSEType":"KMS","KMSMasterKeyArn":"arn:aws:kms:us-east-1:000000000000:`,
		`"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"},"LatestStreamLabel":"`,
		`"LatestStreamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/abc/stream/`, `"TableClassSummary":{"TableClass":"STANDARD_INFREQUENT_ACCESS"}`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("DescribeTable has no %s: %s", want, body)
		}
	}
	c.must("UpdateTable", `{"TableName":"abc","SSESpecification":{"Enabled":false}}`)
	if body := c.must("DescribeTable", `{"TableName":"abc"}`); strings.Contains(body, "SSEDescription") {
		t.Error("encryption is off, and shown:", body)
	}
	c.refuses([]refusal{
		{"5.1", "UpdateTable", `{"TableName":"abc","SSESpecification":{"Enabled":false}}`, validation, invalidParam + "Table is already encrypted by default"},
		{"5.1", "UpdateTable", `{"TableName":"abc","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}}`, validation,
			"Table already has an enabled stream: TableName: abc"},
	})
	c.must("UpdateTable", `{"TableName":"abc","StreamSpecification":{"StreamEnabled":false}}`)
	c.refuses([]refusal{{"5.1", "UpdateTable", `{"TableName":"abc","StreamSpecification":{"StreamEnabled":false}}`, validation,
		"Table has no stream to disable: TableName: abc"}})
}

// DYNAMODB.md 7.4: the items of one TransactGetItems have 4 MB together.
func TestTransactGetTooLarge(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	value := strings.Repeat("x", 400<<10-20)
	for i := range 11 {
		c.must("PutItem", fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"S":"%02d"},"v":{"S":"%s"}}}`, i, value))
	}
	gets := func(n int) string {
		return `{"TransactItems":[` + some(n, func(i int) string { return fmt.Sprintf(`{"Get":{"TableName":"tab","Key":{"pk":{"S":"%02d"}}}}`, i) }) + `]}`
	}
	if n := strings.Count(c.must("TransactGetItems", gets(10)), `"Item"`); n != 10 {
		t.Errorf("%d items of 10", n)
	}
	if a := c.call("TransactGetItems", gets(11)); a.status != 400 || !strings.Contains(a.body, "ValidationException") || !strings.Contains(a.body, "size cannot exceed") {
		t.Errorf("%d %.300s", a.status, a.body)
	}
	selects := some(11, func(i int) string { return fmt.Sprintf(`{"Statement":"SELECT pk FROM tab WHERE pk = '%02d'"}`, i) })
	if a := c.call("ExecuteTransaction", `{"TransactStatements":[`+selects+`]}`); a.status != 400 || !strings.Contains(a.body, "size cannot exceed") {
		t.Errorf("%d %.300s", a.status, a.body)
	}
}
