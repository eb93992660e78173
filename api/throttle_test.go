package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/storage/memstore"
)

// timed is a client of a region whose clock the test moves.
type timed struct {
	*client
	region *region.Region
	now    atomic.Int64 // unix ms
}

func newTimed(t *testing.T) *timed {
	t.Helper()
	c := &timed{}
	c.now.Store(1_764_000_000_000)
	r, err := region.Open(region.Options{Name: "us-east-1", Store: memstore.New(), Wall: c.now.Load})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := New(Options{Region: r})
	if err != nil {
		t.Fatal(err)
	}
	c.client, c.region = &client{t: t, url: listen(t, s)}, r
	return c
}

func (c *timed) pass(d time.Duration) { c.now.Add(d.Milliseconds()) }

// Texts of DYNAMODB.md section 6.
const (
	overTable = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API."
	overIndex = "The level of configured provisioned throughput for one or more global secondary indexes of the table was exceeded. " +
		"Consider increasing your provisioning level for the under-provisioned global secondary indexes with the UpdateTable API"
	overDemand = "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so please try again shortly. " +
		"If exceptions persist, check if you have a hot key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
	overIndexCap = "Throughput exceeds the current capacity for one or more global secondary indexes. DynamoDB is automatically scaling your index so please try again shortly."

	abcARN   = "arn:aws:dynamodb:us-east-1:000000000000:table/abc"
	exceeded = "ProvisionedThroughputExceededException"
	throttle = "ThrottlingException"
)

// throttledBody is the whole answer to a throttled request; why has pairs of reason and resource.
func throttledBody(name, message string, why ...string) string {
	member := "ThrottlingReasons"
	if name == throttle {
		member = "throttlingReasons"
	}
	var reasons []string
	for pair := range slices.Chunk(why, 2) {
		reasons = append(reasons, `{"reason":"`+pair[0]+`","resource":"`+pair[1]+`"}`)
	}
	return `{"__type":"com.amazonaws.dynamodb.v20120810#` + name + `","message":"` + message + `","` + member + `":[` + strings.Join(reasons, ",") + `]}`
}

// throttles runs an operation that must be refused with one whole answer.
func (c *timed) throttles(op, body, want string) {
	c.t.Helper()
	if a := c.call(op, body); a.status != http.StatusBadRequest || a.body != want {
		c.t.Errorf("%s %.200s\n got %d %.700s\nwant %.700s", op, body, a.status, a.body, want)
	}
}

// fails runs an operation that must be refused with a name and a message.
func (c *timed) fails(op, body, name, message string) {
	c.t.Helper()
	c.refuses([]refusal{{"6", op, body, name, message}})
}

func provisioned(read, write string) string {
	return `,"ProvisionedThroughput":{"ReadCapacityUnits":` + read + `,"WriteCapacityUnits":` + write + `}`
}

// kilobytes is the value of an attribute v that makes an item with keys of one byte n KB large.
func kilobytes(n int) string { return `"v":{"S":"` + strings.Repeat("x", n*1024-7) + `"}` }

func onAbc(rest string) string { return `{"TableName":"abc",` + rest + `}` }

const keyA = `"pk":{"S":"a"},"sk":{"S":"a"}`

