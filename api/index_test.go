package api

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// DYNAMODB.md 3.2, 4.6 and 5: an index of several HASH and RANGE attributes.
func TestMultiAttributeIndex(t *testing.T) {
	c := newMemoryClient(t)
	c.must("CreateTable", `{"TableName":"abc","BillingMode":"PAY_PER_REQUEST","KeySchema":`+keyList("pk HASH")+`,"AttributeDefinitions":`+defList("pk", "h1", "h2", "r1", "r2")+
		gsi(indexOf("idx", keyList("h1 HASH", "h2 HASH", "r1 RANGE", "r2 RANGE"), ""))+`}`)
	for i := range 8 {
		c.must("PutItem", fmt.Sprintf(`{"TableName":"abc","Item":{"pk":{"S":"%d"},"h1":{"S":"a"},"h2":{"S":"b"},"r1":{"S":"x%d"},"r2":{"S":"y%d"}}}`, i, i/4, i%4))
	}
	c.must("PutItem", `{"TableName":"abc","Item":{"pk":{"S":"sparse"},"h1":{"S":"a"},"h2":{"S":"b"},"r1":{"S":"x0"}}}`) // lacks r2
	query := func(condition, rest string) string {
		values := `":a":{"S":"a"},":b":{"S":"b"}`
		for _, v := range []string{":x", ":y", ":z"} {
			if strings.Contains(condition, v) {
				values += `,"` + v + `":{"S":"` + map[string]string{":x": "x1", ":y": "y1", ":z": "y2"}[v] + `"}`
			}
		}
		return `{"TableName":"abc","IndexName":"idx","KeyConditionExpression":"` + condition + `","ExpressionAttributeValues":{` + values + `},"ProjectionExpression":"pk"` + rest + `}`
	}
	items := func(ids ...int) string {
		return some(len(ids), func(i int) string { return fmt.Sprintf(`{"pk":{"S":"%d"}}`, ids[i]) })
	}
	page := func(ids ...int) string {
		return fmt.Sprintf(`{"Items":[%s],"Count":%d,"ScannedCount":%d}`, items(ids...), len(ids), len(ids))
	}
	const both = "h1 = :a AND h2 = :b"
	c.replies([]reply{
		{"5", "Query", query(both, ""), page(0, 1, 2, 3, 4, 5, 6, 7)},
		{"4.6", "Query", query(both+" AND r1 = :x", ""), page(4, 5, 6, 7)},
		{"4.6", "Query", query("r2 > :y AND "+both+" AND r1 = :x", ""), page(6, 7)},
		{"4.6", "Query", query(both+" AND r1 = :x AND r2 BETWEEN :y AND :z", `,"ScanIndexForward":false`), page(6, 5)},
		{"5", "Query", query(both+" AND r1 = :x", `,"Limit":1`),
			`{"Items":[{"pk":{"S":"4"}}],"Count":1,"ScannedCount":1,"LastEvaluatedKey":{"h1":{"S":"a"},"h2":{"S":"b"},"pk":{"S":"4"},"r1":{"S":"x1"},"r2":{"S":"y0"}}}`},
		{"5", "Query", query(both+" AND r1 = :x", `,"ExclusiveStartKey":{"h1":{"S":"a"},"h2":{"S":"b"},"pk":{"S":"6"},"r1":{"S":"x1"},"r2":{"S":"y2"}}`), page(7)},
	})
	for _, bad := range []string{"h1 = :a", "h1 = :a AND r1 = :x", both + " AND r2 = :y", both + " AND r1 > :x AND r2 = :y"} {
		body := query(bad, "")
		if !strings.Contains(bad, ":b") {
			body = strings.Replace(body, `,":b":{"S":"b"}`, "", 1)
		}
		if a := c.call("Query", body); a.status != 400 || !strings.Contains(a.body, "ValidationException") {
			t.Errorf("4.6: %s: %d %s", bad, a.status, a.body)
		}
	}
}

// DYNAMODB.md 5.1: an index is added to a table with items while it is used, and dropped.
func TestIndexOnline(t *testing.T) {
	c := newMemoryClient(t)
	c.table("abc", false)
	for i := range 200 {
		c.must("PutItem", fmt.Sprintf(`{"TableName":"abc","Item":{"pk":{"S":"%d"},"g":{"S":"%d"}}}`, i, i%2))
	}
	c.must("PutItem", `{"TableName":"abc","Item":{"pk":{"S":"odd one"},"g":{"N":"1"}}}`) // of another type: skipped
	create := `{"TableName":"abc","AttributeDefinitions":` + defList("pk", "g") + `,"GlobalSecondaryIndexUpdates":[{"Create":` + indexOf("idx", keyList("g HASH"), "") + `}]}`
	answer := c.must("UpdateTable", create)
	contains(t, answer, `"TableStatus":"UPDATING"`)
	contains(t, answer, `"IndexStatus":"CREATING"`)
	wait := func(until func(described string) bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !until(c.must("DescribeTable", `{"TableName":"abc"}`)); {
			if time.Now().After(end) {
				t.Fatal("it takes too long")
			}
		}
	}
	wait(func(d string) bool { return strings.Contains(d, `"IndexStatus":"ACTIVE"`) })
	c.refuses([]refusal{{"5.1", "UpdateTable", create, validation, "Attempting to create an index which already exists"}})
	count := `{"TableName":"abc","IndexName":"idx","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"1"}},"Select":"COUNT"}`
	c.replies([]reply{{"5", "Query", count, `{"Count":100,"ScannedCount":100}`}})
	c.refuses([]refusal{{"3.2", "PutItem", `{"TableName":"abc","Item":{"pk":{"S":"x"},"g":{"N":"1"}}}`, validation,
		invalidParam + "Type mismatch for Index Key g Expected: S Actual: N IndexName: idx"}})
	c.must("UpdateTable", `{"TableName":"abc","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"idx"}}]}`)
	wait(func(d string) bool { return !strings.Contains(d, "idx") })
	c.refuses([]refusal{{"5", "Query", count, validation, "The table does not have the specified index: idx"}})
	c.must("PutItem", `{"TableName":"abc","Item":{"pk":{"S":"x"},"g":{"N":"1"}}}`)
}
