package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/meridiandb/meridian/region"
)

// conflictSeen is what a record's image says of a conflict: who lost to whom, with which items.
func conflictSeen(image map[string]types.AttributeValue) string {
	if image == nil {
		return ""
	}
	var out []string
	for _, side := range []string{"lost", "winner"} {
		m, _ := image[side].(*types.AttributeValueMemberM)
		if m == nil {
			return "no " + side
		}
		item, _ := m.Value["image"].(*types.AttributeValueMemberM)
		text := textOf(m.Value, "write") + " deletes"
		if item != nil {
			text = textOf(m.Value, "write") + " " + textOf(item.Value, "v")
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// listedConflicts is what a region lists, as the judge prints it.
func listedConflicts(t *testing.T, r *region.Region) map[string]string {
	t.Helper()
	all := map[string]string{}
	for q := (region.ConflictQuery{Table: "tab", Limit: 100}); ; {
		page, next, err := r.Conflicts(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page {
			side := func(write, v string, deleted bool) string {
				if deleted {
					return write + " deletes"
				}
				return write + " " + v
			}
			it, beaten := c.Item(), c.Beaten
			all[string(c.Key.AppendJSON(nil))+c.Loser.String()] = side(c.Loser.String(), it.Get("v").Text(), it.IsZero()) + ", " +
				side(c.Winner.String(), beaten.Get("v").Text(), beaten.IsZero())
		}
		if q.From = next; next == "" {
			return all
		}
	}
}

// An SDK that knows the table's name alone finds its conflicts as a stream, and what the records leave is what is listed, while
// regions write the same items and the power of one is cut.
func TestConsumerSeesEveryConflict(t *testing.T) {
	w := newCluster(t, streamSeed(t), "eu-west-1", "ap-northeast-1")
	c := &client{t: t, url: w.url}
	c.streamTable("tab", "KEYS_ONLY")
	w.join(t)
	sdk := newStreamsSDK(w.url)
	found, err := sdk.ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{TableName: aws.String("tab" + region.FeedSuffix)})
	if err != nil || len(found.Streams) != 1 || *found.Streams[0].TableName != "tab~conflicts" {
		t.Fatalf("%+v: %v", found, err)
	}
	if all, err := sdk.ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{}); err != nil || len(all.Streams) != 2 {
		t.Fatalf("%+v: %v", all, err)
	}
	j := newJudge(conflictSeen, "key", "write")
	w.follow(t, j, *found.Streams[0].StreamArn, 3, listedConflicts)
	if n := len(listedConflicts(t, w.home)); n < 10 {
		t.Errorf("%d conflicts: too few to have seen anything", n)
	}
}

// No table can be made under the name of a feed, and the name means a feed for streams only.
func TestFeedNames(t *testing.T) {
	c := newMemoryClient(t)
	for _, body := range []string{`{"TableName":"one~conflicts"}`, `{"TableName":"~conflicts"}`} {
		if a := c.call("DescribeTable", body); a.status != 400 || !strings.Contains(a.body, "ValidationException") {
			t.Errorf("%s: %+v", body, a)
		}
	}
	a := c.call("CreateTable", `{"TableName":"one~conflicts","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}`)
	if a.status != 400 || !strings.Contains(a.body, "ValidationException") {
		t.Errorf("%+v", a)
	}
	for name, ok := range map[string]bool{"one~conflicts": true, "~conflicts": false, "o~conflicts": false, "one~conflicts~conflicts": false, "one~x": false, strings.Repeat("a", 255) + "~conflicts": true, strings.Repeat("a", 256) + "~conflicts": false} {
		body, _ := json.Marshal(map[string]string{"TableName": name})
		var l streamList
		a := c.streams("ListStreams", string(body))
		if err := json.Unmarshal([]byte(a.body), &l); err != nil || (a.status == 200) != ok || len(l.Streams) != 0 {
			t.Errorf("%s: %+v", name, a)
		}
	}
	arn := "arn:aws:dynamodb:us-east-1:000000000000:table/one~conflicts/stream/2026-01-02T15:04:05.000"
	if a := c.streams("DescribeStream", fmt.Sprintf(`{"StreamArn":%q}`, arn)); !strings.Contains(a.body, "ResourceNotFoundException") {
		t.Errorf("%+v", a)
	}
	if a := c.streams("DescribeStream", fmt.Sprintf(`{"StreamArn":%q}`, strings.Replace(arn, "one~", "~", 1))); !strings.Contains(a.body, "ValidationException") {
		t.Errorf("%+v", a)
	}
}
