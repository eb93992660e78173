package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/fault"
)

func putRequest(pk string) string {
	return `{"PutRequest":{"Item":{"pk":{"S":"` + pk + `"},"v":{"S":"of ` + pk + `"}}}}`
}
func deleteRequest(pk string) string { return `{"DeleteRequest":{"Key":{"pk":{"S":"` + pk + `"}}}}` }

// some joins n of what make makes.
func some(n int, make func(i int) string) string {
	parts := []string{}
	for i := range n {
		parts = append(parts, make(i))
	}
	return strings.Join(parts, ",")
}

// DYNAMODB.md 7.1: BatchGetItem.
func TestBatchGet(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.table("two", false)
	get := func(rest string) string { return `{"RequestItems":{` + rest + `}}` }
	keys := func(n int) string { return some(n, func(i int) string { return fmt.Sprintf(`{"pk":{"S":"%d"}}`, i) }) }
	c.must("BatchWriteItem", `{"RequestItems":{"tab":[`+putRequest("a")+`,`+putRequest("b")+`],"two":[`+putRequest("a")+`]}}`)
	c.replies([]reply{
		{"7.1", "BatchGetItem", get(`"tab":{"Keys":[{"pk":{"S":"a"}},{"pk":{"S":"none"}},{"pk":{"S":"b"}}]}`),
			`{"Responses":{"tab":[{"pk":{"S":"a"},"v":{"S":"of a"}},{"pk":{"S":"b"},"v":{"S":"of b"}}]},"UnprocessedKeys":{}}`},
		{"7.1", "BatchGetItem", get(`"tab":{"Keys":[{"pk":{"S":"none"}}]}`), `{"Responses":{"tab":[]},"UnprocessedKeys":{}}`},
		{"7.1", "BatchGetItem", get(`"tab":{"Keys":[{"pk":{"S":"a"}}],"ProjectionExpression":"#v","ExpressionAttributeNames":{"#v":"v"},"ConsistentRead":true},"two":{"Keys":[{"pk":{"S":"a"}}]}`),
			`{"Responses":{"tab":[{"v":{"S":"of a"}}],"two":[{"pk":{"S":"a"},"v":{"S":"of a"}}]},"UnprocessedKeys":{}}`},
		{"6", "BatchGetItem", `{"RequestItems":{"tab":{"Keys":[{"pk":{"S":"a"}},{"pk":{"S":"none"}}],"ConsistentRead":true},"two":{"Keys":[{"pk":{"S":"a"}}],"ProjectionExpression":"nothing"}},"ReturnConsumedCapacity":"INDEXES"}`,
			`{"Responses":{"tab":[{"pk":{"S":"a"},"v":{"S":"of a"}}],"two":[{}]},"UnprocessedKeys":{},"ConsumedCapacity":[` +
				`{"TableName":"tab","CapacityUnits":2.0,"Table":{"CapacityUnits":2.0}},{"TableName":"two","CapacityUnits":0.5,"Table":{"CapacityUnits":0.5}}]}`},
	})
	c.replies([]reply{{"1.1", "BatchGetItem", `{"RequestItems":{"none":{"Keys":[]}},"RequestItems":{"tab":{"Keys":[{"pk":{"S":"a"}}]},"tab":{"Keys":[{"pk":{"S":"a"}}],"Keys":[{"pk":{"S":"b"}}]}}}`,
		`{"Responses":{"tab":[{"pk":{"S":"b"},"v":{"S":"of b"}}]},"UnprocessedKeys":{}}`}}) // of two members the later counts
	c.must("BatchGetItem", get(`"tab":{"Keys":[`+keys(100)+`]}`))
	c.refuses([]refusal{
		{"4.10", "BatchGetItem", `{}`, validation, "The requestItems parameter is required for BatchGetItem"},
		{"4.10", "BatchGetItem", `{"RequestItems":{}}`, validation, "The requestItems parameter is required for BatchGetItem"},
		{"4.10", "BatchGetItem", get(`"tab":{}`), validation, violation(null("requestItems.tab.member.keys"))},
		{"4.10", "BatchGetItem", get(`"tab":{"Keys":[]}`), validation,
			violation("Value '[]' at 'requestItems.tab.member.keys' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"4.10", "BatchGetItem", get(`"tab":{"Keys":[` + keys(101) + `]}`), validation,
			violation("Value at 'RequestItems.tab.member.Keys' failed to satisfy constraint: Member must have length less than or equal to 100")},
		{"7.1", "BatchGetItem", get(`"tab":{"Keys":[` + keys(60) + `]},"two":{"Keys":[` + keys(60) + `]}`), validation, "Too many items requested for the BatchGetItem call"},
		{"7.1", "BatchGetItem", get(`"tab":{"Keys":[{"pk":{"S":"a"}},{"pk":{"S":"b"}},{"pk":{"S":"a"}}]}`), validation, "Provided list of item keys contains duplicates"},
		{"7.1", "BatchGetItem", get(`"tab":{"Keys":[{"pk":{"S":"a"}}]},"none":{"Keys":[{"pk":{"S":"a"}}]}`), notFound, "Requested resource not found"},
		{"3.2", "BatchGetItem", get(`"tab":{"Keys":[{"pk":{"N":"1"}}]}`), validation, "The provided key element does not match the schema"},
		{"4.4", "BatchGetItem", get(`"tab":{"Keys":[{"pk":{"S":"a"}}],"ExpressionAttributeNames":{"#a":"b"}}`), validation,
			"ExpressionAttributeNames can only be specified when using expressions"},
		{"1.1", "BatchGetItem", `{"RequestItems":[]}`, serialization,
			"Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.KeysAndAttributes>"},
	})
}

// DYNAMODB.md 7.1: an answer holds 16 MB; the keys that are left can be sent again as they are.
func TestBatchGetOverflow(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	value := strings.Repeat("x", 400<<10-20)
	for i := range 50 {
		c.must("PutItem", fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"S":"%02d"},"v":{"S":"%s"}}}`, i, value))
	}
	request := `{"tab":{"Keys":[` + some(50, func(i int) string { return fmt.Sprintf(`{"pk":{"S":"%02d"}}`, i) }) +
		`],"ConsistentRead":true,"ProjectionExpression":"#k","ExpressionAttributeNames":{"#k":"pk"}}}`
	seen, rounds := 0, 0
	for ; request != `{}` && rounds < 5; rounds++ {
		body := c.must("BatchGetItem", `{"RequestItems":`+request+`}`)
		seen += strings.Count(body[:strings.Index(body, "UnprocessedKeys")], `"pk"`)
		request = strings.TrimSuffix(body[strings.Index(body, `"UnprocessedKeys":`)+len(`"UnprocessedKeys":`):], "}")
	}
	if seen != 50 || rounds != 2 {
		t.Errorf("%d items in %d rounds", seen, rounds)
	}
}

// DYNAMODB.md 7.2: BatchWriteItem.
func TestBatchWrite(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.table("two", false)
	c.must("CreateTable", `{"TableName":"numbers","BillingMode":"PAY_PER_REQUEST","KeySchema":`+keyList("pk HASH")+`,"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"}]`+
		gsi(indexOf("idx", keyList("g HASH"), ""))+`}`)
	w := func(rest string) string { return `{"RequestItems":{` + rest + `}}` }
	puts := func(n int) string { return some(n, func(i int) string { return putRequest(fmt.Sprint(i)) }) }
	const dup = "Provided list of item keys contains duplicates"
	const both = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
	const size = "failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]"
	number := func(n, rest string) string { return `{"PutRequest":{"Item":{"pk":{"N":"` + n + `"}` + rest + `}}}` }
	c.refuses([]refusal{
		{"4.10", "BatchWriteItem", `{}`, validation, "The requestItems parameter is required for BatchWriteItem"},
		{"4.10", "BatchWriteItem", w(``), validation, "The requestItems parameter is required for BatchWriteItem"},
		{"4.10", "BatchWriteItem", w(`"tab":[]`), validation, violation("Value '{tab=[...]}' at 'requestItems' " + size)},
		{"4.10", "BatchWriteItem", w(`"tab":[` + puts(26) + `]`), validation, violation("Value '{tab=[...]}' at 'requestItems' " + size)},
		{"7.2", "BatchWriteItem", w(`"tab":[` + puts(20) + `],"two":[` + puts(20) + `]`), validation, "Too many items requested for the BatchWriteItem call"},
		{"7.2", "BatchWriteItem", w(`"tab":[{}]`), validation, both},
		{"7.2", "BatchWriteItem", w(`"tab":[{"PutRequest":{"Item":{"pk":{"S":"a"}}},"DeleteRequest":{"Key":{"pk":{"S":"b"}}}}]`), validation, both},
		{"4.10", "BatchWriteItem", w(`"tab":[{"PutRequest":{}}]`), validation, violation(null("requestItems.tab.member.1.member.putRequest.item"))},
		{"4.10", "BatchWriteItem", w(`"tab":[{"DeleteRequest":{}}]`), validation, violation(null("requestItems.tab.member.1.member.deleteRequest.key"))},
		{"7.2", "BatchWriteItem", w(`"tab":[` + putRequest("a") + `,` + putRequest("a") + `]`), validation, dup},
		{"7.2", "BatchWriteItem", w(`"tab":[` + putRequest("a") + `,` + deleteRequest("a") + `]`), validation, dup},
		{"7.2", "BatchWriteItem", w(`"tab":[` + deleteRequest("a") + `,` + deleteRequest("a") + `]`), validation, dup},
		{"3.3", "BatchWriteItem", w(`"numbers":[` + number("1000", "") + `,` + number("1e3", "") + `]`), validation, dup},
		{"3.2", "BatchWriteItem", w(`"tab":[{"PutRequest":{"Item":{"x":{"S":"a"}}}}]`), validation, "The provided key element does not match the schema"},
		{"3.2", "BatchWriteItem", w(`"tab":[{"DeleteRequest":{"Key":{"pk":{"S":"a"},"x":{"S":"a"}}}}]`), validation, "The provided key element does not match the schema"},
		{"7.1", "BatchWriteItem", w(`"tab":[` + putRequest("a") + `],"none":[` + putRequest("a") + `]`), notFound, "Requested resource not found"},
		{"3.4", "BatchWriteItem", w(`"tab":[` + putRequest("a") + `,{"PutRequest":{"Item":{"pk":{"S":"b"},"v":{"S":"` + strings.Repeat("x", 400<<10) + `"}}}}]`), validation,
			"Item size has exceeded the maximum allowed size"},
		{"3.2", "BatchWriteItem", w(`"numbers":[` + number("1", "") + `,` + number("2", `,"g":{"N":"1"}`) + `]`), validation,
			invalidParam + "Type mismatch for Index Key g Expected: S Actual: N IndexName: idx"},
	})
	// Nothing of a refused batch was written.
	c.replies([]reply{
		{"7.2", "Scan", `{"TableName":"tab"}`, `{"Items":[],"Count":0,"ScannedCount":0}`},
		{"7.2", "Scan", `{"TableName":"numbers"}`, `{"Items":[],"Count":0,"ScannedCount":0}`},
		{"7.2", "BatchWriteItem", w(`"tab":[` + puts(24) + `],"two":[` + putRequest("1") + `]`), `{"UnprocessedItems":{}}`}, // one key in two tables
		{"7.2", "BatchWriteItem", w(`"tab":[` + deleteRequest("1") + `,` + putRequest("x") + `,` + deleteRequest("none") + `]`), `{"UnprocessedItems":{}}`},
		{"1.1", "BatchWriteItem", w(`"tab":[` + deleteRequest("x") + `],"tab":[` + putRequest("x") + `]`), `{"UnprocessedItems":{}}`}, // of two members the later counts
		{"7.2", "Scan", `{"TableName":"tab","Select":"COUNT"}`, `{"Count":24,"ScannedCount":24}`},
		{"6", "BatchWriteItem", `{"RequestItems":{"tab":[` + putRequest("q") + `,` + deleteRequest("q2") + `],"numbers":[` + number("5", `,"g":{"S":"a"}`) + `]},"ReturnConsumedCapacity":"INDEXES","ReturnItemCollectionMetrics":"SIZE"}`,
			`{"UnprocessedItems":{},"ItemCollectionMetrics":{},"ConsumedCapacity":[{"TableName":"tab","CapacityUnits":2.0,"Table":{"CapacityUnits":2.0}},` +
				`{"TableName":"numbers","CapacityUnits":2.0,"Table":{"CapacityUnits":1.0},"GlobalSecondaryIndexes":{"idx":{"CapacityUnits":1.0}}}]}`},
	})
}

// DYNAMODB.md section 6: what was throttled comes back; only when nothing went through the request fails.
func TestBatchThrottled(t *testing.T) {
	c := newClient(t)
	c.table("tab", false)
	c.fake.fail = fault.New(fault.Throttled, "slow")
	const pte = "ProvisionedThroughputExceededException"
	c.refuses([]refusal{
		{"6", "BatchWriteItem", `{"RequestItems":{"tab":[` + putRequest("a") + `]}}`, pte, "slow"},
		{"6", "BatchGetItem", `{"RequestItems":{"tab":{"Keys":[{"pk":{"S":"a"}}]}}}`, pte, "slow"},
	})
	c.fake.fail = nil
	c.fake.failKey = "b"
	c.replies([]reply{
		{"6", "BatchWriteItem", `{"RequestItems":{"tab":[` + putRequest("a") + `,` + putRequest("b") + `,` + deleteRequest("c") + `]}}`,
			`{"UnprocessedItems":{"tab":[` + putRequest("b") + `]}}`},
		{"6", "BatchGetItem", `{"RequestItems":{"tab":{"Keys":[{"pk":{"S":"a"}},{"pk":{"S":"b"}},{"pk":{"S":"c"}}],"ConsistentRead":true}}}`,
			`{"Responses":{"tab":[{"pk":{"S":"a"},"v":{"S":"of a"}}]},"UnprocessedKeys":{"tab":{"Keys":[{"pk":{"S":"b"}},{"pk":{"S":"c"}}],"ConsistentRead":true}}}`},
	})
}
