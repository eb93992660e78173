package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/item"
)

// musicTable is a table with a local and two global indexes:
// base (pk, sk N), loc (pk, art) KEYS_ONLY, glo (art) INCLUDE x, all (art, sk) ALL, and n items in one partition.
func musicTable(c *client, n int) {
	c.t.Helper()
	c.must("CreateTable", `{"TableName":"mus","BillingMode":"PAY_PER_REQUEST","KeySchema":`+keyList("pk HASH", "sk RANGE")+`,
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"art","AttributeType":"S"}]`+
		lsi(`{"IndexName":"loc","KeySchema":`+keyList("pk HASH", "art RANGE")+`,"Projection":{"ProjectionType":"KEYS_ONLY"}}`)+
		gsi(`{"IndexName":"glo","KeySchema":`+keyList("art HASH")+`,"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["x"]}}`,
			indexOf("all", keyList("art HASH", "sk RANGE"), ""))+`}`)
	for i := range n {
		c.must("PutItem", fmt.Sprintf(`{"TableName":"mus","Item":{"pk":{"S":"p"},"sk":{"N":"%d"},"art":{"S":"t"},"x":{"N":"%d"},"y":{"S":"v%d"}}}`, i, i%2, i))
	}
}

func read(rest string) string { return `{"TableName":"mus",` + rest + `}` }

const ofP = `"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p"}}`

