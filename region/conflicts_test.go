package region

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
)

// feed is all that a region lists, page by page.
func (w *world) feed(at string, q ConflictQuery) (all []Conflict) {
	w.t.Helper()
	q.Limit = 2
	for {
		list, next, err := w.at(at).Conflicts(context.Background(), q)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, list...)
		if next == "" {
			return all
		}
		q.From = next
	}
}

// feedText is a feed to compare with another's.
func (w *world) feedText(at string, q ConflictQuery) (text string) {
	for _, c := range w.feed(at, q) {
		b := c.Note.Append(nil)
		text += fmt.Sprintf("%s %s %x\n", c.Table, c.Key.AppendJSON(nil), b)
	}
	return text
}

// shared makes a table with a replica in every region.
func (w *world) shared(name string) {
	w.t.Helper()
	w.create(w.names[0], name)
	for _, n := range w.names[1:] {
		w.addReplica(w.names[0], name, n)
	}
	w.eventually("all regions know of all", func() bool {
		for _, n := range w.names {
			if !w.active(n, name) {
				return false
			}
		}
		return true
	})
}

// collide has all regions put one item while they are cut off from each other.
func (w *world) collide(name, key string, first int) {
	w.t.Helper()
	for _, a := range w.names {
		for _, b := range w.names {
			w.setCut(a, b, a != b)
		}
	}
	for i, n := range w.names {
		w.mustPut(n, name, key, first+i)
		time.Sleep(5 * time.Millisecond)
	}
	for _, a := range w.names {
		for _, b := range w.names {
			w.setCut(a, b, false)
		}
	}
}

// TestConflictsAreListed in all regions alike, and in one that joins later; a detector that dies takes none with it.
func TestConflictsAreListed(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), true, "us-east-1", "eu-west-1", "ap-south-1")
		defer w.close()
		w.create("us-east-1", "t")
		w.addReplica("us-east-1", "t", "eu-west-1")
		w.create("us-east-1", "other")
		w.addReplica("us-east-1", "other", "eu-west-1")
		third := w.names[2]
		w.names = w.names[:2]
		for i := range 5 {
			w.collide("t", fmt.Sprint("k", i), 10*i)
		}
		w.collide("other", "k", 1)
		w.names = append(w.names, third)
		w.eventually("both list what was lost", func() bool {
			text := w.feedText("us-east-1", ConflictQuery{})
			return len(w.feed("us-east-1", ConflictQuery{})) == 6 && text == w.feedText("eu-west-1", ConflictQuery{})
		})
		for _, c := range w.feed("eu-west-1", ConflictQuery{Table: "t"}) {
			if c.Loser.Origin.Region != "us-east-1" || c.Winner.Origin.Region != "eu-west-1" || c.Policy != conflict.LastWriterWins ||
				!c.Image.Get("pk").Equal(c.Key.Get("pk")) || c.Reason != conflict.OverwrittenByPut {
				t.Errorf("listed: %+v", c)
			}
		}
		w.addReplica("us-east-1", "t", third)
		w.eventually("the new replica has the feed", func() bool {
			return w.feedText(third, ConflictQuery{Table: "t"}) == w.feedText("us-east-1", ConflictQuery{Table: "t"})
		})
		w.crash("us-east-1")
		w.start("us-east-1")
		if n := len(w.feed("us-east-1", ConflictQuery{})); n != 6 {
			t.Errorf("after a power cut %d conflicts are listed", n)
		}
		for _, n := range []string{"us-east-1", "eu-west-1"} {
			for _, c := range w.at(n).ConflictCounts() {
				if c.Loser != "us-east-1" || c.Winner != "eu-west-1" || c.Policy != "last-writer-wins" || n == "eu-west-1" && c.Count != map[string]uint64{"t": 5, "other": 1}[c.Table] {
					t.Errorf("%s counts %+v", n, c)
				}
			}
		}
		if _, _, err := w.at("us-east-1").Conflicts(context.Background(), ConflictQuery{Table: "none", Limit: 1}); !isKind(err, fault.NotFound) {
			t.Errorf("a table that is not there: %v", err)
		}
		if _, _, err := w.at("us-east-1").Conflicts(context.Background(), ConflictQuery{From: "!", Limit: 1}); !isKind(err, fault.Invalid) {
			t.Errorf("a place that is none: %v", err)
		}
	})
}

// TestRestoreConflict: the loser comes back as a new write everywhere, once, and not over somebody's later write.
func TestRestoreConflict(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), false, "us-east-1", "eu-west-1")
		defer w.close()
		w.shared("t")
		w.collide("t", "k", 1)
		w.eventually("listed", func() bool { return len(w.feed("us-east-1", ConflictQuery{})) == 1 })
		c := w.feed("us-east-1", ConflictQuery{})[0]
		if w.get("us-east-1", "t", "k") != 2 {
			t.Fatal("the later one did not win")
		}
		got, err := w.at("us-east-1").RestoreConflict(context.Background(), "t", c.Key, c.Loser)
		if err != nil || !got.Equal(thing("k", 1)) {
			t.Fatalf("restored %s, %v", got.AppendJSON(nil), err)
		}
		w.eventually("it is back everywhere", func() bool { return w.get("eu-west-1", "t", "k") == 1 })
		if _, err := w.at("us-east-1").RestoreConflict(context.Background(), "t", c.Key, c.Loser); !isKind(err, fault.ConditionFailed) {
			t.Errorf("again: %v", err)
		}
		if _, err := w.at("us-east-1").RestoreConflict(context.Background(), "t", c.Key, c.Winner); !isKind(err, fault.NotFound) {
			t.Errorf("one that did not lose: %v", err)
		}
	})
}

