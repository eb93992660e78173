package region

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/meridiandb/meridian/item"
)

// standing is what a stream's records leave in the end, by key, and how often each was inserted.
func standing(all []StreamRecord) (left map[string]item.Item, inserted map[string]int) {
	left, inserted = map[string]item.Item{}, map[string]int{}
	for _, r := range all {
		key := string(r.Keys.AppendJSON(nil))
		switch r.Event {
		case "INSERT":
			inserted[key]++
			left[key] = r.New
		case "MODIFY":
			left[key] = r.New
		case "REMOVE":
			delete(left, key)
		}
	}
	return left, inserted
}

// checkFeedStream compares what the stream of a feed leaves with what is listed.
func (w *world) checkFeedStream(at, name string) {
	w.t.Helper()
	left, inserted := standing(w.records(at, name+FeedSuffix))
	list := w.feed(at, ConflictQuery{Table: name})
	for _, c := range list {
		key := item.NewItem([]item.Field{
			{Name: "key", Value: item.Str(string(c.Key.AppendJSON(nil)))}, {Name: "write", Value: item.Str(c.Loser.String())},
		})
		it, ok := left[string(key.AppendJSON(nil))]
		if !ok || !it.Get("lost").Field("image").Item().Equal(c.Item()) || !it.Get("winner").Field("image").Item().Equal(c.Beaten) ||
			it.Get("winner").Field("write").Text() != c.Winner.String() || !it.Get("item").Item().Equal(c.Key) ||
			it.Get("reason").Text() != string(c.Reason) || it.Get("policy").Text() != c.Policy.String() || it.Get("table").Text() != name {
			w.t.Errorf("%s lists %+v, its stream leaves %s", at, c, it.AppendJSON(nil))
		}
	}
	if len(left) != len(list) {
		w.t.Errorf("%s lists %d conflicts, its stream leaves %d", at, len(list), len(left))
	}
	for key, n := range inserted {
		if n != 1 {
			w.t.Errorf("%s: %s was inserted %d times", at, key, n)
		}
	}
}

// TestFeedStreams: each region has a stream of a shared table's conflicts, with one INSERT for each, that outlives power cuts,
// the log's trimming, the turn of its shards, and, for a day, the table.
func TestFeedStreams(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), true, "us-east-1", "eu-west-1", "ap-south-1")
		defer w.close()
		w.create("us-east-1", "alone")
		if all, _ := w.at("us-east-1").Streams("", StreamName{}, 100); len(all) != 0 {
			t.Errorf("a table without replicas has %v", all)
		}
		w.shared("t")
		for i := range 8 {
			w.collide("t", fmt.Sprint("k", i), 10*i)
		}
		listed := func(n int) {
			t.Helper()
			w.eventually("all list all", func() bool {
				text := w.feedText("us-east-1", ConflictQuery{})
				return len(w.feed("us-east-1", ConflictQuery{})) == n && text == w.feedText("eu-west-1", ConflictQuery{}) && text == w.feedText("ap-south-1", ConflictQuery{})
			})
			for _, n := range w.names {
				w.checkFeedStream(n, "t")
			}
		}
		listed(16)
		n := w.streamOf("eu-west-1", "t"+FeedSuffix)
		v, err := w.at("eu-west-1").DescribeStream(n)
		if err != nil || n.Table != "t~conflicts" || v.Status != "ENABLED" || v.View != "NEW_AND_OLD_IMAGES" || len(v.Shards) != 4 ||
			fmt.Sprint(v.Schema.Names()) != "[key write]" {
			t.Errorf("the stream is %+v: %v", v, err)
		}
		before := len(w.records("eu-west-1", "t"+FeedSuffix))
		w.crash("eu-west-1")
		w.start("eu-west-1")
		if n := len(w.records("eu-west-1", "t"+FeedSuffix)); n != before {
			t.Errorf("after a power cut it has %d records, not %d", n, before)
		}
		w.pass(5 * time.Hour) // other shards follow, and the log is trimmed
		time.Sleep(20 * time.Second)
		for i := range 4 {
			w.collide("t", fmt.Sprint("k", i), 1000+10*i)
		}
		listed(24)
		if v, err := w.at("eu-west-1").DescribeStream(n); err != nil || len(v.Shards) != 8 {
			t.Errorf("after five hours the stream is %+v: %v", v, err)
		}
		w.checkOldestGone("eu-west-1", n)
	})
}

// checkOldestGone: a day after the first shards were closed nothing of them is read any more, and a new conflict is.
func (w *world) checkOldestGone(at string, n StreamName) {
	w.t.Helper()
	w.pass(30 * time.Hour)
	time.Sleep(2 * time.Minute)
	w.collide("t", "late", 1)
	w.eventually("the last is listed", func() bool { return len(w.feed(at, ConflictQuery{Table: "t", Key: pk("late")})) == 2 })
	all := w.recordsOf(at, n)
	left, _ := standing(all)
	if len(left) != 8+2 {
		w.t.Errorf("a day later %d stand in the stream", len(left))
	}
	if _, err := w.at(at).DeleteTable(context.Background(), "t"); err != nil {
		w.t.Fatal(err)
	}
	w.eventually("it is disabled", func() bool {
		v, err := w.at(at).DescribeStream(n)
		return err == nil && v.Status == "DISABLED"
	})
	if len(w.recordsOf(at, n)) != len(all) {
		w.t.Error("records went with the table")
	}
	w.pass(30 * time.Hour)
	w.eventually("it is forgotten", func() bool {
		_, err := w.at(at).DescribeStream(n)
		return err != nil
	})
}

func pk(key string) item.Item {
	return item.NewItem([]item.Field{{Name: "pk", Value: item.Str(key)}})
}
