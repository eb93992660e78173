package api

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region"
)

func stampAt(name string, incarnation uint64, t crdt.Time) crdt.Stamp {
	return crdt.Stamp{Time: t, Origin: crdt.Origin{Region: name, Incarnation: incarnation}}
}

func sampleToken() sessionToken {
	return sessionToken{
		{Stamp: stampAt("ap-northeast-1", 1, 1<<63+5)}, {Stamp: stampAt("us-east-1", 7, 9), Wrote: true}, {Stamp: stampAt("us-east-1", 8, 0)},
	}
}

func TestSessionTokenText(t *testing.T) {
	for _, token := range []sessionToken{nil, sampleToken()[:1], sampleToken()} {
		got, err := parseSessionToken(token.String())
		if err != nil || len(got) != len(token) || len(token) > 0 && !reflect.DeepEqual(got, token) {
			t.Errorf("%v came back as %v, %v", token, got, err)
		}
	}
	text := sampleToken().String()
	for i := range text {
		for _, bad := range []string{text[:i] + "*" + text[i+1:], text[:i], text[:i] + string(text[i]^1) + text[i+1:], text[i+1:]} {
			if bad == "" { // a session's beginning
				continue
			}
			if got, err := parseSessionToken(bad); err == nil {
				t.Errorf("%q is no token and was read as %v", bad, got)
			}
		}
	}
	unordered := sampleToken()
	unordered[0], unordered[1] = unordered[1], unordered[0]
	if _, err := parseSessionToken(unordered.String()); err == nil {
		t.Error("origins out of order were read")
	}
}

func TestSessionTokenGrows(t *testing.T) {
	us, eu := stampAt("us-east-1", 7, 20), stampAt("eu-west-1", 3, 4)
	before := sampleToken()
	after := before.with(crdt.NewContext(0, us, eu), eu.Origin)
	want := sessionToken{before[0], {Stamp: eu, Wrote: true}, {Stamp: us, Wrote: true}, before[2]}
	if !reflect.DeepEqual(after, want) {
		t.Errorf("got  %v\nwant %v", after, want)
	}
	if !reflect.DeepEqual(before, sampleToken()) {
		t.Errorf("the token shown was changed: %v", before)
	}
	older := stampAt("eu-west-1", 3, 2)
	if again := after.with(crdt.NewContext(0, older), crdt.Origin{}); !reflect.DeepEqual(again, want) {
		t.Errorf("an older time made %v", again)
	}
}

func TestSessionTokensJoin(t *testing.T) {
	a, b := sampleToken()[:2], sampleToken()[1:]
	b[0].Time += 5
	want := sampleToken()
	want[1].Time += 5
	for _, shown := range [][]string{{a.String(), b.String()}, {b.String() + ", " + a.String()}, {"", b.String() + "," + a.String(), ""}} {
		if got, err := parseSessionTokens(shown); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, %v", shown, got, err)
		}
	}
	if got, err := parseSessionTokens([]string{a.String(), "x"}); err == nil {
		t.Errorf("garbage beside a token was read as %v", got)
	}
}

func FuzzSessionToken(f *testing.F) {
	f.Add(sampleToken().String())
	f.Add(sampleToken().String()[:20] + "\n" + sampleToken().String()[20:]) // which package base64 passes over
	f.Fuzz(func(t *testing.T, text string) {
		if token, err := parseSessionToken(text); err == nil && token.String() != text {
			t.Errorf("%q was read as %v, which is written %q", text, token, token.String())
		}
	})
}

// session calls an operation with a session header.
func (c *client) session(token, op, body string) answer {
	r := c.request(targetDynamoDB+op, body)
	r.Header.Set("x-meridian-session", token)
	return c.do(r)
}

func TestSessionHeader(t *testing.T) {
	c := newMemoryClient(t)
	c.table("things", false)
	if a := c.call("ListTables", `{}`); a.header.Values(sessionHeader) != nil {
		t.Errorf("a token came unasked: %q", a.header.Values(sessionHeader))
	}
	// No other region holds the table: there is nothing to wait for anywhere.
	a := c.session("", "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"}}}`)
	if v := a.header.Values(sessionHeader); a.status != 200 || len(v) != 1 || v[0] != "" {
		t.Errorf("got %d %s with session %q", a.status, a.body, v)
	}
	for _, garbage := range []string{"x", "AAAA", sampleToken().String() + "A"} {
		a := c.session(garbage, "GetItem", `{"TableName":"things","Key":{"pk":{"S":"a"}}}`)
		if a.status != http.StatusBadRequest || memberText(t, a.body, "__type") != namespace(validation)+validation {
			t.Errorf("token %q: %d %s", garbage, a.status, a.body)
		}
	}
	// What was read elsewhere does not concern a region that shares nothing with that one; what was written there may.
	read := sessionToken{{Stamp: stampAt("eu-west-1", 5, 1<<40)}}
	if a := c.session(read.String(), "GetItem", `{"TableName":"things","Key":{"pk":{"S":"a"}}}`); a.status != 200 ||
		a.header.Get(sessionHeader) != read.String() {
		t.Errorf("got %d %s, token %q", a.status, a.body, a.header.Get(sessionHeader))
	}
}

func TestSessionRefused(t *testing.T) {
	c := newMemoryClient(t, func(o *Options) { o.SessionPatience = 1 })
	c.table("things", false)
	wrote := sessionToken{{Stamp: stampAt("eu-west-1", 5, 1<<40), Wrote: true}}
	a := c.session(wrote.String(), "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"}}}`)
	if a.status != http.StatusServiceUnavailable || memberText(t, a.body, "__type") != namespace("ServiceUnavailable")+"ServiceUnavailable" ||
		a.header.Get(behindHeader) != "eu-west-1" || a.header.Get(sessionHeader) != wrote.String() {
		t.Errorf("got %d %s %v", a.status, a.body, a.header)
	}
	if got := c.must("GetItem", `{"TableName":"things","Key":{"pk":{"S":"a"}}}`); got != `{}` {
		t.Errorf("a write that was refused happened: %s", got)
	}
}

var _ sessions = regionBackend{(*region.Region)(nil)}