// TestThrottledTable uses up a provisioned table and tries every operation on items (DYNAMODB.md 6, 7).
func TestThrottledTable(t *testing.T) {
	c := newTimed(t)
	c.must("CreateTable", tableSpec{rest: provisioned("1", "1")}.body())
	c.must("PutItem", onAbc(`"Item":{`+keyA+`,`+kilobytes(300)+`}`)) // 300 units: all that a new table holds
	over := throttledBody(exceeded, overTable, "TableWriteProvisionedThroughputExceeded", abcARN)
	put := onAbc(`"Item":{"pk":{"S":"b"},"sk":{"S":"b"}}`)
	canceled := `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",` +
		`"Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [ProvisionedThroughputExceeded, ProvisionedThroughputExceeded]",` +
		`"CancellationReasons":[{"Code":"ProvisionedThroughputExceeded","Message":"` + overTable + `"},{"Code":"ProvisionedThroughputExceeded","Message":"` + overTable + `"}]}`
	writes := func() {
		t.Helper()
		c.throttles("PutItem", put, over)
		c.throttles("UpdateItem", onAbc(`"Key":{`+keyA+`},"UpdateExpression":"SET n = :n","ExpressionAttributeValues":{":n":{"N":"1"}}`), over)
		c.throttles("DeleteItem", onAbc(`"Key":{`+keyA+`}`), over)
		c.throttles("DeleteItem", onAbc(`"Key":{"pk":{"S":"none"},"sk":{"S":"none"}}`), over)
		c.throttles("DeleteItem", onAbc(`"Key":{`+keyA+`},"ConditionExpression":"attribute_not_exists(pk)"`), over) // and not that it is false
		c.throttles("BatchWriteItem", `{"RequestItems":{"abc":[{"PutRequest":{"Item":{"pk":{"S":"b"},"sk":{"S":"b"}}}},{"DeleteRequest":{"Key":{`+keyA+`}}}]}}`, over)
		c.throttles("ExecuteStatement", `{"Statement":"DELETE FROM abc WHERE pk='a' AND sk='a'"}`, over)
		c.throttles("TransactWriteItems", `{"TransactItems":[{"Put":`+put+`},{"ConditionCheck":`+onAbc(`"Key":{`+keyA+`},"ConditionExpression":"attribute_not_exists(pk)"`)+`}]}`, canceled)
		c.throttles("ExecuteTransaction", `{"TransactStatements":[{"Statement":"DELETE FROM abc WHERE pk='a' AND sk='a'"},{"Statement":"DELETE FROM abc WHERE pk='a' AND sk='b'"}]}`, canceled)
		c.replies([]reply{{"12", "BatchExecuteStatement", `{"Statements":[{"Statement":"DELETE FROM abc WHERE pk='a' AND sk='a'"}]}`,
			`{"Responses":[{"Error":{"Code":"ProvisionedThroughputExceeded","Message":"` + overTable + `"},"TableName":"abc"}]}`}})
	}
	writes()
	c.replies([]reply{{"6", "GetItem", onAbc(`"Key":{` + keyA + `},"ProjectionExpression":"pk"`), `{"Item":{"pk":{"S":"a"}}}`}}) // reads have their own

	// Reads: 75 units for the item when consistent, of 300 less the 37.5 just used.
	for range 4 {
		c.must("Query", onAbc(`"KeyConditionExpression":"pk = :a","ExpressionAttributeValues":{":a":{"S":"a"}},"ConsistentRead":true,"Select":"COUNT"`))
	}
	over = throttledBody(exceeded, overTable, "TableReadProvisionedThroughputExceeded", abcARN)
	c.throttles("GetItem", onAbc(`"Key":{`+keyA+`}`), over)
	c.throttles("GetItem", onAbc(`"Key":{"pk":{"S":"none"},"sk":{"S":"none"}}`), over)
	c.throttles("Query", onAbc(`"KeyConditionExpression":"pk = :a","ExpressionAttributeValues":{":a":{"S":"a"}}`), over)
	c.throttles("Scan", onAbc(`"Limit":1`), over)
	c.throttles("BatchGetItem", `{"RequestItems":{"abc":{"Keys":[{`+keyA+`},{"pk":{"S":"b"},"sk":{"S":"b"}}]}}}`, over)
	c.throttles("ExecuteStatement", `{"Statement":"SELECT * FROM abc WHERE pk='a' AND sk='a'"}`, over)
	c.throttles("TransactGetItems", `{"TransactItems":[{"Get":`+onAbc(`"Key":{`+keyA+`}`)+`},{"Get":`+onAbc(`"Key":{"pk":{"S":"b"},"sk":{"S":"b"}}`)+`}]}`, canceled)
	c.throttles("ExecuteTransaction", `{"TransactStatements":[{"Statement":"SELECT * FROM abc WHERE pk='a' AND sk='a'"},{"Statement":"SELECT * FROM abc WHERE pk='a' AND sk='b'"}]}`, canceled)
	c.replies([]reply{{"12", "BatchExecuteStatement", `{"Statements":[{"Statement":"SELECT * FROM abc WHERE pk='a' AND sk='a'"}]}`,
		`{"Responses":[{"Error":{"Code":"ProvisionedThroughputExceeded","Message":"` + overTable + `"},"TableName":"abc"}]}`}})

	over = throttledBody(exceeded, overTable, "TableWriteProvisionedThroughputExceeded", abcARN)
	writes()
	c.pass(time.Second) // one write
	c.must("DeleteItem", onAbc(`"Key":{"pk":{"S":"none"},"sk":{"S":"none"}}`))
	writes()
	c.pass(time.Second) // and one that is larger than what is there
	c.must("DeleteItem", onAbc(`"Key":{`+keyA+`}`))
	c.pass(299 * time.Second)
	writes()
	c.pass(time.Second)
	c.must("PutItem", put)
	stats := c.region.Stats().Tables[0].Usage
	if stats.Write != 300+1+300+1 || stats.Read != 37.5+300 || stats.Throttled < 40 {
		t.Errorf("%+v", stats)
	}
}