// DYNAMODB.md section 5: Query.
func TestQuery(t *testing.T) {
	c := newMemoryClient(t)
	musicTable(c, 5)
	key := func(i int) string { return fmt.Sprintf(`{"pk":{"S":"p"},"sk":{"N":"%d"}}`, i) }
	full := func(i int) string {
		return fmt.Sprintf(`{"art":{"S":"t"},"pk":{"S":"p"},"sk":{"N":"%d"},"x":{"N":"%d"},"y":{"S":"v%d"}}`, i, i%2, i)
	}
	page := func(items []string, count, scanned int, last string) string {
		out := `{"Items":[` + strings.Join(items, ",") + `],` + fmt.Sprintf(`"Count":%d,"ScannedCount":%d`, count, scanned)
		if last != "" {
			out += `,"LastEvaluatedKey":` + last
		}
		return out + `}`
	}
	keys := func(from, to int) (list []string) {
		for i := from; i < to; i++ {
			list = append(list, key(i))
		}
		return list
	}
	onlyKeys := `,"ProjectionExpression":"pk, sk"`
	c.replies([]reply{
		{"5", "Query", read(ofP + `,"Limit":2`), page([]string{full(0), full(1)}, 2, 2, key(1))},
		{"5", "Query", read(ofP + onlyKeys), page(keys(0, 5), 5, 5, "")},
		{"5", "Query", read(ofP + onlyKeys + `,"Limit":5`), page(keys(0, 5), 5, 5, key(4))}, // Limit hits the very last
		{"5", "Query", read(ofP + onlyKeys + `,"Limit":6`), page(keys(0, 5), 5, 5, "")},
		{"5", "Query", read(ofP + onlyKeys + `,"ExclusiveStartKey":` + key(4)), page(nil, 0, 0, "")},
		{"5", "Query", read(ofP + onlyKeys + `,"ExclusiveStartKey":` + key(2)), page(keys(3, 5), 2, 2, "")},
		{"5", "Query", read(ofP + onlyKeys + `,"ExclusiveStartKey":{"pk":{"S":"p"},"sk":{"N":"1.5"}}`), page(keys(2, 5), 3, 3, "")}, // need not exist
		{"5", "Query", read(ofP + onlyKeys + `,"ScanIndexForward":false,"Limit":2`), page([]string{key(4), key(3)}, 2, 2, key(3))},
		{"5", "Query", read(ofP + onlyKeys + `,"ScanIndexForward":false,"ExclusiveStartKey":` + key(1)), page([]string{key(0)}, 1, 1, "")},
		{"5", "Query", read(ofP + `,"Select":"COUNT"`), `{"Count":5,"ScannedCount":5}`},
		{"5", "Query", read(ofP + onlyKeys + `,"Select":"COUNT"`), `{"Count":5,"ScannedCount":5}`},
		{"5", "Query", read(ofP + onlyKeys + `,"Select":"SPECIFIC_ATTRIBUTES","Limit":1`), page(keys(0, 1), 1, 1, key(0))},
		{"5", "Query", read(`"KeyConditionExpression":"pk = :p","FilterExpression":"x = :x","ExpressionAttributeValues":{":p":{"S":"p"},":x":{"N":"1"}},"Limit":2` + onlyKeys),
			page([]string{key(1)}, 1, 2, key(1))}, // Limit counts before the filter
		{"4.6", "Query", read(`"KeyConditionExpression":"sk BETWEEN :a AND :b AND :p = pk","ExpressionAttributeValues":{":p":{"S":"p"},":a":{"N":"1"},":b":{"N":"3"}}` + onlyKeys),
			page(keys(1, 4), 3, 3, "")},
		{"4.6", "Query", read(`"KeyConditionExpression":"pk = :p AND :a < sk","ExpressionAttributeValues":{":p":{"S":"p"},":a":{"N":"3"}}` + onlyKeys), page(keys(4, 5), 1, 1, "")},
		{"5", "Query", read(`"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"none"}}`), page(nil, 0, 0, "")},
		{"5", "Query", read(`"IndexName":"loc",` + ofP + `,"Limit":1`), page([]string{`{"art":{"S":"t"},"pk":{"S":"p"},"sk":{"N":"0"}}`}, 1, 1, `{"art":{"S":"t"},"pk":{"S":"p"},"sk":{"N":"0"}}`)},
		{"5", "Query", read(`"IndexName":"loc","Select":"ALL_ATTRIBUTES",` + ofP + `,"Limit":1`), page([]string{full(0)}, 1, 1, `{"art":{"S":"t"},"pk":{"S":"p"},"sk":{"N":"0"}}`)},
		{"5", "Query", read(`"IndexName":"loc","ConsistentRead":true,"ProjectionExpression":"y",` + ofP + `,"Limit":1`), page([]string{`{"y":{"S":"v0"}}`}, 1, 1, `{"art":{"S":"t"},"pk":{"S":"p"},"sk":{"N":"0"}}`)},
		{"5", "Query", read(`"IndexName":"glo","KeyConditionExpression":"art = :t","ExpressionAttributeValues":{":t":{"S":"t"}},"Limit":1`),
			page([]string{`{"art":{"S":"t"},"pk":{"S":"p"},"sk":{"N":"0"},"x":{"N":"0"}}`}, 1, 1, `{"art":{"S":"t"},"pk":{"S":"p"},"sk":{"N":"0"}}`)},
		{"5", "Query", read(`"IndexName":"glo","Select":"ALL_PROJECTED_ATTRIBUTES","KeyConditionExpression":"art = :t","FilterExpression":"pk = :p","ExpressionAttributeValues":{":t":{"S":"t"},":p":{"S":"q"}}`),
			page(nil, 0, 5, "")}, // the table's keys may be filtered on in an index
		{"5", "Query", read(`"IndexName":"all","Select":"ALL_ATTRIBUTES","KeyConditionExpression":"art = :t AND sk > :s","ExpressionAttributeValues":{":t":{"S":"t"},":s":{"N":"3"}}`),
			page([]string{full(4)}, 1, 1, "")},
	})
}

