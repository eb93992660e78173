package api

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// DYNAMODB.md 1.3: the body of every kind of error as it goes over the wire: type, name and case of the message's member.
func TestErrorBodies(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	const model, coral, validate = "com.amazonaws.dynamodb.v20120810#", "com.amazon.coral.service#", "com.amazon.coral.validate#"
	const put = `{"TableName":"tab","Item":{"pk":{"S":"a"}}`
	for _, r := range []struct{ op, body, want string }{
		{"GetItem", `{`, `{"__type":"` + coral + `SerializationException"}`}, // "carry no message"
		{"Nothing", `{}`, `{"__type":"` + coral + `UnknownOperationException"}`},
		{"GetItem", `{"TableName":3}`, `{"__type":"` + coral + `SerializationException","Message":"NUMBER_VALUE cannot be converted to String"}`},
		{"GetItem", `{"TableName":"none","Key":{"pk":{"S":"a"}}}`, `{"__type":"` + model + `ResourceNotFoundException","message":"Requested resource not found"}`},
		{"DescribeTable", `{"TableName":"none"}`, `{"__type":"` + model + `ResourceNotFoundException","message":"Requested resource not found: Table: none not found"}`},
		{"PutItem", put + `,"ReturnValues":"ALL_NEW"}`, `{"__type":"` + validate + `ValidationException","message":"ReturnValues can only be ALL_OLD or NONE"}`},
		{"PutItem", put + `,"ConditionExpression":"attribute_exists(pk)"}`, `{"__type":"` + model + `ConditionalCheckFailedException","message":"The conditional request failed"}`},
		{"PutItem", put + `,"ConditionExpression":"a = \"\\ü"}`, `{"__type":"` + validate + `ValidationException","message":"Invalid ConditionExpression: Syntax error; token: \"\"\", near: \"= \"\\\""}`}, // escaped
		{"TransactWriteItems", `{"TransactItems":[{"Put":` + put + `,"ConditionExpression":"attribute_exists(pk)"}},{"Delete":{"TableName":"tab","Key":{"pk":{"S":"b"}}}}]}`,
			`{"__type":"` + model + `TransactionCanceledException","Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [ConditionalCheckFailed, None]",` +
				`"CancellationReasons":[{"Code":"ConditionalCheckFailed","Message":"The conditional request failed"},{"Code":"None"}]}`},
	} {
		for _, ct := range []string{amzJSON, plainJSON} { // "reply uses x-amz-json-1.0 when asked with it, else application/json", errors too
			q := c.request(targetDynamoDB+r.op, r.body)
			q.Header.Set("Content-Type", ct)
			a := c.do(q)
			if a.status != http.StatusBadRequest || a.body != r.want {
				t.Errorf("1.3: %s %s\n got  %d %s\n want %s", r.op, r.body, a.status, a.body, r.want)
			}
			if a.header.Get("Content-Type") != ct || len(a.header.Get("x-amzn-RequestId")) != 52 || a.header.Get("x-amz-crc32") == "" {
				t.Errorf("1.2: %s %s: headers %v", r.op, r.body, a.header)
			}
		}
	}
}