// TestThrottledIndex: an index without capacity pushes back on writes that touch it, and on reads of its own (6).
func TestThrottledIndex(t *testing.T) {
	c := newTimed(t)
	index := indexOf("idx", keyList("sk HASH"), provisioned("1", "1")) + `,` +
		`{"IndexName":"wide","KeySchema":` + keyList("g HASH") + `,"Projection":{"ProjectionType":"KEYS_ONLY"}` + provisioned("1000", "1000") + `}`
	c.must("CreateTable", tableSpec{defs: defList("pk", "sk", "g"), rest: provisioned("1000", "1000") + gsi(index)}.body())
	c.must("PutItem", onAbc(`"Item":{`+keyA+`,`+kilobytes(300)+`}`))
	over := throttledBody(exceeded, overIndex, "IndexWriteProvisionedThroughputExceeded", abcARN+"/index/idx")
	c.throttles("PutItem", onAbc(`"Item":{"pk":{"S":"b"},"sk":{"S":"b"}}`), over)
	c.throttles("DeleteItem", onAbc(`"Key":{`+keyA+`}`), over)
	c.replies([]reply{ // what does not touch the index goes on
		{"6", "DeleteItem", onAbc(`"Key":{"pk":{"S":"none"},"sk":{"S":"none"}}`), `{}`},
		{"6", "GetItem", onAbc(`"Key":{"pk":{"S":"b"},"sk":{"S":"b"}},"ConsistentRead":true`), `{}`},
		{"6", "BatchWriteItem", `{"RequestItems":{"abc":[{"PutRequest":{"Item":{"pk":{"S":"b"},"sk":{"S":"b"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"none"},"sk":{"S":"none"}}}}]},"ReturnConsumedCapacity":"TOTAL"}`,
			`{"UnprocessedItems":{"abc":[{"PutRequest":{"Item":{"pk":{"S":"b"},"sk":{"S":"b"}}}}]},"ConsumedCapacity":[{"TableName":"abc","CapacityUnits":1.0}]}`},
	})
	c.throttles("TransactWriteItems", `{"TransactItems":[{"Delete":`+onAbc(`"Key":{"pk":{"S":"none"},"sk":{"S":"none"}}`)+`},{"Delete":`+onAbc(`"Key":{`+keyA+`}`)+`}]}`,
		`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",`+
			`"Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [None, ProvisionedThroughputExceeded]",`+
			`"CancellationReasons":[{"Code":"None"},{"Code":"ProvisionedThroughputExceeded","Message":"`+overIndex+`"}]}`)

	query := onAbc(`"IndexName":"idx","KeyConditionExpression":"sk = :a","ExpressionAttributeValues":{":a":{"S":"a"}},"Select":"COUNT"`)
	for range 8 { // of 37.5 units
		c.must("Query", query)
	}
	over = throttledBody(exceeded, overIndex, "IndexReadProvisionedThroughputExceeded", abcARN+"/index/idx")
	c.throttles("Query", query, over)
	c.throttles("Scan", onAbc(`"IndexName":"idx"`), over)
	c.must("Scan", onAbc(`"IndexName":"wide"`))
	c.must("Scan", onAbc(`"Limit":1`))
	c.pass(time.Second)
	c.must("Query", query)
}

