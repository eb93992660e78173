package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/storage/memstore"
)

// operationNames are the built operations in order, so that a number names one.
func operationNames() []string {
	var names []string
	names = slices.AppendSeq(names, maps.Keys(operations()))
	names = slices.AppendSeq(names, maps.Keys(streamsOperations()))
	slices.Sort(names)
	return names
}

// seeds are bodies that reach deep into each operation.
var seeds = map[string][]string{
	"PutItem": {`{"TableName":"tab","Item":{"pk":{"S":"a"},"v":{"L":[{"M":{"x":{"NS":["1","2"]}}},{"B":"AA=="}]}},"ConditionExpression":"attribute_not_exists(#a) OR v[0].x = :v","ExpressionAttributeNames":{"#a":"pk"},"ExpressionAttributeValues":{":v":{"N":"1e3"}},"ReturnValues":"ALL_OLD","ReturnConsumedCapacity":"INDEXES"}`,
		`{"TableName":"tab","Item":{"pk":{"S":"a"}},"Expected":{"v":{"ComparisonOperator":"BETWEEN","AttributeValueList":[{"N":"1"},{"N":"2"}]},"w":{"Exists":false}},"ConditionalOperator":"OR"}`},
	"UpdateItem": {`{"TableName":"tab","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET a.b[1] = if_not_exists(c, :v) + :v, d = list_append(d, :l) REMOVE e ADD n :v DELETE s :s","ExpressionAttributeValues":{":v":{"N":"1"},":l":{"L":[]},":s":{"SS":["x"]}},"ReturnValues":"UPDATED_NEW"}`,
		`{"TableName":"tab","Key":{"pk":{"S":"a"}},"AttributeUpdates":{"n":{"Action":"ADD","Value":{"L":[{"S":"x"}]}},"s":{"Action":"DELETE"}}}`},
	"DeleteItem": {`{"TableName":"tab","Key":{"pk":{"S":"a"}},"ConditionExpression":"size(v) BETWEEN :a AND :b AND NOT v IN (:a)","ExpressionAttributeValues":{":a":{"N":"1"},":b":{"N":"2"}}}`},
	"GetItem":    {`{"TableName":"tab","Key":{"pk":{"S":"a"}},"ProjectionExpression":"a.b[1], c","ConsistentRead":"true"}`},
	"Query": {`{"TableName":"tab","KeyConditionExpression":"pk = :p","FilterExpression":"contains(v, :p)","ExpressionAttributeValues":{":p":{"S":"a"}},"Limit":1,"ExclusiveStartKey":{"pk":{"S":"a"}},"Select":"COUNT"}`,
		`{"TableName":"tab","KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]}},"QueryFilter":{"v":{"ComparisonOperator":"NOT_CONTAINS","AttributeValueList":[{"S":"a"}]}},"AttributesToGet":["v"]}`},
	"Scan": {`{"TableName":"tab","Segment":1,"TotalSegments":3,"Limit":2,"FilterExpression":"begins_with(pk, :p)","ExpressionAttributeValues":{":p":{"S":"a"}}}`,
		`{"TableName":"tab","ScanFilter":{"v":{"ComparisonOperator":"IN","AttributeValueList":[{"S":"a"},{"S":"b"}]},"w":{"ComparisonOperator":"NULL"}},"ConditionalOperator":"AND"}`},
	"BatchGetItem":       {`{"RequestItems":{"tab":{"Keys":[{"pk":{"S":"a"}},{"pk":{"S":"b"}}],"ProjectionExpression":"pk"}}}`},
	"BatchWriteItem":     {`{"RequestItems":{"tab":[{"PutRequest":{"Item":{"pk":{"S":"a"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"b"}}}}]},"ReturnItemCollectionMetrics":"SIZE"}`},
	"TransactWriteItems": {`{"ClientRequestToken":"t","TransactItems":[{"Put":{"TableName":"tab","Item":{"pk":{"S":"a"}}}},{"ConditionCheck":{"TableName":"tab","Key":{"pk":{"S":"b"}},"ConditionExpression":"attribute_exists(pk)"}}]}`},
	"TransactGetItems":   {`{"TransactItems":[{"Get":{"TableName":"tab","Key":{"pk":{"S":"a"}},"ProjectionExpression":"v"}}]}`},
	"CreateTable":        {`{"TableName":"new","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST","GlobalSecondaryIndexes":[{"IndexName":"idx","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}],"Tags":[{"Key":"a","Value":"b"}]}`},
	"UpdateTable":        {`{"TableName":"tab","GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"idx","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]}`, `{"TableName":"tab","ReplicaUpdates":[{"Create":{"RegionName":"eu-west-1"}}]}`},
	"DeleteTable":        {`{"TableName":"gone"}`},
	"TagResource":        {`{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab","Tags":[{"Key":"a","Value":"b"}]}`},
	"UntagResource":      {`{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab","TagKeys":["a"]}`},
	"UpdateTimeToLive":   {`{"TableName":"tab","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"exp"}}`},
	"ListStreams":        {`{"TableName":"tab","Limit":1,"ExclusiveStartStreamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab/stream/2015-05-11T21:21:33.291"}`},
	"DescribeStream":     {`{"StreamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab/stream/2015-05-11T21:21:33.291","Limit":1,"ShardFilter":{"Type":"CHILD_SHARDS","ShardId":"shardId-00000000000000000001-00000000"}}`},
	"GetShardIterator":   {`{"StreamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab/stream/2015-05-11T21:21:33.291","ShardId":"shardId-00000000000000000001-00000000","ShardIteratorType":"AT_TIMESTAMP","Timestamp":1.5e9}`},
	"GetRecords":         {`{"ShardIterator":"AQAAAAAAAAAAAAAA","Limit":1000}`},
	"ExecuteStatement": {`{"Statement":"SELECT * FROM tab WHERE pk = ?","Parameters":[{"S":"a"}]}`, `{"Statement":"INSERT INTO tab VALUE {'pk': 'a', 'l': [1, <<'x'>>, {'y': NULL}]}"}`,
		`{"Statement":"UPDATE tab SET a.b[0] = n + 1, s = set_add(s, <<1>>) REMOVE c WHERE pk = 'a' AND (n IS MISSING OR size(l) > 2) RETURNING ALL NEW *"}`},
	"BatchExecuteStatement": {`{"Statements":[{"Statement":"SELECT a[1] FROM tab WHERE pk = 'a'","ConsistentRead":true},{"Statement":"SELECT * FROM tab WHERE pk = ?","Parameters":[{"S":"b"}]}]}`},
	"ExecuteTransaction":    {`{"ClientRequestToken":"t","TransactStatements":[{"Statement":"EXISTS(SELECT * FROM tab WHERE pk = 'a' AND n = 1)"},{"Statement":"DELETE FROM tab WHERE pk = 'b' AND NOT contains(l, 2)"}]}`},
}

