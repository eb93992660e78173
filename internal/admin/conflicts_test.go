package admin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
)

type fakeFeed struct {
	asked    ConflictQuery
	restored crdt.Stamp
	err      error
}

func (f *fakeFeed) Conflicts(_ context.Context, q ConflictQuery) (ConflictPage, error) {
	f.asked = q
	return ConflictPage{}, f.err
}

func (f *fakeFeed) RestoreConflict(_ context.Context, _ string, _ item.Item, write crdt.Stamp) (item.Item, error) {
	f.restored = write
	return item.NewItem([]item.Field{{Name: "pk", Value: item.Str("x")}}), f.err
}

func askFeed(f *fakeFeed, method, target string, header ...string) (int, string) {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	Handler(Options{Source: &fake{}, Conflicts: f, Metrics: http.NotFoundHandler()}).ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

func TestConflictPages(t *testing.T) {
	const write = "1764000000000.3/us-east-1@00000000000000a1"
	key := url.QueryEscape(`{"pk":{"S":"x"}}`)
	f := &fakeFeed{}
	code, body := askFeed(f, "GET", "/admin/conflicts?table=t&limit=7&since=2026-01-02T15:04:05Z&from=here&key="+key+"&write="+url.QueryEscape(write))
	if code != 200 || !strings.Contains(body, `"conflicts": []`) {
		t.Errorf("%d %s", code, body)
	}
	if q := f.asked; q.Table != "t" || q.Limit != 7 || q.From != "here" || q.Key.Get("pk").Text() != "x" || q.Write.String() != write || q.Since.Unix() != 1767366245 || !q.Until.IsZero() {
		t.Errorf("asked for %+v", q)
	}
	for _, bad := range []string{"limit=0", "limit=1001", "limit=x", "key={}", "table=t&key={}", "write=x", "since=yesterday", "until=1"} {
		if code, body := askFeed(f, "GET", "/admin/conflicts?"+bad); code != 400 {
			t.Errorf("%s: %d %s", bad, code, body)
		}
	}
	restore := "/admin/conflicts/restore?table=t&key=" + key + "&write=" + url.QueryEscape(write)
	if code, body := askFeed(f, "POST", restore); code != 200 || f.restored.String() != write || !strings.Contains(body, `"pk"`) {
		t.Errorf("%d %s", code, body)
	}
	for kind, want := range map[fault.Kind]int{fault.ConditionFailed: 409, fault.NotFound: 404, fault.Unavailable: 503} {
		f.err = fault.New(kind, "no")
		if code, body := askFeed(f, "POST", restore); code != want {
			t.Errorf("%d %s, want %d", code, body, want)
		}
	}
	f.restored, f.err = crdt.Stamp{}, nil
	for _, c := range []struct {
		method, target string
		header         []string
		code           int
	}{
		{"GET", restore, nil, 405},
		{"POST", "/admin/conflicts/restore?table=t", nil, 400},
		{"POST", restore, []string{"Sec-Fetch-Site", "cross-site"}, 403},
	} {
		if code, body := askFeed(f, c.method, c.target, c.header...); code != c.code || !f.restored.IsZero() {
			t.Errorf("%s %s: %d %s", c.method, c.target, code, body)
		}
	}
}