// TestThrottledOnDemand: an on-demand table has no limits, unless it has caps (6).
func TestThrottledOnDemand(t *testing.T) {
	c := newTimed(t)
	const caps = `"OnDemandThroughput":{"MaxReadRequestUnits":1,"MaxWriteRequestUnits":1}`
	c.must("CreateTable", tableSpec{rest: onDemand + gsi(indexOf("idx", keyList("sk HASH"), `,`+caps))}.body())
	item := onAbc(`"Item":{` + keyA + `,` + kilobytes(300) + `}`)
	c.must("PutItem", item)
	c.throttles("DeleteItem", onAbc(`"Key":{`+keyA+`}`),
		throttledBody(exceeded, overIndexCap, "IndexWriteMaxOnDemandThroughputExceeded", abcARN+"/index/idx"))
	c.throttles("TransactWriteItems", `{"TransactItems":[{"Delete":`+onAbc(`"Key":{`+keyA+`}`)+`}]}`,
		`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",`+
			`"Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [ThrottlingError]",`+
			`"CancellationReasons":[{"Code":"ThrottlingError","Message":"`+overIndexCap+`"}]}`)
	for range 8 {
		c.must("Scan", onAbc(`"IndexName":"idx","Select":"COUNT"`))
	}
	c.throttles("Scan", onAbc(`"IndexName":"idx"`),
		throttledBody(throttle, overDemand, "IndexReadMaxOnDemandThroughputExceeded", abcARN+"/index/idx"))

	c.fails("UpdateTable", onAbc(`"GlobalSecondaryIndexUpdates":[{"Update":{"IndexName":"idx","OnDemandThroughput":{"MaxReadRequestUnits":0}}}]`), validation,
		invalidParam+"Requested MaxReadRequestUnits for OnDemandThroughput for index : idx is outside of valid range")
	c.must("UpdateTable", onAbc(`"GlobalSecondaryIndexUpdates":[{"Update":{"IndexName":"idx","OnDemandThroughput":{"MaxReadRequestUnits":-1}}}]`))
	c.must("Scan", onAbc(`"IndexName":"idx","Select":"COUNT"`)) // and the cap on writes is still there

	for range 20 { // no caps on the table yet: 750 read units and 6,000 write units
		c.must("GetItem", onAbc(`"Key":{`+keyA+`},"ProjectionExpression":"pk"`))
		c.must("PutItem", item) // the same again does not touch the index
	}
	c.must("UpdateTable", onAbc(caps))
	for range 8 {
		c.must("GetItem", onAbc(`"Key":{`+keyA+`},"ProjectionExpression":"pk"`))
	}
	c.must("PutItem", item)
	c.throttles("GetItem", onAbc(`"Key":{`+keyA+`}`), throttledBody(throttle, overDemand, "TableReadMaxOnDemandThroughputExceeded", abcARN))
	c.throttles("PutItem", item, throttledBody(throttle, overDemand, "TableWriteMaxOnDemandThroughputExceeded", abcARN))
	c.throttles("DeleteItem", onAbc(`"Key":{`+keyA+`}`), throttledBody(throttle, overDemand, // the table's text, both reasons
		"TableWriteMaxOnDemandThroughputExceeded", abcARN, "IndexWriteMaxOnDemandThroughputExceeded", abcARN+"/index/idx"))
	c.throttles("TransactGetItems", `{"TransactItems":[{"Get":`+onAbc(`"Key":{`+keyA+`}`)+`}]}`,
		`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",`+
			`"Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [ThrottlingError]",`+
			`"CancellationReasons":[{"Code":"ThrottlingError","Message":"`+overDemand+`"}]}`)
	c.replies([]reply{{"12", "BatchExecuteStatement", `{"Statements":[{"Statement":"SELECT * FROM abc WHERE pk='a' AND sk='a'"}]}`,
		`{"Responses":[{"Error":{"Code":"ThrottlingError","Message":"` + overDemand + `"},"TableName":"abc"}]}`}})
	c.must("UpdateTable", onAbc(`"OnDemandThroughput":{"MaxReadRequestUnits":-1,"MaxWriteRequestUnits":-1}`))
	c.must("PutItem", item)
	c.must("GetItem", onAbc(`"Key":{`+keyA+`},"ProjectionExpression":"pk"`))
}