// FuzzRequest gives an operation any body. It must answer, with JSON; and an error of the client's must say which.
func FuzzRequest(f *testing.F) {
	names := operationNames()
	for i, name := range names {
		for _, body := range append(seeds[name], `{}`, `{"TableName":"tab"}`, `{"TableName":"tab","Key":`) {
			f.Add(uint8(i), []byte(body))
		}
	}
	r, err := region.Open(region.Options{Name: "us-east-1", Store: memstore.New()})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = r.Close() })
	whole, err := New(Options{Region: r})
	if err != nil {
		f.Fatal(err)
	}
	const create = `{"TableName":"tab","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}`
	serve(f, whole, "CreateTable", []byte(create))
	f.Fuzz(func(t *testing.T, op uint8, body []byte) {
		name := names[int(op)%len(names)]
		s := whole
		if strings.HasSuffix(name, "Table") { // a region remembers every table that it ever had; these get a fresh one
			s, err = New(Options{Backend: newFake()})
			if err != nil {
				t.Fatal(err)
			}
			serve(t, s, "CreateTable", []byte(create))
		}
		serve(t, s, name, body)
	})
}

// serve runs one request and judges the form of its answer.
func serve(t testing.TB, s *Server, op string, body []byte) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("Content-Type", amzJSON)
	r.Header.Set("X-Amz-Target", targetOf(op)+op)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	out := w.Body.Bytes()
	switch {
	case w.Code == http.StatusServiceUnavailable: // a region that is asked for others
	case w.Code != http.StatusOK && w.Code != http.StatusBadRequest:
		t.Fatalf("%s %q: status %d %s", op, body, w.Code, out)
	case w.Code == http.StatusOK && len(out) == 0 && (op == "TagResource" || op == "UntagResource"):
		return
	}
	var answer struct {
		Type string `json:"__type"`
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%s %q: %v in answer %q", op, body, err, out)
	}
	if (w.Code != http.StatusOK) != strings.Contains(answer.Type, "#") {
		t.Fatalf("%s %q: status %d with type %q", op, body, w.Code, answer.Type)
	}
}

// FuzzItem reads any JSON as an item. What is accepted is canonical: written out and read again it is the same.
func FuzzItem(f *testing.F) {
	for _, s := range []string{`{}`, `null`, `{"a":{"S":"x"}}`, `{"a":{"N":"1.50"},"b":{"SS":["b","a"]}}`, `{"a":{"L":[{"M":{"x":{"B":"AA=="}}},{"NULL":true},{"BOOL":"no"}]}}`,
		`{"a":{"N":"1e-130"}}`, `{"a":{"BS":["AA==",""]}}`, `{"a":{"S":"\ud83d\ude00\u0000"}}`, `{"a":{"M":null}}`, `[`, `{"a":{"NS":["1","1.0"]}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		read := func(b []byte) attributes {
			d := newDecoder(b)
			a := d.attributes()
			if d.err != nil {
				return attributes{}
			}
			return a
		}
		a := read(b)
		if !a.set || a.err != nil {
			return
		}
		if _, err := item.DecodeItem(a.item.Encoded()); err != nil {
			t.Fatalf("%q is kept as %x: %v", b, a.item.Encoded(), err)
		}
		out := a.item.AppendJSON(nil)
		if !jsontext.Value(out).IsValid() {
			t.Fatalf("%q is written as %q", b, out)
		}
		if again := read(out); again.err != nil || !again.item.Equal(a.item) {
			t.Fatalf("%q is written as %q, which reads otherwise: %v", b, out, again.err)
		}
	})
}
