package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
)

// cannedFeed is a feed of three conflicts on two pages.
type cannedFeed struct {
	admin.Source
	asked   []admin.ConflictQuery
	changed bool // the winner has
}

func stampAt(ms int64, region string) crdt.Stamp {
	return crdt.Stamp{Time: crdt.TimeFromMillis(ms), Origin: crdt.Origin{Region: region, Incarnation: 0xa1}}
}

func song(title string) item.Item {
	return item.NewItem([]item.Field{{Name: "pk", Value: item.Str("q")}, {Name: "title", Value: item.Str(title)}})
}

func (f *cannedFeed) Conflicts(_ context.Context, q admin.ConflictQuery) (admin.ConflictPage, error) {
	f.asked = append(f.asked, q)
	if q.Table == "gone" {
		return admin.ConflictPage{}, fault.New(fault.NotFound, "there is no such table")
	}
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	make := func(ms int64, lost item.Item) admin.Conflict {
		return admin.Conflict{
			Table: "music", Key: json.RawMessage(`{"pk":{"S":"q"}}`), Reason: "because", Policy: "attribute", Noted: at,
			Lost: admin.NewConflictWrite(stampAt(ms, "us-east-1"), lost), Winner: admin.NewConflictWrite(stampAt(ms+1, "eu-west-1"), song("won")),
		}
	}
	one, two, three := make(1000, song("lost")), make(2000, item.Item{}), make(3000, song("half"))
	three.Attributes = map[string]json.RawMessage{"title": json.RawMessage(`{"S":"half"}`)}
	if !q.Write.IsZero() {
		if q.Write != one.Lost.Write {
			return admin.ConflictPage{}, nil
		}
		return admin.ConflictPage{Conflicts: []admin.Conflict{one}}, nil
	}
	if q.From == "" {
		return admin.ConflictPage{Conflicts: []admin.Conflict{one, two}, Next: "more"}, nil
	}
	return admin.ConflictPage{Conflicts: []admin.Conflict{three}, Feeds: map[string]admin.ConflictFeed{"music": {Floor: at, Dropped: 4}}}, nil
}

func (f *cannedFeed) RestoreConflict(context.Context, string, item.Item, crdt.Stamp) (item.Item, error) {
	if f.changed {
		return item.Item{}, fault.New(fault.ConditionFailed, "the item has changed")
	}
	return song("lost"), nil
}

func TestConflictsCommand(t *testing.T) {
	f := &cannedFeed{}
	server := httptest.NewServer(admin.Handler(admin.Options{Source: f, Conflicts: f, Metrics: http.NotFoundHandler()}))
	defer server.Close()
	const write = "1000.0/us-east-1@00000000000000a1"
	named := []string{"--table", "music", "--key", `{"pk":{"S":"q"}}`, "--write", write}
	for _, c := range []struct {
		args      []string
		code      int
		out, errs string // parts
	}{
		{[]string{"list"}, 0, "1970-01-01T00:00:02.000Z  us-east-1  music  {\"pk\":{\"S\":\"q\"}}  delete", "4 conflicts of writes up to 2026-01-02T15:04:05Z have been dropped"},
		{[]string{"list"}, 0, `["title"]`, ""},
		{[]string{"list", "--limit", "1", "--json"}, 0, `"item":{"pk":{"S":"q"},"title":{"S":"lost"}}`, ""},
		{append([]string{"show"}, named...), 0, "because", ""},
		{append([]string{"show", "--json"}, named...), 0, `"policy":"attribute"`, ""},
		{append([]string{"show"}, append(named[:5:5], "1.0/b@0000000000000001")...), 1, "", "has no write 1.0/b@0000000000000001"},
		{append([]string{"restore"}, named...), 0, `restored; the item is now {"pk":{"S":"q"},"title":{"S":"lost"}}`, ""},
		{append([]string{"restore", "--json"}, named...), 0, `{"item":{"pk"`, ""},
		{[]string{"show", "--table", "music"}, 2, "", "name the conflict"},
		{[]string{"restore"}, 2, "", "name the conflict"},
		{[]string{"list", "--key", "{}"}, 2, "", "--key needs --table"},
		{[]string{"list", "--table", "t", "--key", "q"}, 2, "", "is no JSON"},
		{[]string{"list", "--since", "yesterday"}, 2, "", "neither a time"},
		{[]string{"list", "--limit", "-1"}, 2, "", "no negative"},
		{[]string{"list", "--table", "gone"}, 1, "", "/admin/conflicts answers 404: there is no such table\n"},
		{[]string{"tail", "--poll", "0s"}, 2, "", "more than nothing"},
		{[]string{"list", "more"}, 2, "", "takes no arguments"},
	} {
		var out, errs bytes.Buffer
		args := append([]string{"conflicts"}, c.args...)
		code := run(t.Context(), append(args, "--admin", server.URL), &out, &errs)
		if code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.errs) {
			t.Errorf("%q: exit %d, want %d\n%s%s", c.args, code, c.code, &out, &errs)
		}
	}
	f.changed = true
	var out, errs bytes.Buffer
	if code := run(t.Context(), append([]string{"conflicts", "restore", "--admin", server.URL}, named...), &out, &errs); code != 1 || errs.String() != "meridian: "+server.URL+" refuses: the item has changed\n" {
		t.Errorf("exit %d, %s", code, &errs)
	}
	f.asked = nil
	if code := run(t.Context(), []string{"conflicts", "list", "--admin", server.URL, "--since", "90m", "--until", "2026-01-02T15:04:05Z"}, &out, &errs); code != 0 {
		t.Fatal(&errs)
	}
	if q := f.asked[0]; time.Since(q.Since).Round(time.Minute) != 90*time.Minute || q.Until.Unix() != 1767366245 {
		t.Errorf("asked for %+v", q)
	}
}

// Tail prints each conflict once, and ends in good order.
func TestConflictsTail(t *testing.T) {
	f := &cannedFeed{}
	server := httptest.NewServer(admin.Handler(admin.Options{Source: f, Conflicts: f, Metrics: http.NotFoundHandler()}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	out := &untilLines{want: 3, reached: cancel}
	var errs bytes.Buffer
	code := run(ctx, []string{"conflicts", "tail", "--admin", server.URL, "--since", "2026-01-01T00:00:00Z", "--poll", "1ms", "--json"}, out, &errs)
	if code != 0 || out.lines != 3 {
		t.Errorf("exit %d, %d lines, %s", code, out.lines, &errs)
	}
}

// untilLines counts lines and calls reached at the one that is wanted.
type untilLines struct {
	lines, want int
	reached     func()
}

func (u *untilLines) Write(b []byte) (int, error) {
	if u.lines += bytes.Count(b, []byte("\n")); u.lines >= u.want {
		u.reached()
	}
	return len(b), nil
}
