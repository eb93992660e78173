package api

import (
	"testing"
)

// DYNAMODB.md 4.9: what the legacy parameters do.
func TestLegacyParameters(t *testing.T) {
	c := newMemoryClient(t)
	musicTable(c, 4)
	c.table("tab", false)
	on := func(rest string) string { return `{"TableName":"tab","Key":{"pk":{"S":"a"}}` + rest + `}` }
	update := func(updates string) string {
		return on(`,"AttributeUpdates":{` + updates + `},"ReturnValues":"ALL_NEW"`)
	}
	hash := `"KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"p"}]}`
	sks := func(rest string) string { return read(rest + `,"AttributesToGet":["sk"]`) }
	page := func(list string, n, scanned string) string {
		return `{"Items":[` + list + `],"Count":` + n + `,"ScannedCount":` + scanned + `}`
	}
	c.replies([]reply{
		{"4.9", "UpdateItem", update(``), `{"Attributes":{"pk":{"S":"a"}}}`},
		{"4.9", "UpdateItem", update(`"n":{"Action":"ADD","Value":{"N":"2"}},"a.b":{"Value":{"S":"x"}}`), `{"Attributes":{"a.b":{"S":"x"},"n":{"N":"2"},"pk":{"S":"a"}}}`},
		{"4.9", "UpdateItem", update(`"n":{"Action":"ADD","Value":{"N":"-3"}},"a.b":{"Action":"DELETE"},"l":{"Action":"ADD","Value":{"L":[{"S":"x"}]}}`),
			`{"Attributes":{"l":{"L":[{"S":"x"}]},"n":{"N":"-1"},"pk":{"S":"a"}}}`},
		{"4.9", "UpdateItem", update(`"l":{"Action":"ADD","Value":{"L":[{"S":"y"}]}},"s":{"Action":"PUT","Value":{"SS":["p","q"]}}`),
			`{"Attributes":{"l":{"L":[{"S":"x"},{"S":"y"}]},"n":{"N":"-1"},"pk":{"S":"a"},"s":{"SS":["p","q"]}}}`},
		{"4.9", "UpdateItem", update(`"s":{"Action":"DELETE","Value":{"SS":["p","z"]}},"l":{"Action":"DELETE"}`), `{"Attributes":{"n":{"N":"-1"},"pk":{"S":"a"},"s":{"SS":["q"]}}}`},
		{"4.9", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"n":{"N":"5"}},"Expected":{"n":{"Value":{"N":"-1"}},"none":{"Exists":false}}}`, `{}`},
		{"4.9", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"n":{"N":"6"}},"Expected":{"n":{"ComparisonOperator":"GT","AttributeValueList":[{"N":"9"}]},"pk":{"ComparisonOperator":"NOT_NULL"}},"ConditionalOperator":"OR"}`, `{}`},
		{"4.9", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"n":{"N":"6"}},"Expected":{}}`, `{}`},
		{"4.9", "GetItem", on(`,"AttributesToGet":["n","none"]`), `{"Item":{"n":{"N":"6"}}}`},
		{"4.9", "BatchGetItem", `{"RequestItems":{"tab":{"Keys":[{"pk":{"S":"a"}}],"AttributesToGet":["pk"]}}}`, `{"Responses":{"tab":[{"pk":{"S":"a"}}]},"UnprocessedKeys":{}}`},
		{"4.9", "DeleteItem", on(`,"Expected":{"n":{"Value":{"N":"6"},"Exists":true}}`), `{}`},
		{"4.9", "Query", sks(hash + `}`), page(`{"sk":{"N":"0"}},{"sk":{"N":"1"}},{"sk":{"N":"2"}},{"sk":{"N":"3"}}`, "4", "4")},
		{"4.9", "Query", sks(hash + `,"sk":{"ComparisonOperator":"BETWEEN","AttributeValueList":[{"N":"1"},{"N":"2"}]}}`), page(`{"sk":{"N":"1"}},{"sk":{"N":"2"}}`, "2", "2")},
		{"4.9", "Query", sks(hash + `},"QueryFilter":{"x":{"ComparisonOperator":"EQ","AttributeValueList":[{"N":"1"}]},"y":{"ComparisonOperator":"NE","AttributeValueList":[{"S":"v3"}]}}`),
			page(`{"sk":{"N":"1"}}`, "1", "4")},
		{"4.9", "Query", read(hash + `},"FilterExpression":"y = :y","ProjectionExpression":"sk","ExpressionAttributeValues":{":y":{"S":"v2"}}`), page(`{"sk":{"N":"2"}}`, "1", "4")},
		{"4.9", "Scan", sks(`"ScanFilter":{"y":{"ComparisonOperator":"IN","AttributeValueList":[{"S":"v1"},{"S":"v3"}]},"none":{"ComparisonOperator":"NOT_NULL"}},"ConditionalOperator":"OR"`),
			page(`{"sk":{"N":"1"}},{"sk":{"N":"3"}}`, "2", "4")},
	})
}

// DYNAMODB.md 4.9: what is refused.
func TestLegacyRefused(t *testing.T) {
	c := newMemoryClient(t)
	musicTable(c, 1)
	c.table("tab", false)
	put := func(rest string) string { return `{"TableName":"tab","Item":{"pk":{"S":"a"}},` + rest + `}` }
	update := func(rest string) string { return `{"TableName":"tab","Key":{"pk":{"S":"a"}},` + rest + `}` }
	condition := func(op, values string) string {
		return `{"ComparisonOperator":"` + op + `","AttributeValueList":[` + values + `]}`
	}
	const mixed = "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {"
	const ops = "IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS"
	hash := `"KeyConditions":{"pk":` + condition("EQ", `{"S":"p"}`) + `}`
	c.refuses([]refusal{
		{"4.4", "PutItem", put(`"Expected":{"a":{"Exists":false}},"ConditionExpression":"attribute_exists(a)"`), validation, mixed + "Expected} Expression parameters: {ConditionExpression}"},
		{"4.4", "UpdateItem", update(`"AttributeUpdates":{},"Expected":{},"UpdateExpression":"SET a = b"`), validation, mixed + "AttributeUpdates, Expected} Expression parameters: {UpdateExpression}"},
		{"4.4", "GetItem", update(`"AttributesToGet":["a"],"ProjectionExpression":"a"`), validation, mixed + "AttributesToGet} Expression parameters: {ProjectionExpression}"},
		{"4.4", "Query", read(hash + `,` + ofP), validation, mixed + "KeyConditions} Expression parameters: {KeyConditionExpression}"},
		{"4.4", "Query", read(ofP + `,"QueryFilter":{}`), validation, mixed + "QueryFilter} Expression parameters: {KeyConditionExpression}"},
		{"4.4", "Scan", read(`"ScanFilter":{},"FilterExpression":"a = b"`), validation, mixed + "ScanFilter} Expression parameters: {FilterExpression}"},
		{"4.9", "PutItem", put(`"ConditionalOperator":"AND"`), validation, "ConditionalOperator cannot be used without Filter or Expected"},
		{"4.9", "PutItem", put(`"ConditionalOperator":"AND","Expected":{}`), validation, "ConditionalOperator cannot be used without Filter or Expected"},
		{"4.9", "Scan", read(`"ConditionalOperator":"OR"`), validation, "ConditionalOperator cannot be used without Filter or Expected"},
		{"4.10", "PutItem", put(`"ConditionalOperator":"XOR","Expected":{"a":{"ComparisonOperator":"LIKE"}}`), validation,
			violation(enum("LIKE", "expected.a.member.comparisonOperator", ops), enum("XOR", "conditionalOperator", "OR, AND"))},
		{"4.10", "Query", read(`"KeyConditions":{"pk":{}}`), validation, violation(null("keyConditions.pk.member.comparisonOperator"))},
		{"4.10", "Scan", read(`"ScanFilter":{"a":{"ComparisonOperator":"LIKE"}}`), validation, violation(enum("LIKE", "scanFilter.a.member.comparisonOperator", ops))},
		{"4.10", "UpdateItem", update(`"AttributeUpdates":{"a":{"Action":"SET"}}`), validation, violation(enum("SET", "attributeUpdates.a.member.action", "ADD, PUT, DELETE"))},
		{"4.10", "GetItem", update(`"AttributesToGet":[]`), validation,
			violation("Value '[]' at 'attributesToGet' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"4.9", "PutItem", put(`"Expected":{"a":{"Value":{"S":"x"},"AttributeValueList":[{"S":"x"}]}}`), validation, invalidParam + "Value and AttributeValueList cannot be used together for Attribute: a"},
		{"4.9", "PutItem", put(`"Expected":{"a":{}}`), validation, invalidParam + "Value must be provided when Exists is null for Attribute: a"},
		{"4.9", "PutItem", put(`"Expected":{"b":{"Exists":false},"a":{"Exists":true}}`), validation, invalidParam + "Value must be provided when Exists is true for Attribute: a"},
		{"3.1", "PutItem", put(`"Expected":{"a":{"Value":{"N":"x"}}}`), validation, "The parameter cannot be converted to a numeric value: x"},
		{"3.1", "Scan", read(`"ScanFilter":{"a":` + condition("EQ", `{}`) + `}`), validation, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{"4.9", "Query", read(`"KeyConditions":{"pk":` + condition("NE", `{"S":"p"}`) + `}`), validation, "Attempted conditional constraint is not an indexable operation"},
		{"4.9", "Query", read(`"KeyConditions":{}`), validation, "Conditions can be of length 1 or 2 only"},
		{"4.6", "Query", read(`"KeyConditions":{"x":` + condition("EQ", `{"S":"p"}`) + `}`), validation, "Query condition missed key schema element: pk"},
		{"4.5", "Query", read(hash + `,"QueryFilter":{"sk":` + condition("EQ", `{"N":"1"}`) + `}`), validation,
			"QueryFilter can only contain non-primary key attributes: Primary key attribute: sk"},
		{"4.9", "UpdateItem", update(`"AttributeUpdates":{"a":{}}`), validation, invalidParam + "Only DELETE action is allowed when no attribute value is specified"},
		{"4.9", "UpdateItem", update(`"AttributeUpdates":{"a":{"Action":"DELETE","Value":{"S":"x"}}}`), validation, invalidParam + "DELETE action with value is not supported for the type S"},
		{"4.9", "UpdateItem", update(`"AttributeUpdates":{"a":{"Action":"ADD","Value":{"S":"x"}}}`), validation, invalidParam + "ADD action is not supported for the type S"},
		{"4.8", "UpdateItem", update(`"AttributeUpdates":{"pk":{"Value":{"S":"x"}}}`), validation, invalidParam + "Cannot update attribute pk. This attribute is part of the key"},
		{"4.7", "GetItem", update(`"AttributesToGet":["a","b","a"]`), validation, invalidParam + "Duplicate value in attribute name: a"},
		{"5", "Query", read(hash + `,"AttributesToGet":["a"],"Select":"ALL_ATTRIBUTES"`), validation, "Cannot specify the AttributesToGet when choosing to get ALL_ATTRIBUTES"},
		{"1.1", "PutItem", put(`"Expected":[]`), serialization, "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.ExpectedAttributeValue>"},
	})
	if a := c.call("DeleteItem", update(`"Expected":{"pk":{"Exists":false}}`)); a.status != 200 {
		t.Errorf("4.9: no item, no attribute: %d %s", a.status, a.body)
	}
	c.must("PutItem", put(`"Expected":{"pk":{"Exists":false}}`))
	c.refuses([]refusal{{"4.9", "PutItem", put(`"Expected":{"pk":{"Exists":false}}`), checkFailed, "The conditional request failed"}})
}
