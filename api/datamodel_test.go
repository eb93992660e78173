package api

import (
	"strings"
	"testing"
)

// putValue is a PutItem of one attribute v into table tab.
func putValue(v string) string { return `{"TableName":"tab","Item":{"pk":{"S":"k"},"v":` + v + `}}` }

// DYNAMODB.md 3.1 and 3.3: what is refused, and with which words.
func TestValuesRefused(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	deep := func(n int) string {
		return strings.Repeat(`{"L":[`, n) + `{"S":"x"}` + strings.Repeat(`]}`, n)
	}
	const tooDeep = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
	const one = `must contain exactly one of the supported datatypes`
	rows := []refusal{}
	for _, r := range []struct{ section, value, name, message string }{
		{"3.1", `{}`, validation, "Supplied AttributeValue is empty, " + one},
		{"3.1", `{"X":"a"}`, validation, "Supplied AttributeValue is empty, " + one},
		{"3.1", `{"S":null}`, validation, "Supplied AttributeValue is empty, " + one},
		{"3.1", `{"S":"a","N":"1"}`, validation, "Supplied AttributeValue has more than one datatypes set, " + one},
		{"3.1", `{"N":3}`, serialization, "NUMBER_VALUE cannot be converted to String"},
		{"3.1", `{"S":true}`, serialization, "TRUE_VALUE cannot be converted to String"},
		{"3.1", `{"S":false}`, serialization, "FALSE_VALUE cannot be converted to String"},
		{"3.1", `{"BOOL":1}`, serialization, "NUMBER_VALUE cannot be converted to Boolean"},
		{"3.1", `{"BOOL":1.0}`, serialization, "DECIMAL_VALUE cannot be converted to Boolean"},
		{"3.1", `{"N":3.5}`, serialization, "DECIMAL_VALUE cannot be converted to String"},
		{"3.1", `{"S":1e3}`, serialization, "DECIMAL_VALUE cannot be converted to String"},
		{"3.1", `{"BOOL":"maybe"}`, serialization, "'maybe' can not be converted to an Boolean"},
		{"3.1", `{"NULL":"on"}`, serialization, "'on' can not be converted to an Boolean"},
		{"3.1", `{"BOOL":"YES"}`, "", ""},
		{"3.1", `{"BOOL":"0"}`, "", ""},
		{"3.1", `{"S":{}}`, serialization, "Start of structure or map found where not expected"},
		{"3.1", `{"S":[]}`, serialization, "Unrecognized collection type class java.lang.String"},
		{"3.1", `"a"`, serialization, "Unexpected field type"},
		{"3.1", `3`, serialization, "Unexpected field type"},
		{"3.1", `[]`, serialization, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"},
		{"3.1", `{"L":"a"}`, serialization, "Unexpected field type"},
		{"3.1", `{"L":{}}`, serialization, "Start of structure or map found where not expected"},
		{"3.1", `{"M":[]}`, serialization, "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"},
		{"3.1", `{"M":"a"}`, serialization, "Unexpected field type"},
		{"3.1", `{"SS":"a"}`, serialization, "Unexpected field type"},
		{"3.1", `{"SS":[1]}`, serialization, "NUMBER_VALUE cannot be converted to String"},
		{"3.1", `{"B":"abc"}`, serialization, "Base64 encoded length is expected a multiple of 4 bytes but found: 3"},
		{"3.1", `{"B":"abcdefg"}`, serialization, "Base64 encoded length is expected a multiple of 4 bytes but found: 7"},
		{"3.1", `{"B":"AAF="}`, serialization, "Invalid last non-pad Base64 character dectected"},
		{"3.1", `{"NULL":false}`, validation, invalidParam + "Null attribute value types must have the value of true"},
		{"3.1", `{"SS":[]}`, validation, invalidParam + "An string set  may not be empty"},
		{"3.1", `{"NS":[]}`, validation, invalidParam + "An number set  may not be empty"},
		{"3.1", `{"BS":[]}`, validation, invalidParam + "Binary sets should not be empty"},
		{"3.1", `{"SS":["a","b","a"]}`, validation, invalidParam + "Input collection [a, b, a] contains duplicates."},
		{"3.1", `{"NS":["1","1.0"]}`, validation, "Input collection contains duplicates"},
		{"3.1", `{"BS":["AAA=","AAA="]}`, validation, invalidParam + "Input collection [AAA=, AAA=]of type BS contains duplicates."},
		{"3.1", `{"M":{"x":{"SS":[]}}}`, validation, invalidParam + "An string set  may not be empty"},
		{"3.1", deep(31) /* and the string's own level */, "", ""},
		{"3.1", deep(32), validation, tooDeep},
		{"3.1", `{"L":[` + deep(31) + `]}`, validation, tooDeep},
		{"3.1", `{"M":{"":{"S":"a"}}}`, validation, invalidParam + "Empty attribute name"},
		{"3.3", `{"N":""}`, validation, "The parameter cannot be converted to a numeric value"},
		{"3.3", `{"N":"b"}`, validation, "The parameter cannot be converted to a numeric value: b"},
		{"3.3", `{"N":"NaN"}`, validation, "The parameter cannot be converted to a numeric value: NaN"},
		{"3.3", `{"N":"Infinity"}`, validation, "The parameter cannot be converted to a numeric value: Infinity"},
		{"3.3", `{"N":" 1"}`, validation, "The parameter cannot be converted to a numeric value:  1"},
		{"3.3", `{"N":"1 "}`, validation, "The parameter cannot be converted to a numeric value: 1 "},
		{"3.3", `{"N":"1e"}`, validation, "The parameter cannot be converted to a numeric value: 1e"},
		{"3.3", `{"N":"0x10"}`, validation, "The parameter cannot be converted to a numeric value: 0x10"},
		{"3.3", `{"N":"1e126"}`, validation, "Number overflow. Attempting to store a number with magnitude larger than supported range"},
		{"3.3", `{"N":"-1e126"}`, validation, "Number overflow. Attempting to store a number with magnitude larger than supported range"},
		{"3.3", `{"N":"` + strings.Repeat("9", 38) + `e89"}`, validation, "Number overflow. Attempting to store a number with magnitude larger than supported range"},
		{"3.3", `{"N":"1e-131"}`, validation, "Number underflow. Attempting to store a number with magnitude smaller than supported range"},
		{"3.3", `{"N":"` + strings.Repeat("1", 39) + `"}`, validation, "Attempting to store more than 38 significant digits in a Number"},
		{"3.3", `{"NS":["1","x"]}`, validation, "The parameter cannot be converted to a numeric value: x"},
	} {
		if r.name != "" {
			rows = append(rows, refusal{r.section, "PutItem", putValue(r.value), r.name, r.message})
		} else {
			c.must("PutItem", putValue(r.value))
		}
	}
	c.refuses(rows)
	c.refuses([]refusal{
		{"3.1", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"k"},"":{"S":"x"}}}`, validation, invalidParam + "Empty attribute name"},
		{"3.1", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"k"},"` + strings.Repeat("a", 65536) + `":{"S":"x"}}}`, validation,
			"1 validation error detected: Attribute name is too large, must be less than 65536 bytes"}, // measured in 2026
		// A type fault is told before a broken rule, wherever it stands.
		{"3.1", "PutItem", `{"TableName":"tab","Item":{"a":{"SS":[]},"b":{"N":1}}}`, serialization, "NUMBER_VALUE cannot be converted to String"},
		{"3.1", "PutItem", `{"TableName":3,"Item":{"a":{}}}`, serialization, "NUMBER_VALUE cannot be converted to String"},
		{"3.1", "PutItem", `{"TableName":"tab","Item":"x"}`, serialization, "Unexpected field type"},
		{"3.1", "PutItem", `{"TableName":"tab","Item":[]}`, serialization,
			"Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"},
	})
}

