package api

import (
	"fmt"
	"strings"
	"testing"
)

// DYNAMODB.md 4.10: how constraints are told together: "up to 10 collected", several enumerations in one message, and
// "tableName errors are reported alone, before other members' constraint errors".
func TestConstraintsTogether(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	const key, item = `"Key":{"pk":{"S":"a"}}`, `"Item":{"pk":{"S":"a"}}`
	const comparison = "IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS"
	consumed, returns := enum("x", "returnConsumedCapacity", "INDEXES, TOTAL, NONE"), enum("x", "returnValues", "ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW")
	metrics, shown := enum("x", "returnItemCollectionMetrics", "SIZE, NONE"), enum("x", "returnValuesOnConditionCheckFailure", "ALL_OLD, NONE")
	expected := func(n int) string {
		return `"Expected":{` + some(n, func(i int) string { return fmt.Sprintf(`"a%d":{"ComparisonOperator":"x"}`, i) }) + `}`
	}
	var ten []string
	for i := range 10 {
		ten = append(ten, enum("x", fmt.Sprintf("expected.a%d.member.comparisonOperator", i), comparison))
	}
	all := `"ReturnValues":"x","ReturnConsumedCapacity":"x","ReturnItemCollectionMetrics":"x","ReturnValuesOnConditionCheckFailure":"x"`
	long := strings.Repeat("t", 1025)
	rows := []refusal{
		{"4.10", "DeleteItem", `{"TableName":"tab",` + key + `,` + expected(9) + `}`, validation, violation(ten[:9]...)},
		{"4.10", "DeleteItem", `{"TableName":"tab",` + key + `,` + expected(10) + `}`, validation, "10 validation errors detected: " + strings.Join(ten, "; ")},
		{"4.10", "DeleteItem", `{"TableName":"tab",` + key + `,` + expected(11) + `}`, validation, "10 validation errors detected: " + strings.Join(ten, "; ")},
		{"4.10", "Query", `{"TableName":"tab","Limit":0,"Select":"x","ReturnConsumedCapacity":"x"}`, validation, violation(consumed, enum("x", "select", "SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES"),
			"Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1")},
		{"4.10", "Scan", `{"TableName":"tab","Limit":0,"ConditionalOperator":"x","ScanFilter":{"a":{}}}`, validation, violation("Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
			null("scanFilter.a.member.comparisonOperator"), enum("x", "conditionalOperator", "OR, AND"))},
		{"4.10", "UpdateItem", `{"TableName":"tab",` + key + `,"AttributeUpdates":{"a":{"Action":"x"},"b":{"Action":"put"}}}`, validation,
			violation(enum("x", "attributeUpdates.a.member.action", "ADD, PUT, DELETE"), enum("put", "attributeUpdates.b.member.action", "ADD, PUT, DELETE"))},
		{"4.10", "Scan", `{"TableName":"tab","AttributesToGet":[],"IndexName":"a;"}`, validation, violation("Value 'a;' at 'indexName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
			"Value 'a;' at 'indexName' failed to satisfy constraint: Member must have length greater than or equal to 3", "Value '[]' at 'attributesToGet' failed to satisfy constraint: Member must have length greater than or equal to 1")},
	}
	for op, member := range map[string]string{"PutItem": item, "UpdateItem": key, "DeleteItem": key} {
		rows = append(rows, refusal{"4.10", op, `{"TableName":"tab",` + member + `,` + all + `}`, validation, violation(consumed, returns, metrics, shown)})
		for name, want := range map[string]string{
			"": "Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1", long: "Value '" + long + "' at 'tableName' failed to satisfy constraint: Member must have length less than or equal to 1024",
			"a b": "Value 'a b' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
		} {
			rows = append(rows, refusal{"4.10", op, `{"TableName":"` + name + `",` + member + `,` + all + `}`, validation, violation(want)})
		}
		for _, name := range []string{"t", "ab", strings.Repeat("t", 256), long[1:]} { // "Data-plane tableName minimum length is now 1"
			rows = append(rows, refusal{"4.10", op, `{"TableName":"` + name + `",` + member + `}`, notFound, "Requested resource not found"})
		}
	}
	c.refuses(rows)
	for _, op := range []string{"PutItem", "GetItem", "UpdateItem", "DeleteItem"} { // an enumeration's case counts; null is no value
		member := map[bool]string{true: item, false: key}[op == "PutItem"]
		c.refuses([]refusal{{"4.10", op, `{"TableName":"tab",` + member + `,"ReturnConsumedCapacity":"total"}`, validation, violation(enum("total", "returnConsumedCapacity", "INDEXES, TOTAL, NONE"))}})
		c.must(op, `{"TableName":"tab",`+member+`,"ReturnConsumedCapacity":null,"ReturnValues":null}`)
	}
}
