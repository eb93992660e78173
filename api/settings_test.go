package api

import (
	"fmt"
	"strings"
	"testing"
)

// DYNAMODB.md 9.1: the expiry setting.
func TestTimeToLive(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	set := func(enabled bool, attribute string) string {
		return fmt.Sprintf(`{"TableName":"tab","TimeToLiveSpecification":{"Enabled":%t,"AttributeName":"%s"}}`, enabled, attribute)
	}
	long := strings.Repeat("a", 256)
	c.refuses([]refusal{
		{"4.10", "UpdateTimeToLive", `{"TableName":"tab"}`, validation, violation(null("timeToLiveSpecification"))},
		{"4.10", "UpdateTimeToLive", `{"TableName":"tab","TimeToLiveSpecification":{}}`, validation,
			violation(null("timeToLiveSpecification.attributeName"), null("timeToLiveSpecification.enabled"))},
		{"9.1", "UpdateTimeToLive", set(true, ""), validation,
			violation("Value '' at 'timeToLiveSpecification.attributeName' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"9.1", "UpdateTimeToLive", set(true, long), validation,
			violation("Value '" + long + "' at 'timeToLiveSpecification.attributeName' failed to satisfy constraint: Member must have length less than or equal to 255")},
		{"9.1", "UpdateTimeToLive", strings.Replace(set(true, "exp"), "tab", "none", 1), notFound, "Requested resource not found: Table: none not found"},
		{"9.1", "UpdateTimeToLive", set(false, "exp"), validation, "TimeToLive is already disabled"},
	})
	c.replies([]reply{
		{"9.1", "DescribeTimeToLive", `{"TableName":"tab"}`, `{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}`},
		{"9.1", "UpdateTimeToLive", set(true, "exp"), `{"TimeToLiveSpecification":{"Enabled":true,"AttributeName":"exp"}}`},
	})
	c.until("DescribeTimeToLive", `{"TableName":"tab"}`, `{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"exp"}}`)
	c.refuses([]refusal{
		{"9.1", "UpdateTimeToLive", set(true, "exp"), validation, "TimeToLive is already enabled"},
		{"9.1", "UpdateTimeToLive", set(true, "other"), validation, "TimeToLive is active on a different AttributeName: current AttributeName is exp"},
		{"9.1", "UpdateTimeToLive", set(false, "other"), validation, "TimeToLive is active on a different AttributeName: current AttributeName is exp"},
	})
}

// DYNAMODB.md 9.2: tags.
func TestTags(t *testing.T) {
	c := newMemoryClient(t)
	c.must("CreateTable", tableSpec{rest: onDemand + `,"Tags":[{"Key":"made","Value":"at once"}]`}.body())
	const arn = "arn:aws:dynamodb:us-east-1:000000000000:table/abc"
	tag := func(list string) string { return `{"ResourceArn":"` + arn + `","Tags":[` + list + `]}` }
	pair := func(k, v string) string { return `{"Key":"` + k + `","Value":"` + v + `"}` }
	keys := func(list string) string { return `{"ResourceArn":"` + arn + `","TagKeys":[` + list + `]}` }
	list := `{"ResourceArn":"` + arn + `"}`
	missing := strings.Replace(arn, "abc", "none", 1)
	rows := []refusal{
		{"4.10", "TagResource", `{}`, validation, violation(null("resourceArn"), null("tags"))},
		{"4.10", "UntagResource", `{}`, validation, violation(null("resourceArn"), null("tagKeys"))},
		{"4.10", "ListTagsOfResource", `{}`, validation, violation(null("resourceArn"))},
		{"9.2", "TagResource", tag(``), validation, "Atleast one Tag needs to be provided as Input."},
		{"9.2", "UntagResource", keys(``), validation, "Atleast one Tag Key needs to be provided as Input."},
		{"9.2", "TagResource", tag(pair("a", "1") + `,` + pair("a", "2")), validation, "Duplicate Tag Keys provided as input: Duplicate Tag Key found a"},
		{"9.2", "TagResource", tag(pair("aws:x", "1")), validation, "Tag Key cannot be prefixed with aws:, Key: aws:x"},
		{"9.2", "TagResource", tag(pair("a%b", "1")), validation, "The Tag Key provided is invalid, Key: a%b"},
		{"9.2", "TagResource", tag(pair("a", "1;2")), validation, "The Tag Value provided is invalid, Value: 1;2"},
		{"9.2", "TagResource", tag(pair("", "1")), validation, "The Tag Key provided is invalid, Key: "},
		{"9.2", "TagResource", tag(pair(strings.Repeat("k", 129), "1")), validation, "The Tag Key provided is invalid, Key: " + strings.Repeat("k", 129)},
		{"9.2", "TagResource", tag(pair("a", strings.Repeat("v", 257))), validation, "The Tag Value provided is invalid, Value: " + strings.Repeat("v", 257)},
		{"9.2", "TagResource", tag(`{"Key":"a"}`), validation, "The Tag Value provided is invalid, Value: null"},
		{"9.2", "TagResource", tag(`{"Value":"a"}`), validation, "The Tag Key provided is invalid, Key: null"},
		{"9.2", "TagResource", tag(`{}`), validation, "The Tag Key provided is invalid, Key: null"},
		{"9.2", "UntagResource", keys(`""`), validation, "The Tag Key provided is invalid, Key: "},
		{"9.2", "UntagResource", keys(`"a","aws:x"`), validation, "Tag Key cannot be prefixed with aws:, Key: aws:x"},
		{"9.2", "TagResource", tag(pair("AWS:x", "1")), validation, "Tag Key cannot be prefixed with aws:, Key: AWS:x"},
		{"9.2", "UntagResource", keys(`"a","b%"`), validation, "The Tag Key provided is invalid, Key: b%"},
		{"9.2", "UntagResource", keys(some(51, func(i int) string { return fmt.Sprintf(`"k%d"`, i) })), validation,
			"Number of Tags exceed the current limit for the provided ResourceArn"},
		{"9.2", "TagResource", tag(some(51, func(i int) string { return pair(fmt.Sprint("k", i), "") })), validation,
			"Number of Tags exceed the current limit for the provided ResourceArn"},
	}
	for _, r := range [][2]string{
		{"x", "ARNs must start with 'arn:': x"}, {"abc", "ARNs must start with 'arn:': abc"},
		{"arn:aws:dynamodb", "Third colon vendor not found: arn:aws:dynamodb"},
		{"arn:aws:s3:us-east-1:000000000000:table/abc", "Provided Arn is not a DynamoDB resource arn: arn:aws:s3:us-east-1:000000000000:table/abc"},
		{"arn:aws:dynamodb:us-east-1:000000000000:abc", "Provided Arn is not a DynamoDB resource arn: arn:aws:dynamodb:us-east-1:000000000000:abc"},
		{arn + "/backup/1", "Provided Arn is not a DynamoDB resource arn: " + arn + "/backup/1"},
		{arn + "/index/idx", "Invalid resource arn provided, only table or stream is accepted. Provided resource arn: " + arn + "/index/idx"},
	} {
		rows = append(rows, refusal{"9.2", "ListTagsOfResource", `{"ResourceArn":"` + r[0] + `"}`, validation, invalidParam + r[1]})
	}
	for _, bad := range []string{strings.Replace(arn, "us-east-1", "eu-west-1", 1), "arn:aws:dynamodb:::table/abc"} {
		rows = append(rows, refusal{"9.2", "ListTagsOfResource", `{"ResourceArn":"` + bad + `"}`, validation, "Invalid TableArn: Invalid ResourceArn provided as input " + bad})
	}
	rows = append(rows, refusal{"9.2", "ListTagsOfResource", `{"ResourceArn":"` + strings.Replace(arn, "000000000000", "111111111111", 1) + `"}`, denied, "Access is denied"})
	for op, rest := range map[string]string{"TagResource": `,"Tags":[{"Key":"a","Value":"b"}]`, "UntagResource": `,"TagKeys":["a"]`, "ListTagsOfResource": ``} {
		rows = append(rows, refusal{"9.2", op, `{"ResourceArn":"` + missing + `"` + rest + `}`, notFound, "Requested resource not found: ResourceArn: " + missing + " not found"})
	}
	c.refuses(rows)
	c.replies([]reply{
		{"9.2", "ListTagsOfResource", list, `{"Tags":[{"Key":"made","Value":"at once"}]}`},
		{"9.2", "ListTagsOfResource", `{"ResourceArn":"` + arn + `","NextToken":"no token!"}`, `{"Tags":[{"Key":"made","Value":"at once"}]}`}, // passed over
		{"1.2", "TagResource", tag(pair("Ünï-1_+=.:/@ x", "") + `,` + pair("made", "later")), ``},
		{"9.2", "ListTagsOfResource", list, `{"Tags":[{"Key":"made","Value":"later"},{"Key":"Ünï-1_+=.:/@ x","Value":""}]}`},
		{"1.2", "UntagResource", keys(`"made","never"`), ``},
		{"9.2", "ListTagsOfResource", list, `{"Tags":[{"Key":"Ünï-1_+=.:/@ x","Value":""}]}`},
		{"1.2", "UntagResource", keys(`"Ünï-1_+=.:/@ x"`), ``},
		{"9.2", "ListTagsOfResource", list, `{"Tags":[]}`},
	})
	c.must("TagResource", tag(some(50, func(i int) string { return pair(fmt.Sprintf("k%02d", i), fmt.Sprint(i)) })))
	c.refuses([]refusal{{"9.2", "TagResource", tag(pair("one more", "")), validation, "Number of Tags exceed the current limit for the provided ResourceArn"}})
	seen, next := 0, ""
	for range 10 {
		body := c.must("ListTagsOfResource", `{"ResourceArn":"`+arn+`"`+next+`}`)
		seen += strings.Count(body, `"Key"`)
		token := memberText(t, body, "NextToken")
		if next = `,"NextToken":"` + token + `"`; token == "" {
			break
		}
	}
	if seen != 50 {
		t.Errorf("pages list %d of 50 tags", seen)
	}
}

// DYNAMODB.md section 6: capacity, and what of it is shown.
func TestConsumedCapacity(t *testing.T) {
	c := newMemoryClient(t)
	musicTable(c, 0)
	c.table("tab", false)
	kb := func(n int) string { return strings.Repeat("x", n<<10) }
	put := func(v, mode string) string {
		return `{"TableName":"tab","Item":{"pk":{"S":"k"},"v":{"S":"` + v + `"}},"ReturnConsumedCapacity":"` + mode + `"}`
	}
	units := func(n string) string { return `{"ConsumedCapacity":{"TableName":"tab","CapacityUnits":` + n + `}}` }
	music := func(item, rest string) string {
		return `{"TableName":"mus","Item":{"pk":{"S":"p"},"sk":{"N":"1"}` + item + `},"ReturnConsumedCapacity":"INDEXES"` + rest + `}`
	}
	mus := func(total, table, rest string) string {
		return `{"ConsumedCapacity":{"TableName":"mus","CapacityUnits":` + total + `,"Table":{"CapacityUnits":` + table + `}` + rest + `}}`
	}
	get := func(key, rest string) string {
		return `{"TableName":"tab","Key":{"pk":{"S":"` + key + `"}},"ProjectionExpression":"pk","ReturnConsumedCapacity":"TOTAL"` + rest + `}`
	}
	found := func(n string) string {
		return `{"Item":{"pk":{"S":"k"}},"ConsumedCapacity":{"TableName":"tab","CapacityUnits":` + n + `}}`
	}
	lsi1, gsi1 := `,"LocalSecondaryIndexes":{"loc":{"CapacityUnits":1.0}}`, `,"GlobalSecondaryIndexes":{"glo":{"CapacityUnits":1.0},"all":{"CapacityUnits":1.0}}`
	c.replies([]reply{
		{"6", "PutItem", put("x", "NONE"), `{}`},
		{"6", "PutItem", put("x", "TOTAL"), units("1.0")},
		{"6", "PutItem", put(kb(3), "TOTAL"), units("4.0")},
		{"6", "PutItem", put("x", "TOTAL"), units("4.0")}, // the larger of old and new
		{"6", "PutItem", put("x", "INDEXES"), `{"ConsumedCapacity":{"TableName":"tab","CapacityUnits":1.0,"Table":{"CapacityUnits":1.0}}}`},
		{"6", "GetItem", get("k", ``), found("0.5")},
		{"6", "GetItem", get("k", `,"ConsistentRead":true`), found("1.0")},
		{"6", "GetItem", get("none", ``), units("0.5")},
		{"6", "GetItem", get("none", `,"ConsistentRead":true`), units("1.0")},
		{"6", "PutItem", put(kb(4), "TOTAL"), units("5.0")},
		{"6", "GetItem", get("k", ``), found("1.0")}, // a projection saves nothing
		{"6", "GetItem", get("k", `,"ConsistentRead":true`), found("2.0")},
		{"6", "DeleteItem", `{"TableName":"tab","Key":{"pk":{"S":"k"}},"ReturnConsumedCapacity":"TOTAL"}`, units("5.0")},
		{"6", "DeleteItem", `{"TableName":"tab","Key":{"pk":{"S":"k"}},"ReturnConsumedCapacity":"TOTAL"}`, units("1.0")},
		{"6", "UpdateItem", `{"TableName":"tab","Key":{"pk":{"S":"k"}},"ReturnConsumedCapacity":"TOTAL"}`, units("1.0")},
		{"6", "Scan", `{"TableName":"mus","ReturnConsumedCapacity":"TOTAL"}`,
			`{"Items":[],"Count":0,"ScannedCount":0,"ConsumedCapacity":{"TableName":"mus","CapacityUnits":0.5}}`},
		{"6", "Query", read(ofP + `,"ConsistentRead":true,"ReturnConsumedCapacity":"TOTAL"`),
			`{"Items":[],"Count":0,"ScannedCount":0,"ConsumedCapacity":{"TableName":"mus","CapacityUnits":1.0}}`},
		{"6", "PutItem", music(``, ``), mus("1.0", "1.0", ``)},                                                                                        // in no index
		{"6", "PutItem", music(`,"art":{"S":"a"}`, ``), mus("4.0", "1.0", lsi1+gsi1)},                                                                 // into all three
		{"6", "PutItem", music(`,"art":{"S":"a"}`, ``), mus("1.0", "1.0", ``)},                                                                        // as it was
		{"6", "PutItem", music(`,"art":{"S":"a"},"y":{"S":"new"}`, ``), mus("2.0", "1.0", `,"GlobalSecondaryIndexes":{"all":{"CapacityUnits":1.0}}`)}, // projected by one
		{"6", "PutItem", music(`,"art":{"S":"b"},"y":{"S":"new"}`, ``), mus("7.0", "1.0", strings.ReplaceAll(lsi1+gsi1, "1.0", "2.0"))},               // moved in all
		{"6", "PutItem", music(``, ``), mus("4.0", "1.0", lsi1+gsi1)},                                                                                 // out of all
		{"6", "PutItem", `{"TableName":"mus","Item":{"pk":{"S":"p"},"sk":{"N":"1"},"art":{"S":"a"}},"ReturnItemCollectionMetrics":"SIZE"}`,
			`{"ItemCollectionMetrics":{"ItemCollectionKey":{"pk":{"S":"p"}},"SizeEstimateRangeGB":[0.0,1.0]}}`},
		{"6", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"p"}},"ReturnItemCollectionMetrics":"SIZE"}`, `{}`}, // no local index
		{"6", "Query", read(`"IndexName":"glo","KeyConditionExpression":"art = :a","ExpressionAttributeValues":{":a":{"S":"a"}},"Select":"COUNT","ReturnConsumedCapacity":"INDEXES"`),
			`{"Count":1,"ScannedCount":1,"ConsumedCapacity":{"TableName":"mus","CapacityUnits":0.5,"Table":{"CapacityUnits":0.0},"GlobalSecondaryIndexes":{"glo":{"CapacityUnits":0.5}}}}`},
		{"5", "Query", read(`"IndexName":"loc",` + ofP + `,"ProjectionExpression":"x","ReturnConsumedCapacity":"INDEXES"`),
			`{"Items":[{}],"Count":1,"ScannedCount":1,"ConsumedCapacity":{"TableName":"mus","CapacityUnits":1.0,"Table":{"CapacityUnits":0.5},"LocalSecondaryIndexes":{"loc":{"CapacityUnits":0.5}}}}`},
		{"6", "BatchWriteItem", `{"RequestItems":{"mus":[{"DeleteRequest":{"Key":{"pk":{"S":"p"},"sk":{"N":"1"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"q"},"sk":{"N":"1"}}}}]},"ReturnItemCollectionMetrics":"SIZE"}`,
			`{"UnprocessedItems":{},"ItemCollectionMetrics":{"mus":[{"ItemCollectionKey":{"pk":{"S":"p"}},"SizeEstimateRangeGB":[0.0,1.0]},{"ItemCollectionKey":{"pk":{"S":"q"}},"SizeEstimateRangeGB":[0.0,1.0]}]}}`},
		{"6", "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"mus","Item":{"pk":{"S":"p"},"sk":{"N":"1"},"art":{"S":"a"}}}}],"ReturnConsumedCapacity":"INDEXES","ReturnItemCollectionMetrics":"SIZE"}`,
			`{"ConsumedCapacity":[{"TableName":"mus","CapacityUnits":5.0,"WriteCapacityUnits":5.0,"Table":{"CapacityUnits":2.0,"WriteCapacityUnits":2.0},` +
				`"LocalSecondaryIndexes":{"loc":{"CapacityUnits":1.0,"WriteCapacityUnits":1.0}},"GlobalSecondaryIndexes":{"glo":{"CapacityUnits":1.0,"WriteCapacityUnits":1.0},` +
				`"all":{"CapacityUnits":1.0,"WriteCapacityUnits":1.0}}}],"ItemCollectionMetrics":{"mus":[{"ItemCollectionKey":{"pk":{"S":"p"}},"SizeEstimateRangeGB":[0.0,1.0]}]}}`},
	})
}