// TestThrottledBatches: what could not be done comes back in the shape of the request (6, 7.1, 7.2).
func TestThrottledBatches(t *testing.T) {
	c := newTimed(t)
	c.must("CreateTable", tableSpec{keys: keyList("pk HASH"), defs: defList("pk"), rest: provisioned("1", "1") + `,"TableClass":"STANDARD"`}.body())
	c.table("free", false)
	c.must("PutItem", onAbc(`"Item":{"pk":{"S":"a"},"v":{"S":"`+strings.Repeat("x", 299*1024-4)+`"}}`)) // 299 units
	c.replies([]reply{
		{"7.2", "BatchWriteItem", `{"RequestItems":{"abc":[` + putRequest("1") + `,` + putRequest("2") + `,` + deleteRequest("3") + `]},"ReturnConsumedCapacity":"TOTAL","ReturnItemCollectionMetrics":"SIZE"}`,
			`{"UnprocessedItems":{"abc":[` + putRequest("2") + `,` + deleteRequest("3") + `]},"ItemCollectionMetrics":{},"ConsumedCapacity":[{"TableName":"abc","CapacityUnits":1.0}]}`},
		{"7.2", "BatchWriteItem", `{"RequestItems":{"abc":[` + putRequest("2") + `],"free":[` + putRequest("1") + `]},"ReturnConsumedCapacity":"TOTAL"}`, // another table's success is one
			`{"UnprocessedItems":{"abc":[` + putRequest("2") + `]},"ConsumedCapacity":[{"TableName":"free","CapacityUnits":1.0}]}`},
	})
	c.pass(2 * time.Second)
	c.replies([]reply{
		{"7.2", "BatchWriteItem", `{"RequestItems":{"abc":[` + putRequest("2") + `,` + deleteRequest("3") + `]}}`, `{"UnprocessedItems":{}}`},
		{"7.1", "GetItem", onAbc(`"Key":{"pk":{"S":"2"}}`), `{"Item":{"pk":{"S":"2"},"v":{"S":"of 2"}}}`},
	})
	for range 4 { // 75 units each, of 299.5
		c.must("GetItem", onAbc(`"Key":{"pk":{"S":"a"}},"ConsistentRead":true,"ProjectionExpression":"pk"`))
	}
	c.pass(time.Second) // half a unit
	c.replies([]reply{
		{"7.1", "BatchGetItem", `{"RequestItems":{"abc":{"Keys":[{"pk":{"S":"2"}},{"pk":{"S":"1"}},{"pk":{"S":"none"}}],"ProjectionExpression":"#v","ExpressionAttributeNames":{"#v":"v"},"ConsistentRead":false},` +
			`"free":{"Keys":[{"pk":{"S":"1"}}]}},"ReturnConsumedCapacity":"TOTAL"}`,
			`{"Responses":{"abc":[{"v":{"S":"of 2"}}],"free":[{"pk":{"S":"1"},"v":{"S":"of 1"}}]},` +
				`"UnprocessedKeys":{"abc":{"Keys":[{"pk":{"S":"1"}},{"pk":{"S":"none"}}],"ConsistentRead":false,"ProjectionExpression":"#v","ExpressionAttributeNames":{"#v":"v"}}},` +
				`"ConsumedCapacity":[{"TableName":"abc","CapacityUnits":0.5},{"TableName":"free","CapacityUnits":0.5}]}`},
		{"7.1", "BatchGetItem", `{"RequestItems":{"abc":{"Keys":[{"pk":{"S":"2"}}]},"free":{"Keys":[{"pk":{"S":"none"}}]}}}`,
			`{"Responses":{"abc":[],"free":[]},"UnprocessedKeys":{"abc":{"Keys":[{"pk":{"S":"2"}}]}}}`},
	})
	c.throttles("BatchGetItem", `{"RequestItems":{"abc":{"Keys":[{"pk":{"S":"2"}}]}}}`,
		throttledBody(exceeded, overTable, "TableReadProvisionedThroughputExceeded", abcARN))
}