// DYNAMODB.md 3.1 and 3.3: what is accepted, and what comes back.
func TestValuesKept(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	big := "1" + strings.Repeat("0", 125)
	for _, r := range []struct{ section, value, want string }{
		{"3.1", `{"S":""}`, `{"S":""}`},
		{"3.1", `{"B":""}`, `{"B":""}`},
		{"3.1", `{"S":"ü\u0000\"€😀"}`, `{"S":"ü\u0000\"€😀"}`},
		{"3.1", `{"B":"AAE="}`, `{"B":"AAE="}`},
		{"3.1", `{"BOOL":true}`, `{"BOOL":true}`},
		{"3.1", `{"BOOL":"yes"}`, `{"BOOL":true}`},
		{"3.1", `{"BOOL":"0"}`, `{"BOOL":false}`},
		{"3.1", `{"NULL":true}`, `{"NULL":true}`},
		{"3.1", `{"NULL":"true"}`, `{"NULL":true}`},
		{"3.1", `{"L":[]}`, `{"L":[]}`},
		{"3.1", `{"M":{}}`, `{"M":{}}`},
		{"3.1", `{"L":[null,{"S":"a"},null]}`, `{"L":[{"S":"a"}]}`},
		{"3.1", `{"S":"a","N":null}`, `{"S":"a"}`},
		{"3.1", `{"S":"a","X":1}`, `{"S":"a"}`},
		{"3.1", `{"SS":["b","a",""]}`, `{"SS":["","a","b"]}`},
		{"3.1", `{"BS":["","AA=="]}`, `{"BS":["","AA=="]}`},
		{"3.1", `{"M":{"b":{"L":[{"N":"1"},{"M":{"x":{"SS":["q"]}}}]},"a":{"NULL":true}}}`,
			`{"M":{"a":{"NULL":true},"b":{"L":[{"N":"1"},{"M":{"x":{"SS":["q"]}}}]}}}`},
		{"3.3", `{"N":"007"}`, `{"N":"7"}`},
		{"3.3", `{"N":"+7"}`, `{"N":"7"}`},
		{"3.3", `{"N":"1.0"}`, `{"N":"1"}`},
		{"3.3", `{"N":"1e3"}`, `{"N":"1000"}`},
		{"3.3", `{"N":"1E+3"}`, `{"N":"1000"}`},
		{"3.3", `{"N":"1.50"}`, `{"N":"1.5"}`},
		{"3.3", `{"N":".5"}`, `{"N":"0.5"}`},
		{"3.3", `{"N":"5."}`, `{"N":"5"}`},
		{"3.3", `{"N":"-0"}`, `{"N":"0"}`},
		{"3.3", `{"N":"0e5"}`, `{"N":"0"}`},
		{"3.3", `{"N":"-.5e-1"}`, `{"N":"-0.05"}`},
		{"3.3", `{"N":"1e-20"}`, `{"N":"0.00000000000000000001"}`},
		{"3.3", `{"N":"1e125"}`, `{"N":"` + big + `"}`},
		{"3.3", `{"N":"-1e125"}`, `{"N":"-` + big + `"}`},
		{"3.3", `{"N":"1e-130"}`, `{"N":"0.` + strings.Repeat("0", 129) + `1"}`},
		{"3.3", `{"N":"` + strings.Repeat("9", 38) + `e88"}`, `{"N":"` + strings.Repeat("9", 38) + strings.Repeat("0", 88) + `"}`},
		{"3.3", `{"N":"` + strings.Repeat("9", 38) + `"}`, `{"N":"` + strings.Repeat("9", 38) + `"}`},
		{"3.3", `{"N":"0.` + strings.Repeat("0", 50) + strings.Repeat("9", 38) + `0000"}`, `{"N":"0.` + strings.Repeat("0", 50) + strings.Repeat("9", 38) + `"}`},
		{"3.3", `{"NS":["3","1e0","-2.50"]}`, `{"NS":["-2.5","1","3"]}`},
	} {
		c.replies([]reply{
			{r.section, "PutItem", putValue(r.value), `{}`},
			{r.section, "GetItem", `{"TableName":"tab","Key":{"pk":{"S":"k"}}}`, `{"Item":{"pk":{"S":"k"},"v":` + r.want + `}}`},
		})
	}
	name := strings.Repeat("n", 65535)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"k"},"`+name+`":{"S":"x"}}}`)
}

// DYNAMODB.md 3.2: keys.
func TestKeyRules(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("CreateTable", `{"TableName":"ranged","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"B"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"},{"AttributeName":"l","AttributeType":"N"}],
		"LocalSecondaryIndexes":[{"IndexName":"byl","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"l","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}],
		"GlobalSecondaryIndexes":[{"IndexName":"byg","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]}`)
	key := func(k string) string { return `{"TableName":"tab","Key":` + k + `}` }
	item := func(i string) string { return `{"TableName":"ranged","Item":` + i + `}` }
	const mismatch = "The provided key element does not match the schema"
	const noEmpty = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
	long, longest := strings.Repeat("k", 2049), strings.Repeat("k", 2048)
	rows := []refusal{
		{"3.2", "PutItem", item(`{"sk":{"N":"1"}}`), validation, invalidParam + "Missing the key pk in the item"},
		{"3.2", "PutItem", item(`{"pk":{"B":"AA=="}}`), validation, invalidParam + "Missing the key sk in the item"},
		{"3.2", "PutItem", item(`{"pk":{"S":"a"},"sk":{"N":"1"}}`), validation, invalidParam + "Type mismatch for key pk expected: B actual: S"},
		{"3.2", "PutItem", item(`{"pk":{"B":""},"sk":{"N":"1"}}`), validation, noEmpty + "binary value. Key: pk"},
		{"3.2", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":""}}}`, validation, noEmpty + "string value. Key: pk"},
		{"3.2", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"` + long + `"}}}`, validation,
			invalidParam + "Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		{"3.2", "PutItem", item(`{"pk":{"B":"AA=="},"sk":{"N":"1"},"g":{"N":"5"}}`), validation,
			invalidParam + "Type mismatch for Index Key g Expected: S Actual: N IndexName: byg"},
		{"3.2", "PutItem", item(`{"pk":{"B":"AA=="},"sk":{"N":"1"},"l":{"S":"5"}}`), validation,
			invalidParam + "Type mismatch for Index Key l Expected: N Actual: S IndexName: byl"},
		{"3.2", "PutItem", item(`{"pk":{"B":"AA=="},"sk":{"N":"1"},"g":{"S":""}}`), validation,
			"One or more parameter values are not valid. A value specified for a secondary index key is not supported. " +
				"The AttributeValue for a key attribute cannot contain an empty string value. IndexName: byg, IndexKey: g"},
		{"3.2", "PutItem", item(`{"pk":{"B":"AA=="},"sk":{"N":"1"},"g":{"S":"` + long + `"}}`), validation,
			invalidParam + "Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		{"3.4", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"v":{"S":"` + strings.Repeat("x", 409600-3) + `"}}}`, validation,
			"Item size has exceeded the maximum allowed size"},
	}
	for _, op := range []string{"GetItem", "DeleteItem", "UpdateItem"} {
		rows = append(rows,
			refusal{"3.2", op, key(`{}`), validation, mismatch},
			refusal{"3.2", op, key(`{"x":{"S":"a"}}`), validation, mismatch},
			refusal{"3.2", op, key(`{"pk":{"N":"1"}}`), validation, mismatch},
			refusal{"3.2", op, key(`{"pk":{"S":"a"},"sk":{"S":"a"}}`), validation, mismatch},
			refusal{"3.2", op, key(`{"pk":{"S":""}}`), validation, noEmpty + "string value. Key: pk"},
			refusal{"3.2", op, key(`{"pk":{"S":"` + long + `"}}`), validation,
				invalidParam + "Size of hashkey has exceeded the maximum size limit of2048 bytes"},
			refusal{"3.1", op, key(`{"pk":{}}`), validation, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		)
	}
	c.refuses(rows)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"`+longest+`"}}}`)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"v":{"S":"`+strings.Repeat("x", 409600-4)+`"}}}`)
	c.refuses([]refusal{{"3.4", "UpdateItem",
		`{"TableName":"tab","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET w = :w","ExpressionAttributeValues":{":w":{"S":"y"}}}`, validation,
		"Item size to update has exceeded the maximum allowed size"}})
	c.must("CreateTable", `{"TableName":"numbers","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"N"},{"AttributeName":"sk","AttributeType":"S"}]}`)
	c.refuses([]refusal{{"3.2", "GetItem", `{"TableName":"numbers","Key":{"pk":{"N":"1"},"sk":{"S":"` + long[:1025] + `"}}}`, validation,
		invalidParam + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"}})
	// 1000 and 1e3 are one key.
	c.must("PutItem", `{"TableName":"numbers","Item":{"pk":{"N":"1000"},"sk":{"S":"a"},"v":{"S":"x"}}}`)
	c.replies([]reply{{"3.3", "GetItem", `{"TableName":"numbers","Key":{"pk":{"N":"1e3"},"sk":{"S":"a"}}}`,
		`{"Item":{"pk":{"N":"1000"},"sk":{"S":"a"},"v":{"S":"x"}}}`}})
}
