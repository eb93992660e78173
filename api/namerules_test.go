package api

import (
	"strings"
	"testing"
)

// DYNAMODB.md 3.1: "Attribute name: 1..65,535 bytes UTF-8 (64 KB itself refused); empty -> message contains `Empty attribute
// name`", wherever a request names an attribute. (The text for a long name was measured on the service in 2026.)
func TestAttributeNames(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"}}}`)
	const tooLarge = "1 validation error detected: Attribute name is too large, must be less than 65536 bytes"
	const tab = `{"TableName":"tab","Key":{"pk":{"S":"a"}}`
	const test = `{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]}`
	longest := strings.Repeat("n", 65535)
	for _, r := range []struct{ op, head, tail, empty string }{
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"`, `":{"N":"1"}}}`, invalidParam + "Empty attribute name"},
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"m":{"M":{"l":{"L":[{"M":{"`, `":{"N":"1"}}}]}}}}}`, invalidParam + "Empty attribute name"},
		{"UpdateItem", tab + `,"UpdateExpression":"SET v = :v","ExpressionAttributeValues":{":v":{"M":{"`, `":{"N":"1"}}}}}`, "ExpressionAttributeValues contains invalid value: " + invalidParam + "Empty attribute name for key :v"},
		{"UpdateItem", tab + `,"UpdateExpression":"SET #n = :v","ExpressionAttributeValues":{":v":{"N":"1"}},"ExpressionAttributeNames":{"#n":"`, `"}}`, "ExpressionAttributeNames contains invalid value: Empty attribute name for key #n"},
		{"DeleteItem", tab + `,"ConditionExpression":"attribute_not_exists(m.#n)","ExpressionAttributeNames":{"#n":"`, `"}}`, "ExpressionAttributeNames contains invalid value: Empty attribute name for key #n"},
		{"GetItem", tab + `,"ProjectionExpression":"#n","ExpressionAttributeNames":{"#n":"`, `"}}`, "ExpressionAttributeNames contains invalid value: Empty attribute name for key #n"},
		{"Scan", `{"TableName":"tab","FilterExpression":"attribute_exists(#n)","ExpressionAttributeNames":{"#n":"`, `"}}`, "ExpressionAttributeNames contains invalid value: Empty attribute name for key #n"},
		{"GetItem", tab + `,"AttributesToGet":["pk","`, `"]}`, invalidParam + "Empty attribute name"},
		{"UpdateItem", tab + `,"AttributeUpdates":{"`, `":{"Action":"DELETE"}}}`, invalidParam + "Empty attribute name"},
		{"DeleteItem", tab + `,"Expected":{"`, `":{"Exists":false}}}`, invalidParam + "Empty attribute name"},
		{"Scan", `{"TableName":"tab","ScanFilter":{"`, `":` + test + `}}`, invalidParam + "Empty attribute name"},
		{"Query", `{"TableName":"tab","KeyConditions":{"pk":` + test + `},"QueryFilter":{"`, `":` + test + `}}`, invalidParam + "Empty attribute name"},
	} {
		big := tooLarge
		if strings.HasPrefix(r.empty, "ExpressionAttributeValues") {
			big = "ExpressionAttributeValues contains invalid value: " + tooLarge + " for key :v"
		}
		c.refuses([]refusal{{"3.1", r.op, r.head + r.tail, validation, r.empty}, {"3.1", r.op, r.head + longest + "n" + r.tail, validation, big}})
		c.must(r.op, r.head+longest+r.tail)
		c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"m":{"M":{}}}}`)
	}
	// "A dot inside an ExpressionAttributeNames VALUE is literal" (4.1), and so it is in the legacy parameters (4.9).
	c.replies([]reply{
		{"4.1", "UpdateItem", tab + `,"UpdateExpression":"SET #n = :v","ExpressionAttributeValues":{":v":{"N":"1"}},"ExpressionAttributeNames":{"#n":"m.x"},"ReturnValues":"UPDATED_NEW"}`, `{"Attributes":{"m.x":{"N":"1"}}}`},
		{"4.9", "UpdateItem", tab + `,"AttributeUpdates":{"m.y":{"Value":{"N":"2"}}},"ReturnValues":"UPDATED_NEW"}`, `{"Attributes":{"m.y":{"N":"2"}}}`},
		{"4.1", "GetItem", tab + `,"ProjectionExpression":"#n, #o, m","ExpressionAttributeNames":{"#n":"m.x","#o":"l[0]"}}`, `{"Item":{"m":{"M":{}},"m.x":{"N":"1"}}}`},
		{"4.9", "GetItem", tab + `,"AttributesToGet":["m.x","m.z"]}`, `{"Item":{"m.x":{"N":"1"}}}`},
	})
}
