package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// streams runs an operation of the Streams target.
func (c *client) streams(op, body string) answer {
	c.t.Helper()
	return c.do(c.request(targetStreams+op, body))
}

func mustStreams[T any](c *client, op, body string) (out T) {
	c.t.Helper()
	a := c.streams(op, body)
	if a.status != http.StatusOK {
		c.t.Fatalf("%s %s: %d %s", op, body, a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		c.t.Fatal(err)
	}
	return out
}

type streamList struct {
	Streams                []struct{ StreamArn, StreamLabel, TableName string }
	LastEvaluatedStreamArn string
}

type streamDescription struct {
	StreamDescription struct {
		StreamArn, StreamLabel, StreamStatus, StreamViewType, TableName string
		CreationRequestDateTime                                         float64
		KeySchema                                                       []struct{ AttributeName, KeyType string }
		Shards                                                          []struct {
			ShardId, ParentShardId string //nolint:revive // the service's name
			SequenceNumberRange    struct{ StartingSequenceNumber, EndingSequenceNumber string }
		}
		LastEvaluatedShardId string //nolint:revive // the service's name
	}
}

type image = map[string]map[string]any

type streamPage struct {
	Records []struct {
		EventID, EventName, EventVersion, EventSource, AwsRegion string
		Dynamodb                                                 struct {
			ApproximateCreationDateTime    json.Number
			Keys, NewImage, OldImage       image
			SequenceNumber, StreamViewType string
			SizeBytes                      int
		}
		UserIdentity map[string]string
	}
	NextShardIterator *string
}

// streamTable creates a table with a stream and returns the stream's ARN.
func (c *client) streamTable(name, view string) string {
	c.t.Helper()
	c.must("CreateTable", `{"TableName":"`+name+`","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],`+
		`"BillingMode":"PAY_PER_REQUEST","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"`+view+`"}}`)
	return c.latestStream(name)
}

func (c *client) latestStream(table string) string {
	c.t.Helper()
	var d struct {
		Table struct{ LatestStreamArn string }
	}
	if err := json.Unmarshal([]byte(c.must("DescribeTable", `{"TableName":"`+table+`"}`)), &d); err != nil || d.Table.LatestStreamArn == "" {
		c.t.Fatal(d, err)
	}
	return d.Table.LatestStreamArn
}

// iterator makes one; start is what follows the shard in the request.
func (c *client) iterator(arn, shard, start string) string {
	c.t.Helper()
	return mustStreams[struct{ ShardIterator string }](c, "GetShardIterator", `{"StreamArn":"`+arn+`","ShardId":"`+shard+`",`+start+`}`).ShardIterator
}

const fromHorizon = `"ShardIteratorType":"TRIM_HORIZON"`

// all reads all shards once from their beginning, and returns each record as "EVENT key old new".
func (c *client) all(arn string) (lines []string, page streamPage) {
	c.t.Helper()
	for _, s := range mustStreams[streamDescription](c, "DescribeStream", `{"StreamArn":"`+arn+`"}`).StreamDescription.Shards {
		it := c.iterator(arn, s.ShardId, fromHorizon)
		for empty := 0; empty < 2; {
			p := mustStreams[streamPage](c, "GetRecords", `{"ShardIterator":"`+it+`"}`)
			for _, r := range p.Records {
				lines = append(lines, fmt.Sprint(r.EventName, " ", r.Dynamodb.Keys, " ", r.Dynamodb.OldImage, " ", r.Dynamodb.NewImage))
				page.Records = append(page.Records, r)
			}
			if p.NextShardIterator == nil {
				break
			}
			if it = *p.NextShardIterator; len(p.Records) == 0 {
				empty++
			}
		}
	}
	return lines, page
}

var (
	shardForm    = regexp.MustCompile(`^shardId-[0-9]{20}-[0-9a-f]{8}$`)
	sequenceForm = regexp.MustCompile(`^[0-9]{21,40}$`)
	eventForm    = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// DYNAMODB.md 8: what a record is, by view; and writes that change nothing make none.
func TestStreamRecords(t *testing.T) {
	writes := []struct{ op, body string }{
		{"PutItem", `"Item":{"pk":{"S":"a"},"n":{"N":"1.50"},"m":{"M":{"x":{"S":"1"},"y":{"S":"2"}}},"s":{"SS":["p","q"]}}`},
		{"PutItem", `"Item":{"m":{"M":{"y":{"S":"2"},"x":{"S":"1"}}},"s":{"SS":["q","p"]},"n":{"N":"15e-1"},"pk":{"S":"a"}}`},                                               // deeply equal
		{"UpdateItem", `"Key":{"pk":{"S":"a"}},"UpdateExpression":"REMOVE nothing"`},                                                                                        // changes nothing
		{"UpdateItem", `"Key":{"pk":{"S":"none"}},"UpdateExpression":"REMOVE nothing"`},                                                                                     // creates nothing
		{"UpdateItem", `"Key":{"pk":{"S":"a"}},"UpdateExpression":"SET n = :n","ExpressionAttributeValues":{":n":{"N":"1.5"}}`},                                             // the same
		{"DeleteItem", `"Key":{"pk":{"S":"none"}}`},                                                                                                                         // there is none
		{"UpdateItem", `"Key":{"pk":{"S":"a"}},"UpdateExpression":"SET n = :n REMOVE m, s","ExpressionAttributeValues":{":n":{"N":"2"}}`},                                   // MODIFY
		{"DeleteItem", `"Key":{"pk":{"S":"a"}}`},                                                                                                                            // REMOVE
		{"UpdateItem", `"Key":{"pk":{"S":"a"}}`},                                                                                                                            // INSERT of a key alone
		{"DeleteItem", `"Key":{"pk":{"S":"a"}},"ConditionExpression":"attribute_exists(x)"`},                                                                                // false
		{"UpdateItem", `"Key":{"pk":{"S":"a"}},"UpdateExpression":"SET a.b = :x","ConditionExpression":"attribute_exists(x)","ExpressionAttributeValues":{":x":{"N":"2"}}`}, // false
	}
	const (
		whole = `map[m:map[M:map[x:map[S:1] y:map[S:2]]] n:map[N:1.5] pk:map[S:a] s:map[SS:[p q]]]`
		less  = `map[n:map[N:2] pk:map[S:a]]`
		key   = `map[pk:map[S:a]]`
		none  = `map[]`
	)
	for view, want := range map[string][]string{
		"NEW_AND_OLD_IMAGES": {"INSERT " + key + " " + none + " " + whole, "MODIFY " + key + " " + whole + " " + less, "REMOVE " + key + " " + less + " " + none, "INSERT " + key + " " + none + " " + key},
		"NEW_IMAGE":          {"INSERT " + key + " " + none + " " + whole, "MODIFY " + key + " " + none + " " + less, "REMOVE " + key + " " + none + " " + none, "INSERT " + key + " " + none + " " + key},
		"OLD_IMAGE":          {"INSERT " + key + " " + none + " " + none, "MODIFY " + key + " " + whole + " " + none, "REMOVE " + key + " " + less + " " + none, "INSERT " + key + " " + none + " " + none},
		"KEYS_ONLY":          {"INSERT " + key + " " + none + " " + none, "MODIFY " + key + " " + none + " " + none, "REMOVE " + key + " " + none + " " + none, "INSERT " + key + " " + none + " " + none},
	} {
		c := newMemoryClient(t)
		arn := c.streamTable("tab", view)
		for _, w := range writes {
			if a := c.call(w.op, `{"TableName":"tab",`+w.body+`}`); a.status != 200 && !strings.Contains(a.body, checkFailed) {
				t.Fatal(w, a)
			}
		}
		lines, page := c.all(arn)
		if got, want := strings.Join(lines, "\n"), strings.Join(want, "\n"); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", view, got, want)
			continue
		}
		// The key is 3 bytes, the smaller item 6 (3.4); 0: not looked at.
		sizes := map[string][]int{"KEYS_ONLY": {3, 3, 3, 3}, "NEW_IMAGE": {0, 9, 3, 6}, "OLD_IMAGE": {3, 0, 9, 3}, "NEW_AND_OLD_IMAGES": {0, 0, 9, 6}}[view]
		for i, r := range page.Records {
			d := r.Dynamodb
			if !eventForm.MatchString(r.EventID) || r.EventVersion != "1.1" || r.EventSource != "aws:dynamodb" || r.AwsRegion != "us-east-1" || r.UserIdentity != nil ||
				!sequenceForm.MatchString(d.SequenceNumber) || d.StreamViewType != view || strings.Contains(d.ApproximateCreationDateTime.String(), ".") {
				t.Errorf("%s: %+v", view, r)
			}
			if i > 0 && d.SequenceNumber <= page.Records[i-1].Dynamodb.SequenceNumber {
				t.Errorf("%s after %s", d.SequenceNumber, page.Records[i-1].Dynamodb.SequenceNumber)
			}
			if sizes[i] > 0 && d.SizeBytes != sizes[i] {
				t.Errorf("%s: %d bytes, want %d", view, d.SizeBytes, sizes[i])
			}
		}
	}
}

// DYNAMODB.md 7.3, 8: the records of a transaction stand in its order, one for each item.
func TestStreamOfTransaction(t *testing.T) {
	c := newMemoryClient(t)
	arn := c.streamTable("tab", "KEYS_ONLY")
	var actions []string
	for i := range 40 {
		actions = append(actions, fmt.Sprintf(`{"Put":{"TableName":"tab","Item":{"pk":{"S":"%d"}}}}`, i))
	}
	c.must("TransactWriteItems", `{"TransactItems":[`+strings.Join(actions, ",")+`]}`)
	_, page := c.all(arn)
	if len(page.Records) != 40 {
		t.Fatalf("%d records", len(page.Records))
	}
	at := map[string]string{}
	for _, r := range page.Records {
		at[r.Dynamodb.Keys["pk"]["S"].(string)] = r.Dynamodb.SequenceNumber
	}
	for i := 1; i < 40; i++ {
		if at[fmt.Sprint(i-1)] >= at[fmt.Sprint(i)] {
			t.Errorf("action %d stands at %s, %d at %s", i-1, at[fmt.Sprint(i-1)], i, at[fmt.Sprint(i)])
		}
	}
}

// DYNAMODB.md 8: names, shards and pages; streams that were turned off, and those of deleted tables, are there.
func TestStreamsAreListed(t *testing.T) {
	c := newMemoryClient(t)
	first := c.streamTable("one", "KEYS_ONLY")
	c.must("PutItem", `{"TableName":"one","Item":{"pk":{"S":"a"}}}`)
	c.must("UpdateTable", `{"TableName":"one","StreamSpecification":{"StreamEnabled":false}}`)
	c.must("PutItem", `{"TableName":"one","Item":{"pk":{"S":"not in a stream"}}}`)
	c.must("UpdateTable", `{"TableName":"one","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}}`)
	second := c.latestStream("one")
	other := c.streamTable("two", "OLD_IMAGE")
	if first == second {
		t.Fatal("one ARN for two streams")
	}
	c.untilStream(second, "ENABLED")
	c.must("PutItem", `{"TableName":"one","Item":{"pk":{"S":"b"}}}`)
	c.must("DeleteTable", `{"TableName":"one"}`)
	if l := mustStreams[streamList](c, "ListStreams", `{}`); len(l.Streams) != 3 || l.Streams[0].StreamArn != first || l.Streams[1].StreamArn != second || l.Streams[2].StreamArn != other || l.LastEvaluatedStreamArn != "" {
		t.Errorf("%+v", l)
	}
	if l := mustStreams[streamList](c, "ListStreams", `{"TableName":"one","Limit":1}`); len(l.Streams) != 1 || l.LastEvaluatedStreamArn != first {
		t.Errorf("%+v", l)
	}
	if l := mustStreams[streamList](c, "ListStreams", `{"ExclusiveStartStreamArn":"`+first+`","Limit":2}`); len(l.Streams) != 2 || l.Streams[0].StreamArn != second || l.LastEvaluatedStreamArn != "" {
		t.Errorf("%+v", l)
	}
	if l := mustStreams[streamList](c, "ListStreams", `{"TableName":"none"}`); l.Streams == nil || len(l.Streams) != 0 {
		t.Errorf("%+v", l)
	}
	for arn, key := range map[string]string{first: "a", second: "b"} {
		d := mustStreams[streamDescription](c, "DescribeStream", `{"StreamArn":"`+arn+`"}`).StreamDescription
		if d.StreamArn != arn || d.StreamStatus != "DISABLED" || d.TableName != "one" || len(d.KeySchema) != 1 || len(d.Shards) != 4 || !strings.HasSuffix(arn, "/stream/"+d.StreamLabel) || d.CreationRequestDateTime < 1e9 {
			t.Errorf("%+v", d)
		}
		for i, s := range d.Shards {
			r := s.SequenceNumberRange
			if !shardForm.MatchString(s.ShardId) || !sequenceForm.MatchString(r.StartingSequenceNumber) || !sequenceForm.MatchString(r.EndingSequenceNumber) ||
				r.StartingSequenceNumber > r.EndingSequenceNumber || s.ParentShardId != "" || i > 0 && s.ShardId <= d.Shards[i-1].ShardId {
				t.Errorf("shard %d: %+v", i, s)
			}
		}
		if _, page := c.all(arn); len(page.Records) != 1 || page.Records[0].Dynamodb.Keys["pk"]["S"] != key {
			t.Errorf("%s: %+v", arn, page.Records)
		}
	}
	d := mustStreams[streamDescription](c, "DescribeStream", `{"StreamArn":"`+other+`","Limit":3}`).StreamDescription
	if len(d.Shards) != 3 || d.LastEvaluatedShardId != d.Shards[2].ShardId || d.StreamStatus != "ENABLED" || d.Shards[0].SequenceNumberRange.EndingSequenceNumber != "" {
		t.Errorf("%+v", d)
	}
	d = mustStreams[streamDescription](c, "DescribeStream", `{"StreamArn":"`+other+`","ExclusiveStartShardId":"`+d.LastEvaluatedShardId+`"}`).StreamDescription
	if len(d.Shards) != 1 || d.LastEvaluatedShardId != "" {
		t.Errorf("%+v", d)
	}
	filter := `{"StreamArn":"` + other + `","ShardFilter":{"Type":"CHILD_SHARDS","ShardId":"` + d.Shards[0].ShardId + `"}}`
	if d = mustStreams[streamDescription](c, "DescribeStream", filter).StreamDescription; len(d.Shards) != 0 {
		t.Errorf("%+v", d)
	}
}

func (c *client) untilStream(arn, status string) {
	c.t.Helper()
	for range 10_000 {
		if mustStreams[streamDescription](c, "DescribeStream", `{"StreamArn":"`+arn+`"}`).StreamDescription.StreamStatus == status {
			return
		}
	}
	c.t.Fatalf("%s is not %s", arn, status)
}

// DYNAMODB.md 8: where iterators begin, and that they can be used again.
func TestShardIterators(t *testing.T) {
	c := newMemoryClient(t)
	arn := c.streamTable("tab", "NEW_IMAGE")
	put := func(n int) {
		c.must("PutItem", fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"S":"a"},"n":{"N":"%d"}}}`, n))
	}
	for i := 1; i <= 5; i++ {
		put(i)
	}
	_, page := c.all(arn)
	if len(page.Records) != 5 {
		t.Fatal(page)
	}
	shard := ""
	for _, s := range mustStreams[streamDescription](c, "DescribeStream", `{"StreamArn":"`+arn+`"}`).StreamDescription.Shards {
		p := mustStreams[streamPage](c, "GetRecords", `{"ShardIterator":"`+c.iterator(arn, s.ShardId, fromHorizon)+`"}`)
		if p.Records == nil {
			t.Error("Records is no array") // always one, even if empty
		}
		if len(p.Records) > 0 {
			shard = s.ShardId
		}
	}
	numbers := func(it, limit string) (got string, next string) {
		p := mustStreams[streamPage](c, "GetRecords", `{"ShardIterator":"`+it+`"`+limit+`}`)
		for _, r := range p.Records {
			got += r.Dynamodb.NewImage["n"]["N"].(string)
		}
		if p.NextShardIterator == nil {
			t.Fatal("an open shard ends")
		}
		return got, *p.NextShardIterator
	}
	latest := c.iterator(arn, shard, `"ShardIteratorType":"LATEST"`)
	put(6)
	seq := func(i int) string { return `"SequenceNumber":"` + page.Records[i].Dynamodb.SequenceNumber + `"` }
	second := page.Records[0].Dynamodb.ApproximateCreationDateTime.String()
	for _, row := range []struct{ start, want string }{
		{fromHorizon, "123456"},
		{`"ShardIteratorType":"AT_SEQUENCE_NUMBER",` + seq(1), "23456"},
		{`"ShardIteratorType":"AFTER_SEQUENCE_NUMBER",` + seq(1), "3456"},
		{`"ShardIteratorType":"AT_TIMESTAMP","Timestamp":` + second, "123456"},
		{`"ShardIteratorType":"AT_TIMESTAMP","Timestamp":1`, "123456"}, // older than everything
	} {
		if got, _ := numbers(c.iterator(arn, shard, row.start), ""); got != row.want {
			t.Errorf("%s: %s, want %s", row.start, got, row.want)
		}
	}
	if got, _ := numbers(latest, ""); got != "6" {
		t.Errorf("LATEST: %s", got)
	}
	it := c.iterator(arn, shard, fromHorizon)
	got, next := numbers(it, `,"Limit":2`)
	again, _ := numbers(it, `,"Limit":2`)
	rest, end := numbers(next, "")
	if nothing, _ := numbers(end, ""); got != "12" || again != "12" || rest != "3456" || nothing != "" {
		t.Errorf("%s, again %s, then %s, then %s", got, again, rest, nothing)
	}
}

// DYNAMODB.md 1.3, 8: what is refused, and how.
func TestStreamRefusals(t *testing.T) {
	c := newMemoryClient(t)
	arn := c.streamTable("tab", "NEW_IMAGE")
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"}}}`)
	shard := mustStreams[streamDescription](c, "DescribeStream", `{"StreamArn":"`+arn+`"}`).StreamDescription.Shards[0].ShardId
	good := c.iterator(arn, shard, fromHorizon)
	unknown := arn[:len(arn)-23] + "2015-05-11T21:21:33.291"
	abroad := strings.Replace(arn, "us-east-1", "eu-west-1", 1)
	iter := func(rest string) string { return `{"StreamArn":"` + arn + `","ShardId":"` + shard + `",` + rest + `}` }
	gone := func(arn string) string { return "Requested resource not found: Stream: " + arn + " not found" }
	for _, r := range []refusal{
		{"4.10", "DescribeStream", `{}`, validation, violation(null("streamArn"))},
		{"8", "DescribeStream", `{"StreamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab"}`, validation, "Invalid StreamArn: arn:aws:dynamodb:us-east-1:000000000000:table/tab"},
		{"8", "DescribeStream", `{"StreamArn":"` + arn + `x"}`, validation, "Invalid StreamArn: " + arn + "x"},
		{"8", "DescribeStream", `{"StreamArn":"` + unknown + `"}`, notFound, gone(unknown)},
		{"8", "DescribeStream", `{"StreamArn":"` + abroad + `"}`, notFound, gone(abroad)},
		{"8", "DescribeStream", `{"StreamArn":"` + arn + `","Limit":0}`, validation, violation("Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1")},
		{"8", "ListStreams", `{"Limit":101}`, validation, violation("Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100")},
		{"8", "ListStreams", `{"ExclusiveStartStreamArn":"no arn, though it is long enough for one"}`, validation, "Invalid StreamArn: no arn, though it is long enough for one"},
		{"4.10", "GetShardIterator", `{}`, validation, violation(null("streamArn"), null("shardId"), null("shardIteratorType"))},
		{"8", "GetShardIterator", iter(`"ShardIteratorType":"FIRST"`), validation, violation("Value 'FIRST' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: [TRIM_HORIZON, LATEST, AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER, AT_TIMESTAMP]")},
		{"8", "GetShardIterator", iter(`"ShardIteratorType":"AT_SEQUENCE_NUMBER"`), validation, "SequenceNumber is required for ShardIteratorType AT_SEQUENCE_NUMBER"},
		{"8", "GetShardIterator", iter(`"ShardIteratorType":"LATEST","SequenceNumber":"100000000000000000000000000000"`), validation, "SequenceNumber must not be specified for ShardIteratorType LATEST"},
		{"8", "GetShardIterator", iter(`"ShardIteratorType":"AT_SEQUENCE_NUMBER","SequenceNumber":"12345678901234567890x"`), validation, "Invalid SequenceNumber: 12345678901234567890x"},
		{"8", "GetShardIterator", iter(`"ShardIteratorType":"AFTER_SEQUENCE_NUMBER","SequenceNumber":"10000000000000999999900000000"`), validation, "Invalid SequenceNumber: 10000000000000999999900000000 is not in the shard"},
		{"8", "GetShardIterator", iter(`"ShardIteratorType":"AT_TIMESTAMP"`), validation, "Timestamp is required for ShardIteratorType AT_TIMESTAMP"},
		{"8", "GetShardIterator", iter(`"ShardIteratorType":"AT_TIMESTAMP","Timestamp":4102444800`), validation, "Invalid Timestamp: it is in the future"},
		{"8", "GetShardIterator", strings.Replace(iter(fromHorizon), shard, "shardId-00000000000000000001-00000000", 1), notFound, "Requested resource not found: Shard: shardId-00000000000000000001-00000000 not found"},
		{"8", "GetShardIterator", strings.Replace(iter(fromHorizon), arn, unknown, 1), notFound, gone(unknown)},
		{"4.10", "GetRecords", `{}`, validation, violation(null("shardIterator"))},
		{"8", "GetRecords", `{"ShardIterator":"garbage"}`, validation, "Invalid ShardIterator"},
		{"8", "GetRecords", `{"ShardIterator":"` + good[:40] + "A" + good[41:] + `x"}`, validation, "Invalid ShardIterator"},
		{"8", "GetRecords", `{"ShardIterator":"` + good + `","Limit":1001}`, validation, violation("Value '1001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 1000")},
		{"8", "GetRecords", `{"ShardIterator":7}`, serialization, "NUMBER_VALUE cannot be converted to String"},
	} {
		a := c.streams(r.op, r.body)
		if got, want := memberText(t, a.body, "__type"), namespace(r.name)+r.name; a.status != 400 || got != want {
			t.Errorf("%s %s: %d %s, want %s", r.op, r.body, a.status, a.body, want)
		} else if got := memberText(t, a.body, messageMember(r.name)); got != r.message {
			t.Errorf("%s %s\n got  %q\n want %q", r.op, r.body, got, r.message)
		}
	}
	if a := c.call("ListStreams", `{}`); !strings.Contains(a.body, "#UnknownOperationException") {
		t.Errorf("the other target knows ListStreams: %s", a.body)
	}
	if a := c.streams("PutItem", `{}`); !strings.Contains(a.body, "#UnknownOperationException") {
		t.Errorf("the Streams target knows PutItem: %s", a.body)
	}
}