// DYNAMODB.md 1.1: headers: CORS on every answer to a request with an Origin and on none without, what is tolerated, and the
// connection's end.
func TestRequestHeaders(t *testing.T) {
	c := newMemoryClient(t)
	for _, body := range []string{`{}`, `{`, `{"Limit":0}`} {
		for origin, want := range map[string]string{"": "", "https://example.org": "*", "null": "*"} {
			r := c.request(targetDynamoDB+"ListTables", body)
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
			if a := c.do(r); a.header.Get("Access-Control-Allow-Origin") != want {
				t.Errorf("%s with Origin %q: %v", body, origin, a.header)
			}
		}
	}
	r, err := http.NewRequest(http.MethodOptions, c.url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Access-Control-Request-Headers", "x-amz-target")
	if a := c.do(r); a.status != 200 || a.body != "" || a.header.Get("Access-Control-Allow-Headers") != "" || a.header.Get("Access-Control-Max-Age") != "" {
		t.Errorf("OPTIONS without Origin: %d %v", a.status, a.header)
	}
	r = c.request(targetDynamoDB+"ListTables", `{}`)
	for name, value := range map[string]string{
		"User-Agent": "aws-sdk", "X-Amz-User-Agent": "x", "Amz-Sdk-Invocation-Id": "1", "Amz-Sdk-Request": "attempt=1; max=10", "Accept-Encoding": "identity", "X-Amz-Content-Sha256": "0", "X-Amzn-Trace-Id": "Root=1",
		"X-Amz-Security-Token": "t", "X-Amz-Date": "20260101T000000Z", "Authorization": "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00",
	} {
		r.Header.Set(name, value)
	}
	if a := c.do(r); a.status != 200 {
		t.Errorf("tolerated headers: %d %s", a.status, a.body)
	}
	r = c.request(targetDynamoDB+"ListTables", `{}`)
	r.Host = "dynamodb.eu-west-1.amazonaws.com" // "accept any Host"
	if a := c.do(r); a.status != 200 {
		t.Errorf("another Host: %d", a.status)
	}
	// "AWS looks only at the FIRST Accept-Encoding header line", "AND body > 4096 bytes".
	c.table("tab", false)
	for size, packed := range map[int]bool{4096: false, 4097: true} {
		const frame = len(`{"Item":{"pk":{"S":"k"},"v":{"S":""}}}`)
		c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"k"},"v":{"S":"`+strings.Repeat("x", size-frame)+`"}}}`)
		for _, lines := range [][]string{{"gzip"}, {"identity", "gzip"}, {"gzip", "identity"}} {
			r := c.request(targetDynamoDB+"GetItem", `{"TableName":"tab","Key":{"pk":{"S":"k"}}}`)
			r.Header["Accept-Encoding"] = lines
			if got, want := c.do(r).header.Get("Content-Encoding") == "gzip", packed && lines[0] == "gzip"; got != want {
				t.Errorf("%d bytes for %q: packed %v", size, lines, got)
			}
		}
	}
}

// DYNAMODB.md 1.1: "HTTP keep-alive works; `Connection: close` honoured".
func TestConnectionClose(t *testing.T) {
	c := newMemoryClient(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, end := range []string{"", "Connection: close\r\n"} {
		_, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: "+amzJSON+"\r\nX-Amz-Target: "+targetDynamoDB+"ListTables\r\nContent-Length: 2\r\n"+end+"\r\n{}")
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := io.ReadAll(conn) // it ends: the connection was closed after the second answer
	if err != nil || strings.Count(string(b), `{"TableNames":[]}`) != 2 || strings.Count(string(b), "Connection: close") != 1 {
		t.Errorf("%v: %s", err, b)
	}
}

// DYNAMODB.md 1.1: "Ignore unknown JSON members silently at top level and in structures; JSON null member == absent; tolerate
// null list elements", and of two members of one name the later counts.
func TestUnknownAndNullMembers(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"n":{"N":"1"}}}`)
	const got = `{"Item":{"n":{"N":"1"},"pk":{"S":"a"}}}`
	const key = `{"TableName":"tab","Key":{"pk":{"S":"a"}}`
	for _, rest := range []string{
		``, `,"Nothing":1`, `,"Nothing":{"a":[{"b":null},[[]]]}`, `,"ConsistentRead":null`, `,"ProjectionExpression":null,"ExpressionAttributeNames":null`, `,"AttributesToGet":null`, `,"ReturnConsumedCapacity":null`,
		`,"tablename":"none"`, `,"TableName":"tab"`, `,"AttributesToGet":["n",null,"pk",null]`, `,"Key":{"pk":{"S":"a","S2":"b","N":null}}`, `,"ConsistentRead":"true"`, `,"ConsistentRead":"0"`,
	} {
		c.replies([]reply{{"1.1", "GetItem", key + rest + `}`, got}})
	}
	c.replies([]reply{
		{"1.1", "GetItem", `{"TableName":"none","TableName":"tab","Key":{"pk":{"S":"x"}},"Key":{"pk":{"S":"a"}}}`, got},
		{"1.1", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"n":{"N":"2"},"n":{"N":"1"}},"Expected":null,"ConditionExpression":null,"ExpressionAttributeValues":null}`, `{}`}, {"1.1", "GetItem", key + `}`, got},
		{"1.1", "UpdateItem", key + `,"AttributeUpdates":{"n":{"Action":null,"Value":{"N":"1"},"Other":{}}},"Expected":{"n":{"Value":null,"Exists":null,"ComparisonOperator":"NOT_NULL","Other":1}}}`, `{}`},
		{"1.1", "BatchGetItem", `{"RequestItems":{"tab":{"Keys":[null,{"pk":{"S":"a"}},null],"Other":1}},"Other":[]}`, `{"Responses":{"tab":[{"n":{"N":"1"},"pk":{"S":"a"}}]},"UnprocessedKeys":{}}`},
		{"1.1", "Query", `{"TableName":"tab","KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[null,{"S":"a"}]}},"Select":null,"Limit":null,"ExclusiveStartKey":null}`, `{"Items":[{"n":{"N":"1"},"pk":{"S":"a"}}],"Count":1,"ScannedCount":1}`},
	})
}
