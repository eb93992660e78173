package api

import (
	"strings"
	"testing"
)

// violation is the text of constraint violations.
func violation(list ...string) string {
	if len(list) == 1 {
		return "1 validation error detected: " + list[0]
	}
	return string(rune('0'+len(list))) + " validation errors detected: " + strings.Join(list, "; ")
}

func null(path string) string {
	return "Value null at '" + path + "' failed to satisfy constraint: Member must not be null"
}

func enum(value, path, set string) string {
	return "Value '" + value + "' at '" + path + "' failed to satisfy constraint: Member must satisfy enum value set: [" + set + "]"
}

// DYNAMODB.md 4.10: constraints of the item operations.
func TestItemConstraints(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	const (
		key       = `"Key":{"pk":{"S":"a"}}`
		item      = `"Item":{"pk":{"S":"a"}}`
		consumed  = "INDEXES, TOTAL, NONE"
		returns   = "ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW"
		noPattern = "failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
	)
	c.refuses([]refusal{
		{"4.10", "PutItem", `{` + item + `}`, validation, violation(null("tableName"))},
		{"4.10", "PutItem", `{"TableName":null,` + item + `}`, validation, violation(null("tableName"))},
		{"4.10", "GetItem", `{` + key + `}`, validation, violation(null("tableName"))},
		{"4.10", "Query", `{}`, validation, violation(null("tableName"))},
		{"4.10", "Scan", `{}`, validation, violation(null("tableName"))},
		{"4.10", "PutItem", `{"TableName":"tab"}`, validation, violation(null("item"))},
		{"4.10", "GetItem", `{"TableName":"tab"}`, validation, violation(null("key"))},
		{"4.10", "DeleteItem", `{"TableName":"tab"}`, validation, violation(null("key"))},
		{"4.10", "UpdateItem", `{"TableName":"tab"}`, validation, violation(null("key"))},
		{"4.10", "PutItem", `{"TableName":"",` + item + `}`, validation,
			violation("Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"4.10", "GetItem", `{"TableName":"a;b","ReturnConsumedCapacity":"x",` + key + `}`, validation, violation("Value 'a;b' at 'tableName' " + noPattern)},
		{"4.10", "PutItem", `{"TableName":"tab",` + item + `,"ReturnValues":"x","ReturnConsumedCapacity":"y","ReturnItemCollectionMetrics":"z"}`, validation,
			violation(enum("y", "returnConsumedCapacity", consumed), enum("x", "returnValues", returns), enum("z", "returnItemCollectionMetrics", "SIZE, NONE"))},
		{"4.10", "PutItem", `{"TableName":"tab",` + item + `,"ReturnValuesOnConditionCheckFailure":"x"}`, validation,
			violation(enum("x", "returnValuesOnConditionCheckFailure", "ALL_OLD, NONE"))},
		{"4.10", "GetItem", `{"TableName":"tab",` + key + `,"ReturnConsumedCapacity":"y"}`, validation, violation(enum("y", "returnConsumedCapacity", consumed))},
		{"4.10", "Query", `{"TableName":"tab","Select":"x"}`, validation,
			violation(enum("x", "select", "SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES"))},
		{"4.10", "Query", `{"TableName":"tab","Limit":0}`, validation,
			violation("Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1")},
		{"4.10", "Scan", `{"TableName":"tab","Limit":0}`, validation,
			violation("Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1")},
		{"4.10", "Scan", `{"TableName":"tab","Limit":-1}`, validation,
			violation("Value '-1' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1")},
		{"4.10", "Scan", `{"TableName":"tab","IndexName":"a"}`, validation,
			violation("Value 'a' at 'indexName' failed to satisfy constraint: Member must have length greater than or equal to 3")},
		{"4.10", "Scan", `{"TableName":"tab","Limit":"1"}`, serialization, "STRING_VALUE cannot be converted to Integer"},
		{"4.10", "Scan", `{"TableName":"tab","Limit":true}`, serialization, "TRUE_VALUE cannot be converted to Integer"},
		{"4.10", "GetItem", `{"TableName":"tab","ConsistentRead":"maybe",` + key + `}`, serialization, "'maybe' can not be converted to an Boolean"},
		{"5", "GetItem", `{"TableName":"none",` + key + `}`, notFound, "Requested resource not found"},
		{"5", "PutItem", `{"TableName":"none",` + item + `}`, notFound, "Requested resource not found"},
		{"5", "UpdateItem", `{"TableName":"none",` + key + `}`, notFound, "Requested resource not found"},
		{"5", "DeleteItem", `{"TableName":"none",` + key + `}`, notFound, "Requested resource not found"},
		{"5", "Scan", `{"TableName":"none"}`, notFound, "Requested resource not found"},
		{"4.8", "PutItem", `{"TableName":"tab",` + item + `,"ReturnValues":"ALL_NEW"}`, validation, "ReturnValues can only be ALL_OLD or NONE"},
		{"4.8", "DeleteItem", `{"TableName":"tab",` + key + `,"ReturnValues":"UPDATED_NEW"}`, validation, "ReturnValues can only be ALL_OLD or NONE"},
	})
}

// DYNAMODB.md 4.4: the rules between expressions and their substitutions.
func TestSubstitutionRules(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	put := func(rest string) string { return `{"TableName":"tab","Item":{"pk":{"S":"a"}},` + rest + `}` }
	update := func(rest string) string { return `{"TableName":"tab","Key":{"pk":{"S":"a"}},` + rest + `}` }
	query := func(rest string) string { return `{"TableName":"tab",` + rest + `}` }
	long := "#" + strings.Repeat("a", 255)
	c.refuses([]refusal{
		{"4.4", "PutItem", put(`"ConditionExpression":""`), validation, "Invalid ConditionExpression: The expression can not be empty;"},
		{"4.4", "UpdateItem", update(`"UpdateExpression":""`), validation, "Invalid UpdateExpression: The expression can not be empty;"},
		{"4.4", "GetItem", update(`"ProjectionExpression":""`), validation, "Invalid ProjectionExpression: The expression can not be empty;"},
		{"4.4", "Scan", query(`"FilterExpression":""`), validation, "Invalid FilterExpression: The expression can not be empty;"},
		{"4.4", "Query", query(`"KeyConditionExpression":""`), validation, "Invalid KeyConditionExpression: The expression can not be empty;"},
		{"4.4", "PutItem", put(`"ExpressionAttributeNames":{"#a":"b"}`), validation, "ExpressionAttributeNames can only be specified when using expressions"},
		{"4.4", "PutItem", put(`"ExpressionAttributeValues":{":a":{"S":"b"}}`), validation,
			"ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null"},
		{"4.4", "UpdateItem", update(`"ExpressionAttributeValues":{":a":{"S":"b"}}`), validation,
			"ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and ConditionExpression are null"},
		{"4.4", "Query", query(`"ExpressionAttributeValues":{":a":{"S":"b"}}`), validation,
			"ExpressionAttributeValues can only be specified when using expressions: FilterExpression and KeyConditionExpression are null"},
		{"4.4", "Scan", query(`"ProjectionExpression":"a","ExpressionAttributeValues":{":a":{"S":"b"}}`), validation,
			"ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null"},
		{"4.4", "PutItem", put(`"ConditionExpression":"attribute_exists(a)","ExpressionAttributeNames":{}`), validation, "ExpressionAttributeNames must not be empty"},
		{"4.4", "PutItem", put(`"ConditionExpression":"attribute_exists(a)","ExpressionAttributeValues":{}`), validation, "ExpressionAttributeValues must not be empty"},
		{"4.4", "PutItem", put(`"ConditionExpression":"attribute_exists(#a)","ExpressionAttributeNames":{"a":"b"}`), validation,
			`ExpressionAttributeNames contains invalid key: Syntax error; key: "a"`},
		{"4.4", "PutItem", put(`"ConditionExpression":"attribute_exists(a)","ExpressionAttributeValues":{"":{"S":"b"}}`), validation,
			`ExpressionAttributeValues contains invalid key: Syntax error; key: ""`},
		{"4.4", "PutItem", put(`"ConditionExpression":"a = :a","ExpressionAttributeValues":{":a":{}}`), validation,
			"ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes for key :a"},
		{"4.4", "PutItem", put(`"ConditionExpression":"a = :a","ExpressionAttributeValues":{":a":{"N":"x"}}`), validation,
			"ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :a"},
		{"4.3", "PutItem", put(`"ConditionExpression":"attribute_exists(` + long + `)","ExpressionAttributeNames":{"` + long + `":"b"}`), validation,
			`ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; key: "` + long + `"`},
		{"4.4", "PutItem", put(`"ConditionExpression":"attribute_exists(#x)"`), validation,
			"Invalid ConditionExpression: An expression attribute name used in the document path is not defined; attribute name: #x"},
		{"4.4", "PutItem", put(`"ConditionExpression":"a = :v"`), validation,
			"Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :v"},
		{"4.4", "PutItem", put(`"ConditionExpression":"attribute_exists(a)","ExpressionAttributeNames":{"#unused":"b"}`), validation,
			"Value provided in ExpressionAttributeNames unused in expressions: keys: {#unused}"},
		{"4.4", "UpdateItem", update(`"UpdateExpression":"SET a = :a","ExpressionAttributeValues":{":a":{"S":"b"},":unused":{"S":"b"}}`), validation,
			"Value provided in ExpressionAttributeValues unused in expressions: keys: {:unused}"},
		{"4.4", "Scan", query(`"FilterExpression":"status = :v","ExpressionAttributeValues":{":v":{"S":"x"}}`), validation,
			"Invalid FilterExpression: Attribute name is a reserved keyword; reserved keyword: status"},
		{"4.1", "UpdateItem", update(`"UpdateExpression":"INVALID SYNTAX"`), validation,
			`Invalid UpdateExpression: Syntax error; token: "INVALID", near: "INVALID SYNTAX"`},
		{"4.3", "PutItem", put(`"ConditionExpression":"` + strings.Repeat(" ", 4096) + `a"`), validation,
			"Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; expression size: 4097"},
		{"4.3", "PutItem", put(`"ConditionExpression":"a = :a","ExpressionAttributeValues":{":a":{"S":"` + strings.Repeat("x", 2<<20) + `"}}`), validation,
			"ExpressionAttributeNames and ExpressionAttributeValues have exceeded the maximum allowed size; size: 2097154"},
		// A rule of the whole request comes before the table.
		{"4.5", "PutItem", `{"TableName":"none","Item":{"pk":{"S":"a"}},"ConditionExpression":"bad("}`, validation,
			`Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "("`},
		{"4.5", "PutItem", put(`"ConditionExpression":"pk.x = :v","ExpressionAttributeValues":{":v":{"S":"x"}}`), validation,
			"Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: pk"},
		{"4.8", "UpdateItem", update(`"UpdateExpression":"SET pk = :v","ExpressionAttributeValues":{":v":{"S":"x"}}`), validation,
			invalidParam + "Cannot update attribute pk. This attribute is part of the key"},
	})
}

// DYNAMODB.md 4.8 and 1.2: what writes answer.
func TestReturnValues(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	put := func(item, rest string) string { return `{"TableName":"tab","Item":` + item + rest + `}` }
	on := func(rest string) string { return `{"TableName":"tab","Key":{"pk":{"S":"a"}}` + rest + `}` }
	set := func(value, returns string) string {
		return on(`,"UpdateExpression":"SET v = :v","ExpressionAttributeValues":{":v":` + value + `},"ReturnValues":"` + returns + `"`)
	}
	c.replies([]reply{
		{"5", "GetItem", on(``), `{}`},
		{"1.2", "DeleteItem", on(``), `{}`},
		{"4.8", "DeleteItem", on(`,"ReturnValues":"ALL_OLD"`), `{}`},
		{"1.2", "PutItem", put(`{"pk":{"S":"a"},"v":{"N":"1"}}`, ``), `{}`},
		{"4.8", "PutItem", put(`{"pk":{"S":"a"},"v":{"N":"1"}}`, `,"ReturnValues":"NONE"`), `{}`},
		{"4.8", "PutItem", put(`{"pk":{"S":"a"},"v":{"N":"2"}}`, `,"ReturnValues":"ALL_OLD"`), `{"Attributes":{"pk":{"S":"a"},"v":{"N":"1"}}}`},
		{"4.8", "PutItem", put(`{"pk":{"S":"new"}}`, `,"ReturnValues":"ALL_OLD"`), `{}`},
		{"4.8", "UpdateItem", set(`{"N":"3"}`, "NONE"), `{}`},
		{"4.8", "UpdateItem", set(`{"N":"4"}`, "ALL_OLD"), `{"Attributes":{"pk":{"S":"a"},"v":{"N":"3"}}}`},
		{"4.8", "UpdateItem", set(`{"N":"5"}`, "UPDATED_OLD"), `{"Attributes":{"v":{"N":"4"}}}`},
		{"4.8", "UpdateItem", set(`{"N":"6"}`, "ALL_NEW"), `{"Attributes":{"pk":{"S":"a"},"v":{"N":"6"}}}`},
		{"4.8", "UpdateItem", set(`{"N":"7"}`, "UPDATED_NEW"), `{"Attributes":{"v":{"N":"7"}}}`},
		{"4.8", "UpdateItem", set(`{"N":"7"}`, "UPDATED_NEW"), `{"Attributes":{"v":{"N":"7"}}}`},
		{"4.8", "UpdateItem", on(`,"UpdateExpression":"REMOVE v","ReturnValues":"UPDATED_NEW"`), `{}`},
		{"4.8", "UpdateItem", on(`,"UpdateExpression":"REMOVE v","ReturnValues":"UPDATED_OLD"`), `{}`},
		{"4.8", "UpdateItem", on(`,"ReturnValues":"ALL_NEW"`), `{"Attributes":{"pk":{"S":"a"}}}`},
		{"4.8", "DeleteItem", on(`,"ReturnValues":"ALL_OLD"`), `{"Attributes":{"pk":{"S":"a"}}}`},
		// An update that only removes creates nothing; one without expressions creates the key.
		{"4.8", "UpdateItem", on(`,"UpdateExpression":"REMOVE v","ReturnValues":"ALL_NEW"`), `{}`},
		{"4.8", "GetItem", on(``), `{}`},
		{"4.8", "UpdateItem", on(``), `{}`},
		{"4.8", "GetItem", on(``), `{"Item":{"pk":{"S":"a"}}}`},
		{"4.7", "GetItem", on(`,"ProjectionExpression":"nothing"`), `{"Item":{}}`},
		{"4.7", "GetItem", `{"TableName":"tab","Key":{"pk":{"S":"zz"}},"ProjectionExpression":"nothing"}`, `{}`},
		{"1.1", "GetItem", on(`,"Unknown":{"deep":[1,2,{}]},"ConsistentRead":null`), `{"Item":{"pk":{"S":"a"}}}`},
	})
}

// DYNAMODB.md section 6: the size of an item collection is told in whole gigabytes.
func TestCollectionMetrics(t *testing.T) {
	c := newClient(t)
	c.must("CreateTable", `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST","KeySchema":`+keyList("pk HASH", "sk RANGE")+`,"AttributeDefinitions":[`+
		`{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},{"AttributeName":"l","AttributeType":"S"}],`+
		`"LocalSecondaryIndexes":[`+indexOf("idx", keyList("pk HASH", "l RANGE"), "")+`]}`)
	for size, want := range map[uint64]string{0: "[0.0,1.0]", 1<<30 - 1: "[0.0,1.0]", 1 << 30: "[1.0,2.0]", 9<<30 + 5: "[9.0,10.0]"} {
		c.fake.collection = size
		c.replies([]reply{{"6", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"sk":{"S":"b"}},"ReturnItemCollectionMetrics":"SIZE"}`,
			`{"ItemCollectionMetrics":{"ItemCollectionKey":{"pk":{"S":"a"}},"SizeEstimateRangeGB":` + want + `}}`}})
	}
}

// DYNAMODB.md 1.3 and 4.8: a failed condition shows the stored item if asked to.
func TestConditionFailure(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"v":{"N":"1"}}}`)
	const body = `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"`
	cond := `,"ConditionExpression":"v = :two","ExpressionAttributeValues":{":two":{"N":"2"}}`
	for _, r := range []struct{ op, head string }{
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"}}`},
		{"UpdateItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}}`},
		{"DeleteItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}}`},
	} {
		missing := strings.Replace(r.head, `"S":"a"`, `"S":"none"`, 1)
		for _, row := range []struct{ body, want string }{
			{r.head + cond + `}`, body + `}`},
			{r.head + cond + `,"ReturnValuesOnConditionCheckFailure":"NONE"}`, body + `}`},
			{r.head + cond + `,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`, body + `,"Item":{"pk":{"S":"a"},"v":{"N":"1"}}}`},
			{missing + cond + `,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`, body + `}`},
		} {
			if a := c.call(r.op, row.body); a.status != 400 || a.body != row.want {
				t.Errorf("%s %s\n got  %d %s\n want %s", r.op, row.body, a.status, a.body, row.want)
			}
		}
	}
	c.replies([]reply{{"4.8", "GetItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}}}`, `{"Item":{"pk":{"S":"a"},"v":{"N":"1"}}}`}})
}