func (w *world) set1(at, name, key, attribute, value string) {
	w.t.Helper()
	tab, err := w.at(at).Table(name)
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := expr.ParseUpdate("SET " + attribute + " = :v")
	if err != nil {
		w.t.Fatal(err)
	}
	bound, err := u.Bind(expr.NewParams(nil, map[string]item.Value{":v": item.Str(value)}))
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := tab.Write(context.Background(), table.Write{Op: table.Update, Key: keyOf(key), Update: bound}); err != nil {
		w.t.Fatal(err)
	}
}

// TestAttributePolicy: concurrent edits of different attributes all survive; of one attribute the higher stamp wins, the other
// is in the feed, and comes back alone.
func TestAttributePolicy(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), false, "us-east-1", "eu-west-1", "ap-south-1")
		defer w.close()
		w.shared("t")
		if err := w.at("eu-west-1").SetTags(context.Background(), "t", map[string]string{catalog.PolicyTag: "attribute"}, nil); err != nil {
			t.Fatal(err)
		}
		w.eventually("the policy is everywhere", func() bool {
			for _, n := range w.names {
				if v, err := w.at(n).DescribeTable("t"); err != nil || v.Policy != "attribute" {
					return false
				}
			}
			return true
		})
		w.mustPut("us-east-1", "t", "k", 1)
		w.eventually("the item is everywhere", func() bool { return w.get("eu-west-1", "t", "k") == 1 && w.get("ap-south-1", "t", "k") == 1 })
		for _, a := range w.names {
			for _, b := range w.names {
				w.setCut(a, b, a != b)
			}
		}
		w.set1("us-east-1", "t", "k", "a", "from us")
		w.set1("us-east-1", "t", "k", "common", "from us")
		w.set1("eu-west-1", "t", "k", "b", "from eu")
		time.Sleep(5 * time.Millisecond)
		w.set1("eu-west-1", "t", "k", "common", "from eu")
		w.set1("ap-south-1", "t", "k", "c", "from ap")
		for _, a := range w.names {
			for _, b := range w.names {
				w.setCut(a, b, false)
			}
		}
		w.eventually("all agree", func() bool {
			text := w.feedText("us-east-1", ConflictQuery{})
			return w.equal("t", w.names...) && text != "" && text == w.feedText("eu-west-1", ConflictQuery{}) && text == w.feedText("ap-south-1", ConflictQuery{})
		})
		s, err := w.at("ap-south-1").ItemState(context.Background(), "t", item.NewItem([]item.Field{{Name: "pk", Value: item.Str("k")}}))
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{"a": "from us", "b": "from eu", "c": "from ap", "common": "from eu"} {
			if got := s.Item.Get(name).Text(); got != want {
				t.Errorf("%s is %q, not %q", name, got, want)
			}
		}
		list := w.feed("ap-south-1", ConflictQuery{})
		if len(list) != 1 || len(list[0].Fields) != 1 || list[0].Fields[0].Name != "common" || list[0].Fields[0].Value.Text() != "from us" {
			t.Fatalf("listed: %+v", list)
		}
		w.set1("eu-west-1", "t", "k", "b", "later")
		got, err := w.at("eu-west-1").RestoreConflict(context.Background(), "t", list[0].Key, list[0].Loser)
		if err != nil || got.Get("common").Text() != "from us" || got.Get("b").Text() != "later" || got.Get("c").Text() != "from ap" {
			t.Errorf("restored %s, %v", got.AppendJSON(nil), err)
		}
	})
}

// TestFeedLimitsAreOptions: a region drops what is older than it was told, and the other one drops it too.
func TestFeedLimitsAreOptions(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), true, "us-east-1", "eu-west-1")
		defer w.close()
		w.shared("t")
		if l := w.at("us-east-1").feeds; l.Age != DefaultConflictAge.Milliseconds() || l.Bytes != DefaultConflictBytes {
			t.Errorf("the defaults are %+v", l)
		}
		w.set(func() { w.options = func(o *Options) { o.ConflictAge = time.Hour } })
		w.stop("eu-west-1")
		w.start("eu-west-1")
		w.set(func() { w.options = nil })
		w.collide("t", "old", 1)
		w.eventually("the old one is listed", func() bool { return len(w.feed("us-east-1", ConflictQuery{})) == 1 })
		w.pass(2 * time.Hour)
		w.collide("t", "new", 1)
		agree := map[string]time.Duration{"us-east-1": 0, "eu-west-1": 0}
		for range 700 { // the feed is looked at every ten minutes
			for _, n := range w.names {
				w.at(n).ReportOffsets(agree)
			}
			time.Sleep(time.Second)
		}
		w.eventually("it is dropped in both, and the new one is not", func() bool {
			a, b := w.feed("us-east-1", ConflictQuery{}), w.feedText("eu-west-1", ConflictQuery{})
			return len(a) == 1 && a[0].Key.Get("pk").Text() == "new" && b == w.feedText("us-east-1", ConflictQuery{})
		})
	})
}
