package api

import (
	"fmt"
	"testing"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/storage/pebblestore"
)

// The same requests on every engine get the same answers.
func TestEngines(t *testing.T) {
	pebble, err := pebblestore.Open(t.TempDir(), pebblestore.Options{CacheBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	requests := []struct{ op, body string }{
		{"PutItem", `{"TableName":"mus","Item":{"pk":{"S":"p"},"sk":{"N":"10"},"art":{"S":"z"},"m":{"M":{"l":{"L":[{"N":"1"}]}}}},"ReturnConsumedCapacity":"INDEXES"}`},
		{"UpdateItem", `{"TableName":"mus","Key":{"pk":{"S":"p"},"sk":{"N":"10"}},"UpdateExpression":"SET m.l[5] = :v REMOVE art ADD n :v","ExpressionAttributeValues":{":v":{"N":"2"}},"ReturnValues":"ALL_NEW","ReturnConsumedCapacity":"INDEXES"}`},
		{"UpdateItem", `{"TableName":"mus","Key":{"pk":{"S":"p"},"sk":{"N":"11"}},"UpdateExpression":"SET a = b","ReturnValues":"ALL_NEW"}`},
		{"DeleteItem", `{"TableName":"mus","Key":{"pk":{"S":"p"},"sk":{"N":"1"}},"ReturnValues":"ALL_OLD","ReturnConsumedCapacity":"INDEXES"}`},
		{"DeleteItem", `{"TableName":"mus","Key":{"pk":{"S":"p"},"sk":{"N":"2"}},"ConditionExpression":"x = :x","ExpressionAttributeValues":{":x":{"N":"7"}},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`},
		{"Query", read(ofP)},
		{"Query", read(ofP + `,"Limit":3,"ScanIndexForward":false`)},
		{"Query", read(`"IndexName":"loc","Select":"ALL_ATTRIBUTES","ReturnConsumedCapacity":"INDEXES",` + ofP)},
		{"Query", read(`"IndexName":"all","KeyConditionExpression":"art = :t AND sk BETWEEN :a AND :b","ExpressionAttributeValues":{":t":{"S":"t"},":a":{"N":"2"},":b":{"N":"5"}}`)},
		{"Scan", read(`"FilterExpression":"x = :x","ExpressionAttributeValues":{":x":{"N":"1"}}`)},
		{"Scan", read(`"IndexName":"glo","ReturnConsumedCapacity":"TOTAL"`)},
		{"BatchWriteItem", `{"RequestItems":{"mus":[{"DeleteRequest":{"Key":{"pk":{"S":"p"},"sk":{"N":"3"}}}},{"PutRequest":{"Item":{"pk":{"S":"q"},"sk":{"N":"1"}}}}]}}`},
		{"BatchGetItem", `{"RequestItems":{"mus":{"Keys":[{"pk":{"S":"p"},"sk":{"N":"3"}},{"pk":{"S":"q"},"sk":{"N":"1"}}]}}}`},
		{"TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"mus","Item":{"pk":{"S":"r"},"sk":{"N":"1"}}}},{"Delete":{"TableName":"mus","Key":{"pk":{"S":"p"},"sk":{"N":"4"}},"ConditionExpression":"attribute_exists(pk)"}}]}`},
		{"TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"mus","Item":{"pk":{"S":"s"},"sk":{"N":"1"}}}},{"Delete":{"TableName":"mus","Key":{"pk":{"S":"p"},"sk":{"N":"4"}},"ConditionExpression":"attribute_exists(pk)"}}]}`},
		{"Scan", read(`"ConsistentRead":true`)},
	}
	answers := map[string][]string{}
	for name, store := range map[string]storage.Store{"memory": memstore.New(), "pebble": pebble} {
		c := newRegionClient(t, store)
		musicTable(c, 8)
		for _, r := range requests {
			a := c.call(r.op, r.body)
			answers[name] = append(answers[name], fmt.Sprint(a.status, " ", a.body))
		}
	}
	for i, r := range requests {
		if m, p := answers["memory"][i], answers["pebble"][i]; m != p {
			t.Errorf("%s %s\n memory %s\n pebble %s", r.op, r.body, m, p)
		}
	}
}

// DYNAMODB.md 7.3: a token outlives a restart, and so do tables, items, tags and settings.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	const add = `{"ClientRequestToken":"one","TransactItems":[{"Update":{"TableName":"tab","Key":{"pk":{"S":"n"}},"UpdateExpression":"ADD v :v","ExpressionAttributeValues":{":v":{"N":"1"}}}}]}`
	run := func(name string, fn func(c *client)) {
		t.Run(name, func(t *testing.T) {
			store, err := pebblestore.Open(dir, pebblestore.Options{CacheBytes: 8 << 20})
			if err != nil {
				t.Fatal(err)
			}
			fn(newRegionClient(t, store))
		})
	}
	described := ""
	run("first", func(c *client) {
		c.table("tab", false)
		c.must("UpdateTimeToLive", `{"TableName":"tab","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"exp"}}`)
		c.must("TagResource", `{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab","Tags":[{"Key":"a","Value":"b"}]}`)
		c.must("TransactWriteItems", add)
		c.until("DescribeTimeToLive", `{"TableName":"tab"}`, `{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"exp"}}`)
		described = c.must("DescribeTable", `{"TableName":"tab"}`)
	})
	run("second", func(c *client) {
		c.replies([]reply{
			{"7.3", "TransactWriteItems", add, `{}`},
			{"7.3", "GetItem", `{"TableName":"tab","Key":{"pk":{"S":"n"}},"ConsistentRead":true}`, `{"Item":{"pk":{"S":"n"},"v":{"N":"1"}}}`},
			{"9.1", "DescribeTimeToLive", `{"TableName":"tab"}`, `{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"exp"}}`},
			{"9.2", "ListTagsOfResource", `{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab"}`, `{"Tags":[{"Key":"a","Value":"b"}]}`},
			{"5.1", "DescribeTable", `{"TableName":"tab"}`, described},
		})
	})
}