// TestThrottledSelect: a SELECT of several partitions that runs out of capacity goes on later from where it was.
func TestThrottledSelect(t *testing.T) {
	c := newTimed(t)
	c.must("CreateTable", tableSpec{rest: provisioned("1", "1000")}.body())
	for _, k := range []string{"a", "b", "c"} {
		c.must("PutItem", onAbc(`"Item":{"pk":{"S":"`+k+`"},"sk":{"S":"x"}}`))
	}
	c.must("PutItem", onAbc(`"Item":{"pk":{"S":"z"},"sk":{"S":"x"},`+kilobytes(299)+`}`))
	for range 4 { // 74.75 units, rounded up: all but nothing of 300
		c.must("GetItem", onAbc(`"Key":{"pk":{"S":"z"},"sk":{"S":"x"}},"ConsistentRead":true,"ProjectionExpression":"pk"`))
	}
	c.pass(time.Second)
	const sel = `"Statement":"SELECT pk FROM abc WHERE pk IN ['a','b','c']","ReturnConsumedCapacity":"TOTAL"`
	first := c.must("ExecuteStatement", `{`+sel+`}`)
	contains(t, first, `{"Items":[{"pk":{"S":"a"}},{"pk":{"S":"b"}}],"NextToken":"`)
	contains(t, first, `"CapacityUnits":1.0`)
	next := `{` + sel + `,"NextToken":"` + memberText(t, first, "NextToken") + `"}`
	c.throttles("ExecuteStatement", next, throttledBody(exceeded, overTable, "TableReadProvisionedThroughputExceeded", abcARN))
	c.pass(time.Second)
	c.replies([]reply{{"12", "ExecuteStatement", next, `{"Items":[{"pk":{"S":"c"}}],"ConsumedCapacity":{"TableName":"abc","CapacityUnits":0.5}}`}})
}

// TestTransactionsAndTheirCapacity: all or nothing, also of what is taken; the double is taken; replays read (6, 7.3).
func TestTransactionsAndTheirCapacity(t *testing.T) {
	c := newTimed(t)
	c.must("CreateTable", tableSpec{rest: provisioned("1", "1")}.body())
	c.table("free", false)
	used := func() float64 {
		for _, s := range c.region.Stats().Tables {
			if s.Name == "abc" {
				return s.Usage.Write
			}
		}
		return 0
	}
	put := func(i string) string {
		return `{"Put":` + onAbc(`"Item":{"pk":{"S":"`+i+`"},"sk":{"S":"`+i+`"}}`) + `}`
	}
	request := `{"TransactItems":[` + put("a") + `,` + put("b") + `],"ClientRequestToken":"one"}`
	c.must("TransactWriteItems", request)
	c.must("TransactWriteItems", request) // done before: it reads two items
	if u := c.region.Stats().Tables[0].Usage; u.Write != 4 || u.Read != 4 {
		t.Errorf("%+v", u)
	}
	check := `{"ConditionCheck":` + onAbc(`"Key":{`+keyA+`},"ConditionExpression":"attribute_not_exists(pk)"`) + `}`
	c.fails("TransactWriteItems", `{"TransactItems":[`+put("c")+`,`+check+`]}`, "TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]")
	if u := used(); u != 8 { // a cancelled one is paid
		t.Errorf("%v units", u)
	}
	c.must("PutItem", onAbc(`"Item":{`+keyA+`,`+kilobytes(291)+`}`))
	free := `{"Put":{"TableName":"free","Item":{"pk":{"S":"a"}}}}`
	c.must("TransactWriteItems", `{"TransactItems":[`+free+`,`+put("c")+`,`+put("d")+`]}`) // one unit is left, and overdrawn by three
	for range 3 {
		c.fails("TransactWriteItems", `{"TransactItems":[`+free+`,`+put("e")+`]}`, "TransactionCanceledException",
			"Transaction cancelled, please refer cancellation reasons for specific reasons [None, ProvisionedThroughputExceeded]")
	}
	if u := used(); u != 303 {
		t.Errorf("%v units", u)
	}
	for _, s := range c.region.Stats().Tables {
		if s.Name == "free" && s.Usage.Write != 2 {
			t.Errorf("cancelled transactions took %v units of a table that was not in the way", s.Usage.Write-2)
		}
	}
	c.pass(3 * time.Second)
	c.fails("TransactWriteItems", `{"TransactItems":[`+put("e")+`]}`, "TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons [ProvisionedThroughputExceeded]")
	c.pass(time.Second)
	c.must("TransactWriteItems", `{"TransactItems":[`+put("e")+`]}`)
}