// DYNAMODB.md sections 4.6 and 5: what Query refuses.
func TestQueryRefused(t *testing.T) {
	c := newMemoryClient(t)
	musicTable(c, 2)
	c.table("tab", false)
	cond := func(expression, values string) string {
		return read(`"KeyConditionExpression":"` + expression + `","ExpressionAttributeValues":{` + values + `}`)
	}
	const p, q = `":p":{"S":"p"}`, `":p":{"S":"p"},":q":{"N":"1"}`
	const start = `,"ExclusiveStartKey":`
	c.refuses([]refusal{
		{"4.6", "Query", `{"TableName":"mus"}`, validation, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."},
		{"4.6", "Query", cond("sk = :q", `":q":{"N":"1"}`), validation, "Query condition missed key schema element: pk"},
		{"4.6", "Query", cond("foo = :p", p), validation, "Query condition missed key schema element: pk"},
		{"4.6", "Query", cond("pk > :p", p), validation, "Query key condition not supported"},
		{"4.6", "Query", `{"TableName":"tab","KeyConditionExpression":"pk = :p AND sk = :p","ExpressionAttributeValues":{` + p + `}}`, validation, "Query key condition not supported"},
		{"4.6", "Query", cond("pk = :p AND sk = :q AND x = :q", q), validation, "Conditions can be of length 1 or 2 only"},
		{"4.6", "Query", cond("pk = :p OR sk = :q", q), validation, "Invalid operator used in KeyConditionExpression: OR"},
		{"4.6", "Query", cond("pk = :p AND NOT sk = :q", q), validation, "Invalid operator used in KeyConditionExpression: NOT"},
		{"4.6", "Query", cond("pk IN (:p)", p), validation, "Invalid operator used in KeyConditionExpression: IN"},
		{"4.6", "Query", cond("pk <> :p", p), validation, "Invalid operator used in KeyConditionExpression: <>"},
		{"4.6", "Query", cond("contains(pk, :p)", p), validation, "Invalid operator used in KeyConditionExpression: contains"},
		{"4.6", "Query", cond("pk = :p AND sk > :q AND sk < :r", q+`,":r":{"N":"9"}`), validation, "KeyConditionExpressions must only contain one condition per key"},
		{"4.6", "Query", cond("pk = :p AND sk.a = :q", q), validation, "KeyConditionExpressions cannot have conditions on nested attributes"},
		{"4.6", "Query", cond("pk = :p AND size(sk) = :q", q), validation, "KeyConditionExpressions cannot contain nested operations"},
		{"4.6", "Query", cond("pk = :p AND sk = x", p), validation, "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"},
		{"4.6", "Query", cond("pk = :p AND :q = :r", q+`,":r":{"N":"9"}`), validation, "Invalid condition in KeyConditionExpression: No key attribute specified"},
		{"4.6", "Query", cond("pk = :p AND :q BETWEEN sk AND :q", q), validation,
			"Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first operand"},
		{"4.6", "Query", cond("pk = :q", `":q":{"N":"1"}`), validation, invalidParam + "Condition parameter type does not match schema type"},
		{"4.6", "Query", cond("pk = :e", `":e":{"S":""}`), validation,
			"One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		{"4.5", "Query", read(`"KeyConditionExpression":"pk = :p","FilterExpression":"sk = :q","ExpressionAttributeValues":{` + q + `}`), validation,
			"Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"},
		{"4.5", "Query", read(`"KeyConditionExpression":"pk = :p","FilterExpression":"x = :missing","ExpressionAttributeValues":{` + p + `}`), validation,
			"Invalid FilterExpression: An expression attribute value used in expression is not defined; attribute value: :missing"},
		{"4.5", "Query", read(ofP + `,"ProjectionExpression":"sk[0]"`), validation,
			"Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: sk"},
		{"4.5", "Query", read(ofP + `,"ProjectionExpression":"x, art.b"`), validation,
			"Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: art"},
		{"5", "Query", read(`"IndexName":"nope",` + ofP), validation, "The table does not have the specified index: nope"},
		{"5", "Query", read(`"IndexName":"glo","ConsistentRead":true,"KeyConditionExpression":"art = :p","ExpressionAttributeValues":{` + p + `}`), validation,
			"Consistent reads are not supported on global secondary indexes"},
		{"5", "Query", read(`"IndexName":"glo","Select":"ALL_ATTRIBUTES","KeyConditionExpression":"art = :p","ExpressionAttributeValues":{` + p + `}`), validation,
			invalidParam + "Select type ALL_ATTRIBUTES is not supported for global secondary index glo because its projection type is not ALL"},
		{"5", "Query", read(`"IndexName":"glo","ProjectionExpression":"y","KeyConditionExpression":"art = :p","ExpressionAttributeValues":{` + p + `}`), validation,
			invalidParam + "Global secondary index glo does not project [y]"},
		{"5", "Query", read(ofP + `,"Select":"ALL_PROJECTED_ATTRIBUTES"`), validation, "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"},
		{"5", "Query", read(ofP + `,"Select":"ALL_ATTRIBUTES","ProjectionExpression":"x"`), validation,
			"Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES"},
		{"5", "Query", read(ofP + `,"Select":"SPECIFIC_ATTRIBUTES"`), validation,
			"1 validation error detected: Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"},
		{"5", "Query", read(ofP + start + `{}`), validation, "The provided starting key is invalid: The provided key element does not match the schema"},
		{"5", "Query", read(ofP + start + `{"pk":{"S":"p"}}`), validation, "The provided starting key is invalid: The provided key element does not match the schema"},
		{"5", "Query", read(ofP + start + `{"pk":{"S":"p"},"sk":{"N":"1"},"x":{"N":"1"}}`), validation,
			"The provided starting key is invalid: The provided key element does not match the schema"},
		{"5", "Query", read(ofP + start + `{"pk":{},"sk":{"N":"1"}}`), validation,
			"The provided starting key is invalid: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{"5", "Query", read(ofP + start + `{"pk":{"S":"other"},"sk":{"N":"1"}}`), validation,
			"The provided starting key is outside query boundaries based on provided conditions"},
		{"5", "Query", read(`"KeyConditionExpression":"pk = :p AND sk > :q","ExpressionAttributeValues":{` + q + `}` + start + `{"pk":{"S":"p"},"sk":{"N":"0"}}`), validation,
			"The provided starting key does not match the range key predicate"},
		{"5", "Query", read(`"KeyConditionExpression":"pk = :p AND sk = :q","ExpressionAttributeValues":{` + q + `}` + start + `{"pk":{"S":"p"},"sk":{"N":"1"}}`), validation,
			"The query can return at most one row and cannot be restarted"},
		{"5", "Query", read(`"IndexName":"loc",` + ofP + start + `{"pk":{"S":"p"},"sk":{"N":"1"}}`), validation, "The provided starting key is invalid"},
	})
}

// DYNAMODB.md section 5: Scan and its segments.
func TestScan(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	for i := range 40 {
		c.must("PutItem", fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"S":"k%d"},"n":{"N":"%d"}}}`, i, i))
	}
	for _, total := range []int{1, 3, 7, 1000000} {
		seen := map[string]int{}
		step := max(1, total/7)
		for segment := 0; segment < total; segment += step {
			if total > 7 { // too many to ask for all: only that they are accepted
				c.must("Scan", fmt.Sprintf(`{"TableName":"tab","Segment":%d,"TotalSegments":%d}`, segment, total))
				continue
			}
			for _, k := range scanAll(c, "tab", fmt.Sprintf(`,"Segment":%d,"TotalSegments":%d,"Limit":3`, segment, total)) {
				seen[k]++
			}
		}
		if total <= 7 && len(seen) != 40 {
			t.Errorf("%d segments hold %d items", total, len(seen))
		}
		for k, n := range seen {
			if n != 1 {
				t.Errorf("%d segments: %s seen %d times", total, k, n)
			}
		}
	}
	c.replies([]reply{
		{"5", "Scan", `{"TableName":"tab","Select":"COUNT"}`, `{"Count":40,"ScannedCount":40}`},
		{"4.5", "Scan", `{"TableName":"tab","FilterExpression":"pk = :k","ExpressionAttributeValues":{":k":{"S":"k7"}}}`,
			`{"Items":[{"n":{"N":"7"},"pk":{"S":"k7"}}],"Count":1,"ScannedCount":40}`}, // Scan may filter on keys
		{"5", "Scan", `{"TableName":"tab","Limit":1,"FilterExpression":"n > :n","ExpressionAttributeValues":{":n":{"N":"100"}},"Select":"COUNT","Segment":0,"TotalSegments":1}`,
			`{"Count":0,"ScannedCount":1,"LastEvaluatedKey":` + firstKey(c) + `}`}, // an empty page may go on
	})
	c.refuses([]refusal{
		{"5", "Scan", `{"TableName":"tab","Segment":1}`, validation,
			"The TotalSegments parameter is required but was not present in the request when Segment parameter is present"},
		{"5", "Scan", `{"TableName":"tab","TotalSegments":1}`, validation,
			"The Segment parameter is required but was not present in the request when parameter TotalSegments is present"},
		{"5", "Scan", `{"TableName":"tab","Segment":5,"TotalSegments":5}`, validation,
			"The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 5 is not less than TotalSegments: 5"},
		{"5", "Scan", `{"TableName":"tab","Segment":-1,"TotalSegments":1000001}`, validation, violation(
			"Value '1000001' at 'totalSegments' failed to satisfy constraint: Member must have value less than or equal to 1000000",
			"Value '-1' at 'segment' failed to satisfy constraint: Member must have value greater than or equal to 0")},
		{"5", "Scan", `{"TableName":"tab","IndexName":"nope"}`, validation, "The table does not have the specified index: nope"},
		{"5", "Scan", `{"TableName":"tab","ExclusiveStartKey":{"x":{"S":"a"}}}`, validation,
			"The provided starting key is invalid: The provided key element does not match the schema"},
		{"5", "Scan", `{"TableName":"tab","ExclusiveStartKey":` + firstKey(c) + `,"Segment":3,"TotalSegments":4}`, validation,
			"The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: 4 Segment: 3"},
		{"5", "Scan", `{"TableName":"tab","Select":"SPECIFIC_ATTRIBUTES"}`, validation,
			"Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"},
	})
}

// scanAll follows pages and returns all partition keys.
func scanAll(c *client, table, rest string) (keys []string) {
	start := ""
	for range 1000 {
		body := c.must("Scan", `{"TableName":"`+table+`"`+rest+start+`}`)
		items, last := pageOf(c.t, body)
		for _, it := range items {
			keys = append(keys, it.Get("pk").Text())
		}
		if last.IsZero() {
			return keys
		}
		start = `,"ExclusiveStartKey":` + string(last.AppendJSON(nil))
	}
	c.t.Fatal("a scan without end")
	return nil
}

func pageOf(t interface{ Fatal(...any) }, body string) (items []item.Item, last item.Item) {
	d := newDecoder([]byte(body))
	d.structure("", func(name string) bool {
		switch name {
		case "Items":
			d.list(func() { items = append(items, d.attributes().item) })
		case "LastEvaluatedKey":
			last = d.attributes().item
		default:
			return false
		}
		return true
	})
	if d.err != nil {
		t.Fatal(d.err)
	}
	return items, last
}

func firstKey(c *client) string {
	_, last := pageOf(c.t, c.must("Scan", `{"TableName":"tab","Limit":1}`))
	return string(last.AppendJSON(nil))
}

// DYNAMODB.md section 5: a page ends with the item that crosses 1 MB, whatever is projected.
func TestPageOfOneMegabyte(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", true)
	for i := range 5 {
		c.must("PutItem", fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"S":"p"},"sk":{"S":"%d"},"v":{"S":"%s"}}}`, i, strings.Repeat("x", 300<<10)))
	}
	for _, op := range []string{"Query", "Scan"} {
		q := `"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p"}},`
		if op == "Scan" {
			q = ""
		}
		c.replies([]reply{
			{"5", op, `{"TableName":"tab",` + q + `"ProjectionExpression":"sk","ReturnConsumedCapacity":"TOTAL"}`,
				`{"Items":[{"sk":{"S":"0"}},{"sk":{"S":"1"}},{"sk":{"S":"2"}},{"sk":{"S":"3"}}],"Count":4,"ScannedCount":4,` +
					`"LastEvaluatedKey":{"pk":{"S":"p"},"sk":{"S":"3"}},"ConsumedCapacity":{"TableName":"tab","CapacityUnits":150.5}}`},
		})
	}
}