// TestThroughputHoldsAtOnce: UpdateTable changes what is admitted with its answer, and lowers it four times a day (6).
func TestThroughputHoldsAtOnce(t *testing.T) {
	c := newTimed(t)
	c.must("CreateTable", tableSpec{rest: provisioned("5", "1") + gsi(indexOf("idx", keyList("sk HASH"), provisioned("5", "1000")))}.body())
	put := onAbc(`"Item":{` + keyA + `}`)
	c.must("PutItem", onAbc(`"Item":{`+keyA+`,`+kilobytes(399)+`}`))
	c.pass(90 * time.Second)
	over := throttledBody(exceeded, overTable, "TableWriteProvisionedThroughputExceeded", abcARN)
	c.throttles("PutItem", put, over) // nine units are owed
	c.must("UpdateTable", onAbc(`"ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":1000}`))
	c.throttles("PutItem", put, over)
	c.pass(10 * time.Millisecond)
	c.must("PutItem", onAbc(`"Item":{"pk":{"S":"b"},"sk":{"S":"b"}}`))
	for _, units := range []string{"900", "800", "700", "600"} {
		c.must("UpdateTable", onAbc(`"ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":`+units+`}`))
	}
	contains(t, c.must("DescribeTable", `{"TableName":"abc"}`), `"NumberOfDecreasesToday":4,"ReadCapacityUnits":5,"WriteCapacityUnits":600`)
	lower := onAbc(`"ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":500}`)
	c.fails("UpdateTable", lower, limitExceeded, "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. "+
		"After the first 4 decreases, each subsequent decrease in the same UTC day can be performed at most once every 3600 seconds. "+
		"Number of decreases today: 4. Last decrease at Monday, November 24, 2025 4:01:30 PM UTC. Next decrease can be made at Monday, November 24, 2025 5:01:30 PM UTC")
	c.must("UpdateTable", onAbc(`"GlobalSecondaryIndexUpdates":[{"Update":{"IndexName":"idx"`+provisioned("4", "1000")+`}}]`)) // counted apart
	contains(t, c.must("DescribeTable", `{"TableName":"abc"}`), `"NumberOfDecreasesToday":1,"ReadCapacityUnits":4,"WriteCapacityUnits":1000`)
	c.pass(time.Hour)
	c.must("UpdateTable", lower)
	c.pass(24 * time.Hour)
	contains(t, c.must("DescribeTable", `{"TableName":"abc"}`), `"NumberOfDecreasesToday":0,"ReadCapacityUnits":5,"WriteCapacityUnits":500`)
	c.must("UpdateTable", onAbc(`"BillingMode":"PAY_PER_REQUEST"`))
	for range 30 {
		c.must("PutItem", onAbc(`"Item":{`+keyA+`,`+kilobytes(399)+`}`))
	}
}

// TestSDKRetriesThrottling: the AWS SDK reads the reasons, and its retries wait until there is capacity again.
func TestSDKRetriesThrottling(t *testing.T) {
	c := newTimed(t)
	c.must("CreateTable", tableSpec{rest: provisioned("1", "1")}.body())
	c.must("PutItem", onAbc(`"Item":{`+keyA+`,`+kilobytes(303)+`}`))
	var waits atomic.Int32
	db := dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(c.url),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}, nil
		}),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = 5
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { // the wait passes on the region's clock
				waits.Add(1)
				c.pass(time.Second)
				return 0, nil
			})
		}),
	})
	put := &dynamodb.PutItemInput{TableName: aws.String("abc"), Item: attrs{"pk": str("b"), "sk": str("b")}}
	if _, err := db.PutItem(t.Context(), put); err != nil || waits.Load() != 4 {
		t.Fatalf("after %d waits: %v", waits.Load(), err)
	}
	out, err := db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"abc": {
		{PutRequest: &types.PutRequest{Item: attrs{"pk": str("c"), "sk": str("c")}}}, {PutRequest: &types.PutRequest{Item: attrs{"pk": str("d"), "sk": str("d")}}},
	}}})
	if err != nil || len(out.UnprocessedItems["abc"]) != 1 {
		t.Fatalf("%v %+v", err, out)
	}
	_, err = db.PutItem(t.Context(), put, func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	var e *types.ProvisionedThroughputExceededException
	if !errors.As(err, &e) || *e.Message != overTable || len(e.ThrottlingReasons) != 1 ||
		*e.ThrottlingReasons[0].Reason != "TableWriteProvisionedThroughputExceeded" || *e.ThrottlingReasons[0].Resource != abcARN {
		t.Fatalf("%v %+v", err, e)
	}
	waits.Store(0)
	_, err = db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: aws.String("abc"), Item: put.Item}}}})
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) || *canceled.CancellationReasons[0].Code != "ProvisionedThroughputExceeded" || waits.Load() != 0 { // 7.5: not retried
		t.Fatalf("after %d waits: %v", waits.Load(), err)
	}
}
